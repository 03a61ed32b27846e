"""An entity -> a record of a person: what holds by rank, in the study's units, what cannot be read listed as bad."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date

from personax.errors import SourceError
from personax.http import Page
from personax.sources._dates import PartialDate
from personax.sources._records import BadValue, Origin, Record
from personax.sources.wikidata._api import EntityPage
from personax.sources.wikidata._countries import country_code
from personax.sources.wikidata._entity import LANGUAGES, Entity, EntityStatement
from personax.sources.wikidata._occupations import group_of
from personax.sources.wikidata._values import (
    consensus_date,
    image_address,
    read_coordinates,
    read_image,
    read_quantity,
    read_time,
)

__all__ = [
    "GENDERS",
    "HUMAN",
    "ITEM_COLUMNS",
    "country_items",
    "is_human",
    "read_date",
    "read_person",
    "referenced_items",
]

HUMAN = "Q5"
GENDERS = {"Q6581097": "male", "Q6581072": "female"}
CIRCA = ("P1480", "Q5727902")
ITEM_COLUMNS = {
    "P21": "gender",
    "P27": "citizenship",
    "P1532": "country_for_sport",
    "P19": "birthplace",
    "P106": "occupation",
    "P641": "sport",
    "P54": "team",
    "P118": "league",
    "P413": "position",
}
"""Property -> column; the value is another item, whose label is the text."""

_MEASURES = {"P2048": "height_cm", "P2067": "weight_kg"}
_SAME = 0.02
"""Two measurements that differ by no more than this share are one, rounded differently."""

_NOTHING = {"somevalue": "Wikidata says that nobody knows it", "novalue": "Wikidata says that there is none"}

_NATIONAL_TEAMS = ("Q6979593", "Q135408445", "Q1194951")
_NATIONAL_LABEL = re.compile(r"\bnational\b.*\bteam\b", re.IGNORECASE)

Items = Mapping[str, EntityPage]
"""Items that people refer to, by the ids that they are referred to by."""


def is_human(entity: Entity) -> bool:
    """Say whether an item is a human being, by its best statements."""
    return HUMAN in [statement.item for statement in entity.best("P31")]


def referenced_items(entity: Entity) -> list[str]:
    """Return the items whose labels a record of this person needs, each once."""
    return list(dict.fromkeys(item for prop in ITEM_COLUMNS for item in entity.items(prop)))


def country_items(entity: Entity) -> list[str]:
    """Return the items of a person's countries: those of citizenship and for sport."""
    return [*entity.items("P1532"), *entity.items("P27")]


def is_national_team(team: Entity) -> bool:
    """Say whether a team plays for a country, by its class, or by a label such as *France national under-21 team*."""
    if any(statement.item in _NATIONAL_TEAMS for statement in team.best("P31")):
        return True
    return _NATIONAL_LABEL.search(team.label(("en", "mul")) or "") is not None


def read_date(entity: Entity, prop: str, *, today: date) -> PartialDate | None:
    """Return a date, such as that of birth (P569), as far as it is known; None where Wikidata says nothing.

    Raises
    ------
    ValueError
        With the reason, when it says what cannot be read; see `read_time` and `consensus_date`.
    """
    statements = entity.best(prop)
    held = [statement for statement in statements if statement.kind == "value"]
    if statements and not held:
        raise ValueError(_NOTHING[statements[0].kind])
    return consensus_date([_partial_date(statement, today) for statement in held]) if held else None


def _partial_date(statement: EntityStatement, today: date) -> PartialDate:
    parts = read_time(statement.value, today=today)
    circa = any(
        isinstance(value, dict) and value.get("id") == CIRCA[1] for value in statement.qualifiers.get(CIRCA[0], ())
    )
    return PartialDate(parts.year, None, None) if circa else parts


