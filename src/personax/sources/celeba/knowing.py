"""What Wikidata knows of CelebA's identities, for those whom a name finds and nobody else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from personax.sources.celeba.linking import MatchReport, match_report, wanted_of
from personax.sources.records import Record
from personax.sources.web.pages import Fetch
from personax.sources.wikidata.api import Api
from personax.sources.wikidata.resolve import resolve_many
from personax.sources.wikidata.source import Wikidata

__all__ = ["with_wikidata"]


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
        When Wikidata cannot be asked.
    """
    called = [(int(record.ref), str(record.values["name"])) for record in records if record.values.get("name")]
    named = pl.DataFrame(called, schema={"identity": pl.Int64, "name": pl.String}, orient="row")
    resolutions = [each async for each in resolve_many(Api(fetch), fetch, wanted_of(named))]
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
