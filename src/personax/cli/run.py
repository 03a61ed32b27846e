"""personax run: do all that study.yaml asks and that is not done yet."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from pydantic import ValidationError

from personax.cli.console import emit, say, showing_progress, table
from personax.cli.trust import load_study
from personax.errors import PlanError
from personax.strict import Strict, fault_text
from personax.study import StageRun, Study

__all__ = [
    "FolderOption",
    "ForceOption",
    "JsonOption",
    "StudyArgument",
    "comma_separated",
    "from_options",
    "register",
    "run_study",
]

Section = TypeVar("Section", bound=Strict)

StudyArgument = Annotated[Path, typer.Argument(help="The study file, or a folder that holds study.yaml.")]
FolderOption = Annotated[
    Path | None,
    typer.Option(help="The study folder. Default: the folder of study.yaml; for another file, one of its name."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print a machine-readable summary on stdout.")]
ForceOption = Annotated[bool, typer.Option("--force", help="Run again even if nothing changed.")]


def run_study(study: Study, stages: Iterable[str] | None = None, *, force: bool, as_json: bool) -> None:
    """Run a study with progress and say what was done."""
    with showing_progress() as progress:
        outcomes = study.run(stages, force=force, progress=progress)
    if as_json:
        emit(_summary(study, outcomes))
        return
    for outcome in outcomes:
        say(_line(outcome))
    ran = {outcome.stage for outcome in outcomes if outcome.ran}
    if "collect" in ran:
        show_people(study.folder.path("people"), _notices(study, "collect"))
    if "release" in ran:
        show_release(study.folder.path("release"), _notices(study, "release"))
    if not ran:
        say("nothing to do")
    if any(outcome.stage == "report" for outcome in outcomes):
        say(str(study.report))


def _notices(study: Study, stage: str) -> Sequence[Mapping[str, Any]]:
    manifest = study.folder.manifest(stage)
    return manifest.notices if manifest else ()


def _line(outcome: StageRun) -> str:
    if outcome.ran:
        return f"{outcome.stage:>12}  done in {outcome.seconds:.1f} s: {outcome.why}"
    return f"{outcome.stage:>12}  nothing to do: {outcome.why}"


def _summary(study: Study, outcomes: Iterable[StageRun]) -> dict[str, Any]:
    stages = []
    for outcome in outcomes:
        manifest = study.folder.manifest(outcome.stage)
        facts = {"counts": manifest.counts, "notices": manifest.notices} if manifest else {}
        stages.append({"stage": outcome.stage, "ran": outcome.ran, "why": outcome.why, **facts})
    return {"folder": str(study.folder.root), "report": str(study.report), "stages": stages}


SHOWN = 60
"""So many columns at most are listed."""


def show_people(people: Path, notices: Sequence[Mapping[str, Any]]) -> None:
    """List the columns of the people with identity class and reason, what to look at first, and what to know."""
    raw = json.loads((people / "columns.json").read_text(encoding="utf-8"))
    order = ("unknown", "direct", "sensitive", "quasi-identifying", "free", "")
    rows = sorted(raw, key=lambda column: order.index(column.get("identity", "")))
    table("Columns, and whom their values tell", ("column", "role", "class", "why"), (
        (one["name"], one["role"], one.get("identity", ""), one.get("identity_why", "")) for one in rows[:SHOWN]
    ))  # fmt: skip
    if len(rows) > SHOWN:
        say(f"and {len(rows) - SHOWN} more columns; people/columns.json has all")
    _tell(notices)


def _tell(notices: Sequence[Mapping[str, Any]]) -> None:
    for notice in notices:
        count = "" if notice["count"] == 1 else f" ({notice['count']:,})"
        say(f"note: {notice['text']}{count}")


def show_release(release: Path, notices: Sequence[Mapping[str, Any]]) -> None:
    """Say the verdict of a build: what the attacks found, k, what stayed and what left coarser."""
    told = _json(release / "protection.json")
    columns = told.get("columns", {})
    private = _private(release.parent / "people" / "columns.json", besides=columns)
    if private:
        say(f"private, and so withheld: {', '.join(private)}")
    for leaves, says in (("withheld", "withheld"), ("generalised", "left coarser"), ("exact", "left as it is")):
        named = [f"{name} ({one['class']})" for name, one in columns.items() if one["leaves"] == leaves]
        if named:
            say(f"{says}: {', '.join(named)}")
    alike = told.get("k_anonymity")
    if alike and alike["columns"]:
        say(f"k = {alike['after']['k']} over {', '.join(alike['columns'])}")
    elif columns:
        say("k: no quasi-identifier leaves")
    verdict = _json(release / "audit.json").get("verdict", "the release was not attacked: release.audit is off")
    # what is withheld stands above, and the last notice is the verdict
    _tell([one for one in notices if not one["text"].startswith("Withheld") and one["text"] != verdict])
    say(f"verdict: {verdict}")


def _private(described: Path, *, besides: Collection[str]) -> list[str]:
    """Return the private columns of the people with the reason of each."""
    raw = json.loads(described.read_text(encoding="utf-8")) if described.is_file() else []
    return [f"{one['name']} ({one.get('identity_why') or one['why'] or 'described as private'})" for one in raw
            if one["role"] == "private" and one["name"] not in besides]  # fmt: skip


def _json(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}


def comma_separated(text: str | None) -> list[str] | None:
    """Return the names of an option that takes several; None where it is not given."""
    return [name.strip() for name in text.split(",") if name.strip()] if text is not None else None


def from_options(model: type[Section], options: Mapping[str, Any]) -> Section:
    """Return the section of a study that options of the command line make.

    Raises
    ------
    PlanError
        One sentence an option that cannot be.
    """
    try:
        return model.model_validate(options)
    except ValidationError as error:
        faults = [f"--{fault['loc'][0]}: {fault_text(dict(fault))}" for fault in error.errors()]
        raise PlanError("\n".join(faults)) from None


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(epilog="Example: personax run my-study/study.yaml")
    def run(
        study: StudyArgument, folder: FolderOption = None, force: ForceOption = False, as_json: JsonOption = False
    ) -> None:
        """Do all that the study file asks and that is not done yet."""
        run_study(load_study(study, folder=folder), force=force, as_json=as_json)
