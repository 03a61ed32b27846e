"""Sources of the web collected concurrently, or probed; one that fails ends itself and no other."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any, Final

from personax.errors import SourceChanged, SourceError
from personax.http import Fetch, Fetcher
from personax.progress import Progress
from personax.sources._records import Failure, Record
from personax.sources._source import PeopleSource

__all__ = ["COMPLETE_COLUMNS", "NamedSource", "ProbeResult", "SourceResult", "collect_web", "probe"]


COMPLETE_COLUMNS: Final = ("name", "birth_date", "height_cm", "weight_kg", "nationality")
"""A person with all of these is complete."""


@dataclass(frozen=True)
class NamedSource:
    """A source of the web under another name: two competitions of one site, for example.

    Parameters
    ----------
    name
        In tables and ids.
    of
        The source.
    """

    name: str
    of: PeopleSource

    @property
    def hosts(self) -> Iterable[str]:
        """Those of the source."""
        return self.of.hosts

    async def collect(self, fetch: Fetch, limit: int | None = None) -> AsyncGenerator[Record | Failure]:
        """Yield what the source yields, under this name."""
        async with aclosing(self.of.collect(fetch, limit=limit)) as people:
            async for each in people:
                yield self._renamed(each) if isinstance(each, Record) else self._renamed_failure(each)

    def _renamed(self, record: Record) -> Record:
        origins = {column: replace(origin, source=self.name) for column, origin in record.origins.items()}
        return replace(record, source=self.name, origins=origins)

    def _renamed_failure(self, failure: Failure) -> Failure:
        listed = None if failure.list_record is None else self._renamed(failure.list_record)
        return replace(failure, source=self.name, list_record=listed)


@dataclass
class SourceResult:
    """What one source gave.

    Parameters
    ----------
    source
        Its name.
    records
        Its people, in its order; of those whose own page failed, what the list says.
    failures
        People and pages that could not be read.
    error
        Why the source ended before its end; None when it did not.
    sample
        Bytes of a page whose shape has changed.
    """

    source: str
    records: list[Record] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    error: str | None = None
    sample: bytes | None = None

    def summary(self) -> dict[str, Any]:
        """Return counts: found, complete, missing by column, errors by reason."""
        missing = {c: sum(c not in record.values for record in self.records) for c in COMPLETE_COLUMNS}
        reasons = Counter(failure.reason for failure in self.failures)
        return {
            "source": self.source,
            "found": len(self.records),
            "complete": sum(all(c in record.values for c in COMPLETE_COLUMNS) for record in self.records),
            "missing": {column: number for column, number in missing.items() if number},
            "errors": dict(reasons.most_common()),
            "stopped": self.error,
        }

    def add(self, each: Record | Failure) -> None:
        """Add what a source yields; of a person whose own page failed, the record of the list."""
        if isinstance(each, Record):
            self.records.append(each)
            return
        self.failures.append(each)
        self.sample = self.sample or each.sample
        if each.list_record is not None and "name" in each.list_record.values and "two people" not in each.reason:
            self.records.append(each.list_record)


async def collect_web(
    sources: Sequence[PeopleSource], fetcher: Fetcher, *, limit: int | None = None, progress: Progress
) -> list[SourceResult]:
    """Collect several sources concurrently.

    Parameters
    ----------
    sources
        With their settings.
    fetcher
        Its rate limits hold for every host.
    limit
        Maximal number of people of each source.
    progress
        Receives the counts.
    """
    found = [SourceResult(source.name) for source in sources]

    def report() -> None:
        each = ", ".join(f"{one.source} {len(one.records)}" + (" stopped" if one.error else "") for one in found)
        progress.step(sum(len(one.records) for one in found), 0, each)

    async with asyncio.TaskGroup() as group:
        for source, into in zip(sources, found, strict=True):
            group.create_task(_collect(source, fetcher, limit, into, report))
    return found


async def _collect(
    source: PeopleSource, fetcher: Fetcher, limit: int | None, into: SourceResult, report: Callable[[], None]
) -> None:
    try:
        async with aclosing(_people(source, fetcher, limit)) as people:
            async for each in people:
                into.add(each)
                report()
    except SourceError as error:
        into.error = str(error)
        into.sample = getattr(error, "sample", None) or into.sample
        report()


def _people(source: PeopleSource, fetcher: Fetcher, limit: int | None) -> AsyncGenerator[Record | Failure]:
    return source.collect(fetcher.for_hosts(source.hosts), limit=limit)


@dataclass(frozen=True)
class ProbeResult:
    """Whether pages of a source still have the shape that this version reads.

    Parameters
    ----------
    source
        Its name.
    state
        ``fits``, ``changed`` or ``unreachable``.
    why
        What was expected, or why no page came.
    missing
        Columns of `COMPLETE_COLUMNS` that the person lacks.
    """

    source: str
    state: str
    why: str = ""
    missing: Sequence[str] = ()


async def probe(sources: Sequence[PeopleSource], fetcher: Fetcher) -> list[ProbeResult]:
    """Fetch a list and one person of each source, and say whether they can be read."""
    return list(await asyncio.gather(*(_probe(source, fetcher) for source in sources)))


async def _probe(source: PeopleSource, fetcher: Fetcher) -> ProbeResult:
    try:
        async with aclosing(_people(source, fetcher, 1)) as people:
            async for each in people:
                if isinstance(each, Record):
                    missing = [column for column in COMPLETE_COLUMNS if column not in each.values]
                    return ProbeResult(source.name, "fits", missing=missing)
                return ProbeResult(source.name, "changed" if each.changed else "unreachable", each.reason)
    except SourceChanged as error:
        return ProbeResult(source.name, "changed", str(error))
    except SourceError as error:
        return ProbeResult(source.name, "unreachable", str(error))
    return ProbeResult(source.name, "changed", "its list names nobody")
