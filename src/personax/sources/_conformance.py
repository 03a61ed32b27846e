"""`check_source`: whether a source of people keeps the contract, on pages or a file that are given."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from urllib.parse import urlsplit

from personax import registry
from personax.conformance import ConformanceError, Demand, described, kit, raised
from personax.errors import FetchError, InputError, SourceError
from personax.http import Page, Request
from personax.sources._people_table import BAD_CELLS, PeopleTable
from personax.sources._records import Failure, Record
from personax.sources._source import FileSource, PeopleSource
from personax.strict import Strict

__all__ = ["check_source"]

Respond = Callable[[Request], bytes]
"""Request -> body of the page that answers it."""

MOST: Final = 100_000
"""People of the pages of a check; a source that yields more does not end."""

TYPES: Final[Mapping[str, type | tuple[type, ...]]] = {
    "name": str,
    "birth_date": date,
    "birth_year": int,
    "height_cm": (int, float),
    "weight_kg": (int, float),
    "gender": str,
}
"""Columns that every source gives in the same form."""


@kit
def check_source(
    source: PeopleSource | FileSource, respond: Respond | None = None, *, root: Path | None = None
) -> None:
    """Check that a source of people does what collecting relies on; nothing is fetched.

    Of a file source it is checked: the registration; that the same file gives the same people, each with an id of their
    own, and a provenance; and that a missing, an empty or a binary file ends in an `InputError`.

    Of a source of the web: the registration; that only its own hosts get requests; that every person has one id of this
    source, a known form of every value, and an origin for each; that the limit holds and the same pages give the same
    people; and that a page that cannot be fetched, or holds something else, ends in a `SourceError` or a `Failure`,
    never in another error.

    Parameters
    ----------
    source
        With its settings.
    respond
        Request -> body of the page; None for a source that fetches no page.
    root
        Of a file source: the folder that its relative path starts from; the working directory by default.

    Raises
    ------
    AssertionError
        With a sentence that says what is wrong and how to mend it, at the first check that fails.
    """
    instance = not isinstance(source, type)
    word = "source" if isinstance(source, FileSource) else "name"
    demand = Demand(str(getattr(source, word, "")) if instance and isinstance(source, Strict) else described(source))
    demand(instance, "a class is given; give a source with its settings, as in check_source(Mine())")
    _check_registration(demand, source)
    if isinstance(source, FileSource):
        with demand.rule("a file gives a PeopleTable"):
            _check_file(demand, source, root or Path())
    else:
        text = f"respond is {described(respond)}; give a function from a request to the body of its page"
        demand(respond is None or callable(respond), text)
        with demand.rule("pages give people"):
            _check_web(demand, source, respond)


def _check_file(demand: Demand, source: FileSource, root: Path) -> None:
    reads = registry.describe("sources", source.source).facts.get("reads")
    demand(reads == "file", f'it is registered to read {reads or "the web"}; register it with reads="file"')
    first, second = source.read(root), source.read(root)
    demand(isinstance(first, PeopleTable), "read gives no PeopleTable; return one")
    demand(first.people.equals(second.people), "the same file gives other people; draw nothing and look at no clock")
    demand(first.people.height, "the file holds nobody that can be read; give check_source a file with people")
    ids = first.people["id"].to_list() if "id" in first.people.columns else []
    demand(ids and all(ids) and len(set(ids)) == len(ids), "ids are missing or stand twice; give everybody an id")
    demand(dict(first.bad_cells.schema) == BAD_CELLS, "bad_cells has other columns than personax.sources.BAD_CELLS")
    demand(first.provenance.sha256, "the provenance has no hash; hash the file by personax.files.sha256")
    _check_broken_files(demand, source)


def _check_broken_files(demand: Demand, source: FileSource) -> None:
    suffix = Path(source.path).suffix
    with TemporaryDirectory() as folder:
        for case, content in {"missing": None, "empty": b"", "binary": bytes(range(256)) * 8}.items():
            path = Path(folder) / f"{case}{suffix}"
            if content is not None:
                path.write_bytes(content)
            try:
                source.model_copy(update={"path": str(path)}).read(Path(folder))
            except InputError:
                continue
            except Exception as error:
                text = f"a {case} file raises {raised(error)}; raise an InputError that names the file"
                raise demand.error(text) from error
            demand(False, f"a {case} file is read without an error; raise an InputError that names the file")


def _check_web(demand: Demand, source: PeopleSource, respond: Respond | None) -> None:
    for word in ("hosts", "collect"):
        demand(hasattr(source, word), f"it has no {word}; a source of the web has hosts and collect(fetch, limit)")
    hosts = source.hosts
    texts = isinstance(hosts, tuple | list | set | frozenset) and all(isinstance(host, str) for host in hosts)
    demand(texts, f"hosts is {described(hosts)}; give the names of its hosts as a tuple of texts")
    urls: list[str] = []

    def collected(urls: list[str], limit: int | None) -> list[Any]:
        people = source.collect(_Fetch(demand, respond, urls), limit=limit)
        demand(hasattr(people, "aclose"), f"collect returns {described(people)}; write it as async def with yield")
        return asyncio.run(_collected(demand, people))

    people = collected(urls, None)
    _check_hosts(demand, urls, source)
    _check_records(demand, people)
    again = collected([], None)
    demand(people == again, "the same pages give other people; draw nothing and look at no clock")
    found = [each for each in people if isinstance(each, Record)]
    one = [each for each in collected([], 1) if isinstance(each, Record)]
    demand(len(one) <= 1, f"limit=1 gives {len(one)} people; stop at the limit")
    demand(found, "the pages hold nobody that can be read; give check_source pages with people")
    if respond is not None:
        _check_broken_pages(demand, source)


def _check_registration(demand: Demand, source: PeopleSource | FileSource) -> None:
    demand(isinstance(source, Strict), "its settings are not checked; derive from personax.strict.Strict")
    try:
        known = registry.name_of("sources", type(source))
    except registry.RegistryError as error:
        raise demand.error(str(error)) from None
    demand(known == demand.name, f"it is registered as {known}; let the attribute name be the same")


class _Fetch:
    """Gives pages, and lists the addresses."""

    def __init__(self, demand: Demand, respond: Respond | None, urls: list[str]) -> None:
        self._demand, self._respond, self._urls = demand, respond, urls

    async def __call__(self, request: Request) -> Page:
        self._demand(
            isinstance(request, Request), f"it fetches {described(request)}; give fetch a personax.http.Request"
        )
        self._urls.append(request.url)
        if self._respond is None:
            raise self._demand.error(f"{request.url} is requested; give check_source the pages")
        body = self._respond(request)
        self._demand(isinstance(body, bytes), f"respond returns {described(body)}; return the bytes of the page")
        kind = request.accepts[0] if request.accepts else "text/html"
        return Page(request.url, "2026-01-01T00:00:00Z", 200, hashlib.sha256(body).hexdigest(), kind, body)


async def _collected(demand: Demand, source: AsyncGenerator[Any]) -> list[Any]:
    found: list[Any] = []
    async with aclosing(source) as people:
        async for each in people:
            found.append(each)
            demand(len(found) <= MOST, f"it yields more than {MOST:,} people; stop where the pages end")
    return found


def _check_hosts(demand: Demand, urls: list[str], source: PeopleSource) -> None:
    hosts = set(source.hosts)
    strange = sorted({urlsplit(url).netloc for url in urls} - hosts)
    demand(not strange, f"it asks {', '.join(strange)}, which its hosts do not name; add them to hosts")


def _check_records(demand: Demand, people: list[Any]) -> None:
    seen = set()
    for each in people:
        if not isinstance(each, Record):
            reason = getattr(each, "reason", None)
            demand(
                isinstance(reason, str) and reason,
                "it yields what is neither a Record nor a failure with a reason; yield one of them",
            )
            continue
        demand(each.source == demand.name, f"a record says source {each.source}; say {demand.name}")
        demand(each.ref and each.ref not in seen, f"two people have the id {each.ref!r}; ids are unique and not empty")
        seen.add(each.ref)
        lacking = sorted(set(each.values) - set(each.origins))
        demand(not lacking, f"{', '.join(lacking)} has no origin; say which page every value comes from")
        for column, value in each.values.items():
            kind = TYPES.get(column)
            right = kind is None or isinstance(value, kind)
            demand(right, f"{column} is a {type(value).__name__}; give it as docs/collecting.md says")
            demand(value is not None and value != "", f"{column} is empty; leave out what is not known")


def _check_broken_pages(demand: Demand, source: PeopleSource) -> None:
    """Let every page fail, then let every page hold something else."""

    def refused(request: Request) -> bytes:
        raise FetchError(f"{request.url} answered 500")

    broken: dict[str, Respond] = {
        "no page can be had": refused,
        "pages are empty": lambda request: b"",
        "pages hold something else": lambda request: b"<html><body>down for maintenance</body></html>",
        "pages hold JSON of another shape": lambda request: b'{"unexpected": [1, 2]}',
    }
    for case, respond in broken.items():
        try:
            people = asyncio.run(_collected(demand, source.collect(_Fetch(demand, respond, []), limit=3)))
        except ConformanceError:
            raise
        except SourceError:
            continue
        except Exception as error:
            text = f"{case}, and it raises {raised(error)}; raise a SourceChanged, or yield a Failure"
            raise demand.error(text) from error
        failures = [each for each in people if isinstance(each, Failure) or getattr(each, "reason", None)]
        demand(failures, f"{case}, and there is no failure; raise a SourceChanged, or yield a Failure")
