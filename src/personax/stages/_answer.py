"""answer: a request of somebody else, worked out on the originals; only what the output checker lets through leaves."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl

from personax.config import AnswerRequest, AnswerSection
from personax.data.frames import write_csv
from personax.data.identity import identified
from personax.data.naming import tells_the_day
from personax.data.table import Table
from personax.errors import InputError, PersonaxError, PlanError, StudyError
from personax.files import sha256
from personax.progress import Progress
from personax.release.answering import (
    MIN_P,
    OutputRules,
    Populations,
    RequestLog,
    RequestLogEntry,
    SmallCellRecoding,
    hashes,
    now,
    population,
    significant,
)
from personax.release.disclosure import merge_rare
from personax.release.pii import refuse_folder
from personax.schema import Column
from personax.stages._answer_levels import AnswerContext, level_one, level_two
from personax.stages._base import Reader, stage_rng
from personax.stages._independence import people_with_scores
from personax.stages._release import settings_of
from personax.stages._release_input import contents_of
from personax.strict import nearest

__all__ = ["AnswerResult", "answer", "answerable"]

IDENTITIES_THAT_STAY = ("direct", "sensitive", "unknown")
"""Classes of identity that are answered about only where the owner names the column."""


@dataclass(frozen=True)
class AnswerResult:
    """What left.

    Parameters
    ----------
    folder, files
        Where it is, and what is in it.
    suppressed
        What did not leave, and why.
    treated
        Columns whose rare values were joined.
    left
        Requests that this requester has left.
    """

    folder: Path
    files: tuple[str, ...]
    suppressed: tuple[Mapping[str, str], ...]
    treated: tuple[SmallCellRecoding, ...]
    left: int


@dataclass
class _Subgroups:
    """Everybody and the subgroups, as rows and as populations."""

    tables: dict[str, Table]
    people: dict[str, str] = field(default_factory=dict)


def answerable(reader: Reader) -> Table:
    """Return the people with their ids and the columns that a request may be about.

    People on the removal list are left out. Without a list of the owner, columns are features and targets that
    a release would let leave: none that is withheld, tells the day of birth, or identifies somebody directly.

    Raises
    ------
    PlanError
        The owner's list names a column that there is not.
    """
    limits = reader.plan.answer or AnswerSection()
    table, classes = people_with_scores(reader), _classes(reader)
    frame = table.frame
    columns = [classes.get(column.name, column) for column in table.columns if column.role != "id"]
    settings = settings_of(reader) if reader.plan.release is not None else None
    if settings is not None and settings.removed:
        frame = frame.filter(~pl.col("id").is_in(sorted(settings.removed)))
    known = [column.name for column in columns]
    for name in (*(limits.columns or ()), *limits.withheld):
        if name not in known:
            raise PlanError(f"answer: there is no column {name}; {nearest(name, known)}")
    kept = {*limits.withheld, *(settings.withheld if settings is not None else ())}
    if limits.columns is not None:
        chosen = [c for c in columns if c.name in limits.columns and c.name not in limits.withheld]
    else:
        chosen = [c for c in columns if c.name not in kept and not tells_the_day(c.name)
                  and not _stays(c)]  # fmt: skip
    chosen = [table.column("id"), *chosen]
    return Table(frame.select(column.name for column in chosen), chosen)


def _stays(column: Column) -> bool:
    """Say whether a column is asked about only where the owner names it; scores are the point of the data."""
    return (column.identity in IDENTITIES_THAT_STAY and column.role != "target") or column.identity == "direct"


def _classes(reader: Reader) -> dict[str, Column]:
    """Return the people's columns with identity classes found anew, beside the private ones that others may follow."""
    people = reader.people()
    bare = [replace(column, identity="", identity_why="") for column in people.columns]
    return {column.name: column for column in identified(replace(people, columns=bare)).columns}