def read_person(
    found: EntityPage,
    items: Items,
    *,
    languages: Sequence[str] = LANGUAGES,
    groups: Mapping[str, str] | None = None,
    today: date | None = None,
    source: str = "wikidata",
) -> Record:
    """Read a person.

    Parameters
    ----------
    found
        The person.
    items
        What `referenced_items` asks for, and the countries of birthplaces.
    languages
        Order in which labels are looked for.
    groups
        Occupation -> group beside the built-in list.
    today
        Later dates of birth are bad values; the current day by default.

    Raises
    ------
    SourceError
        When the item is not a human.
    SourceChanged
        When it has another shape.
    """
    if not is_human(found.entity):
        raise SourceError(f"{found.requested} is no human being; check the id")
    reader = _Reader(found, items, languages, source)
    reader.put("name", found.entity.label(languages))
    reader.birth(today or date.today())
    for prop, column in _MEASURES.items():
        reader.measure(prop, column)
    for prop, column in ITEM_COLUMNS.items():
        reader.links(prop, column)
    reader.teams()
    reader.occupation(groups)
    reader.nationality()
    reader.place()
    reader.image()
    return Record(source, found.entity.id, reader.values, reader.origins, tuple(reader.bad))


class _Reader:
    """Writes values with their origins."""

    def __init__(self, found: EntityPage, items: Items, languages: Sequence[str], source: str) -> None:
        self._entity, self._page, self._items = found.entity, found.page, items
        self._languages, self._source = languages, source
        self.values: dict[str, object] = {}
        self.origins: dict[str, Origin] = {}
        self.bad: list[BadValue] = []

    def put(self, column: str, value: object, page: Page | None = None) -> None:
        if value is not None:
            where = page or self._page
            self.values[column] = value
            self.origins[column] = Origin(self._source, where.url, where.time, where.sha256)

    def refuse(self, column: str, value: object, reason: str) -> None:
        readable = str(value).encode("utf-8", errors="replace").decode("utf-8")[:200]
        self.bad.append(BadValue(column, readable, reason))

    def _held(self, column: str, statements: Sequence[EntityStatement]) -> Iterator[EntityStatement]:
        """Yield the statements with a value; where none has one, list why."""
        if statements and all(statement.kind != "value" for statement in statements):
            self.refuse(column, statements[0].kind, _NOTHING[statements[0].kind])
        yield from (statement for statement in statements if statement.kind == "value")

    def birth(self, today: date) -> None:
        statements = self._entity.best("P569")
        try:
            parts = read_date(self._entity, "P569", today=today)
        except ValueError as error:
            self.refuse("birth_date", [statement.value or statement.kind for statement in statements], str(error))
            return
        if parts is None:
            return
        if parts.month is not None and parts.day is not None:
            self.put("birth_date", date(parts.year, parts.month, parts.day))
            self.put("birth_precision", "day")
            return
        self.put("birth_year", parts.year)
        self.put("birth_month", parts.month)
        self.put("birth_precision", "year" if parts.month is None else "month")

    def measure(self, prop: str, column: str) -> None:
        read: list[float] = []
        for statement in self._held(column, _latest(self._entity.current(prop))):
            try:
                read.append(read_quantity(statement.value, column))
            except ValueError as error:
                self.refuse(column, statement.value, str(error))
        if read and max(read) <= min(read) * (1 + _SAME):
            self.put(column, read[0])
        elif read:
            self.refuse(column, read, f"{len(read)} statements of the same rank disagree")

    def links(self, prop: str, column: str) -> None:
        """Write the first label under the column, and all of them under ``<column>_all`` where there are several."""
        labels: dict[str, str] = {}
        for statement in self._held(column, self._entity.current(prop)):
            item = statement.item
            if item is None:
                self.refuse(column, statement.value, "not an item")
            elif item not in labels:
                label = self._label(item, fixed=GENDERS if prop == "P21" else {})
                if label is None:
                    self.refuse(column, item, "an item without a label")
                else:
                    labels[item] = label
        if not labels:
            return
        first = next(iter(labels))
        named = self._items.get(first)
        self.put(column, labels[first], named.page if named and first not in GENDERS else None)
        if len(labels) > 1:
            self.put(f"{column}_all", "; ".join(labels.values()))

    def teams(self) -> None:
        """Write the club under ``team`` and the national team beside it; of several clubs, the one joined last."""
        joined = sorted(self._entity.current("P54"), key=_start, reverse=True)
        teams = dict.fromkeys(each.item for each in joined if each.item is not None)
        found = [self._items[item] for item in teams if item in self._items]
        for column in ("team", "team_all"):
            self.values.pop(column, None)
            self.origins.pop(column, None)
        for column, national in (("team", False), ("national_team", True)):
            mine = [one for one in found if is_national_team(one.entity) is national]
            named = [(label, one.page) for one in mine if (label := one.entity.label(self._languages))]
            if named:
                self.put(column, *named[0])
                self.put(f"{column}_all", "; ".join(label for label, _ in named) if len(named) > 1 else None)

    def _label(self, item: str, *, fixed: Mapping[str, str]) -> str | None:
        if item in fixed:
            return fixed[item]
        return self._items[item].entity.label(self._languages) if item in self._items else None

    def occupation(self, groups: Mapping[str, str] | None) -> None:
        """Write the group of the occupations, and their labels beside it."""
        stated = self.values.pop("occupation", None)
        self.origins.pop("occupation", None)
        everything = self.values.pop("occupation_all", stated)
        self.origins.pop("occupation_all", None)
        self.put("occupation", group_of(self._entity.items("P106"), groups))
        self.put("occupations", everything)

    def nationality(self) -> None:
        """Write the country for sport, where there is none the citizenship, as a name."""
        column = "country_for_sport" if "country_for_sport" in self.values else "citizenship"
        if column in self.values:
            self.values["nationality"], self.origins["nationality"] = self.values[column], self.origins[column]
            self.put("nationality_code_space", "name")
        prop = "P1532" if column == "country_for_sport" else "P27"
        codes = (country_code(item, self._items) for item in self._entity.items(prop))
        self.put("nationality_code", next((code for code in codes if code), None))

    def place(self) -> None:
        """Write where the birthplace is, and its country of today."""
        place = next((self._items[item] for item in self._entity.items("P19") if item in self._items), None)
        if place is None:
            return
        self._from("birth_latitude", place, "P625", lambda value: read_coordinates(value)[0])
        self._from("birth_longitude", place, "P625", lambda value: read_coordinates(value)[1])
        countries = place.entity.items("P17")
        country = next((self._items[item] for item in countries if item in self._items), None)
        if country is not None and (label := country.entity.label(self._languages)) is not None:
            self.put("birth_country", label, country.page)
            self.put("birth_country_code_space", "name")

    def _from(self, column: str, found: EntityPage, prop: str, read: Callable[[object], object]) -> None:
        for statement in self._held(column, found.entity.current(prop)):
            try:
                self.put(column, read(statement.value), found.page)
            except ValueError as error:
                self.refuse(column, statement.value, str(error))
                continue
            return

    def image(self) -> None:
        for statement in self._held("image", self._entity.current("P18")):
            try:
                name = read_image(statement.value)
            except ValueError as error:
                self.refuse("image", statement.value, str(error))
                continue
            self.put("image", name)
            self.put("headshot_url", image_address(name))
            return


def _start(statement: EntityStatement) -> str:
    """Return when a statement began to hold, such that text sorts as time; none sorts first."""
    held = statement.qualifiers.get("P580", ())
    time = held[0].get("time") if held and isinstance(held[0], dict) else None
    return time if isinstance(time, str) and time.startswith("+") and len(time) < 30 else ""


def _latest(statements: Sequence[EntityStatement]) -> Sequence[EntityStatement]:
    """Return the measurement of the latest point in time, where all of several have one."""
    times = [_point(statement) for statement in statements]
    if len(statements) < 2 or any(time is None for time in times):
        return statements
    latest = max(time for time in times if time is not None)
    return [statement for statement, time in zip(statements, times, strict=True) if time == latest]


def _point(statement: EntityStatement) -> str | None:
    held = statement.qualifiers.get("P585", ())
    time = held[0].get("time") if held and isinstance(held[0], dict) else None
    return time if isinstance(time, str) and time.startswith("+") and len(time) < 30 else None
