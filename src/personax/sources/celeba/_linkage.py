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
from personax.sources.record_linkage import review_rows, review_tasks
from personax.sources.wikidata import NameQuery, Wikidata, WikidataApi, WikidataExtract, resolve_many

__all__ = ["MatchReport", "decisions_of", "majority_names", "match_report", "named_identities", "with_wikidata"]

_OWN = ("name", "male_share", "young_share")
"""What is known of an identity itself."""

Decided = Mapping[tuple[int, str], bool]
"""Identity and item of Wikidata -> whether a person said that they are one."""


async def with_wikidata(
    records: Sequence[Record],
    fetch: Fetch | None = None,
    *,
    extract: WikidataExtract | None = None,
    decided: Decided | None = None,
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
    decided
        What a person said of an identity and an item; goes before all evidence.

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
    report = match_report([int(record.ref) for record in records], named, candidates, decided)
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
    review
        CSV of the ambiguous identities with everybody who may be meant, and a column ``decision`` to fill in.
    tasks
        The same for Label Studio.
    """

    counts: Mapping[str, int]
    table: pl.DataFrame
    review: str = ""
    tasks: str = "[]"

    def notices(self) -> list[Notice]:
        """Return the counts in words."""
        texts = {
            "ambiguous": "Identities may be several people, or nobody, of Wikidata; people/celeba_review.csv "
            "has them side by side to decide (review:), and none is linked.",
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


def match_report(
    everybody: Sequence[int], named: pl.DataFrame, candidates: pl.DataFrame, decided: Decided | None = None
) -> MatchReport:
    """Say for every identity who it is.

    Parameters
    ----------
    everybody
        All identities.
    named
        Those with a name, as `named_identities` returns them.
    candidates
        Who bears the names; columns as in `personax.sources.celeba._identify.EVIDENCE`.
    decided
        What a person said of an identity and an item.
    """
    same = {identity: item for (identity, item), one in (decided or {}).items() if one}
    candidates = _undecided(named, candidates, decided or {}, same)
    found = identify(named, candidates).hstack(named.select("identity"))
    found = found.with_columns(
        pl.when(pl.col("identity").is_in(list(same)) & pl.col("id").is_not_null()).then(pl.lit(value))
        .otherwise(pl.col(name)).alias(name)
        for name, value in (("status", "found"), ("reason", "a person decided it"))
    )  # fmt: skip
    unnamed = pl.lit("unnamed").alias("status"), pl.lit("no name").alias("reason"), pl.lit(0).alias("candidates")
    table = pl.DataFrame({"identity": everybody}, schema={"identity": pl.Int64}).join(
        found.drop("row").rename({"id": "wikidata"}), on="identity", how="left", maintain_order="left"
    )
    table = table.with_columns(pl.col(name.meta.output_name()).fill_null(name) for name in unnamed)
    columns = ("identity", "status", "wikidata", "probability", "nobody", "candidates", "match", "reason")
    statuses = table["status"].to_list()
    counts = {name: statuses.count(name) for name in ("found", "ambiguous", "none", "same", "unnamed")}
    pairs = _to_review(named, candidates, table)
    return MatchReport(counts, table.select(columns), review_rows(pairs), review_tasks(pairs, _OWN))


def _undecided(
    named: pl.DataFrame, candidates: pl.DataFrame, decided: Decided, same: Mapping[int, str]
) -> pl.DataFrame:
    """Return the candidates without those that a person excluded, by name or by choosing another."""
    identities = named["identity"].to_list()
    keep = [
        decided.get((identities[row], item)) is not False and same.get(identities[row], item) == item
        for row, item in candidates.select("query", "id").iter_rows()
    ]
    return candidates.filter(pl.Series(keep, dtype=pl.Boolean))


def _to_review(
    named: pl.DataFrame, candidates: pl.DataFrame, table: pl.DataFrame
) -> list[tuple[tuple[str, str], tuple[str, str], float | None, dict[str, object]]]:
    """Return everybody who may be one of the identities that are not settled, the most probable identities first."""
    asked = table.filter(pl.col("status").is_in(["ambiguous", "same"])).sort("probability", descending=True)
    own = {one["identity"]: {name: one[name] for name in _OWN} for one in named.iter_rows(named=True)}
    rows = {identity: row for row, identity in enumerate(named["identity"].to_list())}
    by_row = candidates.with_row_index("_at").partition_by("query", as_dict=True)
    pairs = []
    for identity, best, probability in asked.select("identity", "wikidata", "probability").iter_rows():
        its = by_row[rows[identity],].sort(pl.col("id") != best, "_at")
        for one in its.iter_rows(named=True):
            known = {name: "; ".join(value) if isinstance(value, list) else value for name, value in one.items()}
            said = own[identity] | {name: known[name] for name in EVIDENCE if name not in ("query", "id")}
            likely = probability if one["id"] == best else None
            pairs.append((("celeba", str(identity)), ("wikidata", str(one["id"])), likely, said))
    return pairs


def decisions_of(
    decided: Mapping[tuple[tuple[str, str], tuple[str, str]], bool] | None,
) -> dict[tuple[int, str], bool]:
    """Return identity and item -> what a person decided, of the pairs of CelebA and Wikidata."""
    found: dict[tuple[int, str], bool] = {}
    for pair, same in (decided or {}).items():
        known = dict(pair)
        if known.keys() == {"celeba", "wikidata"} and known["celeba"].isdigit():
            found[int(known["celeba"]), known["wikidata"]] = same
    return found
