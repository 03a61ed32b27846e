"""Column names: split as people write them, and known in twenty-seven languages, whole words only."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personax.data.naming import is_code, says, snake, split, tells_the_day, topics
from personax.data.vocabulary import DIRECT, WORDS, Topic

SPLITS = {
    "playerDOB": "player dob",
    "DOBplayer": "dob player",
    "IDNumber": "id number",
    "personID": "person id",
    "contactPHONE": "contact phone",
    "nameFirst": "name first",
    "name_last": "name last",
    "Height(cm)": "height cm",
    "birthDate": "birth date",
    "XMLHttpRequest": "xml http request",
    "iPhone2": "i phone 2",
    "Birth Date": "birth date",
    "BIRTH_DATE": "birth date",
    "PlayerName": "player name",
    "player-name": "player name",
    "address2": "address 2",
    "playername": "player name",
    "contactphone": "contact phone",
    "coachid": "coach id",
    "workaddress": "work address",
    "playerنص": "player نص",
    "球员姓名": "球员 姓名",
    "선수이름": "선수 이름",
    "имяИгрока": "imya igroka",
    "biology": "biology",
    "SSN": "ssn",
    "LastName": "last name",
    "last.name": "last name",
    " id ": "id",
    "ID": "id",
    "ｎａｍｅ": "name",
    "nаme": "name",
}
"""A name -> its words; the last is written with a Cyrillic а."""


@pytest.mark.parametrize("name", SPLITS)
def test_split(name: str) -> None:
    assert " ".join(split(name)) == SPLITS[name]


ENTRIES = [
    (topic, entry.strip()) for topic in WORDS if topic in DIRECT for entry in " ".join(WORDS[topic].split()).split(",")
]
"""Every identifying entry of every language."""


def written(words: list[str]) -> dict[str, str]:
    """Return the ways in which people write a name of several words."""
    upper = [word[:1].upper() + word[1:] for word in words]
    return {
        "snake": "_".join(words),
        "camel": words[0] + "".join(upper[1:]),
        "pascal": "".join(upper),
        "acronym": "_".join(words).upper(),
        "spaced": " ".join(words),
        "dotted": ".".join(words),
        "glued": "".join(words),
        "title": " ".join(upper),
        "numbered": "_".join(words) + "_1",
        "player before": "player_" + "_".join(words),
        "player camel": "player" + "".join(upper),
        "contact camel": "contact" + "".join(word.upper() for word in words),
        "in brackets": f"{' '.join(words)} (private)",
    }


@pytest.mark.parametrize("topic", sorted(DIRECT))
def test_every_identifying_word_is_known_however_it_is_written(topic: Topic) -> None:
    missed = []
    for own, entry in ENTRIES:
        if own != topic:
            continue
        for way, name in written(entry.split()).items():
            said = says(name)
            if not (said.direct or said.sensitive):
                missed.append((way, name, said.topic))
    assert missed == []


def test_words_count_in_at_least_fourteen_languages() -> None:
    names = {
        "en": "surname",
        "de": "nachname",
        "fr": "prénom",
        "es": "apellidos",
        "it": "cognome",
        "pt": "sobrenome",
        "nl": "achternaam",
        "pl": "nazwisko",
        "tr": "soyadı",
        "ru": "фамилия",
        "zh": "姓名",
        "ja": "氏名",
        "ko": "성명",
        "ar": "الاسم",
    }
    assert {says(name).topic for name in names.values()} == {"name"}
    births = [
        "date of birth",
        "geburtsdatum",
        "date_naissance",
        "fechaNacimiento",
        "data di nascita",
        "data_nascimento",
        "geboortedatum",
        "dataUrodzenia",
        "doğum tarihi",
        "дата_рождения",
        "出生日期",
        "生年月日",
        "생년월일",
        "تاريخ الميلاد",
    ]
    assert {says(name).topic for name in births} == {"birth date"}


WHOLE = [
    "biology",
    "biological_age",
    "context",
    "grid",
    "paid",
    "valid",
    "average",
    "language",
    "percentage",
    "village",
    "android",
    "rename",
    "filament",
    "tournament",
    "covid",
    "imagenet_score",
    "pathology",
    "humidity",
    "mortality",
    "emotional_range",
    "goals",
    "work_rate",
    "pace",
    "shooting",
    "survived",
    "workclass",
    "diet",
    "pets",
    "wins",
    "minutes",
    "net_rating",
    "A1",
    "final_o",
    "text_length",
]


@pytest.mark.parametrize("name", WHOLE)
def test_words_count_only_whole(name: str) -> None:
    said = says(name)
    assert not said.direct or said.counted, said


@pytest.mark.parametrize(
    "name",
    [
        "has_stage_name",
        "name_count",
        "n_names",
        "likes_own_name",
        "daily_email",
        "NAME_CONTRACT_TYPE",
        "is_face",
        "photo_count",
        "text_length",
        "email_verified",
        "phone_type",
        "avg_note_length",
    ],
)
def test_a_name_of_a_measure_is_not_believed_alone(name: str) -> None:
    assert says(name).counted


@pytest.mark.parametrize(
    ("name", "topic"),
    [
        ("team_name", "group"),
        ("club id", "group"),
        ("country_name", "country"),
        ("SchoolName", "group"),
        ("player_height", "body"),
        ("partyid", "politics"),
        ("birth_country", "country"),
        ("birthplace", "birth place"),
        ("birth_city", "birth place"),
        ("yrbrn", "birth year"),
        ("year_of_birth", "birth year"),
        ("Unnamed: 0", "id"),
        ("first", "name"),
        ("Last", "name"),
        ("mother_name", "name"),
        ("native-country", "country"),
        ("idno", "id"),
        ("essay0", "text"),
        ("username", "person"),
        ("race", "ethnicity"),
        ("union_member", "union"),
        ("income", "income"),
        ("player_positions", "position"),
        ("agent_phone", "phone"),
        ("ip_address", "device"),
        ("e_mail_address", "e-mail"),
    ],
)
def test_what_a_name_is_about(name: str, topic: str) -> None:
    assert says(name).topic == topic


def test_days_and_codes() -> None:
    told = ["birth_date", "Date of Birth", "dob", "birthday", "birth_month_sin", "day_index", "zodiac", "Geburtstag"]
    assert [name for name in told if tells_the_day(name)] == told
    assert not any(map(tells_the_day, ["birth_year", "country", "holiday", "day", "career_month", "month_sin"]))
    codes = ["Gender_idx", "league", "team_id", "type", "Country"]
    assert [name for name in codes if is_code(name)] == codes
    assert not any(map(is_code, ["id", "height", "age", "identity"]))


@given(st.text(max_size=40))
def test_any_text_is_a_name(name: str) -> None:
    words = split(name)
    assert all(words)
    assert " ".join(word for word, _ in topics(name)).split() == " ".join(words).split()
    assert says(name) == says(name)
    assert snake(name) == snake(name).lower()


OTHER_TONGUES: dict[str, str] = {
    "Név": "name", "Vallás": "religion", "Szül. idő": "birth date", "BNO": "health", "TAJ szám": "national id",
    "Etunimi": "name", "Uskonto": "religion", "Palkka": "income", "Hetu": "national id", "Kunta": "place",
    "Họ và tên": "name", "Dân tộc": "ethnicity", "GVCN": "person", "SĐT": "phone", "Ngày sinh": "birth date",
    "नाम": "name", "पिता का नाम": "name", "धर्म": "religion", "जाति": "ethnicity", "मोबाइल": "phone", 
    "आधार": "national id",
    "ชื่อ": "name", "นามสกุล": "name", "ศาสนา": "religion", "วินิจฉัย": "health", "เพศ": "gender", "วันเกิด": "birth date",
    "Επώνυμο": "name", "Θρήσκευμα": "religion", "ΑΦΜ": "national id", "Φύλο": "gender", "Ύψος": "body",
    "Nama": "name", "Agama": "religion", "Tgl Lahir": "birth date", "No HP": "phone", "Suku": "ethnicity",
    "Ім'я": "name", "По батькові": "name", "Віросповідання": "religion", "Стать": "gender", "РНОКПП": "national id",
    "Förnamn": "name", "personnr": "national id", "Fack": "union", "Månadslön": "income", "Födelsedatum": "birth date",
    "Fødselsdato": "birth date", "Příjmení": "name", "Prenume": "name", "Náboženství": "religion",
    "NACHN": "name", "KONFE": "religion", "GBDAT": "birth date", "PERNR": "national id",
    "long_name": "name", "phq9_1": "health", "hypertension": "health", "Betreuer": "person", "Captain": "person",
}  # fmt: skip


@pytest.mark.parametrize("name", OTHER_TONGUES)
def test_words_of_other_tongues(name: str) -> None:
    assert says(name).topic == OTHER_TONGUES[name]


@pytest.mark.parametrize("name", ["strokes_gained", "stat", "lag", "captaincy", "observed", "temp_c"])
def test_words_that_only_look_like_them_name_nobody(name: str) -> None:
    assert not says(name).direct
    assert not says(name).sensitive


@pytest.mark.parametrize(
    ("name", "topic"),
    [("religon", "religion"), ("Salry", "income"), ("Helth", "health"), ("surnam", "name"), ("gendr", "gender"),
     ("natoinality", "country"), ("Bithdate", "birth date"), ("diagnossis", "health")],
)  # fmt: skip
def test_a_word_with_a_letter_wrong_is_known(name: str, topic: str) -> None:
    assert (says(name).topic, says(name).sure) == (topic, False)


@pytest.mark.parametrize("name", ["region", "rationality", "incoming", "compression", "celery", "usability", "tender"])
def test_another_word_is_not_taken_for_a_slip(name: str) -> None:
    assert not says(name).direct
    assert not says(name).sensitive
