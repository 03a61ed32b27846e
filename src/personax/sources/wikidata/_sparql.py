"""SPARQL: queries of Wikidata's query service, their pages of rows, and how rows are read."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from personax.errors import FetchError, InputError, SourceChanged
from personax.http import Fetch, Page, Request
from personax.sources.wikidata._entity import is_qid, parse_json, qid_of
from personax.sources.wikidata._occupations import GROUP_OF
from personax.strict import nearest

__all__ = [
    "ENDPOINT",
    "LEAGUES",
    "PREFIXES",
    "WikidataLeague",
    "item_in",
    "items_of",
    "league_query",
    "literal",
    "names_query",
    "query_request",
    "read_rows",
    "select",
    "superclass_query",
]


@dataclass(frozen=True, slots=True)
class WikidataLeague:
    """How Wikidata knows the people of a league.

    Parameters
    ----------
    label
        As the leagues' own sites are called in a people table.
    occupation
        Item of what everybody in it does; keeps coaches and owners out.
    item
        Of the league, for people and teams that are in it; None where Wikidata states no members.
    identifier
        Property that only people of the league have, such as an id on its site; None where there is none.
    teams
        People belong to it through their team.
    """

    label: str
    occupation: str
    item: str | None = None
    identifier: str | None = None
    teams: bool = True


LEAGUES: Mapping[str, WikidataLeague] = {
    "nba": WikidataLeague("NBA", "Q3665646", "Q155223"),
    "nfl": WikidataLeague("NFL", "Q19204627", "Q1215884"),
    "nhl": WikidataLeague("NHL", "Q11774891", "Q1215892"),
    "premier_league": WikidataLeague("Premier League", "Q937857", "Q9448"),
    "bundesliga": WikidataLeague("Bundesliga", "Q937857", "Q82595"),
    "atp": WikidataLeague("ATP", "Q10833314", identifier="P536", teams=False),
    "pga": WikidataLeague("PGA Tour", "Q11303721", "Q910409", "P2811", teams=False),
}


def league_query(name: str, *, born_since: int | None = None) -> str:
    """Return the query for the people of a league.

    Living people with the league's occupation who are in the league, or in a team of it, without an end of it; or who
    have its identifier. An identifier stays when a career ends: ``born_since`` keeps most former players out.

    Parameters
    ----------
    name
        One of `LEAGUES`.
    born_since
        First year of birth.

    Raises
    ------
    InputError
        For a league that is not known.
    """
    if name not in LEAGUES:
        raise InputError(f"the league {name} is not known; {nearest(name, list(LEAGUES))}")
    league = LEAGUES[name]
    ways = []
    if league.item is not None:
        ways.append(_member("?person", "P118", f"wd:{league.item}"))
    if league.item is not None and league.teams:
        ways.append(f"{_member('?person', 'P54', '?team')} ?team wdt:P118 wd:{league.item} .")
    if league.identifier is not None:
        ways.append(f"?person wdt:{league.identifier} ?identifier .")
    born = ""
    if born_since is not None:
        born = f"  ?person wdt:P569 ?born .\n  FILTER(YEAR(?born) >= {int(born_since)})\n"
    union = "\n  UNION\n".join(f"  {{ {way} }}" for way in ways)
    return (
        f"{PREFIXES}SELECT DISTINCT ?person WHERE {{\n"
        f"{union}\n"
        f"  ?person wdt:P31 wd:Q5 ; wdt:P106 wd:{league.occupation} .\n"
        f"{born}  FILTER NOT EXISTS {{ ?person wdt:P570 ?died }}\n"
        "}"
    )


def _member(who: str, prop: str, what: str) -> str:
    """Return the pattern of a statement that is neither deprecated nor at an end."""
    return (
        f"{who} p:{prop} ?membership . ?membership ps:{prop} {what} . "
        "FILTER NOT EXISTS { ?membership wikibase:rank wikibase:DeprecatedRank } "
        "FILTER NOT EXISTS { ?membership pq:P582 ?end }"
    )


def names_query(names: Sequence[str], languages: Sequence[str] = ("en", "mul")) -> str:
    """Return the query for all humans with one of the names as label or alias, letter by letter.

    Raises
    ------
    InputError
        When a name cannot be written; see `literal`.
    """
    values = " ".join(literal(name, language) for name in names for language in languages)
    return (
        f"{PREFIXES}SELECT DISTINCT ?name ?person WHERE {{\n"
        f"  VALUES ?name {{ {values} }}\n"
        "  ?person rdfs:label|skos:altLabel ?name ; wdt:P31 wd:Q5 .\n"
        "}"
    )


def superclass_query(occupations: Sequence[str]) -> str:
    """Return the query for the occupations of `GROUP_OF` that stand above others."""
    known = [item for item in GROUP_OF if is_qid(item)]
    return (
        f"{PREFIXES}SELECT DISTINCT ?occupation ?above WHERE {{\n"
        f"  VALUES ?occupation {{ {items_of(occupations)} }}\n"
        f"  VALUES ?above {{ {items_of(known)} }}\n"
        "  ?occupation wdt:P279+ ?above .\n"
        "}"
    )


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

MAX_URL_LETTERS = 7000
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
    if len(url) > MAX_URL_LETTERS:
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
