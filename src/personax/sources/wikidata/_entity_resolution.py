"""Entity resolution: a name -> the item of Wikidata that it denotes, or all candidates where it is ambiguous."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from personax.data import fold, tidy
from personax.errors import FetchError, InputError
from personax.http import Fetch
from personax.sources.wikidata._api import EntityPage, WikidataApi
from personax.sources.wikidata._entity import Entity, qid_of
from personax.sources.wikidata._occupations import GROUP_OF
from personax.sources.wikidata._person import GENDERS, is_human, read_date
from personax.sources.wikidata._sparql import ENDPOINT, item_in, names_query, query_request, read_rows

__all__ = ["PROPS", "Candidate", "NameQuery", "Resolution", "disambiguate", "resolve", "resolve_many", "score"]

NAMES = {"label": 1.0, "alias": 0.9, "reordered": 0.8}
"""How well a name fits: it is a label; it is an alias; it has the same words in another order."""

UNKNOWN = 0.7
"""What a condition counts for that Wikidata is silent on; one that is met counts for 1, one that is not rules out."""

PROPS = "labels|aliases|claims"


@dataclass(frozen=True, slots=True)
class NameQuery:
    """A name to resolve, and what is known of the person.

    Parameters
    ----------
    name
        As it was written.
    birth_year, tolerance
        Year of birth, and how many years it may differ.
    occupation
        A group of `personax.sources.wikidata._occupations.GROUPS`.
    sport
        Item of the sport, such as Q5372 for basketball.
    gender
        ``male``, ``female``, or the item that Wikidata states.
    """

    name: str
    birth_year: int | None = None
    tolerance: int = 1
    occupation: str | None = None
    sport: str | None = None
    gender: str | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """An item that the name may denote.

    Parameters
    ----------
    id
        Item.
    score
        See `score`.
    match
        How the name fits: a key of `NAMES`.
    met, unknown
        Conditions that Wikidata confirms, and those of which it says nothing.
    """

    id: str
    score: float
    match: str
    met: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Resolution:
    """The outcome for one name.

    Parameters
    ----------
    query
        What was resolved.
    status
        ``found``: one person; ``ambiguous``: several may be meant, or not all of them were seen; ``none``.
    candidates
        Best first.
    reason
        Why it is so, without the name.
    """

    query: NameQuery
    status: Literal["found", "ambiguous", "none"]
    candidates: tuple[Candidate, ...]
    reason: str

    @property
    def id(self) -> str | None:
        """The person's item where one was found."""
        return self.candidates[0].id if self.status == "found" else None


def _match(query: str, entity: Entity) -> str | None:
    """Return how a name fits an item, by `NAMES`."""
    name = fold(query)
    if not name:
        return None
    labels, aliases = ({fold(text) for text in texts} for texts in entity.names())
    if name in labels:
        return "label"
    if name in aliases:
        return "alias"
    words = sorted(name.split())
    return "reordered" if any(sorted(other.split()) == words for other in labels | aliases) else None


def score(match: str, unknown: int) -> float:
    """Return how sure a candidate is: how its name fits, times 0.7 for each condition that Wikidata is silent on.

    Examples
    --------
    >>> score("label", 0), score("alias", 1)
    (1.0, 0.63)
    """
    return round(NAMES[match] * UNKNOWN**unknown, 6)


def _candidate(query: NameQuery, entity: Entity, today: date) -> Candidate | None:
    """Return the candidate that an item is, None where its name, its kind or a condition rules it out."""
    match = _match(query.name, entity) if is_human(entity) else None
    if match is None:
        return None
    answers = dict(_conditions(query, entity, today))
    if False in answers.values():
        return None
    met = tuple(name for name, answer in answers.items() if answer)
    unknown = tuple(name for name, answer in answers.items() if answer is None)
    return Candidate(entity.id, score(match, len(unknown)), match, met, unknown)


def _conditions(query: NameQuery, entity: Entity, today: date) -> Iterable[tuple[str, bool | None]]:
    if query.birth_year is not None:
        try:
            born = read_date(entity, "P569", today=today)
        except ValueError:
            born = None
        yield "birth_year", None if born is None else abs(born.year - query.birth_year) <= query.tolerance
    if query.occupation is not None:
        groups = [GROUP_OF.get(item) for item in entity.items("P106")]
        # An occupation that is in no group may be a kind of the occupation in question; it excludes nobody.
        known = None if not groups or None in groups else False
        yield "occupation", True if query.occupation in groups else known
    if query.sport is not None:
        sports = entity.items("P641")
        yield "sport", query.sport in sports if sports else None
    if query.gender is not None:
        genders = [GENDERS.get(item, item) for item in entity.items("P21")]
        yield "gender", query.gender in genders if genders else None


