"""Records of several sources -> each person once, and the report of how that was found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from personax.schema import Notice
from personax.sources.linking.evidence import MARGIN, THRESHOLD
from personax.sources.linking.link import Key, Links, link
from personax.sources.linking.merge import Said, merge
from personax.sources.linking.similarity import born_of, tokens
from personax.sources.records import Record

__all__ = ["MATCHES", "SAID", "United", "unite"]

MATCHES = {
    "source_a": pl.String, "ref_a": pl.String, "source_b": pl.String, "ref_b": pl.String, "points": pl.Int64,
    "outcome": pl.String,
}  # fmt: skip
"""Columns of the table of pairs: linked, ambiguous, possible."""

SAID = {
    "id": pl.String, "column": pl.String, "source": pl.String, "ref": pl.String, "value": pl.String, "url": pl.String,
    "time": pl.String, "sha256": pl.String, "chosen": pl.Boolean, "conflict": pl.Boolean,
}  # fmt: skip
"""Columns of the table of what every source says of people who stand in several."""


@dataclass(frozen=True, slots=True)
class United:
    """Each person once.

    Parameters
    ----------
    records
        One a person.
    report
        Counts for people/linking.json; holds no name and no id.
    matches, said
        See `MATCHES` and `SAID`; both single people out and stay in the study folder.
    notices
        What a reader must know.
    """

    records: list[Record]
    report: Mapping[str, Any]
    matches: pl.DataFrame
    said: pl.DataFrame
    notices: list[Notice]


def unite(records: Sequence[Record], *, precedence: Sequence[str] = ()) -> United:
    """Find who stands in several sources, and give each person one record.

    Parameters
    ----------
    records
        Of all sources, in any order.
    precedence
        Sources, the most trusted first; see `personax.sources.linking.merge`.

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
    >>> united = unite([b, a], precedence=["nba", "wikidata"])
    >>> [(record.source, record.values["name"], record.values["weight_kg"]) for record in united.records]
    [('nba', 'Ada Sample', 80.0)]
    """
    links = link(records)
    people, said = merge(records, links, precedence=precedence)
    matches = [(*pair.a, *pair.b, pair.points, pair.outcome) for pair in links.pairs]
    report = _report(records, links, said)
    return United(
        people,
        report,
        pl.DataFrame(matches, schema=MATCHES, orient="row"),
        pl.DataFrame([_row(one) for one in said], schema=SAID, orient="row"),
        _notices(report),
    )


def _row(one: Said) -> tuple[object, ...]:
    origin = one.origin
    where = (origin.url, origin.time, origin.sha256)
    return (_id(one.person), one.column, one.source, one.ref, str(one.value), *where, one.chosen, one.conflict)


def _id(key: Key) -> str:
    return f"{key[0]}-{key[1]}"


def _report(records: Sequence[Record], links: Links, said: Sequence[Said]) -> dict[str, Any]:
    outcomes = Counter(pair.outcome for pair in links.pairs)
    unsure = {key for pair in links.pairs if pair.outcome == "ambiguous" for key in (pair.a, pair.b)}
    return {
        "rule": {"threshold": THRESHOLD, "margin": MARGIN},
        "records": dict(sorted(Counter(record.source for record in records).items())),
        "people": len(links.groups),
        "people_by_number_of_sources": dict(sorted(Counter(str(len(group)) for group in links.groups).items())),
        "pairs": {
            "compared": links.compared,
            "linked": outcomes["linked"],
            "ambiguous": outcomes["ambiguous"],
            "possible": outcomes["possible"],
        },
        "linked_by_sources": _between(links),
        "ambiguous_records": len(unsure),
        "alike_in_one_source": _alike(records),
        "skipped_blocks": links.skipped_blocks,
        "conflicts": dict(sorted(Counter(one.column for one in said if one.conflict).items())),
    }


def _between(links: Links) -> dict[str, int]:
    pairs = Counter(f"{pair.a[0]} + {pair.b[0]}" for pair in links.pairs if pair.outcome == "linked")
    return dict(sorted(pairs.items()))


def _alike(records: Sequence[Record]) -> dict[str, int]:
    """Return source -> records that share their name and day of birth with an earlier one of the same source."""
    seen: Counter[tuple[str, object, object]] = Counter()
    for record in records:
        born = born_of(record.values)
        words = tokens(str(record.values.get("name", "")))
        if words and born.day is not None:
            seen[record.source, words, born] += 1
    found: Counter[str] = Counter()
    for (source, _, _), times in seen.items():
        found[source] += times - 1
    return {source: more for source, more in sorted(found.items()) if more}


def _notices(report: Mapping[str, Any]) -> list[Notice]:
    several = sum(number for sources, number in report["people_by_number_of_sources"].items() if sources != "1")
    said = [
        ("People stand in several sources and were joined; people/linking.json says how.", several),
        ("Records could belong to more than one person and stay apart.", report["ambiguous_records"]),
        (
            "Records of one source share name and day of birth with another of it; they stay two people.",
            sum(report["alike_in_one_source"].values()),
        ),
        ("Names or dates are too common to compare all records that share them.", report["skipped_blocks"]),
        *((f"Sources contradict each other in {column}.", n) for column, n in report["conflicts"].items()),
    ]
    return [Notice(text, count) for text, count in said if count]
