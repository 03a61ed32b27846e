"""`check_source`: whether a source of people keeps the contract, on pages that are given."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from contextlib import aclosing
from datetime import date
from typing import Any, Final
from urllib.parse import urlsplit

from personax import registry
from personax.errors import FetchError, SourceError
from personax.http import Page, Request
from personax.sources._records import Failure, Record
from personax.sources._web_sources import Source
from personax.strict import Strict

__all__ = ["check_source"]

Answer = Callable[[Request], bytes]

TYPES: Final[Mapping[str, type | tuple[type, ...]]] = {
    "name": str,
    "birth_date": date,
    "birth_year": int,
    "height_cm": (int, float),
    "weight_kg": (int, float),
    "gender": str,
}
"""Columns that every source gives in the same form."""


def check_source(source: Source, answer: Answer | None = None) -> None:
    """Check that a source of people does what collecting relies on; nothing is fetched.

    Checked are: the registration; that only its own hosts are asked; that every person has one id of this source, a
    known form of every value, and an origin for each; that the limit holds and the same pages give the same people;
    and that a page that cannot be had, or holds something else, ends in a `SourceError` or a failed person, never in
    another error.

    Parameters
    ----------
    source
        With its settings.
    answer
        Request -> body of the page; None for a source that asks for no page.

    Raises
    ------
    AssertionError
        With a sentence that says what is wrong and how to mend it, at the first check that fails.
    """
    name = str(getattr(source, "name", type(source).__name__))

    def demand(holds: object, text: str) -> None:
        if not holds:
            raise AssertionError(f"{name}: {text}")

    _registered(demand, name, source)
    asked: list[str] = []
    people = asyncio.run(_collected(source, _counting(answer, asked), None))
    _asks(demand, asked, source)
    _records(demand, name, people)
    again = asyncio.run(_collected(source, _counting(answer, []), None))
    demand(people == again, "the same pages give other people; draw nothing and look at no clock")
    found = [each for each in people if isinstance(each, Record)]
    one = [each for each in asyncio.run(_collected(source, _counting(answer, []), 1)) if isinstance(each, Record)]
    demand(len(one) <= 1, f"limit=1 gives {len(one)} people; stop at the limit")
    demand(found, "the pages hold nobody that can be read; give check_source pages with people")
    if answer is not None:
        _broken(demand, source)


Demand = Callable[[object, str], None]


def _registered(demand: Demand, name: str, source: Source) -> None:
    demand(isinstance(source, Strict), "its settings are not checked; derive from personax.strict.Strict")
    try:
        known = registry.name_of("sources", type(source))
    except registry.RegistryError as error:
        raise AssertionError(f"{name}: {error}") from None
    demand(known == name, f"it is registered as {known}; let the attribute name be the same")


class _Fetch:
    """Answers from the given pages."""

    def __init__(self, answer: Answer | None, asked: list[str]) -> None:
        self._answer, self._asked = answer, asked

    async def __call__(self, request: Request) -> Page:
        self._asked.append(request.url)
        if self._answer is None:
            raise AssertionError(f"{request.url} is asked for; give check_source the pages")
        body = self._answer(request)
        kind = request.accepts[0] if request.accepts else "text/html"
        return Page(request.url, "2026-01-01T00:00:00Z", 200, hashlib.sha256(body).hexdigest(), kind, body)


def _counting(answer: Answer | None, asked: list[str]) -> _Fetch:
    return _Fetch(answer, asked)


async def _collected(source: Source, fetch: _Fetch, limit: int | None) -> list[Any]:
    async with aclosing(source.collect(fetch, limit=limit)) as people:
        return [each async for each in people]


def _asks(demand: Demand, asked: list[str], source: Source) -> None:
    hosts = set(source.hosts)
    strange = sorted({urlsplit(url).netloc for url in asked} - hosts)
    demand(not strange, f"it asks {', '.join(strange)}, which its hosts do not name; add them to hosts")


def _records(demand: Demand, name: str, people: list[Any]) -> None:
    seen = set()
    for each in people:
        if not isinstance(each, Record):
            reason = getattr(each, "reason", None)
            demand(isinstance(reason, str) and reason, "it yields what is neither a Record nor a failure with a reason")
            continue
        demand(each.source == name, f"a record says source {each.source}; say {name}")
        demand(each.ref and each.ref not in seen, f"two people have the id {each.ref!r}; ids are unique and not empty")
        seen.add(each.ref)
        lacking = sorted(set(each.values) - set(each.origins))
        demand(not lacking, f"{', '.join(lacking)} has no origin; say which page every value comes from")
        for column, value in each.values.items():
            kind = TYPES.get(column)
            right = kind is None or isinstance(value, kind)
            demand(right, f"{column} is a {type(value).__name__}; give it as docs/collecting.md says")
            demand(value is not None and value != "", f"{column} is empty; leave out what is not known")


def _broken(demand: Demand, source: Source) -> None:
    """Let every page fail, then let every page hold something else."""

    def refused(request: Request) -> bytes:
        raise FetchError(f"{request.url} answered 500")

    broken: dict[str, Answer] = {
        "no page can be had": refused,
        "pages are empty": lambda request: b"",
        "pages hold something else": lambda request: b"<html><body>down for maintenance</body></html>",
        "pages hold JSON of another shape": lambda request: b'{"unexpected": [1, 2]}',
    }
    for case, answer in broken.items():
        try:
            people = asyncio.run(_collected(source, _counting(answer, []), 3))
        except SourceError:
            continue
        except Exception as error:
            text = f"{case}, and it raises {type(error).__name__} ({error}); raise a SourceChanged, or yield a Failure"
            raise AssertionError(f"{source.name}: {text}") from error
        told = [each for each in people if isinstance(each, Failure) or getattr(each, "reason", None)]
        demand(told, f"{case}, and nothing is said of it; raise a SourceChanged, or yield a Failure")
