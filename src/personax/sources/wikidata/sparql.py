"""Asking Wikidata's query service: literals that cannot break out, pages of rows, and what comes back."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from urllib.parse import urlencode

from personax.errors import FetchError, InputError, SourceChanged
from personax.sources.web.pages import Fetch, Page, Request
from personax.sources.wikidata.entity import is_qid, parse_json, qid_of

__all__ = ["ENDPOINT", "PREFIXES", "item_in", "items_of", "literal", "query_request", "read_rows", "select"]

ENDPOINT = "https://query.wikidata.org/sparql"

PREFIXES = """\
PREFIX wd: <http://www.wikidata.org/entity/>
PREFIX wdt: <http://www.wikidata.org/prop/direct/>
PREFIX p: <http://www.wikidata.org/prop/>
PREFIX ps: <http://www.wikidata.org/prop/statement/>
PREFIX pq: <http://www.wikidata.org/prop/qualifier/>
PREFIX wikibase: <http://wikiba.se/ontology#>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
"""
"""The service knows these; written out, any reader of SPARQL understands a query."""

LONGEST = 7000
"""Letters of an address; servers refuse much longer ones."""

_ACCEPTS = ("application/sparql-results+json", "application/json")
_LANGUAGE = re.compile(r"[a-z]{2,8}(?:-[a-z0-9]{1,8})*")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}

Row = Mapping[str, str]


def literal(text: str, language: str | None = None) -> str:
    r"""Return a text as a literal of SPARQL, whatever it holds.

    Raises
    ------
    InputError
        For control characters, which no name holds, and for what is no language.

    Examples
    --------
    >>> print(literal('Ada "X" } UNION {', "en"))
    "Ada \"X\" } UNION {"@en
    """
    if language is not None and _LANGUAGE.fullmatch(language) is None:
        raise InputError(f"{language[:20]!r} is no language code; write one such as en or pt-br")
    escaped = "".join(_ESCAPES.get(letter, letter) for letter in text)
    if any(ord(letter) < 32 or ord(letter) == 127 or 0xD800 <= ord(letter) < 0xE000 for letter in escaped):
        raise InputError("a name holds control characters or half a letter; clean it before it is looked up")
    return f'"{escaped}"' + (f"@{language}" if language else "")


def items_of(ids: Sequence[str]) -> str:
    """Return items as the values of a query.

    Raises
    ------
    InputError
        For what is no id of an item.
    """
    for item in ids:
        if not is_qid(item):
            raise InputError("an item's id is Q and a number, such as Q42; check the ids")
    return " ".join(f"wd:{item}" for item in ids)


def query_request(query: str, endpoint: str = ENDPOINT) -> Request:
    """Return the request for a query, by GET so that it can be cached.

    Raises
    ------
    InputError
        When the query is too long for an address.
    """
    url = f"{endpoint}?{urlencode({'query': query, 'format': 'json'})}"
    if len(url) > LONGEST:
        raise InputError(f"a query of {len(url)} letters is too long for an address; ask for less at once")
    return Request(url, {"Accept": _ACCEPTS[0]}, accepts=_ACCEPTS)


def read_rows(page: Page) -> list[Row]:
    """Return the rows of an answer: variable -> value as text.

    Raises
    ------
    SourceChanged
        When it is no such answer; one that ran out of time breaks off in the middle.
    """
    answer = parse_json(page.body, "the answer of Wikidata's query service")
    results = answer.get("results") if isinstance(answer, dict) else None
    rows = results.get("bindings") if isinstance(results, dict) else None
    if not isinstance(rows, list):
        raise SourceChanged("Wikidata's query service: looked for results.bindings and did not find it")
    return [_row(row) for row in rows]


def _row(row: object) -> Row:
    cells = row.items() if isinstance(row, dict) else [("", None)]
    values = {name: cell.get("value") if isinstance(cell, dict) else None for name, cell in cells}
    texts = {name: value for name, value in values.items() if isinstance(value, str)}
    if len(texts) < len(values):
        raise SourceChanged("Wikidata's query service: looked for a row of values and did not find it")
    return texts


def item_in(row: Row, variable: str) -> str:
    """Return the item in a row.

    Raises
    ------
    SourceChanged
        When there is none.
    """
    item = qid_of(row.get(variable))
    if item is None:
        raise SourceChanged(f"Wikidata's query service: looked for an item called {variable} and did not find it")
    return item


async def select(
    fetch: Fetch,
    query: str,
    *,
    order: str,
    endpoint: str = ENDPOINT,
    page_size: int = 5000,
    most_rows: int = 100_000,
) -> AsyncIterator[tuple[list[Row], Page]]:
    """Yield all rows of a query, page by page, each with the page it came on.

    Parameters
    ----------
    query
        Without ORDER BY, LIMIT and OFFSET.
    order
        Variables that tell its rows apart, such as ``?person``: without an order, pages may repeat and skip rows.
    page_size, most_rows
        Rows a request, and altogether.

    Raises
    ------
    FetchError
        When there are more than ``most_rows``.
    SourceChanged
        When the service gives the same full page twice.
    """
    before: list[Row] | None = None
    for offset in range(0, most_rows, page_size):
        paged = f"{query.rstrip()}\nORDER BY {order}\nLIMIT {page_size} OFFSET {offset}"
        page = await fetch(query_request(paged, endpoint))
        rows = read_rows(page)
        if rows and rows == before:
            raise SourceChanged("Wikidata's query service gives the same page twice; look for a newer personax")
        yield rows, page
        if len(rows) < page_size:
            return
        before = rows
    raise FetchError(f"Wikidata's query service has more than {most_rows} rows for this query; raise most_rows")
