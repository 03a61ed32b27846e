"""Identity classes: of the headers of public data sets, of values in every form, of columns that follow another."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personax.data.columns import infer_columns
from personax.data.identity import PART, classify, identified
from personax.data.table import Table
from personax.schema import Column

DATA = Path(__file__).parents[2].parent / "shared" / "data"
N = 300
DIRECT, QUASI, SENSITIVE, FREE, UNKNOWN = "direct", "quasi-identifying", "sensitive", "free", "unknown"
PEOPLE = [
    "Ada Nemo",
    "Bo Fictor",
    "Cleo Paperman",
    "Émile Modelo",
    "Hana Figment",
    "Ravi Drawn-Smith",
    "Lin O'Invented",
]


def some(*values: Any) -> Callable[[random.Random, int], Any]:
    return lambda rng, row: rng.choice(values)


def whole(low: int, high: int) -> Callable[[random.Random, int], Any]:
    return lambda rng, row: rng.randint(low, high)


def real(low: float, high: float, places: int = 2) -> Callable[[random.Random, int], Any]:
    return lambda rng, row: round(rng.uniform(low, high), places)


def made(form: str) -> Callable[[random.Random, int], Any]:
    """Return values from a form: {r} a random number, {row} the row, {w} a random word."""
    return lambda rng, row: form.format(r=rng.randint(10**7, 10**8), row=row, w="".join(rng.choices("aeioukmnst", k=7)))


def person(rng: random.Random, row: int) -> str:
    return f"{rng.choice(PEOPLE)} {''.join(rng.choices('aeioukmnst', k=5)).title()}"


def sentence(rng: random.Random, row: int) -> str:
    return " ".join("".join(rng.choices("aeioukmnst", k=5)) for _ in range(30))


def day(form: str) -> Callable[[random.Random, int], Any]:
    def one(rng: random.Random, row: int) -> str:
        return (date(1950, 1, 1) + timedelta(days=rng.randint(0, 20000))).strftime(form)

    return one


def long_tail(rng: random.Random, row: int) -> str:
    return f"{rng.choice('ABCDE')}{int(rng.paretovariate(0.4)) % 900}" if rng.random() < 0.8 else ""


SETS: Mapping[str, Mapping[str, tuple[Callable[[random.Random, int], Any], str]]] = {
    "Titanic": {
        "PassengerId": (lambda rng, row: row + 1, DIRECT),
        "Survived": (some(0, 1), FREE),
        "Pclass": (some(1, 2, 3), FREE),
        "Name": (person, DIRECT),
        "Sex": (some("male", "female"), QUASI),
        "Age": (lambda rng, row: rng.choice([22.0, 34.5, 0.42, *map(float, range(2, 71, 3))]), QUASI),
        "SibSp": (some(0, 1, 2, 3), FREE),
        "Parch": (some(0, 1, 2), FREE),
        "Ticket": (made("A/5 {r}"), UNKNOWN),
        "Fare": (real(5, 500, 4), QUASI),
        "Cabin": (long_tail, UNKNOWN),
        "Embarked": (some("S", "C", "Q"), FREE),
    },
    "Adult": {
        "age": (whole(17, 90), QUASI),
        "workclass": (some("Private", "State-gov", "Self-emp"), FREE),
        "fnlwgt": (lambda rng, row: rng.choice(range(12285, 300000, 1500)), QUASI),
        "education": (some("Bachelors", "HS-grad", "11th"), QUASI),
        "education-num": (whole(1, 16), QUASI),
        "marital-status": (some("Never-married", "Divorced"), QUASI),
        "occupation": (some("Sales", "Craft-repair"), QUASI),
        "relationship": (some("Husband", "Own-child"), QUASI),
        "race": (some("White", "Black", "Other"), SENSITIVE),
        "sex": (some("Male", "Female"), QUASI),
        "capital-gain": (some(0, 0, 0, 2174, 14084), SENSITIVE),
        "hours-per-week": (whole(1, 99), QUASI),
        "native-country": (some("United-States", "Cuba", "Jamaica"), QUASI),
        "income": (some("<=50K", ">50K"), SENSITIVE),
    },
    "OkCupid": {
        "age": (whole(18, 69), QUASI),
        "body_type": (some("average", "fit", "athletic"), QUASI),
        "diet": (some("vegetarian", "anything", "kosher"), FREE),
        "drinks": (some("socially", "often"), SENSITIVE),
        "drugs": (some("never", "sometimes"), SENSITIVE),
        "education": (some("college", "masters"), QUASI),
        "essay0": (sentence, DIRECT),
        "ethnicity": (some("white", "asian, black"), SENSITIVE),
        "height": (whole(58, 80), QUASI),
        "income": (some(-1, 20000, 80000), SENSITIVE),
        "job": (some("student", "artistic / musical / writer"), QUASI),
        "last_online": (day("%Y-%m-%d-20-30"), DIRECT),
        "location": (some("oakland, california", "san francisco, california"), QUASI),
        "offspring": (some("doesn't have kids", "has a kid"), QUASI),
        "orientation": (some("straight", "gay"), SENSITIVE),
        "pets": (some("likes dogs", "has cats"), FREE),
        "religion": (some("agnosticism", "other"), SENSITIVE),
        "sex": (some("m", "f"), QUASI),
        "sign": (some("gemini", "leo", "pisces"), FREE),
        "smokes": (some("no", "sometimes"), SENSITIVE),
        "speaks": (some("english", "english, french"), QUASI),
        "status": (some("single", "available"), FREE),
    },
    "FIFA": {
        "sofifa_id": (lambda rng, row: 150000 + 331 * row + rng.randint(0, 300), DIRECT),
        "player_url": (made("https://sofifa.com/player/{r}/{w}"), DIRECT),
        "short_name": (person, DIRECT),
        "long_name": (person, DIRECT),
        "age": (whole(17, 40), QUASI),
        "dob": (day("%Y-%m-%d"), DIRECT),
        "height_cm": (whole(160, 200), QUASI),
        "weight_kg": (whole(55, 100), QUASI),
        "nationality": (some("Argentina", "Portugal", "Brazil"), QUASI),
        "club_name": (some("FC Barcelona", "Juventus", "Paris Saint-Germain"), QUASI),
        "league_name": (some("Spain Primera Division", "Italian Serie A"), QUASI),
        "overall": (whole(48, 94), QUASI),
        "value_eur": (lambda rng, row: rng.randint(1, 90) * 50000, SENSITIVE),
        "wage_eur": (lambda rng, row: rng.randint(1, 90) * 500, SENSITIVE),
        "player_positions": (some("RW, ST, CF", "GK", "CB"), QUASI),
        "preferred_foot": (some("Left", "Right"), FREE),
        "international_reputation": (whole(1, 5), FREE),
        "work_rate": (some("High/Low", "Medium/Medium"), FREE),
        "real_face": (some("Yes", "No"), FREE),
        "team_jersey_number": (whole(1, 99), QUASI),
        "joined": (day("%b %d, %Y"), DIRECT),
        "contract_valid_until": (whole(2020, 2026), FREE),
    },
    "NBA all seasons": {
        "Unnamed: 0": (lambda rng, row: row, DIRECT),
        "player_name": (person, DIRECT),
        "team_abbreviation": (some("HOU", "VAN", "LAL"), QUASI),
        "age": (lambda rng, row: float(rng.randint(18, 44)), QUASI),
        "player_height": (lambda rng, row: round(2.54 * rng.randint(64, 90), 2), QUASI),
        "player_weight": (lambda rng, row: rng.randint(150, 300) * 0.453592, QUASI),
        "college": (some("None", "Duke", "Kentucky"), QUASI),
        "country": (some("USA", "France", "Spain"), QUASI),
        "draft_year": (some("1996", "Undrafted", "2001"), QUASI),
        "gp": (whole(1, 85), QUASI),
        "pts": (real(0, 36, 1), QUASI),
        "net_rating": (real(-30, 30, 1), QUASI),
        "usg_pct": (real(0, 0.5, 3), QUASI),
        "season": (some("1996-97", "1997-98", "2000-01"), QUASI),
    },
    "GSS": {
        "year": (some(1972, 1996, 2018), QUASI),
        "id": (lambda rng, row: row + 1, DIRECT),
        "wrkstat": (whole(1, 8), FREE),
        "marital": (whole(1, 5), QUASI),
        "sibs": (whole(0, 12), QUASI),
        "age": (whole(18, 89), QUASI),
        "educ": (whole(0, 20), QUASI),
        "degree": (whole(0, 4), QUASI),
        "sex": (some(1, 2), QUASI),
        "race": (some(1, 2, 3), SENSITIVE),
        "income": (whole(1, 12), SENSITIVE),
        "partyid": (whole(0, 7), SENSITIVE),
        "polviews": (whole(1, 7), SENSITIVE),
        "relig": (whole(1, 13), SENSITIVE),
        "happy": (whole(1, 3), FREE),
        "wtssall": (real(0.4, 3, 6), QUASI),
    },
    "ESS": {
        "idno": (lambda rng, row: 10000 + 7 * row, DIRECT),
        "cntry": (some("DE", "FR", "PL"), QUASI),
        "gndr": (some(1, 2), QUASI),
        "agea": (whole(15, 90), QUASI),
        "yrbrn": (whole(1930, 2005), QUASI),
        "rlgblg": (some(1, 2), SENSITIVE),
        "rlgdnm": (whole(1, 8), SENSITIVE),
        "vote": (some(1, 2, 3), SENSITIVE),
        "lrscale": (whole(0, 10), SENSITIVE),
        "hinctnta": (whole(1, 10), SENSITIVE),
        "eisced": (whole(1, 7), QUASI),
        "ppltrst": (whole(0, 10), FREE),
        "dweight": (real(0.2, 4, 6), QUASI),
    },
    "people of Wikidata": {
        "qid": (lambda rng, row: rng.randint(10**3, 10**8), DIRECT),
        "entity": (made("http://www.wikidata.org/entity/Q{r}"), DIRECT),
        "itemLabel": (person, DIRECT),
        "born_epoch": (lambda rng, row: 86400 * rng.randint(-9000, 12000), DIRECT),
        "age": (lambda rng, row: round(rng.randint(6000, 20000) / 365.25, 4), DIRECT),
        "latitude": (real(-60, 70, 5), DIRECT),
        "longitude": (real(-150, 150, 5), DIRECT),
        "handedness": (some("left", "right"), QUASI),
        "image": (made("File {w}.jpg"), DIRECT),
    },
    "in other languages": {
        "Nachname": (person, DIRECT),
        "apellido": (person, DIRECT),
        "姓名": (lambda rng, row: rng.choice("王李张刘陈") + rng.choice("伟芳娜敏静"), DIRECT),
        "фамилия": (some("Иванов", "Петров"), DIRECT),
        "전화번호": (made("010-{row:04d}-1234"), DIRECT),
        "Größe": (whole(150, 200), QUASI),
        "пол": (some("м", "ж"), QUASI),
        "国籍": (some("日本", "中国"), QUASI),
        "profissão": (some("ator", "cantora"), QUASI),
        "wyznanie": (some("a", "b"), SENSITIVE),
        "الجنسية": (some("مصر", "تونس"), QUASI),
        "Bemerkung": (sentence, DIRECT),
        "Anmerkungen": (some("ok", "siehe Akte"), DIRECT),
    },
}
"""Data set -> header -> values as they are there, and the class of the column."""


@pytest.mark.parametrize("name", SETS)
def test_headers_of_public_data_sets(name: str) -> None:
    rng = random.Random(f"{name} 1")
    frame = pl.DataFrame({header: [of(rng, row) for row in range(N)] for header, (of, _) in SETS[name].items()})
    found = {header: identity for header, (identity, _) in classify(frame).items()}
    assert found == {header: identity for header, (_, identity) in SETS[name].items()}, classify(frame)


VALUES: Mapping[str, Callable[[random.Random, int], Any]] = {
    "ISO dates": day("%Y-%m-%d"),
    "dates by slashes": day("%d/%m/%Y"),
    "American dates": day("%m/%d/%Y"),
    "dates with two digits": day("%d.%m.%y"),
    "dates in words": day("%b %d, %Y"),
    "days in words": day("%d %B %Y"),
    "dates as numbers": lambda rng, row: int(day("%Y%m%d")(rng, row)),
    "dates as text numbers": day("%Y%m%d"),
    "Japanese dates": day("%Y年%m月%d日"),
    "times": day("%Y-%m-%dT10:11:12Z"),
    "months": day("%Y-%m"),
    "epoch seconds": lambda rng, row: 86400 * rng.randint(-9000, 12000),
    "epoch milliseconds": lambda rng, row: 86400000 * rng.randint(-9000, 12000),
    "decimal years": lambda rng, row: round(rng.randint(1950, 2005) + rng.randint(0, 364) / 365, 4),
    "ages of days": lambda rng, row: round(rng.randint(6000, 20000) / 365.25, 4),
    "e-mails": made("{w}@example.org"),
    "web addresses": made("https://example.org/{w}"),
    "handles": made("@{w}"),
    "phones": made("+49 170 {r}"),
    "uuids": lambda rng, row: f"{rng.getrandbits(128):032x}",
    "digests": lambda rng, row: hashlib.md5(str(row).encode()).hexdigest(),
    "Wikidata ids": made("Q{r}"),
    "long numbers": lambda rng, row: rng.randint(10**9, 10**10),
    "codes": made("AB-{r}"),
    "IPs": made("10.0.{row}.7"),
    "row numbers": lambda rng, row: (row * 7919) % N,
    "paths": made("/home/{w}/{w}.txt"),
    "pictures": made("{w}.jpg"),
    "places": made("48.{r}, 11.{r}"),
    "streets": made("{row} Example Street"),
    "people": person,
    "Chinese names": lambda rng, row: (
        rng.choice("王李张刘陈杨") + rng.choice("伟芳娜敏静强磊") + rng.choice("军洋勇艳杰娟涛明超")
    ),
    "Korean names": lambda rng, row: rng.choice("김이박최정") + rng.choice("민서지예") + rng.choice("준연호은우"),
    "Japanese names": lambda rng, row: rng.choice(["佐藤", "鈴木", "高橋"]) + rng.choice(["太郎", "花子", "健", "愛"]),
    "Russian names": lambda rng, row: (
        rng.choice(["Иван", "Ольга"])
        + " "
        + rng.choice(["Петров", "Кузнецова", "Сидоренко"])
        + " "
        + str(row)[:0]
        + rng.choice(["Андреевич", "Ивановна"])
    ),
    "first names": lambda rng, row: rng.choice(
        ["Maria", "Anna", "James", "Sofia", "Lukas", "Emma", "Ahmed", "Wei", "Yusuf", "Olga"]
    ),
}


@pytest.mark.parametrize("name", VALUES)
def test_values_that_tell_a_person_under_a_name_that_does_not(name: str) -> None:
    rng = random.Random(f"{name} 1")
    found = classify(pl.DataFrame({"q7": [VALUES[name](rng, row) for row in range(N)]}))["q7"]
    assert found[0] == DIRECT, found


FEW: Mapping[str, tuple[Callable[[random.Random, int], Any], str]] = {
    "Hungarian given names": (some("Levente", "Boglárka", "Eszter", "Csenge", "Attila", "Réka"), DIRECT),
    "Finnish people": (some("Onni Lehtonen", "Aino Mäkinen", "Satu Korhonen", "Mikko Virtanen", "Eero Laine"), DIRECT),
    "Hindi given names": (some("राहुल", "प्रिया", "अमित", "नेहा", "विकास", "सुनीता"), DIRECT),
    "Thai family names": (some("ใจดี", "สุขสันต์", "ทองดี", "แก้วมณี", "ศรีสุข"), DIRECT),
    "Greek family names": (some("Οικονόμου", "Αντωνίου", "Δημητρίου", "Παπαδάκης", "Γεωργίου"), DIRECT),
    "Indonesian given names": (some("Agus", "Putri", "Eko", "Yulia", "Bambang"), DIRECT),
    "Ukrainian given names": (some("Тарас", "Наталія", "Людмила", "Юрій", "Сергій"), DIRECT),
    "Swedish family names": (some("Karlsson", "Larsson", "Johansson", "Andersson", "Persson"), DIRECT),
    "three doctors": (some("Dr. Nagy Béla", "Dr. Kis Éva", "Dr. Tóth Pál"), DIRECT),
    "three teachers": (some("Nguyễn Thị Mai", "Trần Văn Nam", "Lê Hồng"), DIRECT),
    "two stars": (some("Lionel Messi", "Cristiano Ronaldo"), DIRECT),
    "two stars, last first": (some("Messi, Lionel", "Kane, Harry"), DIRECT),
    "two digests": (lambda rng, row: hashlib.md5(str(row % 2).encode()).hexdigest(), DIRECT),
    "two telephones": (some(4917112345678, 4917112345679), DIRECT),
    "religions": (some("Catholic", "Muslim", "Hindu", "none"), SENSITIVE),
    "religions in Hungarian": (some("református", "katolikus", "evangélikus"), SENSITIVE),
    "orientations": (some("heterosexual", "gay", "bisexual"), SENSITIVE),
    "diseases": (some("diabetes", "cancer", "none"), SENSITIVE),
    "codes of diseases": (some("I10", "E11.9", "F32.1"), SENSITIVE),
    "ethnic groups": (some("White", "Black", "Asian", "Hispanic"), SENSITIVE),
    "parties": (some("SPD", "CDU", "AfD"), SENSITIVE),
    "colours": (some("white", "black", "red", "blue"), FREE),
    "colours that are names": (some("Rose", "Violet", "Amber", "Jade"), FREE),
    "roles": (some("HR Manager", "HR Partner"), FREE),
    "houses": (some("Jordan River", "Victoria Falls"), FREE),
    "universities": (some("Virginia Tech", "Austin College"), FREE),
    "groups": (some("A1", "B2", "C3"), FREE),
    "feelings": (some("rest", "stress", "fun"), FREE),
}
"""Values that many people share, under a name that says nothing."""


@pytest.mark.parametrize("name", FEW)
def test_a_few_values_tell_too(name: str) -> None:
    of, identity = FEW[name]
    rng = random.Random(f"{name} 1")
    found = classify(pl.DataFrame({"v1": [of(rng, row) for row in range(N)]}))["v1"]
    assert found[0] == identity, found


def test_a_letter_alone_makes_no_target() -> None:
    rng = random.Random(1)
    frame = pl.DataFrame(
        {
            "gps_n": [round(rng.uniform(47, 48), 5) for _ in range(N)],
            "gps_e": [round(rng.uniform(8, 9), 5) for _ in range(N)],
            "phone_n": [rng.randint(10**9, 10**10) for _ in range(N)],
            "salary_a": [rng.gauss(4000, 900) for _ in range(N)],
            "temp_c": [round(rng.gauss(36.6, 0.4), 1) for _ in range(N)],
            "final_o": [round(rng.gauss(3, 0.5), 2) for _ in range(N)],
            "judge_o": [rng.randint(1, 5) for _ in range(N)],
            "rated_o": [rng.randint(1, 5) for _ in range(N)],
            "rated_c": [rng.randint(1, 5) for _ in range(N)],
            "rated_e": [rng.randint(1, 5) for _ in range(N)],
        }
    )
    found = {column.name: column for column in infer_columns(frame)}
    assert {name for name, column in found.items() if column.role == "target"} == {
        "final_o", "rated_o", "rated_c", "rated_e",
    }  # fmt: skip
    assert {name: found[name].identity for name in ("gps_n", "gps_e", "phone_n", "salary_a", "temp_c")} == {
        "gps_n": DIRECT, "gps_e": DIRECT, "phone_n": DIRECT, "salary_a": SENSITIVE, "temp_c": QUASI,
    }  # fmt: skip


def test_long_numbers_are_no_scores_though_a_trait_is_named() -> None:
    rng = random.Random(1)
    frame = pl.DataFrame({"openness": [rng.randint(10**9, 10**10) for _ in range(N)]})
    assert classify(frame, [Column("openness", "target", "continuous")])["openness"][0] == DIRECT


def test_a_postcode_that_many_share_is_known_from_elsewhere() -> None:
    frame = pl.DataFrame({"plz": [80331 + row % 3 for row in range(N)]})
    assert classify(frame)["plz"][0] == QUASI


@pytest.mark.parametrize("form", ["%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y"])
def test_the_parts_of_a_private_date_are_told_whatever_they_are_called(form: str) -> None:
    rng = random.Random(1)
    born = [date(1950, 1, 1) + timedelta(days=rng.randint(0, 20000)) for _ in range(N)]
    frame = pl.DataFrame(
        {
            "q1": [day.strftime(form) for day in born],
            "v1": [day.month - 1 for day in born],
            "v2": [str(day.day) for day in born],
            "v3": [day.weekday() for day in born],
            "v4": [day.timetuple().tm_yday for day in born],
            "wave": [rng.randint(1, 12) for _ in born],
        }
    )
    found = classify(frame)
    told = {name for name, (identity, why) in found.items() if identity == DIRECT or why.startswith(PART)}
    assert told == {"q1", "v1", "v2", "v3", "v4"}
    assert found["wave"][0] == FREE


def test_a_score_of_a_teacher_is_no_teacher() -> None:
    rng = random.Random(1)
    frame = pl.DataFrame({"teacher_support": [round(rng.gauss(3, 1), 2) for _ in range(N)]})
    assert classify(frame)["teacher_support"][0] == QUASI


ORDINARY: Mapping[str, tuple[Callable[[random.Random, int], Any], str]] = {
    "scores": (whole(1, 7), FREE),
    "many scores": (whole(0, 100), QUASI),
    "fractions": (real(0, 1, 6), QUASI),
    "z": (lambda rng, row: rng.gauss(0, 1), QUASI),
    "money": (lambda rng, row: 500 * rng.randint(1, 900), QUASI),
    "words": (some("red", "green", "blue"), FREE),
    "answers": (some("yes", "no"), FREE),
    "truth": (some(True, False), FREE),
    "cities": (some("Berlin", "Paris", "New York", "San Diego", "Los Angeles", "Buenos Aires"), FREE),
    "teams": (
        lambda rng, row: rng.choice(["Real Madrid", "Manchester United", "Boca Juniors", "Bayern Munich", "Ajax"]),
        FREE,
    ),
    "jobs": (some("Data Scientist", "Point Guard", "Film Director", "Chief Executive"), FREE),
    "countries": (some("Germany", "Chad", "Jordan", "Georgia", "United States", "New Zealand", "Chile", "Peru"), FREE),
    "years": (whole(1950, 2000), QUASI),
    "ranges": (some("1980-1989", "1990-1999"), FREE),
    "seasons": (some("1996-97", "1997-98", "2000-01", "2001-02"), FREE),
    "ratios": (some("3-1", "2-2", "0-4"), FREE),
    "text": (sentence, UNKNOWN),
    "labels": (lambda rng, row: f"label {rng.randint(0, 14)}", QUASI),
    "fighting": (lambda rng, row: rng.randint(140, 220) / 1.0, QUASI),
    "two places": (real(1900, 2000, 2), QUASI),
}


@pytest.mark.parametrize("name", ORDINARY)
def test_ordinary_values_are_not_private(name: str) -> None:
    of, identity = ORDINARY[name]
    rng = random.Random(f"{name} 1")
    found = classify(pl.DataFrame({"q7": [of(rng, row) for row in range(N)]}))["q7"]
    assert found[0] == identity, found


DISGUISES: Mapping[str, Callable[[np.ndarray[Any, Any], np.random.Generator], Any]] = {
    "affine": lambda v, rng: 3.7 * v - 12.5,
    "falling": lambda v, rng: 10**6 - v,
    "cube": lambda v, rng: v.astype(float) ** 3,
    "log": lambda v, rng: np.log(v + 10**6),
    "float": lambda v, rng: v.astype(float),
    "text": lambda v, rng: [str(x) for x in v],
    "ranks": lambda v, rng: np.unique(v, return_inverse=True)[1],
    "scaled": lambda v, rng: (v - v.min()) / (np.ptp(v) + 1),
    "shuffled codes": lambda v, rng: rng.permutation(len(np.unique(v)))[np.unique(v, return_inverse=True)[1]],
    "digest": lambda v, rng: [hashlib.sha256(str(x).encode()).hexdigest()[:20] for x in v],
    "digest as a number": lambda v, rng: [int(hashlib.sha1(str(x).encode()).hexdigest()[:8], 16) for x in v],
    "digest as a fraction": lambda v, rng: [int(hashlib.md5(str(x).encode()).hexdigest()[:10], 16) / 16**10 for x in v],
    "modulo a prime": lambda v, rng: (v.astype(np.int64) * 7919) % 1000003,
    "words": lambda v, rng: [f"k{int(x) * 31 % 100003}" for x in v],
}


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(sorted(DISGUISES)), st.integers(0, 2**32), st.integers(120, 600), st.booleans())
def test_a_disguise_of_a_private_date_is_private(how: str, seed: int, people: int, missing: bool) -> None:
    rng = np.random.default_rng(seed)
    days = rng.integers(-9000, 9000, people)
    days[: people // 20] = days[people // 20 : 2 * (people // 20)]  # some people share a day of birth
    days = rng.permutation(days)
    hidden = pl.Series("q7", DISGUISES[how](days, rng))
    if missing:
        hidden = pl.select(pl.when(pl.Series(rng.random(people) > 0.1)).then(hidden))[:, 0].alias("q7")
    frame = pl.DataFrame(
        {"born": pl.Series(days).cast(pl.Int32).cast(pl.Date), "q7": hidden, "h": rng.normal(size=people)}
    )
    found = classify(frame, [Column("born", "private", "continuous")])
    assert found["q7"][0] in (DIRECT, UNKNOWN), (how, found["q7"])
    assert found["h"][0] == QUASI


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(sorted(DISGUISES)), st.integers(0, 2**32), st.booleans())
def test_a_disguise_of_an_id_is_private(how: str, seed: int, in_order: bool) -> None:
    rng = np.random.default_rng(seed)
    numbers = rng.choice(10**5, 300, replace=False)
    numbers = np.sort(numbers) if in_order else numbers
    frame = pl.DataFrame(
        {"id": [f"p{x:05d}" for x in numbers], "q7": DISGUISES[how](numbers, rng), "h": rng.normal(size=300)}
    )
    found = classify(frame, [Column("id", "id", "nominal")])
    # where everybody has another value, a digest that is a fraction looks like a measurement, and is made coarser
    assert found["q7"][0] in ((DIRECT, UNKNOWN, QUASI) if how == "digest as a fraction" else (DIRECT, UNKNOWN)), how
    assert found["h"][0] == QUASI


def test_what_says_less_than_a_date_is_no_disguise() -> None:
    rng = np.random.default_rng(1)
    for people in (30, 300, 3000):
        born = pl.Series(rng.integers(-9000, 9000, people)).cast(pl.Int32).cast(pl.Date)
        days = born.to_physical().to_numpy()
        frame = pl.DataFrame(
            {
                "dob": born,
                "birth_year": born.dt.year(),
                "q1": born.dt.year(),
                "age": 56 - days // 365,
                "q2": rng.normal(size=people),
                "month": born.dt.month(),
                "q3": days // 3650,
                "excel": days + 25569,
                "q4": days + rng.normal(0, 400, people).round(0),
            }
        )
        found = {name: identity for name, (identity, _) in classify(frame).items()}
        assert found == {
            "dob": DIRECT,
            "birth_year": QUASI,
            "q1": QUASI,
            "age": QUASI,
            "q2": QUASI,
            "q3": FREE,
            "month": QUASI,
            "excel": DIRECT,
            "q4": QUASI,
        }, people


def test_heights_of_a_sorted_table_are_a_question_and_numbers_of_rows_are_private() -> None:
    rng = np.random.default_rng(2)
    height = np.sort(rng.normal(180, 8, 200))
    frame = pl.DataFrame(
        {
            "id": [f"p{x:04d}" for x in range(200)],
            "height_cm": height,
            "q7": np.sqrt(np.arange(200) + 3.0),
            "q8": rng.permutation(height),
        }
    )
    found = classify(frame, [Column("id", "id", "nominal")])
    assert found["height_cm"] == (QUASI, "its name says so (height); the rows are in its order")
    assert found["q7"][0] == DIRECT
    assert found["q8"][0] == QUASI


def test_people_who_stand_twice_make_no_column_private() -> None:
    rng = np.random.default_rng(3)
    once = pl.DataFrame({"name": [f"Ada Nemo{x}" for x in range(200)], "q7": rng.normal(size=200)})
    twice = pl.concat([once, once[:20]])
    assert classify(twice)["q7"][0] == QUASI


def test_a_zero_one_column_is_no_name() -> None:
    path = DATA / "people" / "private_words.csv"
    if not path.is_file():
        pytest.skip(f"{path} is absent")
    found = {column.name: column for column in infer_columns(pl.read_csv(path))}
    assert {name for name, column in found.items() if column.role == "private"} == set()
    assert {found[name].identity for name in ("has_stage_name", "has_home_address", "likes_own_name")} == {FREE}
    assert "whatever its name says" in found["has_stage_name"].identity_why


def test_real_people_of_public_files() -> None:
    bfi, nfl = DATA / "bfi" / "bfi.csv", DATA / "athletes" / "nfl-players.json"
    if not (bfi.is_file() and nfl.is_file()):
        pytest.skip(f"{bfi} or {nfl} is absent")
    items = {column.name: column.identity for column in infer_columns(pl.read_csv(bfi, infer_schema_length=None))}
    assert items.pop("rownames") == DIRECT
    assert {items.pop(name) for name in ("gender", "education", "age")} == {QUASI}
    assert set(items.values()) == {FREE}
    players = pl.DataFrame(list(json.loads(nfl.read_text()).values()), infer_schema_length=None)
    found = {column.name: column.identity for column in infer_columns(players)}
    direct = {"birthdate", "first_name", "full_name", "last_name", "gsis_id", "gsis_name", "profile_id", "profile_url"}
    assert {name for name, identity in found.items() if identity == DIRECT} == direct
    assert found["status"] == FREE
    assert {name for name, identity in found.items() if identity == QUASI} == {
        "college",
        "height",
        "weight",
        "years_pro",
        "number",
        "position",
        "team",
    }


def test_classes_are_kept_where_they_are_given_and_old_columns_have_none() -> None:
    given_ = Column("q7", "feature", "nominal", identity="free", identity_why="we looked")
    frame = pl.DataFrame({"q7": ["Ada Nemo"] * 3, "club": ["a", "b", "a"]})
    found = identified(Table(frame, [given_, Column("club", "feature", "nominal")])).columns
    assert found[0] == given_
    assert found[1].identity == QUASI


@pytest.mark.parametrize("dtype", [pl.Categorical, pl.Enum(["Ada Nemo", "Bo Fictor"]), pl.String])
def test_types_of_text_are_alike(dtype: Any) -> None:
    frame = pl.DataFrame({"player": pl.Series(["Ada Nemo", "Bo Fictor"] * 20, dtype=dtype)})
    assert classify(frame)["player"][0] == DIRECT


@given(st.lists(st.one_of(st.none(), st.text(max_size=12), st.integers(-5, 5), st.floats(allow_nan=True)), max_size=40))
@settings(max_examples=60, deadline=None)
def test_any_column_has_a_class(values: list[Any]) -> None:
    texts = pl.Series("a", [None if value is None else str(value) for value in values], dtype=pl.String)
    numbers = pl.Series(
        "b", [value if isinstance(value, int | float) else None for value in values], dtype=pl.Float64, strict=False
    )
    for identity, why in classify(pl.DataFrame([texts, numbers])).values():
        assert identity in (DIRECT, QUASI, SENSITIVE, FREE, UNKNOWN)
        assert why
