"""Merging of linked records: one record a person, the values of every source, and the report of the linkage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import polars as pl

from personax.data import fold
from personax.schema import Notice
from personax.sources._records import Origin, Record
from personax.sources.geocode import find_country
from personax.sources.record_linkage._comparison import MARGIN, THRESHOLD, birth_date_of
from personax.sources.record_linkage._link import Decisions, Linkage, RecordKey, link
from personax.sources.record_linkage._names import tokens
from personax.sources.record_linkage._review import label_studio_tasks, review_csv

__all__ = ["MATCHES", "SOURCE_VALUES", "TOLERANCES", "LinkedRecords", "SourceValue", "link_and_merge", "merge"]


TOLERANCES: Mapping[str, float] = {"height_cm": 2.0, "weight_kg": 5.0, "latitude": 0.1, "longitude": 0.1}
"""Numbers that differ by no more do not contradict each other; other numbers must be equal."""

_BORN = ("birth_date", "birth_precision", "birth_year", "birth_month", "birth_day")
_COUNTRIES = {"nationality", "country", "birth_country"}
_OWN = {"headshot_url", "position", "team", "league", "birth_precision"}
"""Every source has its own; two of them do not contradict each other."""


@dataclass(frozen=True, slots=True)
class SourceValue:
    """A value that one source has of a person: whether it was chosen, and whether it conflicts with the chosen one."""

    person: RecordKey
    column: str
    source: str
    ref: str
    value: object
    origin: Origin
    chosen: bool
    conflict: bool


def merge(
    records: Sequence[Record], linkage: Linkage, *, precedence: Sequence[str] = ()
) -> tuple[list[Record], list[SourceValue]]:
    """Make one record of every group.

    Parameters
    ----------
    records
        Those that were linked.
    linkage
        Who is who.
    precedence
        Sources, the most trusted first; others follow by name. The first source that has a value gives it, but the
        date of birth comes as a whole from the first that knows most of it.

    Returns
    -------
    people, source_values
        One record a person, under the source and ref of its most trusted record, in the order of these; and of people
        with several records, the values of each source.
    """
    rank = {
        source: place for place, source in enumerate(dict.fromkeys([*precedence, *sorted({r.source for r in records})]))
    }
    by_key = {(record.source, record.ref): record for record in records}
    people, source_values = [], []
    for keys in linkage.groups:
        group = sorted((by_key[key] for key in keys), key=lambda record: (rank[record.source], record.ref))
        chosen = _chosen(group)
        first = group[0]
        values = {column: record.values[column] for column, record in chosen.items()}
        origins = {column: record.origins[column] for column, record in chosen.items() if column in record.origins}
        bad = tuple(cell for record in group for cell in record.bad if cell.column not in values)
        people.append(Record(first.source, first.ref, values, origins, bad))
        if len(group) > 1:
            source_values += _source_values(group, chosen)
    return sorted(people, key=lambda record: (rank[record.source], record.ref)), source_values


def _chosen(group: Sequence[Record]) -> dict[str, Record]:
    """Return column -> the record that gives its value."""
    chosen: dict[str, Record] = {}
    known = [sum(part is not None for part in birth_date_of(record.values)) for record in group]
    best = group[known.index(max(known))]
    for record in group:
        for column, value in record.values.items():
            if value is not None and (column not in _BORN or record is best):
                chosen.setdefault(column, record)
    return chosen


def _source_values(group: Sequence[Record], chosen: Mapping[str, Record]) -> list[SourceValue]:
    person = group[0].source, group[0].ref
    found = []
    for record in group:
        for column, value in record.values.items():
            if value is None:
                continue
            taken = chosen.get(column)
            origin = record.origins.get(column, Origin(record.source, "", "", ""))
            conflict = taken is not None and column not in _OWN and _contradict(column, value, taken.values[column])
            found.append(
                SourceValue(person, column, record.source, record.ref, value, origin, taken is record, conflict)
            )
    return found


def _contradict(column: str, a: object, b: object) -> bool:
    if isinstance(a, int | float) and isinstance(b, int | float):
        return abs(a - b) > TOLERANCES.get(column, 0.0)
    if isinstance(a, date) or isinstance(b, date):
        return a != b
    if column in _COUNTRIES:
        here, there = find_country(str(a)), find_country(str(b))
        return here is None or there is None or (here.iso2, here.policy) != (there.iso2, there.policy)
    return sorted(fold(str(a)).split()) != sorted(fold(str(b)).split())


MATCHES = {
    "source_a": pl.String, "ref_a": pl.String, "source_b": pl.String, "ref_b": pl.String, "points": pl.Int64,
    "outcome": pl.String, "weight": pl.Float64, "probability": pl.Float64,
}  # fmt: skip
"""Columns of the table of pairs: linked, ambiguous, possible; weight and probability where they were learned."""

SOURCE_VALUES = {
    "id": pl.String, "column": pl.String, "source": pl.String, "ref": pl.String, "value": pl.String, "url": pl.String,
    "time": pl.String, "sha256": pl.String, "chosen": pl.Boolean, "conflict": pl.Boolean,
}  # fmt: skip
"""Columns of the table of the values of each source, for people of several sources."""


@dataclass(frozen=True, slots=True)
class LinkedRecords:
    """Records of several sources, linked and merged: each person once.

    Parameters
    ----------
    records
        One a person.
    report
        Counts for people/linking.json; holds no name and no id.
    matches, source_values
        See `MATCHES` and `SOURCE_VALUES`; both single people out and stay in the study folder.
    notices
        What a reader must know.
    review, tasks
        The ambiguous pairs for a person to decide, as CSV and as tasks of Label Studio; private.
    """

    records: list[Record]
    report: Mapping[str, Any]
    matches: pl.DataFrame
    source_values: pl.DataFrame
    notices: list[Notice]
    review: str
    tasks: str


def link_and_merge(
    records: Sequence[Record], *, precedence: Sequence[str] = (), decided: Decisions | None = None
) -> LinkedRecords:
    """Link the records of several sources, and merge those of each person.

    Parameters
    ----------
    records
        Of all sources, in any order.
    precedence
        Sources, the most trusted first; see `personax.sources.record_linkage.merge`.
    decided
        What a person said of pairs; see `read_decisions`.

    Raises
    ------
    InputError
        When a source gives one id to two people; names it.

    Examples
    --------
    >>> from datetime import date
    >>> born = {"birth_date": date(1990, 3, 4)}
    >>> a = Record("nba", "1", {"name": "Ada Sample", **born}, {})
    >>> b = Record("wikidata", "Q1", {"name": "SAMPLE, Ada", "weight_kg": 80.0, **born}, {})
    >>> merged = link_and_merge([b, a], precedence=["nba", "wikidata"])
    >>> [(record.source, record.values["name"], record.values["weight_kg"]) for record in merged.records]
    [('nba', 'Ada Sample', 80.0)]
    """
    linkage = link(records, decided=decided)
    people, source_values = merge(records, linkage, precedence=precedence)
    matches = [(*pair.a, *pair.b, pair.points, pair.outcome, pair.weight, pair.probability) for pair in linkage.pairs]
    report = _report(records, linkage, source_values)
    return LinkedRecords(
        people,
        report,
        pl.DataFrame(matches, schema=MATCHES, orient="row"),
        pl.DataFrame([_row(one) for one in source_values], schema=SOURCE_VALUES, orient="row"),
        _notices(report),
        review_csv(linkage.pairs, records),
        label_studio_tasks(linkage.pairs, records),
    )


def _row(one: SourceValue) -> tuple[object, ...]:
    origin = one.origin
    where = (origin.url, origin.time, origin.sha256)
    return (_id(one.person), one.column, one.source, one.ref, str(one.value), *where, one.chosen, one.conflict)


def _id(key: RecordKey) -> str:
    return f"{key[0]}-{key[1]}"


def _report(records: Sequence[Record], linkage: Linkage, source_values: Sequence[SourceValue]) -> dict[str, Any]:
    outcomes = Counter(pair.outcome for pair in linkage.pairs)
    unsure = {key for pair in linkage.pairs if pair.outcome == "ambiguous" for key in (pair.a, pair.b)}
    return {
        "rule": {"threshold": THRESHOLD, "margin": MARGIN},
        "learned": {" + ".join(names): asdict(each) for names, each in linkage.learned.items()},
        "records": dict(sorted(Counter(record.source for record in records).items())),
        "people": len(linkage.groups),
        "people_by_number_of_sources": dict(sorted(Counter(str(len(group)) for group in linkage.groups).items())),
        "pairs": {
            "compared": linkage.compared,
            "linked": outcomes["linked"],
            "ambiguous": outcomes["ambiguous"],
            "possible": outcomes["possible"],
        },
        "linked_by_sources": _between(linkage),
        "ambiguous_records": len(unsure),
        "alike_in_one_source": _duplicates(records),
        "skipped_blocks": linkage.skipped_blocks,
        "conflicts": dict(sorted(Counter(one.column for one in source_values if one.conflict).items())),
    }


def _between(linkage: Linkage) -> dict[str, int]:
    pairs = Counter(f"{pair.a[0]} + {pair.b[0]}" for pair in linkage.pairs if pair.outcome == "linked")
    return dict(sorted(pairs.items()))


def _duplicates(records: Sequence[Record]) -> dict[str, int]:
    """Return source -> records that share their name and day of birth with an earlier one of the same source."""
    seen: Counter[tuple[str, object, object]] = Counter()
    for record in records:
        born = birth_date_of(record.values)
        words = tokens(str(record.values.get("name", "")))
        if words and born.day is not None:
            seen[record.source, words, born] += 1
    found: Counter[str] = Counter()
    for (source, _, _), times in seen.items():
        found[source] += times - 1
    return {source: more for source, more in sorted(found.items()) if more}


def _notices(report: Mapping[str, Any]) -> list[Notice]:
    several = sum(number for sources, number in report["people_by_number_of_sources"].items() if sources != "1")
    source_values = [
        ("People stand in several sources and were joined; people/linking.json says how.", several),
        (
            "Records could belong to more than one person and stay apart; people/review.csv asks.",
            report["ambiguous_records"],
        ),
        (
            "Records of one source share name and day of birth with another of it; they stay two people.",
            sum(report["alike_in_one_source"].values()),
        ),
        ("Names or dates are too common to compare all records that share them.", report["skipped_blocks"]),
        *((f"Sources contradict each other in {column}.", n) for column, n in report["conflicts"].items()),
    ]
    return [Notice(text, count) for text, count in source_values if count]