def answer(
    reader: Reader, request: AnswerRequest, digest: str, out: Path, *, requester: str | None = None, progress: Progress
) -> AnswerResult:
    """Work a request out and write what may leave into a new folder of its own under ``out``.

    Parameters
    ----------
    reader
        The study, whose folder is locked by the caller.
    request, digest
        What is asked, and the SHA-256 of the file that asks it.
    requester
        Who asks, as the owner knows them; the request's own word where it is not said.

    Raises
    ------
    PlanError
        The request asks for what nobody may ask about, or for more than the owner allows.
    StudyError
        The requester has no request left, or the answer's people differ by too few from those of an earlier one.
    """
    owner, who = reader.plan.answer or AnswerSection(), requester or request.requester
    folder = reader.folder.path("answers")
    log, populations = RequestLog(folder / "log.jsonl"), Populations(folder / "populations")
    if out.resolve().is_relative_to(folder.resolve()):
        raise StudyError(f"{out} lies in {folder}, where the log of answers stays; give another --out")
    place = out / f"answer-{digest[:12]}"
    if place.exists():
        raise StudyError(f"{place} is there already; give another --out, or take that answer away")
    people = answerable(reader)
    columns = [column for column in people.columns if column.role != "id"]
    _check_names(request, columns)
    _check_amounts(request, columns, owner)
    left = owner.requests - log.spent(who)
    if left < 1:
        raise StudyError(f"{who} has asked {owner.requests} times, which is all; raise answer.requests to allow more")
    entry = RequestLogEntry("asked", now(), who, digest, request.model_dump(mode="json", exclude_none=True))
    log.add(entry)
    try:
        parts = _parts(people, request, owner)
        _check_amounts(request, columns, owner, groups=len(parts.tables))
        _refuse_near(parts, people.frame["id"], log, populations, owner.least)
        context = AnswerContext(reader, request, OutputRules(owner.least), _earlier(log), populations, progress,
                        stage_rng(reader.plan.seed, "answer"))  # fmt: skip
        made = {**level_one(context, parts.tables), **level_two(context, people)}
        staged = _write(context, made, digest, people.height, out)
        _scan(reader, staged)
    except PersonaxError as error:
        log.add(RequestLogEntry("refused", now(), who, digest, reason=str(error)))
        raise
    files = {path.name: sha256(path) for path in sorted(staged.iterdir())}
    log.add(RequestLogEntry("answered", now(), who, digest, base=parts.people[""],
                  parts=[name for value, name in parts.people.items() if value], questions=context.questions,
                  left=files, suppressed=context.suppressed))  # fmt: skip
    staged.rename(place)
    return AnswerResult(place, tuple(files), tuple(context.suppressed), tuple(context.treated), left - 1)


def _asked_names(request: AnswerRequest) -> dict[str, Iterable[str]]:
    """Return key of the request -> columns that it names."""
    found: dict[str, Iterable[str]] = {}
    if (one := request.independence) is not None:
        found |= {"independence.features": one.features or (), "independence.targets": one.targets or (),
                  "independence.given": one.given, "independence.by": (one.by,) if one.by else ()}  # fmt: skip
    if request.discover is not None:
        found["discover.features"] = request.discover.features or ()
    return found


def _check_names(request: AnswerRequest, columns: list[Column]) -> None:
    """Refuse columns that nobody may ask about as if they were not there."""
    known = [column.name for column in columns]
    for key, names in _asked_names(request).items():
        for name in names:
            if name not in known:
                raise PlanError(f"{key}: no column {name!r} may be asked about; {nearest(name, known)}")


def _check_amounts(request: AnswerRequest, columns: list[Column], owner: AnswerSection, groups: int = 1) -> None:
    """Refuse more than the owner allows; ``groups`` of people are tested each."""
    amounts: dict[str, tuple[int, int]] = {}
    if (one := request.independence) is not None:
        features = len(one.features or [c for c in columns if c.role == "feature"])
        targets = len(one.targets or [c for c in columns if c.role == "target"])
        amounts["tests"] = features * targets * len(one.tests) * groups, owner.tests
    if (graph := request.discover) is not None:
        amounts["discover.bootstraps"] = graph.bootstraps, owner.bootstraps
        if graph.test == "kci":  # the others cost next to nothing
            amounts["discover"] = _pairs(request, columns) * (1 + graph.bootstraps), owner.tests
        if graph.alpha < MIN_P or graph.alpha != significant(graph.alpha, 1):
            raise PlanError(
                f"discover.alpha: {graph.alpha:g} is not answered, only one digit, as 0.05 or 0.001, and none below "
                f"{MIN_P:g}; edges at finer levels would tell p-values digit by digit"
            )
    if (crl := request.crl) is not None:
        amounts["crl.latents"] = sum(crl.latents.values()) + crl.shared, owner.latents
        amounts["crl.seeds"], amounts["crl.epochs"] = (crl.seeds, owner.seeds), (crl.epochs, owner.epochs)
    for key, (number, most) in amounts.items():
        if number > most:
            raise PlanError(f"{key}: the request asks for {number:,} and at most {most:,} are answered; ask for fewer")


