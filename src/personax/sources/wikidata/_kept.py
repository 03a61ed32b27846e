"""What an extract keeps of an entity of the dump: the statements that a record of a person needs, in the same shape."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from hashlib import blake2b
from typing import Any, Final

import polars as pl

from personax.data import fold
from personax.files import Json
from personax.http import Page
from personax.sources.wikidata._api import EntityPage
from personax.sources.wikidata._entity import END, LANGUAGES, Entity, EntityStatement, is_qid
from personax.sources.wikidata._occupations import GROUP_OF
from personax.sources.wikidata._person import GENDERS, HUMAN, ITEM_COLUMNS, read_date, read_person
from personax.sources.wikidata._values import is_julian

__all__ = [
    "EXTERNAL_IDS",
    "ITEMS",
    "NAMES",
    "PEOPLE",
    "REFERRING",
    "is_human_item",
    "is_mass_item",
    "item_row",
    "name_key",
    "name_rows",
    "number_of",
    "person_row",
    "trimmed",
]

EXTERNAL_IDS: Final[Mapping[str, str]] = {
    "P345": "imdb_id", "P3647": "nba_id", "P2685": "basketball_reference_id", "P5750": "fbref_id", "P536": "atp_id",
    "P597": "wta_id", "P2811": "pga_tour_id", "P3522": "nhl_id", "P2446": "transfermarkt_id", "P646": "freebase_id",
    "P214": "viaf_id",
}  # fmt: skip
"""Property -> column of people."""

_OF_PEOPLE = ("P31", *ITEM_COLUMNS, "P569", "P570", "P2048", "P2067", "P18", *EXTERNAL_IDS)
_OF_ITEMS = ("P31", "P17", "P625", "P279", "P118", "P641", "P297", "P1366", "P36")
REFERRING: Final = ("P17", "P279", "P118", "P641", "P1366", "P36")
"""Properties of items whose values are kept too: country, class above, league, sport, successor, capital."""

_QUALIFIERS = ("P580", END, "P585", "P1480")
_LISTS = {"citizenship": "P27", "country_for_sport": "P1532", "birthplace": "P19", "occupation": "P106",
          "sport": "P641", "league": "P118", "position": "P413"}  # fmt: skip
_ITEMS_OF = pl.List(pl.Int64)

PEOPLE: Final[Mapping[str, pl.DataType | type[pl.DataType]]] = {
    "id": pl.Int64, "label": pl.String, "names": pl.List(pl.String), "gender": pl.String,
    "birth_year": pl.Int16, "birth_month": pl.Int8, "birth_day": pl.Int8, "birth_precision": pl.String,
    "birth_calendar": pl.String, "death_year": pl.Int16, "death_month": pl.Int8, "death_day": pl.Int8,
    "dead": pl.Boolean,
    **dict.fromkeys(_LISTS, _ITEMS_OF), "occupation_groups": pl.List(pl.String),
    "teams": pl.List(pl.Struct({"team": pl.Int64, "start": pl.Int16, "end": pl.Int16, "ended": pl.Boolean})),
    "leagues_now": _ITEMS_OF, "height_cm": pl.Float64, "weight_kg": pl.Float64, "image": pl.String,
    **dict.fromkeys(EXTERNAL_IDS.values(), pl.String), "sitelinks": pl.Int32, "enwiki": pl.String,
}  # fmt: skip
"""Columns of people/*.parquet; items by the numbers of their ids."""

NAMES: Final = {"key": pl.UInt64, "exact": pl.UInt64, "alias": pl.Boolean, "id": pl.Int64}
"""Columns of names/*.parquet: hash of the folded words in order of the alphabet, and of the folded name."""

ITEMS: Final[Mapping[str, pl.DataType | type[pl.DataType]]] = {
    "id": pl.Int64, "label": pl.String, "iso2": pl.String, **dict.fromkeys(REFERRING, _ITEMS_OF),
}  # fmt: skip
"""Columns of items.parquet: what people refer to, and what that refers to."""

_MASS = tuple(
    f'"numeric-id":{number},'.encode()
    for number in (13442814, 4167836, 4167410, 11266439, 16521, 7187, 8054, 523, 318, 113145171, 101352)
)
"""Article, category, disambiguation, template, taxon, gene, protein, star, galaxy, chemical entity, family name."""

_HUMAN_LINE = b'"numeric-id":5,'


def is_mass_item(line: bytes) -> bool:
    """Say of a line, without reading it, whether it is of a class with millions of items that no person refers to."""
    return _HUMAN_LINE not in line and any(mark in line for mark in _MASS)


def number_of(item: str) -> int:
    """Return the number of an item's id."""
    return int(item[1:])


def trimmed(raw: Mapping[str, Any], *, human: bool) -> dict[str, Any]:
    """Return an entity with what is kept of it, in the shape in which `Entity` reads it."""
    kept = {"id": raw["id"], "labels": _texts(raw, "labels", LANGUAGES if not human else None)}
    kept["claims"] = {prop: said for prop in (_OF_PEOPLE if human else _OF_ITEMS) if (said := _statements(raw, prop))}
    if human:
        kept["aliases"] = _texts(raw, "aliases", None)
        links = raw.get("sitelinks")
        kept["sitelinks"] = links if isinstance(links, dict) else {}
    return kept


def _texts(raw: Mapping[str, Json], part: str, languages: tuple[str, ...] | None) -> Json:
    held = raw.get(part)
    if not isinstance(held, dict) or languages is None:
        return held if held is not None else {}
    return {code: held[code] for code in languages if code in held} or dict(list(held.items())[:1])


def _statements(raw: Mapping[str, Any], prop: str) -> list[dict[str, Any]]:
    claims = raw.get("claims")
    held = claims.get(prop) if isinstance(claims, dict) else None
    return [_statement(each) for each in held] if isinstance(held, list) else []


def _statement(raw: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"mainsnak": _snak(raw["mainsnak"]), "rank": raw["rank"]}
    qualifiers = raw.get("qualifiers")
    if isinstance(qualifiers, dict):
        held = {prop: [_snak(each) for each in qualifiers[prop]] for prop in _QUALIFIERS if prop in qualifiers}
        if held:
            found["qualifiers"] = held
    return found


def _snak(raw: Mapping[str, Any]) -> dict[str, Any]:
    found = {"snaktype": raw.get("snaktype", "value")}
    if "datavalue" in raw:
        found["datavalue"] = {"value": _value(raw["datavalue"]["value"])}
    return found


def _value(value: object) -> object:
    if isinstance(value, dict) and value.get("entity-type") == "item":
        return {"id": value.get("id", f"Q{value.get('numeric-id')}")}  # dumps before 2017 have the number alone
    return value


_NO_ARTICLES = ("commonswiki", "specieswiki", "metawiki", "wikidatawiki", "sourceswiki")

_NOWHERE = Page("", "", 200, "", "application/json", b"", cached=True)


def person_row(entity: Entity, raw: Mapping[str, Any], *, today: date) -> dict[str, Any]:
    """Return the row of people/*.parquet of a human."""
    values = read_person(EntityPage(entity.id, entity, _NOWHERE), {}, today=today).values
    labels, aliases = entity.names()
    born, died = values.get("birth_date"), _date(entity, "P570", today)
    year, month, day = (born.year, born.month, born.day) if isinstance(born, date) else (
        values.get("birth_year"), values.get("birth_month"), None)  # fmt: skip
    occupations = entity.items("P106")
    links = raw["sitelinks"]
    return {
        "id": number_of(entity.id), "label": values.get("name"), "names": list(dict.fromkeys([*labels, *aliases])),
        "gender": next((GENDERS.get(item, item) for item in entity.items("P21")), None),
        "birth_year": year, "birth_month": month, "birth_day": day,
        "birth_precision": values.get("birth_precision"), "birth_calendar": _calendar(entity),
        **died, "dead": bool(entity.best("P570")),
        **{column: [number_of(item) for item in entity.items(prop)] for column, prop in _LISTS.items()},
        "occupation_groups": list(dict.fromkeys(GROUP_OF[item] for item in occupations if item in GROUP_OF)),
        "teams": [found for each in entity.stated("P54") if (found := _membership(each))],
        "leagues_now": [number_of(each.item) for each in entity.stated("P118")
                        if each.item and END not in each.qualifiers],
        "height_cm": values.get("height_cm"), "weight_kg": values.get("weight_kg"), "image": values.get("image"),
        **{column: _text(entity, prop) for prop, column in EXTERNAL_IDS.items()},
        "sitelinks": sum(name.endswith("wiki") and name not in _NO_ARTICLES for name in links), "enwiki": _title(links),
    }  # fmt: skip


def _date(entity: Entity, prop: str, today: date) -> dict[str, int | None]:
    try:
        found = read_date(entity, prop, today=today)
    except ValueError:
        found = None
    parts = (found.year, found.month, found.day) if found else (None, None, None)
    return dict(zip(("death_year", "death_month", "death_day"), parts, strict=True))


def _calendar(entity: Entity) -> str | None:
    held = [statement.value for statement in entity.best("P569") if statement.kind == "value"]
    return None if not held else "julian" if is_julian(held[0]) else "gregorian"


def _membership(statement: EntityStatement) -> dict[str, Any] | None:
    if statement.item is None:
        return None
    return {"team": number_of(statement.item), "start": _year(statement, "P580"), "end": _year(statement, END),
            "ended": END in statement.qualifiers}  # fmt: skip


def _year(statement: EntityStatement, prop: str) -> int | None:
    held = statement.qualifiers.get(prop, ())
    time = held[0].get("time") if held and isinstance(held[0], dict) else None
    year = time[1:5] if isinstance(time, str) and time.startswith("+") and time[5:6] == "-" else ""
    return int(year) if year.isdecimal() else None


def _text(entity: Entity, prop: str) -> str | None:
    return next((found.value for found in entity.best(prop) if isinstance(found.value, str)), None)


def _title(links: Mapping[str, Any]) -> str | None:
    held = links.get("enwiki")
    title = held.get("title") if isinstance(held, dict) else held
    return title if isinstance(title, str) else None


def name_key(name: str) -> tuple[int, int]:
    """Return the hashes by which a name is found: of its folded words in any order, and in their own."""
    folded = fold(name)
    return _hash(" ".join(sorted(folded.split()))), _hash(folded)


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode("utf-8", "replace"), digest_size=8).digest(), "big")


def name_rows(entity: Entity) -> list[tuple[int, int, bool, int]]:
    """Return the rows of names/*.parquet of a human; a name that is a label and an alias is a label."""
    labels, aliases = entity.names()
    found: dict[str, bool] = {}
    for names, alias in ((labels, False), (aliases, True)):
        for name in names:
            found.setdefault(fold(name), alias)
    found.pop("", None)
    return [(*name_key(name), alias, number_of(entity.id)) for name, alias in found.items()]


def item_row(entity: Entity) -> dict[str, Any]:
    """Return the row of items.parquet of an item that people may refer to."""
    return {
        "id": number_of(entity.id), "label": entity.label(), "iso2": _text(entity, "P297"),
        **{prop: [number_of(item) for item in entity.items(prop)] for prop in REFERRING},
    }  # fmt: skip


def is_human_item(raw: Mapping[str, Any]) -> bool:
    """Say whether an entity says of itself that it is a human, whatever the rank."""
    return is_qid(raw.get("id")) and any(
        each["mainsnak"].get("datavalue", {}).get("value", {}).get("id") == HUMAN for each in _statements(raw, "P31")
    )
