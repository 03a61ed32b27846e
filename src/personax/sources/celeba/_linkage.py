"""Identities of CelebA with names -> people of Wikidata, and a report of how many were found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from personax.errors import InputError
from personax.http import Fetch
from personax.schema import Notice
from personax.sources._records import Record
from personax.sources.wikidata import NameQuery, Resolution, Wikidata, WikidataApi, resolve_many

__all__ = ["MatchReport", "majority_names", "match_report", "name_queries", "with_wikidata"]


async def with_wikidata(records: Sequence[Record], fetch: Fetch) -> tuple[list[Record], MatchReport]:
    """Return the identities with the values of their Wikidata items, each with its origin, and who was found.

    Parameters
    ----------
    records
        Of CelebA; those with a ``name`` are looked for. What CelebA says itself stays.
    fetch
        May ask Wikidata's hosts.

    Raises
    ------
    FetchError, SourceError
        When Wikidata cannot be reached.
    """
    called = [(int(record.ref), str(record.values["name"])) for record in records if record.values.get("name")]
    named = pl.DataFrame(called, schema={"identity": pl.Int64, "name": pl.String}, orient="row")
    resolutions = [each async for each in resolve_many(WikidataApi(fetch), fetch, name_queries(named))]
    report = match_report([int(record.ref) for record in records], named, resolutions)
    found = report.table.filter(pl.col("status") == "found")
    items = dict(found.select("identity", "wikidata").iter_rows())
    known: dict[str, Record] = {}
    if items:
        async for person in Wikidata(ids=sorted(items.values())).collect(fetch):
            if isinstance(person, Record):
                known[person.ref] = person
    return [_joined(record, known.get(items.get(int(record.ref), ""))) for record in records], report


def _joined(record: Record, person: Record | None) -> Record:
    if person is None:
        return record
    return replace(
        record,
        values={**person.values, **record.values},
        origins={**person.origins, **record.origins},
        bad=(*record.bad, *person.bad),
    )


@dataclass(frozen=True, slots=True)
class MatchReport:
    """What became of the names.

    Parameters
    ----------
    counts
        ``found``, ``ambiguous``, ``none``, ``same`` (found, but another identity is the same person) and ``unnamed``.
    table
        ``identity``, ``status``, ``wikidata`` (the item where one was found), ``score``, ``candidates`` (how many),
        ``match`` and ``reason``; no name.
    """

    counts: Mapping[str, int]
    table: pl.DataFrame

    def notices(self) -> list[Notice]:
        """Return the counts in words."""
        texts = {
            "ambiguous": "Names may mean several people of Wikidata; these identities are not linked.",
            "none": "Names are nobody's in Wikidata; these identities are not linked.",
            "same": "Identities are one person of Wikidata; none of them is linked, since labels may be mixed up.",
            "unnamed": "Identities have no name; they are not linked.",
        }
        return [Notice(texts[status], count) for status, count in self.counts.items() if status in texts and count]


def majority_names(identities: pl.DataFrame, names: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the name of each identity, and the identities whose pictures have several names.

    Parameters
    ----------
    identities
        ``image`` and ``identity``.
    names
        As `read_names` returns them.

    Returns
    -------
    named
        ``identity`` and ``name``; where pictures disagree, the name of more than half of them.
    undecided
        ``identity`` and ``names`` (how many) where no name has more than half.
    """
    if "image" in names.columns:
        names = names.join(identities, on="image", how="inner")
    counted = names.group_by("identity", "name").len().sort("identity", "len", "name", descending=[False, True, False])
    best = counted.group_by("identity", maintain_order=True).agg(
        pl.col("name").first(), pl.col("len").first(), pl.col("len").sum().alias("all"), pl.len().alias("names")
    )
    clear = 2 * pl.col("len") > pl.col("all")
    return best.filter(clear).select("identity", "name"), best.filter(~clear).select("identity", "names")


def name_queries(named: pl.DataFrame) -> list[NameQuery]:
    """Return who to look for, in the order of the rows."""
    return [NameQuery(name) for name in named["name"]]


def match_report(
    everybody: Sequence[int], named: pl.DataFrame, resolutions: Sequence[Resolution], *, min_score: float = 0.0
) -> MatchReport:
    """Say for every identity who it is.

    Parameters
    ----------
    everybody
        All identities.
    named
        Those with a name; row by row what ``resolutions`` are about.
    min_score
        Minimal score of a person who counts as found.

    Raises
    ------
    InputError
        When there are not as many resolutions as names.
    """
    if len(resolutions) != named.height:
        raise InputError(
            f"{len(resolutions)} resolutions are not about {named.height} names; resolve all names in order"
        )
    rows = {identity: _row(found, min_score) for identity, found in zip(named["identity"], resolutions, strict=True)}
    empty = {"status": "unnamed", "wikidata": None, "score": None, "candidates": 0, "match": None, "reason": "no name"}
    schema = {
        "identity": pl.Int64,
        "status": pl.String,
        "wikidata": pl.String,
        "score": pl.Float64,
        "candidates": pl.Int64,
        "match": pl.String,
        "reason": pl.String,
    }
    table = pl.DataFrame([{"identity": each, **rows.get(each, empty)} for each in everybody], schema=schema)
    twice = pl.col("wikidata").is_not_null() & pl.col("wikidata").is_duplicated()
    table = table.with_columns(
        pl.when(twice).then(pl.lit("same")).otherwise("status").alias("status"),
        pl.when(twice).then(pl.lit("several identities are this person")).otherwise("reason").alias("reason"),
    )
    statuses = table["status"].to_list()
    return MatchReport(
        {name: statuses.count(name) for name in ("found", "ambiguous", "none", "same", "unnamed")}, table
    )


def _row(resolution: Resolution, min_score: float) -> dict[str, object]:
    best = resolution.candidates[0] if resolution.candidates else None
    sure = resolution.status == "found" and best is not None and best.score >= min_score
    weak = resolution.status == "found" and not sure
    return {
        "status": "ambiguous" if weak else resolution.status,
        "wikidata": resolution.id if sure else None,
        "score": best.score if best else None,
        "candidates": len(resolution.candidates),
        "match": best.match if best else None,
        "reason": f"the score is below {min_score:g}" if weak else resolution.reason,
    }
