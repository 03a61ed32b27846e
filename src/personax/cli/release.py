"""personax release: build what may leave, attack it, verify one, go back with the key."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from personax.cli.console import emit, say, showing_progress, table
from personax.cli.default_command import group_with_default
from personax.cli.options import refuse
from personax.cli.outputs import own_folder
from personax.cli.run import EngineOption, FolderOption, ForceOption, JobsOption, JsonOption, StudyArgument, run_study
from personax.cli.trust import load_study
from personax.errors import InputError, StudyError
from personax.files import write_text, written_aside

if TYPE_CHECKING:
    import polars as pl

    from personax.release import ColumnPlan, Keystore, PushPreview, PushResult, ReleaseAudit, ReleaseKey
    from personax.study import Study

__all__ = ["register"]

BUILD = (
    "Examples: personax release build study.yaml   |   personax release build study.yaml --push me/my-people   |   "
    "personax release study.yaml"
)
AUDIT = (
    "Examples: personax release audit study.yaml   |   personax release audit study.yaml --people 2000 --out audit   "
    "|   personax release audit study.yaml --older releases/1.0"
)
VERIFY = (
    "Examples: personax release verify my-study/release --load   |   personax release verify downloads/somebody --json"
)
CURVE = "Example: personax release curve study.yaml --numbers 2,4,8,16 --noise 0,0.5,1,2 --max-rank-1 0.05"
INVERT = (
    "Example: personax release invert my-study/release --key my-study/keys/release.key --study my-study --out restored"
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(cls=group_with_default(lambda _: "build"), no_args_is_help=True)
    app.add_typer(group, name="release")

    @group.callback(epilog=BUILD)
    def _group() -> None:
        """Build what may leave, attack it, verify one that somebody made, go back with the key."""

    _add_build(group)
    _add_audit(group)
    _add_verify(group)
    _add_invert(group)
    _add_curve(group)
    _add_plan(group)


def _add_build(group: typer.Typer) -> None:
    @group.command("build", epilog=BUILD)
    def build(
        ctx: typer.Context,
        study: StudyArgument,
        folder: FolderOption = None,
        force: ForceOption = False,
        push: Annotated[
            str | None, typer.Option(metavar="USER/NAME", help="Then send it to this data set of a hub; asks first.")
        ] = None,
        public: Annotated[bool, typer.Option("--public", help="With --push: everybody may see it.")] = False,
        engine: EngineOption = None,
        jobs: JobsOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Build release/: no names, texts or images; the table protected, embeddings under a key; attacked."""
        if push is None:
            refuse(ctx, ["public"], "without --push USER/NAME, which says where to")
        loaded = load_study(study, folder=folder)
        quiet = as_json and push is None
        run_study(loaded, ["release"], force=force, as_json=quiet, engine=engine, jobs=jobs)
        place = loaded.folder.path("release")
        if push is None:
            if not as_json:
                say(f"release: {place}")
            return
        sent = _push(place, push, public=public)
        if as_json:
            emit({"release": str(place), "url": sent.url, "commit": sent.commit})
        else:
            say(f"sent: {sent.url} ({sent.commit[:12]})")


def _push(place: Path, repo: str, *, public: bool) -> PushResult:
    from personax.release import push

    def confirm(preview: PushPreview) -> bool:
        typer.echo(str(preview), err=True)
        typer.echo("What is sent cannot be taken back from those who have it.", err=True)
        return bool(typer.prompt(f"Type {preview.repo} to send it", default="", show_default=False, err=True)
                    == preview.repo)  # fmt: skip

    return push(place, repo, confirm=confirm, private=not public)


def _add_audit(group: typer.Typer) -> None:
    @group.command("audit", epilog=AUDIT)
    def audit(
        study: StudyArgument,
        folder: FolderOption = None,
        people: Annotated[int, typer.Option(min=20, help="At most so many are looked for, at random.")] = 10_000,
        older: Annotated[
            Path | None, typer.Option(metavar="FOLDER", help="An older version: who can be told as removed since?")
        ] = None,
        out: Annotated[Path | None, typer.Option(help="Folder for audit.json; nothing is written without.")] = None,
        as_json: JsonOption = False,
    ) -> None:
        """Run all campaigns against the release as it lies in its folder, and score more people than a build does."""
        from personax.stages import audit_study

        loaded = load_study(study, folder=folder)
        state = next(state for state in loaded.status() if state.stage == "release")
        if state.state != "done":
            raise StudyError(f"the release is {state.state} ({state.why}); personax release build brings it up to date")
        if out is not None:
            own_folder(out, "audit.json")
        with showing_progress() as progress:
            found = audit_study(loaded.reader, people=people, older=older, progress=progress)
        if out is not None:
            write_text(out / "audit.json", json.dumps(found.to_dict(), indent=1))
        if as_json:
            emit(found.to_dict())
            return
        _show(found)
        if out is not None:
            say(f"wrote {out / 'audit.json'}")


