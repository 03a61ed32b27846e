"""The invented people that all shapes speak of, and what answering needs."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

Answer = Callable[[str, bytes], tuple[str, bytes] | None]


def words(text: str) -> list[str]:
    return text.split()


_FIRST = words("Ada Bo Cy Dee Eli Fay Gus Hal Ida Jo Kit Lou Max Nan Oz Pia Quin Ray Sol Uma")
_LAST = words("Sample Exemple Beispiel Ejemplo Ornek Примеров Přiklad Foo-Bar O'Test NaN")
_COUNTRIES = [
    ("USA", "United States", "USA", "US"),
    ("GER", "Germany", "DEU", "DE"),
    ("ENG", "England", "GBR", "GB-ENG"),
    ("CIV", "Côte d'Ivoire", "CIV", "CI"),
]


class Person(NamedTuple):
    """What all shapes say of an invented person; inches and pounds are whole."""

    number: int
    first: str
    last: str
    born: date
    inches: int
    pounds: int
    country: tuple[str, str, str, str]

    @property
    def name(self) -> str:
        return f"{self.first} {self.last}"

    @property
    def feet(self) -> str:
        return f"{self.inches // 12}-{self.inches % 12}"

    @property
    def slug(self) -> str:
        return f"{self.first.lower()}-{self.number}"


def person(number: int) -> Person:
    """Return the invented person of a number, the same one in every league."""
    first = _FIRST[number % len(_FIRST)]
    last = _LAST[number // len(_FIRST) % len(_LAST)]
    born = date(1985, 1, 1) + timedelta(days=number * 37 % 7000)
    return Person(
        number, first, last, born, 66 + number * 7 % 20, 150 + number * 13 % 160, _COUNTRIES[number % len(_COUNTRIES)]
    )


def people(n: int) -> list[Person]:
    return [person(number) for number in range(1, n + 1)]


def dumped(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def as_json(value: object) -> tuple[str, bytes]:
    return "application/json", dumped(value)


def asked(target: str, name: str, default: str = "") -> str:
    return parse_qs(urlsplit(target).query).get(name, [default])[0]


def last_part(target: str) -> str:
    return urlsplit(target).path.rstrip("/").rsplit("/", 1)[-1]
