"""The scan finds known private values in any spelling, and lets pass what only looks like one."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from personax.data import fold
from personax.data.text import _confusables
from personax.release.keys._keystore import ReleaseKey
from personax.release.pii import KnownValues
from personax.release.pii._folder_scan import scan_folder
from personax.release.pii._table_scan import Finding, refuse_private, scan, scan_known

PEOPLE = [
    "Zoë Nemo", "Ada Maria Nemova", "Seán O'Nemo", "Jean-Luc Fictif", "Ken Griffon Jr.", "J. R. Sample",
    "Rafael Nadia Perera", "Alexandra Papadopoulou", "Jürgen Müßig", "Лев Яшинов", "Пётр Чайков", "姚明", "郭晶晶",
    "大谷翔平", "손흥민", "สมชาย ใจดี", "محمد صلاحي", "Γιώργος Νεμόπουλος", "Lin", "Martin", "Jordan", "p00042",
    "Bo Li", "1995-06-15", "+49 170 1234567", "Ludwig van Fiktiv", "Mary Ann Sample-Smith", "Ñandu Peña",
]  # fmt: skip

FOUND = [
    # letters that look alike, from public lists of confusables
    "Zоe Nеmо", "Zoе Nemo", "ΖΟE NEMO", "Ζoe Νemo", "Zoe Νеmο", "ZΟΣ NΣMO", "zοë nеmо", "Аda Nemova", "Ꮓoe Nemo",
    "Zoe Nеmo FC", "𝐙𝐨𝐞 𝐍𝐞𝐦𝐨", "𝒁𝒐𝒆 𝑵𝒆𝒎𝒐", "𝕫𝕠𝕖 𝕟𝕖𝕞𝕠", "𝗭𝗼𝗲𝗡𝗲𝗺𝗼", "𝚉𝚘𝚎 𝙽𝚎𝚖𝚘", "Ｚｏｅ　Ｎｅｍｏ", "Ⓩⓞⓔ Ⓝⓔⓜⓞ",
    "🅉🄾🄴 🄽🄴🄼🄾", "ᴢᴏᴇ ɴᴇᴍᴏ",
    # what cannot be seen
    "Z\u200boe Ne\u200dmo", "Zo\u00ade Nem\u00ado", "\u202eZoe\u202c Nemo", "Zoe\ufe0f Nemo\ufe0e",
    "Zo\u2060e Nem\ufeffo", "Z\u034foe Nemo", "Z̶o̶e̶ N̶e̶m̶o̶", "Zo\u0301e\u0323 Nemo",
    # apostrophes, hyphens, points
    "Sean O’Nemo", "Sean ONemo", "sean o nemo", "Seán OʼNemo", "Sean O`Nemo", "Jean Luc Fictif", "jeanluc fictif",
    "JEANLUC-FICTIF", "J.R. Sample", "JR Sample", "J R Sample",
    "S.O'Nemo", "Zoe-Nemo", "zoe_nemo", "zoe.nemo", "Zoe/Nemo",
    "Zoe Nemo's club", "Z o e N e m o", "Z.o.e N.e.m.o",
    # initials, middle names, order, titles
    "A. Nemova", "Nemova, A.", "Ada M. Nemova", "A. M. Nemova", "A.M. Nemova", "Nemova, A. M.", "Ada Nemova",
    "Nemova Ada", "Nemova Ada Maria", "Maria Nemova", "Zoe Marie Nemo", "Zoe M. Nemo", "Nemo, Zoë", "Dr. Zoe Nemo",
    "Zoe Nemo III", "Ken Griffon", "Griffon, Ken", "Griffon Jr., Ken", "K. Griffon Jr.", "Rafael Nadia", "R. Nadia",
    "Sir Ken Griffon", "Ludwig Fiktiv", "L. van Fiktiv", "van Fiktiv, Ludwig", "Sample-Smith, Mary Ann",
    "Mary Sample Smith", "Nemo (singer) Zoe",
    # letters wrong
    "Alexandra Papadopolou", "Alexandra Papadopoulu", "Alexnadra Papadopoulou", "Alexandra Papadopoullou",
    "Alexandre Papadopoulou",
    # other spellings and scripts, of the value and of the text
    "Juergen Muessig", "Jurgen Mussig", "JÜRGEN MÜSSIG", "Jürgen Muessig", "Lev Yashinov", "Lew Jaschinow",
    "Яшинов Лев", "Petr Chaykov", "Pyotr Chaykov", "Yao Ming", "YAO MING", "Guo Jingjing", "Jing-Jing Guo",
    "Jingjing GUO", "Son Heung-min", "Heung-Min Son", "Giorgos Nemopoulos", "Nandu Pena", "Зое Немо",
    "북런던 손흥민 선수", "北京队姚明前锋", "前锋郭晶晶", "大谷 翔平", "投手大谷翔平選手", "นักกีฬาสมชายใจดีทีมชาติ",
    "손흥민은 토트넘", "Лев\u00a0Яшинов", "محمد صلاحي لاعب",
    # escapes
    "Zo&euml; Nemo", "Zo&#235; Nemo", "Zo&#xEB;&nbsp;Nemo", "Zo&amp;euml; Nemo", "Zo&amp;amp;#235; Nemo",
    "Zo%C3%AB%20Nemo", "Zo%25C3%25AB%2520Nemo", "Zo%EB+Nemo", "Zo\\u00eb Nemo",
    "&#90;&#111;&#101; &#78;&#101;&#109;&#111;",
    # names in words, ids
    "zoenemo1987", "fc-zoenemo", "#ZoeNemo", "nemozoe", "z0e nem0", "xp00042y", "P-00042",
    "ＰＯ００４２".replace("Ｏ", "０"),
    # dates and telephone numbers
    "15/06/1995", "15.6.95", "15.06.1995", "June 15, 1995", "15 June 1995", "15th of June 1995", "19950615", "15061995",
    "803174400", "803174400000", "1995-06-15T00:00:00Z", "15. Juni 1995", "15 juin 1995", "15 de junio de 1995",
    "15 июня 1995", "1995年6月15日", "06-15-1995", "1995/06/15", "１９９５−０６−１５", "0170 1234567",
    "0049 (170) 123 45 67", "+49-170-1234567", "tel:01701234567",
]  # fmt: skip

PASSES = [
    "Berlin", "Martinique", "Linz", "Dublin", "St. Martinique", "FC Berlin", "1. FC Nürnberg", "Linear",
    "Saint-Martinville", "Côte d'Ivoire", "Bosnia and Herzegovina", "United States", "Trinidad & Tobago", "U.S.",
    "St. Louis", "New York City", "San José", "Rio de Janeiro", "Санкт-Петербург", "北京", "東京", "서울", "กรุงเทพ",
    "Αθήνα", "القاهرة", "centre-forward / striker", "goalkeeper", "vice-president", "singer-songwriter", "R & B",
    "AC/DC", "actor, director", "Jr.", "Borussia Mönchengladbach", "Real Madrid C.F.", "Bayer 04 Leverkusen",
    "Maple Leafs", "Golden State Warriors", "Bo", "Maria", "Alexandra Palace", "Papadopoulos & Sons", "Ada", "sampler",
    "Anne-Marie", "Smith-Jones", "nemoral forest", "a nemo", "van", "Prof. Nemo",
    "Zoen Emo", "1995", "15 June", "June 1995",
    "16.06.1995", "1994-06-15", "20040102", "v1.10.3", "3.11.7", "2019/2020", "803174401", "12.5", "0170", "123456",
    "p0004", "-73.9857", "100 %", "&amp;", "%20", "née", "x²", "½", "🙂", "",
]  # fmt: skip


def finds(text: str, people: list[str] | None = None) -> bool:
    return bool(scan(pl.DataFrame({"club": [text]}), PEOPLE if people is None else people))


def test_the_tables_are_long_enough() -> None:
    assert len(set(FOUND)) >= 100
    assert len(set(PASSES)) >= 60


@pytest.mark.parametrize("text", FOUND)
def test_a_private_value_is_found_in_this_spelling(text: str) -> None:
    assert finds(text)
    assert finds(f"plays for {text}, they say"), "within a text"


@pytest.mark.parametrize("text", PASSES)
def test_what_only_looks_like_one_passes(text: str) -> None:
    assert not finds(text)


def test_a_short_name_and_a_category_need_more() -> None:
    assert not finds("Bo Lisbon")
    assert finds("Li Bo"), "two words are a name"
    assert finds("Lin"), "the whole cell"
    assert not finds("Lin Valley")
    frame = pl.DataFrame({"country": ["Jordan"] * 8 + ["A. Jordan"] * 8})
    assert scan(frame, ["Jordan", "Ann Jordan"]) == {}, "a category of eight people, and one that has an initial"
    assert scan(frame[:9], ["Jordan", "Ann Jordan"]) == {"country": 1}


def test_what_is_allowed_passes_in_every_spelling() -> None:
    for text in ("C. Major", "c major", "С. Мajor"):
        assert scan(pl.DataFrame({"key": [text]}), ["Chris Major"], allowed=["C. Major", "C Major"]) == {}
    assert scan(pl.DataFrame({"key": ["姚明"]}), ["姚明"], allowed=["Yaoming"]) == {}


def test_documents_are_read_as_strictly() -> None:
    known = KnownValues(PEOPLE)
    for text in (
        "see Zое Nemo",
        "by A. M. Nemova et al.",
        "born on June 15th, 1995",
        "Zo%C3%AB%20Nemo",
        "前锋郭晶晶",
        "0170/1234567",
    ):
        assert known.find(text, document=True), text
    for text in (
        "Jordan, Martin and Lin",
        "version 15.6.95",
        "in Jordan by Martin",
        "section 1.2",
        "100 people of 1995",
    ):
        assert not known.find(text, document=True), text


# --- any name, any disguise

ALPHABETS = {
    "latin": "abcdefghiklmnoprstuvwyzäöüßéèñçøåłđžš",
    "cyrillic": "абвгдежзийклмнопрстуфхцчшыэюяё",
    "greek": "αβγδεζηθικλμνξοπρστυφχψωάέί",
    "han": "张伟王芳李娜刘洋陈静杨敏黄强周磊吴军徐杰孙丽马超",
    "hangul": "김민준이서연박지우최하은정도현강윤서조예",
    "kana": "さくらゆうきはなこたろうケンジ",
    "thai": "สมชายใจดีวรรณกาญจนา",
    "arabic": "محمدعليحسنفاطمةخالد",
    "georgian": "გიორგინინოდავით",
}
Draw = Callable[..., Any]
PLAIN = "abcdefghiklmnoprstuvw"
MATHEMATICAL = (0x1D400, 0x1D434, 0x1D468, 0x1D5D4, 0x1D608, 0x1D63C, 0x1D670)
HIDDEN = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u034f\ufe0f\u202a\u2066\u180e\u115f"


def looks_of() -> dict[str, list[str]]:
    """Return plain letter -> letters that look like it and that a word with Latin letters is read with."""
    found: dict[str, list[str]] = {}
    for code, seen in _confusables().items():
        if len(seen) == 1 and seen.isascii() and fold(f"x{chr(code)}x") == f"x{seen.lower()}x":
            found.setdefault(seen, []).append(chr(code))
    return found


LOOKS = looks_of()


@st.composite
def names(draw: st.DrawFn, alphabet: str | None = None) -> str:
    script = draw(st.sampled_from(sorted(ALPHABETS))) if alphabet is None else alphabet
    least = 2 if script in ("han", "hangul") else 4
    word = st.text(ALPHABETS[script], min_size=least, max_size=9)
    return " ".join(each.title() for each in draw(st.lists(word, min_size=2, max_size=4)))


def confused(draw: Draw, text: str) -> str:
    """Put letters of other scripts into words, and leave one of Latin in each."""
    words = []
    for word in text.split(" "):
        kept = draw(st.integers(0, len(word) - 1))
        words.append("".join(
            draw(st.sampled_from([letter, *LOOKS.get(letter, [])])) if place != kept else letter
            for place, letter in enumerate(word)
        ))  # fmt: skip
    return " ".join(words)


def bold(draw: Draw, text: str) -> str:
    start = draw(st.sampled_from(MATHEMATICAL))
    small = {chr(97 + place): chr(start + 26 + place) for place in range(26)}
    capital = {chr(65 + place): chr(start + place) for place in range(26)}
    table: dict[int, str] = {
        ord(each): made for each, made in (small | capital).items() if unicodedata.category(made).startswith("L")
    }
    return text.translate(table)


def wide(draw: Draw, text: str) -> str:
    return "".join(chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" else letter for letter in text)


def hidden(draw: Draw, text: str) -> str:
    return "".join(letter + draw(st.sampled_from(["", "", *HIDDEN])) for letter in text)


def cased(draw: Draw, text: str) -> str:
    return str(draw(st.sampled_from([str.upper, str.lower, str.swapcase]))(text))


def decomposed(draw: Draw, text: str) -> str:
    return unicodedata.normalize(draw(st.sampled_from(["NFD", "NFC", "NFKD"])), text)


def parted(draw: Draw, text: str) -> str:
    return text.replace(" ", draw(st.sampled_from(["  ", "\u00a0", "_", "-", "\u3000", "\t", " . ", "/"])))


def escaped(draw: Draw, text: str) -> str:
    how = draw(st.sampled_from(["decimal", "hex", "twice", "percent", "percent twice", "json"]))
    if "percent" in how:
        return quote(quote(text)) if "twice" in how else quote(text)
    if how == "json":
        return text.encode("ascii", "backslashreplace").decode() if max(text) < "\uffff" else text
    made = "".join(f"&#x{ord(letter):x};" if how == "hex" else f"&#{ord(letter)};" for letter in text)
    return made.replace("&", "&amp;") if how == "twice" else made


LATIN: list[Callable[[Draw, str], str]] = [confused, bold, wide]
ANY: list[Callable[[Draw, str], str]] = [cased, decomposed, hidden, parted, escaped]


@settings(max_examples=200, deadline=None)
@given(st.data(), st.sampled_from(sorted(ALPHABETS)))
def test_what_folds_alike_is_found_under_every_disguise(data: st.DataObject, script: str) -> None:
    """The promise of one fold: any pair that the linker folds equal, the scan finds."""
    name = data.draw(names(script))
    assume(len(fold(name).split()) > 1 and not fold(name).isdigit())
    shown = name
    if script == "latin" and data.draw(st.booleans()):
        shown = data.draw(st.sampled_from(LATIN))(data.draw, shown)
    for disguise in ANY:
        if data.draw(st.booleans()):
            shown = disguise(data.draw, shown)
    assume(fold(shown) == fold(name))
    assert scan(pl.DataFrame({"x": [shown]}), [name]) == {"x": 1}
    assert scan(pl.DataFrame({"x": [name]}), [shown]) == {"x": 1}, "the value disguised, the text plain"
    assert scan(pl.DataFrame({"x": [f"so {shown}, he"]}), [name]) == {"x": 1}


@settings(max_examples=150, deadline=None)
@given(st.data(), names("latin"))
def test_disguises_of_latin_letters_fold_alike(data: st.DataObject, name: str) -> None:
    """So that the test above assumes nothing away."""
    plain = fold(name)
    for disguise in (confused, wide, hidden):
        assert fold(disguise(data.draw, plain)) == plain
    assert fold(escaped(data.draw, plain.title())) == plain


@settings(max_examples=100, deadline=None)
@given(
    st.data(), st.lists(st.text("abcdefghiklmnoprstuvw", min_size=4, max_size=9), min_size=2, max_size=4, unique=True)
)
def test_any_order_and_any_initials_are_found(data: st.DataObject, words: list[str]) -> None:
    name = " ".join(word.title() for word in words)
    turned = data.draw(st.permutations(words))
    assert finds(" ".join(turned).title(), [name])
    given_names = [data.draw(st.sampled_from([word.title(), f"{word[0].upper()}."])) for word in words[:-1]]
    assert finds(" ".join([*given_names, words[-1].title()]), [name])
    assert finds(f"{words[-1].title()}, {' '.join(given_names)}", [name])


@settings(max_examples=100, deadline=None)
@given(
    st.data(), st.lists(st.text("abcdefghiklmnoprstuvw", min_size=5, max_size=9), min_size=2, max_size=2, unique=True)
)
def test_any_letter_wrong_is_found(data: st.DataObject, words: list[str]) -> None:
    which = data.draw(st.integers(0, 1))
    word = words[which]
    place = data.draw(st.integers(0, len(word) - 1))
    letter = data.draw(st.sampled_from(PLAIN))
    how = data.draw(st.sampled_from(["exchanged", "left out", "doubled"]))
    head, tail = word[:place], word[place + 1 :]
    wrong = {"exchanged": head + letter + tail, "left out": head + tail, "doubled": head + word[place] * 2 + tail}[how]
    shown = [*words]
    shown[which] = wrong
    assert finds(" ".join(shown).title(), [" ".join(words)])


@settings(max_examples=100, deadline=None)
@given(st.dates(date(1930, 1, 1), date(2015, 12, 31)))
def test_any_date_is_found_in_any_format(day: date) -> None:
    value = str(day)
    for text in (f"{day:%d/%m/%Y}", f"{day:%m/%d/%Y}", f"{day:%d.%m.%y}", f"{day:%B} {day.day}, {day.year}",
                 f"{day:%d %b %Y}",
                 f"{day:%Y%m%d}", f"born {day.day}.{day.month}.{day.year}", f"{day:%Y-%m-%d}T00:00:00"):  # fmt: skip
        assert finds(text, [value]), text
        assert finds(value, [text]) or text.startswith("born") or text.isdigit(), f"{text} as the value"
    assert not finds(str(date.fromordinal(day.toordinal() + 40)), [value])


# --- numbers


def test_numbers_that_are_private_values_are_found_as_numbers() -> None:
    rng = np.random.default_rng(0)
    born = [date.fromordinal(int(day)) for day in rng.integers(711_000, 730_000, 300)]
    ids = rng.choice(np.arange(1_000_000, 9_999_999), 300, replace=False)
    phones = [f"0{number}" for number in rng.integers(150_000_0000, 179_999_9999, 300)]
    exact = rng.normal(50, 9, 300)
    private = [*map(str, born), *map(str, ids), *phones, *map(str, exact)]
    days = np.array([(day - date(1970, 1, 1)).days for day in born])
    leaks = {
        "id": ids, "as_float": ids.astype(float), "ymd": [int(f"{day:%Y%m%d}") for day in born],
        "dmy": [int(f"{day:%d%m%Y}") for day in born], "seconds": days * 86_400, "ms": days * 86_400_000,
        "phone": [int(number) for number in phones], "exact": exact, "lists": [[int(number)] for number in ids],
        "day": born, "few": np.where(np.arange(300) < 3, ids, rng.integers(0, 100, 300)),
    }  # fmt: skip
    clean = {
        "height": rng.normal(175, 10, 300), "salary": rng.integers(100_000, 9_999_999, 300),
        "year": [day.year for day in born],
        "round": rng.integers(1, 90, 300) * 100_000, "when": rng.integers(1_500_000_000, 1_700_000_000, 300),
        "score": rng.integers(1, 6, 300), "nothing": [None] * 300, "zero": [0] * 300, "flag": [True, False] * 150,
    }  # fmt: skip
    assert set(scan(pl.DataFrame(leaks), private)) == set(leaks)
    assert scan(pl.DataFrame(clean), private) == {}
    assert scan(pl.DataFrame({"one": [int(phones[7]), 5, 6]}), private) == {"one": 1}


def test_numbers_that_meet_by_chance_pass() -> None:
    """3,000 of 90,000 numbers against as many: a hundred meet."""
    rng = np.random.default_rng(1)
    ids, others = rng.choice(90_000, (2, 3000), replace=False) + 10_000
    others[:100] = ids[:100]
    assert scan(pl.DataFrame({"x": others}), map(str, ids)) == {}
    others[:300] = ids[:300]
    assert scan(pl.DataFrame({"x": others}), map(str, ids)) == {"x": 300}


@pytest.mark.parametrize(
    "value", ["Sample, Pia", "Sample, Pia Maria", "Sample, Pia (FC A)", "Sample Pia", "Pia Sample [1999]"]
)
def test_a_surname_that_comes_first_is_found_with_initials_and_without_the_rest(value: str) -> None:
    known = KnownValues([value])
    for cell in ("P. Sample", "Fans of P. Sample", "Pia Sample", "Sample, P.", "SAMPLE PIA"):
        assert known.find(cell), cell
    for text in ("Is it all there is, or a sample?", "a sample of pianos", "FC A", "an (FC A)"):
        assert not known.find(text, document=True), text
        assert not known.find(text), text


# --- pseudonyms


def test_no_pseudonym_looks_like_a_telephone_number_or_like_anybody() -> None:
    """100,000 under many keys; some begin with 00 and ten digits, as telephone numbers do."""
    keys = [ReleaseKey(bytes([number]) * 32) for number in range(10)]
    made = [key.pseudonym(str(person)) for key in keys for person in range(10_000)]
    assert sum(each[:2] == "00" and each[:10].isdigit() for each in made) > 3
    numbers = [f"+49170{number:07}" for number in range(0, 9_000_000, 9001)]
    days = [str(date.fromordinal(day)) for day in range(711_000, 737_000)]
    known = KnownValues([*PEOPLE, *numbers, *map(str, range(1000, 9000)), *days, "Abed", "Dee Fade"])
    assert sum(bool(re.search(r"[a-f](?:19|20)\d{6}[a-f]", each)) for each in made) > 3, "and some hold a date"
    frame = pl.DataFrame({"id": [*made, "0041070872cfe465"]})
    assert scan_known(frame, known) == []
    with_number = pl.DataFrame({"id": ["0041070872cfe465", "0049 170 7654321", "00491707654321"]})
    assert scan_known(with_number, known) == [Finding("", "id", "a telephone number", 2, (2, 3))]


def test_a_released_file_of_pseudonyms_passes(tmp_path: Path) -> None:
    folder = tmp_path
    pl.DataFrame({"id": ["0041070872cfe465", "0049170123456789"], "x": [1.0, 2.0]}).write_parquet(folder / "a.parquet")
    (folder / "a.csv").write_text("id,x\n0041070872cfe465,1\n")
    (folder / "a.json").write_text('["0041070872cfe465"]')
    assert scan_folder(folder, PEOPLE) == []


# --- where it is


def test_a_finding_says_where_to_look_and_not_what_is_there() -> None:
    frame = pl.DataFrame({"club": ["none", "Z. Nemo", "none", "Zoe Nemo"], "born": [1, 19950615, 2, 3]})
    assert scan_known(frame, KnownValues(PEOPLE), file="a.csv") == [
        Finding("a.csv", "club", "a private value", 1, (4,)),
        Finding("a.csv", "club", "a private value with initials", 1, (2,)),
        Finding("a.csv", "born", "private dates as numbers", 1, (2,)),
    ]
    with pytest.raises(
        Exception, match=r"2 cells of club .*, in rows 12, 14 of people.people.parquet; make club private"
    ) as caught:
        refuse_private(frame, PEOPLE, rows=[11, 12, 13, 14])
    assert "emo" not in str(caught.value)
