"""Invented athletes in several sources with the damage that sources do, and the truth of who is who."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from personax.sources._records import Origin, Record

_GIVEN = (
    "James John Robert Michael William David Richard Joseph Thomas Carlos Luis Juan Pedro Lucas Hugo Emil Erik Lars "
    "Sven Jan Tomas Pavel Ivan Sergei Dmitri Andrei Kenji Takashi Hiroshi Min-jae Sung-min Wei Jun Amadou Moussa "
    "Ibrahim Ousmane Kofi Kwame Aleksander Nikola Marko Luka Stefan Matteo Marco Giovanni Antoine Julien Pierre"
)
GIVEN = _GIVEN.split()
_PARTS = (
    "al ber bar can cor dal del din fer gar gol han har hol jen kal kar kov lar len lin mal mar mon mor nel nik "
    "ol par pet qui ram ros sal san ser sil sten tan tor val ver vik wal win yam zan"
)
PARTS = _PARTS.split()
ENDS = ("son", "ski", "ez", "ov", "i", "er", "ton", "sen", "mann", "o", "a", "ić", "ström", "ley")
COUNTRIES = ("England", "Spain", "Brazil", "Germany", "USA", "Norway", "Japan", "Korea", "Senegal", "Serbia", "France")


def letters(rng: np.random.Generator, name: str) -> str:
    """Return a name with one slip of the pen."""
    at = int(rng.integers(1, len(name)))
    kind = int(rng.integers(3))
    if kind == 0:
        return name[:at] + name[at + 1 :]
    if kind == 1:
        return name[:at] + str(rng.choice(list("aeiorst"))) + name[at:]
    return name[: at - 1] + name[at] + name[at - 1] + name[at + 1 :]


def person(rng: np.random.Generator) -> dict[str, object]:
    surname = "".join(rng.choice(PARTS, size=int(rng.integers(1, 4)))).title() + str(rng.choice(ENDS))
    return {
        "name": f"{rng.choice(GIVEN)} {surname}",
        "birth_date": date(1975, 1, 1) + timedelta(days=int(rng.integers(30 * 365))),
        "height_cm": float(round(rng.normal(183, 8))),
        "nationality": str(rng.choice(COUNTRIES)),
        "league": str(rng.choice(["NBA", "NFL", "NHL"], p=[0.2, 0.5, 0.3])),
    }


def relatives(rng: np.random.Generator, one: dict[str, object]) -> dict[str, object]:
    """Return somebody who is easily taken for the person: a twin, a brother, or a namesake."""
    other = dict(one)
    kind = rng.choice(["twin", "brother", "namesake"])
    if kind != "namesake":
        first, surname = str(one["name"]).split(" ", 1)
        other["name"] = f"{rng.choice([name for name in GIVEN if name != first])} {surname}"
    if kind != "twin":
        born = one["birth_date"]
        assert isinstance(born, date)
        other["birth_date"] = born + timedelta(days=int(rng.integers(400, 4000)))
    return other


def damaged(rng: np.random.Generator, one: dict[str, object], rate: float) -> dict[str, object]:
    """Return what another source says of a person; each kind of damage with this probability."""
    hit = dict(
        zip(("slip", "swap", "nodate", "year", "exchange", "initial", "other"), rng.random(7) < rate, strict=True)
    )
    values = dict(one)
    first, surname = str(one["name"]).split(" ", 1)
    if hit["slip"]:
        surname = letters(rng, surname)
    if hit["initial"]:
        first = first[0] + "."
    values["name"] = f"{surname}, {first}" if hit["swap"] else f"{first} {surname}"
    born = one["birth_date"]
    assert isinstance(born, date)
    if hit["nodate"]:
        del values["birth_date"]
    elif hit["year"]:
        del values["birth_date"]
        values["birth_year"] = born.year
    elif hit["exchange"] and born.day <= 12:
        values["birth_date"] = date(born.year, born.day, born.month)
    if hit["other"]:
        values["nationality"] = str(rng.choice(COUNTRIES))
    values["height_cm"] = float(str(one["height_cm"])) + float(rng.integers(-2, 3))
    return values


def world(
    n: int, *, rng: np.random.Generator, rate: float = 0.1, relative: float = 0.05
) -> tuple[list[Record], dict[tuple[str, str], int]]:
    """Return records of the sources ``a`` and ``b`` and the number of the person that each is of.

    A share ``relative`` of people has a twin, brother or namesake; 70 % of people are in both sources.
    """
    people = [person(rng) for _ in range(n)]
    for index in range(n):
        if rng.random() < relative:
            people.append(relatives(rng, people[index]))
    records, truth = [], {}
    for number, one in enumerate(people):
        where = rng.random()
        for source in ("a", "b"):
            if (source == "a" and where > 0.85) or (source == "b" and where < 0.15):
                continue
            values = one if source == "a" else damaged(rng, one, rate)
            records.append(record(source, str(number), values))
            truth[source, records[-1].ref] = number
    return records, truth


def record(source: str, ref: str, values: dict[str, object]) -> Record:
    origin = Origin(source, f"{source}.json", "", "0" * 64)
    return Record(source, ref, values, dict.fromkeys(values, origin))
