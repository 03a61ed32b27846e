"""The decision rule: two records -> points, or two people for certain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from personax.data import fold
from personax.sources.geocode import find_country
from personax.sources.linking.similarity import EXACT, Born, born_of, born_points, name_points, tokens
from personax.sources.records import Record

__all__ = ["MARGIN", "THRESHOLD", "Evidence", "evidence", "points"]

THRESHOLD = 9
"""Two records with at least so many points are one person, unless there is a rival."""

MARGIN = 3
"""A second candidate within so many points of the first is a rival: then nobody is linked."""

_WORDS: Mapping[str, Sequence[str]] = {
    "football": ("premier league", "bundesliga", "soccer", "association football", "openfootball", "footballer"),
    "american football": ("nfl", "nfl players"),
    "basketball": ("nba",),
    "ice hockey": ("nhl",),
    "tennis": ("atp",),
    "golf": ("pga", "pga tour", "golfer"),
}
_SPORTS: Mapping[str, str] = {
    word: sport for sport, words in _WORDS.items() for word in (sport, f"{sport} player", *words)
} | {"association football player": "football"}
"""Leagues, occupations and sources, folded -> sport; others say nothing of it."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What of a record is compared."""

    name: str
    born: Born
    country: str | None
    sport: str | None
    gender: str | None
    height: float | None


def evidence(record: Record) -> Evidence:
    """Return what of a record is compared with others; an unknown country or sport is no evidence."""
    values = record.values
    height = values.get("height_cm")
    return Evidence(
        name=_text(values, "name") or "",
        born=born_of(values),
        country=_country(values),
        sport=_sport([*(_text(values, key) for key in ("sport", "league", "occupation")), record.source]),
        gender=_text(values, "gender"),
        height=float(height) if isinstance(height, int | float) else None,
    )


def points(a: Evidence, b: Evidence) -> int:
    """Return the points of two records; 0 where they are two people for certain.

    Notes
    -----
    Two people: names without points, dates that are neither equal nor one slip apart, two genders, two sports. Else the
    sum of the points of name (5, 4, 3) and date of birth (6, 3, 2, 2, 0), and +1 for the same country, -1 for two; +1
    for the same sport; +1 for heights within 2 cm, -2 for more than 8 cm apart. A date with a slip counts only
    beside exactly the same name. Only with a date, or a part of one, can two records reach 9 points.
    """
    if _differ(a.gender, b.gender) or _differ(a.sport, b.sport):
        return 0
    born = born_points(a.born, b.born)
    if born is None:
        return 0
    name = name_points(a.name, b.name)
    slipped = born and a.born.day is not None and b.born.day is not None and a.born != b.born
    if not name or (slipped and name < EXACT) or (name == EXACT and len(tokens(a.name)) < 2 and a.born != b.born):
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
    """Return the sport that the first of the texts tells; a source called nba tells one too."""
    return next((_SPORTS[word] for text in texts if text and (word := fold(text)) in _SPORTS), None)


def _country(values: Mapping[str, object]) -> str | None:
    for key in ("nationality", "country"):
        text = _text(values, key)
        found = find_country(text) if text else None
        if found is not None:
            return found.policy.name if found.policy else found.iso2
    return None