def _show(found: ReleaseAudit) -> None:
    for label, report in found.measurements.items():
        title = f"{label}, {report.people:,} people, {report.scored:,} looked for"
        table(title, ("attack", "the attacker has", "measure", "value", "95 % interval", "guessing", "beats it"),
              (_row(attack.to_dict()) for attack in report.attacks))  # fmt: skip
        say("")
    table("the table", ("attack", "the attacker has", "measure", "value", "95 % interval", "guessing", "beats it"),
          (_row(attack.to_dict()) for attack in found.table))  # fmt: skip
    say("")
    say(found.sentence)
    if found.older is not None:
        say("")
        table("the older version", ("by", "found again", "told as removed", "why not"),
              ((r.name, str(r.linked), str(len(r.removed)), r.reason or "") for r in found.older.routes))  # fmt: skip
        say(found.older.sentence)


def _row(attack: Mapping[str, Any]) -> list[str]:
    value = attack["value"]
    if value is None:
        return [attack["name"], attack["knows"], attack["measure"], "-", str(attack.get("reason") or ""), "-", "-"]
    ends = [attack.get("low"), attack.get("high")]
    interval = f"{ends[0]:.3f} to {ends[1]:.3f}" if None not in ends else "-"
    guess = attack.get("baseline")
    return [attack["name"], attack["knows"], attack["measure"], f"{value:.3f}", interval,
            "-" if guess is None else f"{guess:.3f}", "yes" if attack.get("beats") else "no"]  # fmt: skip


def _add_verify(group: typer.Typer) -> None:
    @group.command("verify", epilog=VERIFY)
    def verify(
        directory: Annotated[Path, typer.Argument(metavar="DIR", help="A release folder, whoever made it.")],
        load: Annotated[bool, typer.Option("--load", help="Also load it by datasets and by mlcroissant.")] = False,
        as_json: JsonOption = False,
    ) -> None:
        """Check a release that somebody made: files, hashes, ids, vectors, private columns, card, licences, audit."""
        from personax.release import verify as check

        found = check(directory)
        if load and found.checks and directory.is_dir():
            from personax.release import check_third_party_readers

            found = replace(found, checks=[*found.checks, *check_third_party_readers(directory)])
        if as_json:
            emit(found.to_dict())
        else:
            table("", ("outcome", "check", "found"), ((one.outcome, one.name, one.text) for one in found.checks))
            unsure = sum(one.outcome == "cannot tell" for one in found.checks)
            held = len(found.checks) - len(found.failed) - unsure
            say(f"{len(found.failed)} checks fail, {unsure} cannot tell, {held} hold")
        if found.failed:
            raise typer.Exit(1)


def _add_invert(group: typer.Typer) -> None:
    @group.command("invert", epilog=INVERT)
    def invert(
        release: Annotated[Path, typer.Argument(metavar="RELEASE", help="The release folder.")],
        key: Annotated[Path, typer.Option(help="The key that it was made under; what lies beside it is used too.")],
        out: Annotated[Path, typer.Option(help="A new folder for what comes back; as private as the study.")],
        study: Annotated[Path | None, typer.Option(help="The study, to have ids in place of pseudonyms.")] = None,
        as_json: JsonOption = False,
    ) -> None:
        """Undo a release with its key: vectors as they were, categories by name. Merged values and noise stay."""
        from personax.release import Keystore, load_key
        from personax.study import Study

        if out.exists() and any(out.iterdir()):
            raise InputError(f"{out} is not empty; give a new folder")
        if out.resolve().is_relative_to(release.resolve()):
            raise InputError(f"{out} lies in the release, which leaves; give a folder elsewhere")
        own = load_key(key)
        ids = Study.load(study).reader.people().frame["id"] if study is not None else None
        with showing_progress() as progress:
            progress.stage("release invert")
            written = _restore(release, own, Keystore(key.parent), out, ids)
        if as_json:
            emit({"out": str(out), "files": written})
        else:
            say(f"wrote {', '.join(written)} in {out}; keep it as private as the study")


