"""Identities of CelebA with names -> people of Wikidata, and a report of how many were found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import polars as pl

from personax.errors import FetchError
from personax.http import Fetch, Page, Request
from personax.schema import Notice
from personax.sources._records import Record
from personax.sources.celeba._identify import EVIDENCE, identify
from personax.sources.wikidata import NameQuery, Wikidata, WikidataApi, WikidataExtract, resolve_many

__all__ = ["MatchReport", "majority_names", "match_report", "named_identities", "with_wikidata"]


async def with_wikidata(
    records: Sequence[Record], fetch: Fetch | None = None, *, extract: WikidataExtract | None = None
) -> tuple[list[Record], MatchReport]:
    """Return the identities with the values of their Wikidata items, each with its origin, and who was found.

    Parameters
    ----------
    records
        Of CelebA; those with a ``name`` are looked for. What CelebA says itself stays.
    fetch
        May ask Wikidata's hosts; not needed where an extract is given.
    extract
        Answers in place of the site, and knows more of each candidate: years of death and the number of articles.

    Raises
    ------
    FetchError, SourceError
        When Wikidata cannot be reached.
    """
    ask = fetch or _ask_nobody
    named = named_identities(records)
    known: dict[str, Record] = {}
    if extract is not None:
        candidates = _of_extract(extract, named["name"].to_list())
    else:
        candidates, known = await _of_site(named["name"].to_list(), ask)
    report = match_report([int(record.ref) for record in records], named, candidates)
    found = report.table.filter(pl.col("status") == "found")
    items = dict(found.select("identity", "wikidata").iter_rows())
    if extract is not None and items:
        known = await _people(Wikidata(ids=sorted(items.values()), extract=str(extract.folder)), ask)
    return [_joined(record, known.get(items.get(int(record.ref), ""))) for record in records], report


async def _ask_nobody(request: Request) -> Page:
    raise FetchError(f"{request.url} is not asked; an extract answers")


def named_identities(records: Sequence[Record]) -> pl.DataFrame:
    """Return ``identity``, ``name``, ``male_share`` and ``young_share`` of the records with a name."""
    rows = [
        (int(one.ref), str(one.values["name"]), one.values.get("male_share"), one.values.get("young_share"))
        for one in records
        if one.values.get("name")
    ]
    schema: dict[str, type[pl.DataType]] = {
        "identity": pl.Int64,
        "name": pl.String,
        "male_share": pl.Float64,
        "young_share": pl.Float64,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


async def _people(source: Wikidata, fetch: Fetch) -> dict[str, Record]:
    return {person.ref: person async for person in source.collect(fetch) if isinstance(person, Record)}


async def _of_site(names: Sequence[str], fetch: Fetch) -> tuple[pl.DataFrame, dict[str, Record]]:
    """Return the candidates of names as the site knows them, and their records."""
    resolutions = [each async for each in resolve_many(WikidataApi(fetch), fetch, [NameQuery(name) for name in names])]
    ids = sorted({candidate.id for each in resolutions for candidate in each.candidates})
    known = await _people(Wikidata(ids=ids), fetch) if ids else {}
    rows = [
        (query, candidate.id, candidate.match, *_evidence(known[candidate.id].values))
        for query, each in enumerate(resolutions)
        for candidate in each.candidates
        if candidate.id in known
    ]
    return pl.DataFrame(rows, schema=EVIDENCE, orient="row"), known


def _evidence(values: Mapping[str, object]) -> tuple[object, ...]:
    born = values.get("birth_date")
    year = born.year if isinstance(born, date) else values.get("birth_year")
    group = values.get("occupation")
    return values.get("gender"), year, None, None if group is None else [group], None, values.get("image")


def _of_extract(extract: WikidataExtract, names: Sequence[str]) -> pl.DataFrame:
    found = extract.candidates(names)
    stated = pl.col("occupation").list.len() > 0
    groups = pl.when(stated).then(pl.col("occupation_groups")).alias("occupations")
    return found.with_columns(groups).select(pl.col(name).cast(kind) for name, kind in EVIDENCE.items())


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
        ``identity``, ``status``, ``wikidata`` (the most probable item), ``probability``, ``nobody`` (that none of the
        candidates is meant), ``candidates`` (how many), ``match`` and ``reason``; no name.
    """

    counts: Mapping[str, int]
    table: pl.DataFrame

    def notices(self) -> list[Notice]:
        """Return the counts in words."""
        texts = {
            "ambiguous": "Identities may be several people, or nobody, of Wikidata; people/celeba_wikidata.parquet has "
            "the most probable one of each, and none is linked.",
            "none": "Identities are probably nobody in Wikidata; they are not linked.",
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


def match_report(everybody: Sequence[int], named: pl.DataFrame, candidates: pl.DataFrame) -> MatchReport:
    """Say for every identity who it is.

    Parameters
    ----------
    everybody
        All identities.
    named
        Those with a name, as `named_identities` returns them.
    candidates
        Who bears the names; columns as in `personax.sources.celeba._identify.EVIDENCE`.
    """
    found = identify(named, candidates).hstack(named.select("identity"))
    unnamed = pl.lit("unnamed").alias("status"), pl.lit("no name").alias("reason"), pl.lit(0).alias("candidates")
    table = pl.DataFrame({"identity": everybody}, schema={"identity": pl.Int64}).join(
        found.drop("row").rename({"id": "wikidata"}), on="identity", how="left", maintain_order="left"
    )
    table = table.with_columns(pl.col(name.meta.output_name()).fill_null(name) for name in unnamed)
    columns = ("identity", "status", "wikidata", "probability", "nobody", "candidates", "match", "reason")
    statuses = table["status"].to_list()
    counts = {name: statuses.count(name) for name in ("found", "ambiguous", "none", "same", "unnamed")}
    return MatchReport(counts, table.select(columns))
