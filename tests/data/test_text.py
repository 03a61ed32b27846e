"""One fold for the whole house: what two spellings of one name share."""

from __future__ import annotations

import unicodedata
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personax.data import fold, spellings, tidy, transliterate, words
from personax.data.text import _confusables, decode, looks, visible

PAIRS = [
    ("O’Neal", "ONeal"), ("O'Neal", "O‘Neal"), ("Oʼneal", "ONEAL"), ("J.R. Smith", "JR Smith"),
    ("J.R.Smith", "JR Smith"), ("S.O'Hara", "S. Ohara"), ("U.S.A.", "USA"), ("ÆØÅ Þóra Müẞig", "aeoa thora mussig"),
    ("𝐙𝐨𝐞 𝓝𝓮𝓶𝓸", "Zoe Nemo"), ("Ｚｏｅ　Ｎｅｍｏ", "Zoe Nemo"), ("Ⓩⓞⓔ 🅽🅴🅼🅾", "Zoe Nemo"), ("ᴢᴏᴇ ɴᴇᴍᴏ", "Zoe Nemo"),
    ("Zоe Nеmо", "Zoe Nemo"), ("ΖΟe Νemο", "Zoe Nemo"), ("ZΟΣ NΣMO", "zoe nemo"), ("Вob", "Bob"), ("Ꭺda", "Ada"),
    ("Z\u200boe Ne\u00admo", "Zoe Nemo"), ("Zo\ufe0fe N\u2060emo", "Zoe Nemo"), ("\u202eZoe\u202c Nemo", "Zoe Nemo"),
    ("Z̶o̶e̶ N̷e̷m̷o̷", "Zoe Nemo"), ("Zo&euml; Nemo", "Zoe Nemo"), ("Zo&#235; Nemo", "Zoe Nemo"),
    ("Zo&#xEB; Nemo", "Zoe Nemo"),
    ("Zo&amp;amp;euml; Nemo", "Zoe Nemo"), ("Zo%C3%AB%20Nemo", "Zoe Nemo"), ("Zo%25C3%25AB Nemo", "Zoe Nemo"),
    ("Zo%EB Nemo", "Zoe Nemo"), ("Zo\\u00eb Nemo", "Zoe Nemo"), ("\\ud835\\udc19oe", "Zoe"), ("Лев Яшин", "Lev Yashin"),
    ("Γιώργος", "Giorgos"), ("Ђорђе", "Đorđe"), ("Əliyev", "Aliyev"), ("İlkay ılık", "ilkay ilik"),
    ("손흥민", "SonHeungMin"), ("Müßig", "MÜSSIG"), ("Straße", "strasse"),
    ("ガンダム", "gandamu"), ("مُحَمَّد", "محمد"), ("Ada_Nemo", "ada nemo"), ("col·legi", "collegi"), ("ﬁnn", "finn"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_two_spellings_of_one_name_fold_alike(one: str, other: str) -> None:
    assert fold(one) == fold(other) != ""


@pytest.mark.parametrize(
    ("one", "other"),
    [("Nemo", "Nema"), ("St. Louis", "Stlouis"), ("Ann Emo", "Anne Mo"), ("Ян", "Rh"), ("12", "1 2"), ("R&D", "RD")],
)
def test_what_differs_stays_apart(one: str, other: str) -> None:
    assert fold(one) != fold(other)


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    assert words(text) == fold(text).split()
    assert spellings(text)[:1] == ((fold(text),) if fold(text) else ())
    assert all(fold(each) == each for each in spellings(text))


@given(st.text(st.characters(categories=["Lu", "Ll", "Lo"])))
def test_composed_and_decomposed_fold_alike(text: str) -> None:
    assert fold(unicodedata.normalize("NFD", text)) == fold(unicodedata.normalize("NFC", text))


@given(st.text(st.characters(codec="utf-8", exclude_characters="\\%&")))
def test_an_address_folds_as_its_text(text: str) -> None:
    assert fold(quote(text)) == fold(text)
    assert fold(quote(quote(text))) == fold(text)


def test_other_spellings() -> None:
    assert spellings("Jürgen Nemo") == ("jurgen nemo", "juergen nemo")
    assert {"petr chaikov", "petr chaykov", "pyotr chaykov"} <= set(spellings("Пётр Чайков"))
    assert "cope" in spellings("Соре"), "by its look, beside its sound"
    assert {"chaikovskii", "chaykovskiy", "chaykovsky"} <= set(spellings("Чайковский"))
    assert {"guojingjing", "guo jing jing"} <= set(spellings("郭晶晶"))


def test_the_table_of_looks_is_the_published_one() -> None:
    """As another package reads a later version of the same table."""
    other = pytest.importorskip("confusable_homoglyphs.confusables", reason="the table to compare with")
    for letter, look in _confusables().items():
        alike = {each["c"].strip("\u200e") for each in other.confusables_data[chr(letter)]}
        assert any(unicodedata.normalize("NFD", each)[0] in (look, look[0]) for each in alike), chr(letter)
    assert looks("хлеб Соре") == "хлеб Cope"


def test_helpers() -> None:
    assert decode("&amp;" * 3) == "&&&"
    assert decode("&amp;amp;amp;amp;amp;#65;") != "A", "bounded"
    assert visible("a\u00adda＠n\u200demo.org") == "ada@nemo.org"
    assert transliterate("Łódź, 姚明!") == "Lodz, YaoMing!"
    assert tidy(" Zoe\u0308 \u200b\n Nemo") == "Zoë Nemo"
