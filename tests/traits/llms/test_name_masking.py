"""Names are hidden in any script, with case endings, accents and initials; other words stay."""

from __future__ import annotations

import unicodedata
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personax.data import fold
from personax.traits.llms._name_masking import HIDDEN_NAME, mask_name

H = HIDDEN_NAME

CASES = [
    ("王小明", "王小明出生于北京,小明喜欢足球。王先生说。", f"{H}出生于北京,{H}喜欢足球。{H}先生说。"),
    ("王小明", "Wang Xiaoming was born; Xiaoming Wang, Mr. Wang", f"{H} was born; {H}, Mr. {H}"),
    ("欧阳娜娜", "欧阳娜娜和娜娜", f"{H}和{H}"),
    ("大谷 翔平", "大谷翔平は野球選手。大谷の妻", f"{H}は野球選手。{H}の妻"),
    ("이강인", "이강인은 축구 선수이다", f"{H}은 축구 선수이다"),
    ("Роман Ковальский", "Роману Ковальскому дали приз за Романом", f"{H} дали приз за {H}"),
    ("Мария Шарапова", "Марии Шараповой подарили мяч", f"{H} подарили мяч"),
    ("Roman Kovalskiy", "Roman (Роман Ковальский) won", f"{H} ({H}) won"),
    ("Κώστας Καραμανλής", "του Κώστα Καραμανλή", f"του {H}"),
    ("محمد صلاح", "محمد صلاح لاعب كرة", f"{H} لاعب كرة"),
    ("José García", unicodedata.normalize("NFD", "José García sang. Jose Garcia's hit"), f"{H} sang. {H}'s hit"),
    ("Thomas Müller", "Mueller, MÜLLER and Müllers", f"{H}, {H} and {H}"),
    ("Marek Kowalski", "Marka Kowalskiego, Kowalskim", f"{H}, {H}"),
    ("Juhani Aho", "Juhani Ahon kirja", f"{H} kirja"),
    ("Li Na", "Li Na beat Serena in Lima", f"{H} beat Serena in Lima"),
    ("Ed Ng", "Ng and Ed at the edge", f"{H} and {H} at the edge"),
    ("Joanne Rowling", "J. K. Rowling wrote; Rowling, J. K., sold", f"{H} wrote; {H}, sold"),
    ("Shaquille O'Neal", "O'Neal's dunk; ONeal, O’Neal", f"{H}'s dunk; {H}, {H}"),
    ("Vincent van Gogh", "van Gogh was der Maler", f"van {H} was der Maler"),
    ("Jean-Pierre Nemo", "Jean-Pierre and Nemo", f"{H} and {H}"),
    ("ann nemo", "ANN NEMO, ann nemo", f"{H}, {H}"),
    ("Mark Rose", "The market rose in March", f"The market {H} in March"),
    ("", "No name at all", "No name at all"),
    ("Hana Nováková", "O Haně Novákové a s Hanou Novákovou.", f"O {H} a s {H}."),
    ("Zdeněk Žák", "Kniha Zdeňka Žáka.", f"Kniha {H}."),
    ("Marta Virtanen", "Martan ja Virtasen kirja.", f"{H} ja {H} kirja."),
    ("Pekka Laine", "Pekan talo.", f"{H} talo."),
    ("Marta Sikora", "O Marcie Sikorze.", f"O {H}."),
    ("สมชาย ใจดี", "สมชาย ใจดี เกิดที่กรุงเทพ", f"{H} เกิดที่กรุงเทพ"),
]


@pytest.mark.parametrize(("name", "text", "masked"), CASES)
def test_a_name_is_hidden_and_other_words_stay(name: str, text: str, masked: str) -> None:
    assert mask_name(text, name) == masked
    assert mask_name(masked, name) == masked, "twice is once"


NAMES = st.sampled_from([case[0] for case in CASES if case[0]])


FORMS: list[Literal["NFC", "NFD", "NFKC"]] = ["NFC", "NFD", "NFKC"]


@given(NAMES, st.text(max_size=30), st.text(max_size=30), st.sampled_from(FORMS))
def test_the_name_as_it_is_given_never_stays(
    name: str, before: str, after: str, form: Literal["NFC", "NFD", "NFKC"]
) -> None:
    masked = mask_name(f"{before} {unicodedata.normalize(form, name)} {after}", name)
    assert f" {fold(name)} " not in f" {fold(masked)} " or fold(name) in fold(f"{before} {after}")
