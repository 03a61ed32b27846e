"""Sources of the web by name, asked concurrently; one that breaks costs itself and no other."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from personax import registry
from personax.errors import SourceChanged, SourceError
from personax.http import Fetch, Fetcher
from personax.progress import Progress
from personax.sources._records import Record
from personax.strict import Strict

__all__ = ["COMPLETE_COLUMNS", "Failed", "ProbeResult", "Source", "SourceResult", "collect_web", "probe", "web_sources"]


class Failed(Protocol):
    """Somebody, or a page, that a source could not read; the source goes on."""

    @property
    def ref(self) -> str | None:
        """The person's id in the source; None for a page or a row of a list."""

    @property
    def url(self) -> str:
        """Of the page."""

    @property
    def reason(self) -> str:
        """One sentence."""

    @property
    def changed(self) -> bool:
        """The page came, in another shape than this version reads."""

    @property
    def sample(self) -> bytes | None:
        """Its bytes then."""

    @property
    def list_record(self) -> Record | None:
        """What a list said of the person."""


class Source(Protocol):
    """A source of the web: settings of study.yaml, and a walk through its people."""

    @property
    def name(self) -> str:
        """In study.yaml and in tables."""

    @property
    def hosts(self) -> Iterable[str]:
        """That may be asked, with a port where it is not the usual one."""

    def collect(self, fetch: Fetch, limit: int | None = None) -> AsyncGenerator[Record | Failed]:
        """Go through its people, so many at most."""


def web_sources() -> Mapping[str, type[Strict]]:
    """Return every source of the web by its name; their fields are what may stand in study.yaml.

    A source is a `personax.strict.Strict` class with the parts of `Source` under ``@register("sources", name)``, in
    this package or in another one; one that cannot be imported is left out.
    """
    return {part.name: registry.get("sources", part.name) for part in registry.parts("sources") if not part.fault}


COMPLETE_COLUMNS: Final = ("name", "birth_date", "height_cm", "weight_kg", "nationality")
"""A person with all of these is complete."""


@dataclass
class SourceResult:
    """What one source gave.

    Parameters
    ----------
    source
        Its name.
    records
        Its people, in its order; whose own page failed has what the list said.
    failures
        People and pages that could not be read.
    error
        Why the source ended before its end; None when it did not.
    sample
        Bytes of a page whose shape has changed.
    """

    source: str
    records: list[Record] = field(default_factory=list)
    failures: list[Failed] = field(default_factory=list)
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

    def add(self, each: Record | Failed) -> None:
        """Take in what a source yields."""
        if isinstance(each, Record):
            self.records.append(each)
            return
        self.failures.append(each)
        self.sample = self.sample or each.sample
        if each.list_record is not None and "name" in each.list_record.values and "two people" not in each.reason:
            self.records.append(each.list_record)


async def collect_web(
    web_sources: Sequence[Source], fetcher: Fetcher, *, limit: int | None = None, progress: Progress
) -> list[SourceResult]:
    """Go through several sources at the same time.

    Parameters
    ----------
    adapters
        The sources.
    fetcher
        Whose limits hold for every host.
    limit
        So many people of each source at most.
    progress
        Told of every person.
    """
    found = [SourceResult(adapter.name) for adapter in web_sources]

    def told() -> None:
        each = ", ".join(f"{one.source} {len(one.records)}" + (" stopped" if one.error else "") for one in found)
        progress.step(sum(len(one.records) for one in found), 0, each)

    async with asyncio.TaskGroup() as group:
        for adapter, into in zip(web_sources, found, strict=True):
            group.create_task(_gather(adapter, fetcher, limit, into, told))
    return found


async def _gather(
    adapter: Source, fetcher: Fetcher, limit: int | None, into: SourceResult, told: Callable[[], None]
) -> None:
    try:
        async with aclosing(_walk(adapter, fetcher, limit)) as people:
            async for each in people:
                into.add(each)
                told()
    except SourceError as error:
        into.error = str(error)
        into.sample = getattr(error, "sample", None) or into.sample
        told()


def _walk(adapter: Source, fetcher: Fetcher, limit: int | None) -> AsyncGenerator[Record | Failed]:
    return adapter.collect(fetcher.for_hosts(adapter.hosts), limit=limit)


@dataclass(frozen=True)
class ProbeResult:
    """Whether a source is still what this version reads.

    Parameters
    ----------
    source
        Its name.
    state
        ``fits``, ``changed`` or ``unreachable``.
    why
        What was looked for, or why nothing came.
    missing
        Columns of `COMPLETE_COLUMNS` that the one person has not.
    """

    source: str
    state: str
    why: str = ""
    missing: Sequence[str] = ()


async def probe(web_sources: Sequence[Source], fetcher: Fetcher) -> list[ProbeResult]:
    """Fetch a list and one person of each source, and say whether they can be read."""
    return list(await asyncio.gather(*(_probe(adapter, fetcher) for adapter in web_sources)))


async def _probe(adapter: Source, fetcher: Fetcher) -> ProbeResult:
    try:
        async with aclosing(_walk(adapter, fetcher, 1)) as people:
            async for each in people:
                if isinstance(each, Record):
                    missing = [column for column in COMPLETE_COLUMNS if column not in each.values]
                    return ProbeResult(adapter.name, "fits", missing=missing)
                return ProbeResult(adapter.name, "changed" if each.changed else "unreachable", each.reason)
    except SourceChanged as error:
        return ProbeResult(adapter.name, "changed", str(error))
    except SourceError as error:
        return ProbeResult(adapter.name, "unreachable", str(error))
    return ProbeResult(adapter.name, "changed", "its list names nobody")