def disambiguate(
    query: NameQuery, entities: Sequence[Entity], *, complete: bool = True, today: date | None = None
) -> Resolution:
    """Choose among the items that a name may denote.

    One candidate alone is found. Of several, the only one of whom Wikidata confirms every condition is found, when its
    name is a label or an alias. Everything else is ambiguous.

    Parameters
    ----------
    query
        The name, and the conditions.
    entities
        All items that may be meant.
    complete
        These are all; where more were not seen, only a candidate with every condition confirmed is found.
    """
    made = [_candidate(query, entity, today or date.today()) for entity in entities]
    by_id = {candidate.id: candidate for candidate in made if candidate is not None}
    candidates = tuple(sorted(by_id.values(), key=lambda candidate: (-candidate.score, int(candidate.id[1:]))))
    if not candidates:
        reason = "nobody of this name meets the conditions" if complete else "nobody among the first hits"
        return Resolution(query, "none" if complete else "ambiguous", (), reason)
    sure = [found for found in candidates if found.met and not found.unknown and found.match != "reordered"]
    if len(sure) == 1:
        rest = tuple(candidate for candidate in candidates if candidate is not sure[0])
        return Resolution(query, "found", (sure[0], *rest), "the only one who meets every condition")
    if len(candidates) == 1 and complete:
        return Resolution(query, "found", candidates, "the only one of this name")
    reason = f"{len(candidates)} people may be meant" if complete else "there are more hits than were looked at"
    return Resolution(query, "ambiguous", candidates, reason)


async def resolve(api: WikidataApi, query: NameQuery, *, max_hits: int = 150) -> Resolution:
    """Look one name up by the API's search, which also finds spellings without accents.

    Parameters
    ----------
    max_hits
        Hits that are looked at; a name with more is ambiguous unless its conditions single one out.

    Raises
    ------
    FetchError
        When Wikidata cannot be reached.
    """
    ids, complete = await api.search(query.name, max_hits=max_hits)
    entities = [found.entity async for found in api.entities(ids, PROPS) if isinstance(found, EntityPage)]
    return disambiguate(query, entities, complete=complete)


async def resolve_many(
    api: WikidataApi, fetch: Fetch, queries: Sequence[NameQuery], *, endpoint: str = ENDPOINT, batch_size: int = 40
) -> AsyncIterator[Resolution]:
    """Look many names up by the query service, letter by letter, in the order given; much faster than `resolve`.

    Parameters
    ----------
    batch_size
        Names a query; less where they are long.

    Raises
    ------
    FetchError
        When Wikidata cannot be reached.
    """
    for batch in _batches(queries, endpoint, batch_size):
        ids = await _ids_of(fetch, [each.name for each in batch], endpoint)
        every = list(dict.fromkeys(item for items in ids.values() for item in items))
        known = {
            found.requested: found.entity async for found in api.entities(every, PROPS) if isinstance(found, EntityPage)
        }
        for each in batch:
            yield disambiguate(each, [known[item] for item in ids.get(tidy(each.name), []) if item in known])


def _batches(queries: Sequence[NameQuery], endpoint: str, batch_size: int) -> list[Sequence[NameQuery]]:
    """Cut a list into batches whose queries are short enough for an address."""
    batches: list[Sequence[NameQuery]] = []
    for start in range(0, len(queries), batch_size):
        open_batches = [queries[start : start + batch_size]]
        while open_batches:
            batch = open_batches.pop(0)
            if _fits(batch, endpoint):
                batches.append(batch)
            elif len(batch) == 1:
                raise InputError("a name is too long to be looked up; names have at most some hundred letters")
            else:
                open_batches[:0] = [batch[: len(batch) // 2], batch[len(batch) // 2 :]]
    return batches


def _fits(batch: Sequence[NameQuery], endpoint: str) -> bool:
    query = names_query([tidy(each.name) for each in batch])
    try:
        query_request(query, endpoint)
    except InputError:
        return False
    return True


async def _ids_of(fetch: Fetch, names: Sequence[str], endpoint: str) -> Mapping[str, Sequence[str]]:
    query = names_query(list(dict.fromkeys(map(tidy, names))))
    rows = read_rows(await fetch(query_request(query, endpoint)))
    ids: dict[str, list[str]] = {}
    for row in rows:
        if qid_of(row.get("person")) is None or "name" not in row:
            raise FetchError("Wikidata's query service sent a row without a name or a person; try again later")
        ids.setdefault(row["name"], []).append(item_in(row, "person"))
    return {name: list(dict.fromkeys(items)) for name, items in ids.items()}
