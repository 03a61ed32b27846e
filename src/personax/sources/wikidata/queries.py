"""What is asked of the query service: who is in a league, who has a name, what an occupation is a kind of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from personax.errors import InputError
from personax.sources.wikidata.entity import is_qid
from personax.sources.wikidata.occupations import GROUP_OF
from personax.sources.wikidata.sparql import PREFIXES, items_of, literal
from personax.strict import nearest

__all__ = ["LEAGUES", "League", "league_query", "names_query", "superclass_query"]


@dataclass(frozen=True, slots=True)
class League:
    """How Wikidata knows the people of a league.

    Parameters
    ----------
    label
        As the leagues' own sites are called in a people table.
    occupation
        Item of what everybody in it does; keeps coaches and owners out.
    item
        Of the league, for people and teams that are in it; None where nobody is said to be.
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


LEAGUES: Mapping[str, League] = {
    "nba": League("NBA", "Q3665646", "Q155223"),
    "nfl": League("NFL", "Q19204627", "Q1215884"),
    "nhl": League("NHL", "Q11774891", "Q1215892"),
    "premier_league": League("Premier League", "Q937857", "Q9448"),
    "bundesliga": League("Bundesliga", "Q937857", "Q82595"),
    "atp": League("ATP", "Q10833314", identifier="P536", teams=False),
    "pga": League("PGA Tour", "Q11303721", "Q910409", "P2811", teams=False),
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