def _restore(release: Path, key: ReleaseKey, keys: Keystore, out: Path, ids: pl.Series | None) -> list[str]:
    from personax.data.frames import write_parquet
    from personax.release import invert, restore_ids, restore_people

    found = {"people": restore_people(release, keys), **invert(release, key, keys.fitted)}
    if ids is not None:
        found = {name: restore_ids(frame, key, ids) for name, frame in found.items()}
    out.mkdir(parents=True, exist_ok=True)
    for name, frame in found.items():
        with written_aside(out / f"{name}.parquet") as aside:
            write_parquet(frame, aside, compression="zstd", statistics=False)
    return [f"{name}.parquet" for name in found]


def _add_curve(group: typer.Typer) -> None:
    @group.command("curve", epilog=CURVE)
    def command(
        study: StudyArgument,
        folder: FolderOption = None,
        keep: Annotated[
            str | None, typer.Option(help="summary, random or latents. Default: what the study file says.")
        ] = None,
        numbers: Annotated[str, typer.Option(help="How many are tried, separated by commas.")] = "2,4,8,16",
        noise: Annotated[str, typer.Option(help="Deviations that are tried, separated by commas.")] = "0,0.5,1,2",
        most: Annotated[float, typer.Option("--max-rank-1", help="Of a choice that is proposed.")] = 0.05,
        as_json: JsonOption = False,
    ) -> None:
        """Print what fewer numbers and more noise give away of the vectors, and what they keep; write nothing."""
        from personax.stages import measured

        loaded = load_study(study, folder=folder)
        with showing_progress() as progress:
            progress.stage("release curve")
            reader = loaded.reader
            found = measured(reader, keep, _numbers("numbers", numbers), _numbers("noise", noise), most, progress)
        rows = found.table.to_dicts()
        if as_json:
            emit({"curve": rows, "chosen": None if found.chosen is None else rows[found.chosen]})
            return
        names = ("keep", "numbers", "noise", "epsilon", "rank_1", "auc", "decisions", "effects")
        table("", (*names, ""), ((*(_short(row[name]) for name in names), "<" if place == found.chosen else "")
                                 for place, row in enumerate(rows)))  # fmt: skip
        if found.chosen is None:
            say(f"nothing here keeps rank 1 below {most:g}; try fewer numbers or more noise")
        else:
            row = rows[found.chosen]
            say(f"< is the most useful below rank 1 = {most:g}. In the study file: "
                f"vectors: {{keep: {row['keep']}, numbers: {row['numbers']}, noise: {row['noise']:g}}}")  # fmt: skip


def _numbers(option: str, text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",") if part.strip()]
    except ValueError:
        raise InputError(f"--{option}: {text!r} are no numbers separated by commas") from None


def _short(value: object) -> str:
    return "-" if value is None else f"{value:.3g}" if isinstance(value, float) else str(value)


PLAN = "Examples: personax release plan study.yaml   |   personax release plan study.yaml > columns.yaml"


def _add_plan(group: typer.Typer) -> None:
    """Add the command."""

    @group.command("plan", epilog=PLAN)
    def plan(study: StudyArgument, folder: FolderOption = None, as_json: JsonOption = False) -> None:
        """Print for every column its identity class, why, and what would happen to it, as YAML to paste."""
        found = _proposal(load_study(study, folder=folder))
        if as_json:
            emit({"columns": [asdict(one) for one in found.columns], "private": list(found.private),
                  "fault": found.fault})  # fmt: skip
        else:
            say(str(found))


def _proposal(study: Study) -> ColumnPlan:
    from personax.config import ReleaseSection
    from personax.release import ReleaseInput, ReleaseSettings, plan_columns
    from personax.stages import settings_of

    reader = study.reader
    if study.folder.output("people", "columns.json") is None:
        raise StudyError(f"{study.folder.root} has no people yet; personax collect {study.plan.name!r} first")
    scored = study.folder.output("traits", "traits.parquet") is not None
    contents = ReleaseInput(
        study.plan.name,
        reader.people(),
        reader.frame("traits", "traits.parquet") if study.plan.annotate and scored else None,
    )
    settings = settings_of(reader) if isinstance(study.plan.release, ReleaseSection) else ReleaseSettings()
    return plan_columns(contents, settings)
