"""Comparison of two records: how alike names and dates of birth are, and the points that this evidence gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import NamedTuple

from personax import registry
from personax.data import fold
from personax.sources._records import Record
from personax.sources.geocode import find_country
from personax.sources.record_linkage._names import EXACT, name_points, tokens

__all__ = [
    "MARGIN",
    "THRESHOLD",
    "BirthDate",
    "LinkageFields",
    "birth_date_of",
    "birth_date_points",
    "linkage_fields",
    "points",
]


SAME_DATE, SAME_MONTH, SAME_YEAR, TYPO = 6, 3, 2, 2
"""Points of the same day, of a month or a year where no more is known, and of a date with one typing error."""


class BirthDate(NamedTuple):
    """What is known of a date of birth; None for what is not."""

    year: int | None
    month: int | None
    day: int | None


def birth_date_points(a: BirthDate, b: BirthDate) -> int | None:
    """Return the points of two dates of birth; None where they are of two people.

    Notes
    -----
    A typing error is day and month exchanged, one digit of the day or the year another one, or the month one further.

    Examples
    --------
    >>> others = BirthDate(1990, 4, 3), BirthDate(1990, None, None), BirthDate(1985, 7, 9)
    >>> [birth_date_points(BirthDate(1990, 3, 4), other) for other in others]
    [2, 2, None]
    """
    known = [(x, y) for x, y in zip(a, b, strict=True) if x is not None and y is not None]
    if not known or a.year is None or b.year is None:
        return 0
    if all(x == y for x, y in known):
        return (SAME_YEAR, SAME_MONTH, SAME_DATE)[len(known) - 1]
    return TYPO if len(known) == 3 and _is_typo(a, b) else None


def _is_typo(a: BirthDate, b: BirthDate) -> bool:
    if a.year == b.year and (a.month, a.day) == (b.day, b.month):
        return True
    differ = [(x or 0, y or 0, part) for x, y, part in zip(a, b, a._fields, strict=True) if x != y]
    if len(differ) != 1:
        return False
    x, y, part = differ[0]
    return abs(x - y) == 1 if part == "month" else sum(p != q for p, q in zip(f"{x:04}", f"{y:04}", strict=True)) == 1


def birth_date_of(values: Mapping[str, object]) -> BirthDate:
    """Return what a record says of the date of birth, no finer than its birth_precision."""
    whole, precision = values.get("birth_date"), values.get("birth_precision", "day")
    if isinstance(whole, date):
        return BirthDate(
            whole.year, whole.month if precision != "year" else None, whole.day if precision == "day" else None
        )
    parts = [values.get(f"birth_{part}") for part in ("year", "month", "day")]
    return BirthDate(*(part if isinstance(part, int) else None for part in parts))


THRESHOLD = 9
"""Minimal number of points of two records that are one person, unless there is a rival."""

MARGIN = 3
"""A second candidate within this number of points of the first is a rival: then neither is linked."""

_SPORT_WORDS: Mapping[str, Sequence[str]] = {
    "football": ("soccer", "association football", "association football player", "footballer"),
    "golf": ("golfer",),
}
"""Sport -> its other names, and occupations; leagues and sources are declared with their sport, see `_sports`."""


@cache
def _sports() -> Mapping[str, str]:
    """Return sports, occupations, leagues and sources, folded -> sport; others are no evidence of one.

    A source says ``sport=...`` where it is registered, and ``aliases=(...)`` for further names of its league.
    """
    found: dict[str, str] = {}
    for part in registry.parts("sources"):
        if sport := part.facts.get("sport"):
            names = (sport, f"{sport} player", part.name, *part.facts.get("aliases", ()))
            found |= dict.fromkeys(map(fold, names), sport)
    return found | {word: sport for sport, words in _SPORT_WORDS.items() for word in words}


@dataclass(frozen=True, slots=True)
class LinkageFields:
    """The fields of a record that are compared."""

    name: str
    born: BirthDate
    country: str | None
    sport: str | None
    gender: str | None
    height: float | None


def linkage_fields(record: Record) -> LinkageFields:
    """Return the fields of a record that are compared; an unknown country or sport is no evidence."""
    values = record.values
    height = values.get("height_cm")
    return LinkageFields(
        name=_text(values, "name") or "",
        born=birth_date_of(values),
        country=_country(values),
        sport=_sport([*(_text(values, key) for key in ("sport", "league", "occupation")), record.source]),
        gender=_text(values, "gender"),
        height=float(height) if isinstance(height, int | float) else None,
    )


def points(a: LinkageFields, b: LinkageFields) -> int:
    """Return the points of two records; 0 where they are two people for certain.

    Notes
    -----
    Two people: names without points, dates that are neither equal nor one typing error apart, two genders, two sports.
    Else the sum of the points of name (5, 4, 3) and date of birth (6, 3, 2, 2, 0), and +1 for the same country, -1 for
    two; +1 for the same sport; +1 for heights within 2 cm, -2 for more than 8 cm apart. A date with a typing error
    counts only beside exactly the same name. Only with a date, or a part of one, can two records reach 9 points.
    """
    if _differ(a.gender, b.gender) or _differ(a.sport, b.sport):
        return 0
    born = birth_date_points(a.born, b.born)
    if born is None:
        return 0
    name = name_points(a.name, b.name)
    has_typo = born and a.born.day is not None and b.born.day is not None and a.born != b.born
    if not name or (has_typo and name < EXACT) or (name == EXACT and len(tokens(a.name)) < 2 and a.born != b.born):
        return 0
    country = 0 if None in (a.country, b.country) else 1 if a.country == b.country else -1
    sport = int(a.sport is not None and a.sport == b.sport)
    return name + born + country + sport + _height(a.height, b.height)


def _height(a: float | None, b: float | None) -> int:
    if a is None or b is None:
        return 0
    return 1 if abs(a - b) <= 2 else -2 if abs(a - b) > 8 else 0


def _differ(a: str | None, b: str | None) -> bool:
    return a is not None and b is not None and a != b


def _text(values: Mapping[str, object], name: str) -> str | None:
    value = values.get(name)
    return value.strip() or None if isinstance(value, str) else None


def _sport(texts: Sequence[str | None]) -> str | None:
    """Return the sport of the first text that names one; the name of a source such as nba does."""
    return next((_sports()[word] for text in texts if text and (word := fold(text)) in _sports()), None)


def _country(values: Mapping[str, object]) -> str | None:
    for key in ("nationality", "country"):
        text = _text(values, key)
        found = find_country(text) if text else None
        if found is not None:
            return found.policy.name if found.policy else found.iso2
    return None
