"""personax run: do all that study.yaml asks and that is not done yet."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from personax.cli.console import emit, fail, say, showing_progress, table
from personax.cli.signals import kept_when_stopped
from personax.cli.trust import load_study
from personax.engine import ENGINES
from personax.errors import PlanError
from personax.schema import ENDINGS

if TYPE_CHECKING:
    from personax.sources import ReadingLedger
    from personax.stages import Reader
    from personax.strict import Strict
    from personax.study import StageRun, Study

__all__ = [
    "OF_STUDY",
    "OF_TABLE",
    "STUDY_OPTIONS",
    "EngineOption",
    "FolderOption",
    "ForceOption",
    "JobsOption",
    "JsonOption",
    "StrictOption",
    "StudyArgument",
    "comma_separated",
    "from_options",
    "is_study",
    "register",
    "rounded_up",
    "run_study",
]

Section = TypeVar("Section", bound="Strict")

StudyArgument = Annotated[
    Path, typer.Argument(help="The study file, a folder that holds study.yaml, or s3://BUCKET/FOLDER.")
]
FolderOption = Annotated[
    Path | None,
    typer.Option(help="The study folder. Default: the folder of study.yaml; for another file, one of its name."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print a machine-readable summary on stdout.")]
StrictOption = Annotated[
    bool, typer.Option("--strict", help="Refuse to go on where something of a file of people was guessed or is asked.")
]
ForceOption = Annotated[bool, typer.Option("--force", help="Run again even if nothing changed.")]


EngineOption = Annotated[
    str | None,
    typer.Option(
        help=f"Where loops run: {', '.join(ENGINES)} (RAY_ADDRESS) or ray=HOST:PORT; results are the same everywhere."
    ),
]
JobsOption = Annotated[int | None, typer.Option(min=1, help="Workers of the engine; one by default, all of ray.")]


STUDY_OPTIONS = {"force", "engine", "jobs"}
"""What a command that runs a stage of a study takes."""

OF_STUDY = "to a study, whose study.yaml says it in the section {}; write it there, or name a table instead"
OF_TABLE = "to a table, only to a study; name its study.yaml, or leave this out"


def is_study(path: Path) -> bool:
    """Say whether an argument that may be a table is a study; at an address, whether its ``study.yaml`` is there."""
    from personax.data.object_store import Bucket, is_remote  # late: --help needs none of it

    if is_remote(path) and path.suffix not in (".yaml", ".yml"):
        return Bucket(str(path)).find("study.yaml") is not None
    return path.suffix in (".yaml", ".yml") or (path / "study.yaml").is_file()


def run_study(
    study: Study,
    stages: Iterable[str] | None = None,
    *,
    force: bool,
    as_json: bool,
    engine: str | None = None,
    jobs: int | None = None,
    strict: bool = False,
) -> None:
    """Run a study with progress and say what was done; ``strict`` ends it where people had to be read by a guess."""
    with kept_when_stopped(lambda: _kept(study)), showing_progress() as progress:
        if strict:
            study.run(["collect"], force=force, progress=progress)
            reading_ledger(study).check_strict()
        outcomes = study.run(stages, force=force, progress=progress, engine=engine, jobs=jobs)
    missing = _missing_replies(study) if any(one.stage == "annotate" for one in outcomes) else None
    if as_json:
        emit(_summary(study, outcomes))
        _end(missing)
        return
    for outcome in outcomes:
        say(_line(outcome))
    ran = {outcome.stage for outcome in outcomes if outcome.ran}
    if "collect" in ran:
        show_people(study.reader, _notices(study, "collect"))
    if "release" in ran:
        show_release(study.reader, _notices(study, "release"))
    if not ran:
        say("nothing to do")
    if any(outcome.stage == "annotate" for outcome in outcomes):
        show_outcomes(study.reader)
    if any(outcome.stage == "report" for outcome in outcomes):
        say(str(study.report))
    _end(missing)


def reading_ledger(study: Study) -> ReadingLedger:
    """Return how the files of people of a study were read; empty where it has none or is not collected yet."""
    from personax.sources import (  # late, as in load_study: help imports neither study nor pydantic
        LEDGER,
        ReadingLedger,
    )

    raw = study.reader.json("people", LEDGER)
    return ReadingLedger.from_json(json.dumps(raw)) if raw else ReadingLedger()


def _missing_replies(study: Study) -> str | None:
    """Say how many requests to LLMs have no reply, where these are more than the study allows."""
    manifest, allowed = study.folder.manifest("annotate"), getattr(study.plan.annotate, "allow_missing", None)
    counts = manifest.counts if manifest else {}
    missing, requests = counts.get("requests_missing", 0), counts.get("requests", 0)
    if allowed is None or not requests or missing <= allowed * requests:
        return None
    return (
        f"{missing:,} of {requests:,} requests have no reply; `personax annotate STUDY --force` asks them again and "
        f"nothing else, --allow-missing {rounded_up(missing / requests):g} accepts it"
    )


def rounded_up(share: float) -> float:
    """Return a share in three digits, none of which takes a request away from it."""
    return math.ceil(round(share * 1000, 9)) / 1000


def _end(missing: str | None) -> None:
    if missing is not None:
        fail(missing)
        raise typer.Exit(1)


def show_outcomes(reader: Reader) -> None:
    """List what came of the requests to each model, the commonest reason where there is no reply, or no score."""
    raw = reader.json("traits", "outcomes.json") or []
    if not raw:
        return
    endings = list(ENDINGS)
    rows = ((one["model"], f"{one['requests']:,}", *(f"{one[name]:,}" for name in endings),
             one["reason"] or one.get("unreadable_reason") or "")
            for one in raw)  # fmt: skip
    table("What came of the requests", ("model", "requests", *endings, "why no reply or score"), rows)


def _kept(study: Study) -> str:
    """Say which stages a run that was stopped has kept, and how to go on."""
    done = [state.stage for state in study.status() if state.state == "done"]
    begun = sorted(path.parent.name.removesuffix(".kept") for path in study.folder.path(".staging").glob("*.kept/*"))
    within = f" and, of {', '.join(begun)}, what is finished within it" if begun else ""
    stages = f"the stages {', '.join(done)}" if done else "no stage"
    return f"kept {stages}{within}; the same command goes on from there"


def _notices(study: Study, stage: str) -> Sequence[Mapping[str, Any]]:
    manifest = study.folder.manifest(stage)
    return manifest.notices if manifest else ()


def _line(outcome: StageRun) -> str:
    if outcome.ran:
        return f"{outcome.stage:>12}  done in {outcome.seconds:.1f} s: {outcome.why}"
    return f"{outcome.stage:>12}  nothing to do: {outcome.why}"


def _summary(study: Study, outcomes: Sequence[StageRun]) -> dict[str, Any]:
    stages = []
    for outcome in outcomes:
        manifest = study.folder.manifest(outcome.stage)
        facts: dict[str, Any] = {"counts": manifest.counts, "notices": manifest.notices} if manifest else {}
        facts["found"] = found_by(study.reader, outcome.stage)
        stages.append({"stage": outcome.stage, "ran": outcome.ran, "why": outcome.why, **facts})
    found: dict[str, Any] = {"folder": str(study.folder.root), "report": str(study.report), "stages": stages}
    if any(outcome.stage == "collect" for outcome in outcomes) and (ledger := reading_ledger(study)).files:
        found["reading"] = asdict(ledger)
    return found


QUESTION = "Question about"
"""A notice that begins so asks for an answer; it stands above the others."""
SHOWN = 60
"""So many columns at most are listed."""


def show_people(reader: Reader, notices: Sequence[Mapping[str, Any]]) -> None:
    """List the columns of the people with identity class and reason, what to look at first, and what to know."""
    raw = reader.json("people", "columns.json") or []
    order = ("unknown", "direct", "sensitive", "quasi-identifying", "free", "")
    rows = sorted(raw, key=lambda column: order.index(column.get("identity", "")))
    table("Columns, and whom their values tell", ("column", "role", "class", "why"), (
        (one["name"], one["role"], one.get("identity", ""), one.get("identity_why", "")) for one in rows[:SHOWN]
    ))  # fmt: skip
    if len(rows) > SHOWN:
        say(f"and {len(rows) - SHOWN} more columns; people/columns.json has all")
    _tell(notices)


def _tell(notices: Sequence[Mapping[str, Any]]) -> None:
    for notice in sorted(notices, key=lambda one: not one["text"].startswith(QUESTION)):
        count = "" if notice["count"] == 1 else f" ({notice['count']:,})"
        say(f"note: {notice['text']}{count}")


def show_release(reader: Reader, notices: Sequence[Mapping[str, Any]]) -> None:
    """Say the verdict of a build: what the attacks found, k, what stayed and what left coarser."""
    told = reader.json("release", "protection.json") or {}
    columns = told.get("columns", {})
    private = _private(reader.json("people", "columns.json") or [], besides=columns)
    if private:
        say(f"private, and so withheld: {', '.join(private)}")
    rare = told.get("rare", {})
    changed = {*rare.get("merged", ()), *rare.get("joined", ()), *rare.get("emptied", ()), *rare.get("pairs", ())}
    how = {name: "changed" if one["leaves"] == "exact" and name in changed else one["leaves"]
           for name, one in columns.items()}  # fmt: skip
    for leaves, says in (("withheld", "withheld"), ("generalised", "left coarser"),
                         ("changed", "left without values of few people"), ("exact", "left as it is")):  # fmt: skip
        named = [f"{name} ({one['class']})" for name, one in columns.items() if how[name] == leaves]
        if named:
            say(f"{says}: {', '.join(named)}")
    alike = told.get("k_anonymity")
    if alike and alike["columns"]:
        say(f"k = {alike['after']['k']} over {', '.join(alike['columns'])}")
    elif columns:
        say("k: no quasi-identifier leaves")
    attacked = reader.json("release", "audit.json") or {}
    verdict = attacked.get("verdict", "the release was not attacked: release.audit is off")
    # what is withheld stands above, and the last notice is the verdict
    _tell([one for one in notices if not one["text"].startswith("Withheld") and one["text"] != verdict])
    say(f"verdict: {verdict}")


def _private(raw: Sequence[Mapping[str, Any]], *, besides: Collection[str]) -> list[str]:
    """Return the private columns of the people with the reason of each."""
    return [f"{one['name']} ({one.get('identity_why') or one['why'] or 'described as private'})" for one in raw
            if one["role"] == "private" and one["name"] not in besides]  # fmt: skip


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
    from pydantic import ValidationError

    from personax.strict import fault_text

    try:
        return model.model_validate(options)
    except ValidationError as error:
        # a fault of several options together has no place
        faults = [f"--{': '.join([*map(str, fault['loc'][:1]), fault_text(dict(fault))])}" for fault in error.errors()]
        raise PlanError("\n".join(faults)) from None


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(epilog="Example: personax run my-study/study.yaml")
    def run(
        study: StudyArgument,
        folder: FolderOption = None,
        force: ForceOption = False,
        as_json: JsonOption = False,
        engine: EngineOption = None,
        jobs: JobsOption = None,
        strict: StrictOption = False,
    ) -> None:
        """Do all that the study file asks and that is not done yet."""
        loaded = load_study(study, folder=folder)
        run_study(loaded, force=force, as_json=as_json, engine=engine, jobs=jobs, strict=strict)


_FOUND: dict[str, dict[str, tuple[str, ...]]] = {
    "collect": {"columns": ("people", "columns.json")},
    "annotate": {"outcomes": ("traits", "outcomes.json"), "flags": ("traits", "flags.json")},
    "release": {"protection": ("release", "protection.json"), "audit": ("release", "audit.json")},
    "crl": {"diagnostics": ("analysis", "crl", "diagnostics.json"), "metrics": ("analysis", "crl", "metrics.json"),
            "graph": ("analysis", "crl", "graph.json")},
    "discover": {"graph": ("analysis", "discovery", "graph.json")},
}  # fmt: skip
"""Stage -> what is told of it -> the output that holds it. Scores and vectors of single people are not printed."""


def found_by(reader: Reader, stage: str) -> dict[str, Any]:
    """Return what a stage found, as far as it has run."""
    found = {name: reader.json(*parts) for name, parts in _FOUND.get(stage, {}).items()}
    if stage == "independence" and reader.folder.output("analysis", "independence", "pvalues.parquet"):
        found["pvalues"] = reader.frame("analysis", "independence", "pvalues.parquet").to_dicts()
    return {name: value for name, value in found.items() if value is not None}
