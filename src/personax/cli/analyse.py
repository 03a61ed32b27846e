"""personax analyse RELEASE: Level I, Level II and the report of a release that somebody else made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from personax.cli.console import emit, say, showing_progress
from personax.cli.options import refuse
from personax.cli.run import JsonOption
from personax.errors import PersonaxError, PlanError, StudyError
from personax.files import write_text

if TYPE_CHECKING:
    from personax.stages import ReleaseAnalysis
    from personax.study import Study

__all__ = ["register"]

EXAMPLE = (
    "Examples: personax analyse downloads/celebpersona   |   personax analyse user/name --out study   |   "
    "personax analyse folder --map code=id --map mood=target --map note=leave"
)


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(epilog=EXAMPLE)
    def analyse(
        ctx: typer.Context,
        release: Annotated[str, typer.Argument(help="A folder, a file, or a data set of a hub as user/name.")],
        out: Annotated[Path | None, typer.Option(help="The study folder to make. Default: NAME-analysis.")] = None,
        map_: Annotated[
            list[str] | None,
            typer.Option("--map", metavar="COLUMN=WORD", help="id, feature, target, embedding:MODALITY or leave."),
        ] = None,
        revision: Annotated[str | None, typer.Option(help="Of a data set of a hub.")] = None,
        latents: Annotated[int, typer.Option(min=1, help="Of Level II, in each modality.")] = 3,
        shared: Annotated[int, typer.Option(min=0, help="Of Level II, between modalities.")] = 1,
        seeds: Annotated[int, typer.Option(min=1, help="Fits of Level II.")] = 3,
        epochs: Annotated[int, typer.Option(min=1, help="Of each fit.")] = 60,
        as_json: JsonOption = False,
    ) -> None:
        """Analyse a release by one command: Level I, Level II and the report, in a study folder of its own."""
        from personax.stages import folder_of, plan_analysis

        if Path(release).exists():
            refuse(ctx, ["revision"], "to files that are here, only to a data set of a hub; leave it out")
        with showing_progress() as progress:
            progress.stage("reading the release")
            words = _words(map_ or [])
            sizes = {"latents": latents, "shared": shared, "seeds": seeds, "epochs": epochs}
            analysis = plan_analysis(release, words, revision=revision, **sizes)
        folder = out or folder_of(str(Path(release).resolve()) if Path(release).exists() else release)
        _check(folder, Path(release))
        if not as_json:
            _show(analysis, folder)
        study = _run(analysis, folder / "study.yaml")
        if as_json:
            emit({"folder": str(folder), "report": str(study.report), "not read": analysis.proposal.unread,
                  "guessed": analysis.proposal.guessed, "left out": analysis.left_out})  # fmt: skip
            return
        for section, why in analysis.left_out.items():
            say(f"no {section}: {why}")
        say(str(study.report))


def _show(analysis: ReleaseAnalysis, folder: Path) -> None:
    """Print what was read, what was guessed, and what is not read."""
    for line in repr(analysis.released).splitlines():
        say(line)
    if analysis.proposal.guessed:
        say(f"guessed, see collect.mapping in {folder / 'study.yaml'}: {', '.join(analysis.proposal.guessed)}")
    for sentence in analysis.proposal.unread:
        say(f"not read: {sentence}")


def _run(analysis: ReleaseAnalysis, file: Path) -> Study:
    """Run stage after stage; a section that cannot be run is taken out of the study file, with the reason."""
    write_text(file, analysis.text())
    with showing_progress() as progress:
        for stage in ("independence", "crl", "discover"):
            if stage not in analysis.sections:
                continue
            study = _trusted(file)
            try:
                study.run([stage], progress=progress)
            except PersonaxError as error:
                if study.folder.manifest("collect") is None:
                    raise
                analysis.leave(stage, str(error))
                write_text(file, analysis.text())
        study = _trusted(file)
        study.run(["report"], progress=progress)
    return study


def _trusted(file: Path) -> Study:
    """Load the study file that was just written: its release is the one that was named on the command line."""
    from personax.study import Study

    study = Study.load(file)
    study.trust()
    return study


def _words(given: list[str]) -> dict[str, str]:
    words = dict(one.rpartition("=")[::2] for one in given)
    if "" in words:
        raise PlanError("--map takes COLUMN=WORD, as in --map code=id")
    return words


def _check(folder: Path, release: Path) -> None:
    if release.is_dir() and folder.resolve().is_relative_to(release.resolve()):
        raise StudyError(f"{folder} lies in the release itself; give another folder by --out")
    if folder.exists() and not folder.is_dir():
        raise StudyError(f"{folder} is a file; choose another name for the study folder")
    file = folder / "study.yaml"
    if file.exists() and not file.read_text(encoding="utf-8", errors="replace").startswith(
        "# Made by personax analyse"
    ):
        raise StudyError(f"{file} is a study of another kind; give another folder by --out")
