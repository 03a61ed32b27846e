"""What tells of a person and what may be a word by chance: the rules for one run of words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from personax.data import fold
from personax.data.text import visible
from personax.release.pii._name_variants import Strength

__all__ = ["GLUED_ID", "LONG", "MIN_LENGTH", "Form", "can_be_glued", "can_be_parted", "is_long", "nested",
           "shows_initials", "tells_name", "tells_part", "tells_word"]  # fmt: skip

MIN_LENGTH = 4
"""Shorter private values count only when they are the whole cell."""
GLUED, GLUED_ID = 7, 5
"""Least letters of a name of several words, and of an id, that is looked for inside other words."""
PARTED = 7
"""Least letters of two words of a name that are looked for with others between them, or without the rest of it."""
LONG = 10
"""Least letters of a name that is also found with one letter wrong."""
DIGITS = 6
"""Least digits of a private number that is looked for in documents, which are full of numbers."""


class Form(NamedTuple):
    """One way to write a value.

    Parameters
    ----------
    words
        In its order.
    strength
        How much of the value it is.
    times
        How many people have the value.
    """

    words: tuple[str, ...]
    strength: Strength
    times: int


def nested(value: Sequence[str], words: Sequence[str]) -> bool:
    """Say whether two ways to part the same letters differ only in that one parts more.

    Examples
    --------
    >>> nested(["guo", "jing", "jing"], ["guo", "jingjing"]), nested(["ada", "nemo"], ["adan", "emo"])
    (True, False)
    """
    ends, others = _ends(value), _ends(words)
    return ends <= others or others <= ends


def tells_word(word: str, length: int, *, whole: bool, document: bool) -> bool:
    """Say whether a value of one word, met as so many words, tells of somebody."""
    if length > 1 and not (_is_mixed(word) and len(word) >= GLUED_ID):
        return False
    if document:
        return len(word) >= (DIGITS if word.isdigit() else GLUED_ID) and not word.isalpha()
    return whole or len(word) >= MIN_LENGTH


def tells_name(form: Form, words: Sequence[str], *, whole: bool, document: bool) -> bool:
    """Say whether a value of several words, met as these words, tells of somebody."""
    letters = sum(map(len, words))
    if all(word.isdigit() for word in form.words):
        return form.words == tuple(words) and (not document or letters >= DIGITS)
    if len(words) == 1:
        return letters >= GLUED or (whole and not document)
    return not document or letters + len(words) > GLUED_ID


def tells_part(form: Form, words: Sequence[str], *, whole: bool, text: str) -> bool:
    """Say whether a part of a name, or a surname with initials, tells of somebody."""
    if len(words) == 1:
        return False
    if form.strength is Strength.PARTIAL:
        return sum(map(len, words)) >= PARTED
    return whole or shows_initials(form.words, text)


def shows_initials(words: Sequence[str], text: str) -> bool:
    """Say whether a text writes the single letters among some words as initials.

    Examples
    --------
    >>> [shows_initials(("a", "m", "nemo"), text) for text in ("A. M. Nemo", "Nemo, A", "AM Nemo", "a m nemo")]
    [True, True, True, False]
    """
    letters = [word for word in words if len(word) == 1]
    seen = visible(text)
    if not seen.isascii():
        seen = "".join(_initial(letter) for letter in seen)
    pattern = rf"(?<![^\W_]){letters[0]}\.|,\s*{letters[0]}(?![^\W_])"
    if re.search(pattern, seen, re.IGNORECASE):
        return True
    return len(letters) > 1 and re.search(rf"(?<![^\W_]){''.join(letters).upper()}(?![^\W_])", seen) is not None


def is_long(form: Form) -> bool:
    """Say whether a name of several words is looked for with a letter wrong."""
    name = len(form.words) > 1 and form.strength is not Strength.INITIALS and all(map(str.isalpha, form.words))
    return name and sum(map(len, form.words)) >= LONG


def can_be_parted(form: Form) -> bool:
    """Say whether a name of two words is looked for with other words between them."""
    two = len(form.words) == 2 and form.strength in (Strength.FULL, Strength.PARTIAL)
    return two and all(len(word) > 1 and word.isalpha() for word in form.words) and sum(map(len, form.words)) >= PARTED


def can_be_glued(form: Form) -> bool:
    """Say whether a name or an id is looked for inside other words."""
    letters = "".join(form.words)
    if letters.isdigit():
        return False
    if form.strength is Strength.FULL:
        return len(letters) >= GLUED
    return form.strength is Strength.WORD and len(letters) >= GLUED_ID and _is_mixed(letters)


def _ends(words: Sequence[str]) -> set[int]:
    ends, place = set(), 0
    for word in words:
        place += len(word)
        ends.add(place)
    return ends


def _is_mixed(word: str) -> bool:
    return not word.isdigit() and any(letter.isdigit() for letter in word)


def _initial(letter: str) -> str:
    folded = fold(letter)
    return letter if len(folded) != 1 else folded.upper() if letter.isupper() else folded
