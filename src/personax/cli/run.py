"""personax run: do all that study.yaml asks and that is not done yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from personax.cli.console import emit, say, watching
from personax.cli.verdict import collected, released
from personax.study import Outcome, Study

__all__ = ["FolderOption", "ForceOption", "JsonOption", "StudyArgument", "perform", "register"]

StudyArgument = Annotated[Path, typer.Argument(help="The study file, or a folder that holds study.yaml.")]
FolderOption = Annotated[
    Path | None,
    typer.Option(help="The study folder. Default: the folder of study.yaml; for another file, one of its name."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print a machine-readable summary on stdout.")]
ForceOption = Annotated[bool, typer.Option("--force", help="Run again even if nothing changed.")]


def perform(study: Study, stages: Iterable[str] | None = None, *, force: bool, as_json: bool) -> None:
    """Run a study with progress and say what was done."""
    with watching() as progress:
        outcomes = study.run(stages, force=force, progress=progress)
    if as_json:
        emit(_summary(study, outcomes))
        return
    for outcome in outcomes:
        say(_line(outcome))
    ran = {outcome.stage for outcome in outcomes if outcome.ran}
    if "collect" in ran:
        collected(study.folder.path("people"), _notices(study, "collect"))
    if "release" in ran:
        released(study.folder.path("release"), _notices(study, "release"))
    if not ran:
        say("nothing to do")
    if any(outcome.stage == "report" for outcome in outcomes):
        say(str(study.report))


def _notices(study: Study, stage: str) -> Sequence[Mapping[str, Any]]:
    manifest = study.folder.manifest(stage)
    return manifest.notices if manifest else ()


def _line(outcome: Outcome) -> str:
    if outcome.ran:
        return f"{outcome.stage:>12}  done in {outcome.seconds:.1f} s: {outcome.why}"
    return f"{outcome.stage:>12}  nothing to do: {outcome.why}"


def _summary(study: Study, outcomes: Iterable[Outcome]) -> dict[str, Any]:
    stages = []
    for outcome in outcomes:
        manifest = study.folder.manifest(outcome.stage)
        facts = {"counts": manifest.counts, "notices": manifest.notices} if manifest else {}
        stages.append({"stage": outcome.stage, "ran": outcome.ran, "why": outcome.why, **facts})
    return {"folder": str(study.folder.root), "report": str(study.report), "stages": stages}


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(epilog="Example: personax run my-study/study.yaml")
    def run(
        study: StudyArgument, folder: FolderOption = None, force: ForceOption = False, as_json: JsonOption = False
    ) -> None:
        """Do all that the study file asks and that is not done yet."""
        perform(Study.load(study, folder=folder), force=force, as_json=as_json)