def _pairs(request: AnswerRequest, columns: list[Column]) -> int:
    """Return how many pairs of variables a causal graph would be over; each is tested at least once."""
    section = request.discover
    assert section is not None
    number = 0
    if "features" in section.over:
        number += len(section.features or [c for c in columns if c.role == "feature"])
    if "traits" in section.over:
        number += sum(c.role == "target" and c.name.startswith("final_") for c in columns)
    if "latents" in section.over and request.crl is not None:
        number += sum(request.crl.latents.values()) + request.crl.shared
    return number * (number - 1) // 2


def _parts(people: Table, request: AnswerRequest, owner: AnswerSection) -> _Subgroups:
    """Split the people by the column that the request names; rare groups are one, so that none is too small.

    Where all rare groups together are too small, their people are in no part, everybody's neither: what is left of
    everybody without all groups would be them.
    """
    by = request.independence.by if request.independence is not None else None
    if by is None:
        return _Subgroups({"": people})
    if people.column(by).kind == "continuous":
        raise PlanError(f"independence.by: {by} is a number, not groups of people; name a column of categories")
    label = people.frame.select("id", pl.col(by).cast(pl.String).fill_null("missing").alias("part"))
    label, _ = merge_rare(label, ["part"], owner.least)
    values = label["part"].drop_nulls().unique().sort().to_list()
    if not 1 < len(values) <= owner.subgroups:
        raise PlanError(f"independence.by: {by} makes {len(values)} groups, and 2 to {owner.subgroups} are answered")
    all_people = replace(people, frame=people.frame.filter(label["part"].is_not_null()))
    rest, label = all_people.drop([by]), label.drop_nulls("part")
    tables = {value: replace(rest, frame=rest.frame.filter(label["part"] == value)) for value in values}
    return _Subgroups({"": all_people} | tables)


def _refuse_near(parts: _Subgroups, ids: pl.Series, log: RequestLog, populations: Populations, least: int) -> None:
    """Refuse groups of people that differ by too few from those of earlier answers, or from one another.

    Everybody against everybody of an earlier time, between which some came or went, is looked at question by question.
    """
    if len(ids) < least:
        raise StudyError(f"the study has fewer than {least} people; nothing is answered about so few")
    done = [entry for entry in log.entries() if entry.event == "answered"]
    bases = list(dict.fromkeys(entry.base for entry in done))
    groups = list(dict.fromkeys(name for entry in done for name in entry.parts))
    for value, part in parts.tables.items():
        people = population(hashes(part.frame["id"]))
        against = groups if not value else [*groups, *bases, *parts.people.values()]
        if populations.find_differencing(people, against, least) is not None:
            raise StudyError(
                f"the people of this answer differ by fewer than {least} from those of an earlier one, so that both "
                "together would tell of these few; ask about groups that are the same or differ by more"
            )
        parts.people[value] = populations.keep(people)


def _earlier(log: RequestLog) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for entry in log.entries():
        for question, names in entry.questions.items():
            found.setdefault(question, []).extend(names)
    return found


def _write(context: AnswerContext, made: Mapping[str, Any], digest: str, people: int, out: Path) -> Path:
    """Write the answer into a folder that nobody takes for one yet."""
    staged = out / f".answer-{digest[:12]}.partial"
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir(parents=True)
    for name, content in made.items():
        if isinstance(content, pl.DataFrame):
            write_csv(content, staged / name)
        else:
            (staged / name).write_text(json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False), "utf-8")
    facts = {
        "format": 1,
        "request_sha256": digest,
        "people": context.rules.count(people),
        "rules": context.rules.sentences,
        "files": sorted(made),
        "suppressed": context.suppressed,
        "joined": [{"column": one.column, "how": one.how} for one in context.treated],
    }
    (staged / "answer.json").write_text(json.dumps(facts, indent=1, ensure_ascii=False), "utf-8")
    return staged


def _scan(reader: Reader, staged: Path) -> None:
    """Look for private values in what would leave, as a release does; whatever is found stops the answer."""
    allowed = settings_of(reader).allowed if reader.plan.release is not None else ()
    try:
        refuse_folder(staged, contents_of(reader).private_values(), allowed=allowed, study=reader.folder.root)
    except InputError:
        shutil.rmtree(staged, ignore_errors=True)
        raise
