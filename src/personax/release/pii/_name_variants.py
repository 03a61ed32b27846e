"""How a name can be written: in any order, with initials, without middle names, without titles."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum
from itertools import islice, permutations, product

from personax.data import fold, spellings
from personax.data.text import visible

__all__ = ["Strength", "bare", "variants", "written"]

MAX_PERMUTED_WORDS = 4
"""At most so many words of a name are searched for in every order (24 orders)."""

MAX_VARIANTS = 12
"""At most so many spellings of one value are searched for."""

_WORD = re.compile(r"[^\W_]+(?:['’‘ʼ`´.][^\W_]+)*")
_REMARK = re.compile(r"\s*[(\[{（［][^()\[\]{}（）［］]*[)\]}）］]\s*")
"""A remark in brackets after a name: a club, a country, a year."""
_TITLE = (
    "mr mrs ms miss mx dr prof sir dame lord lady rev fr sr sra srta don dona herr frau hr fru mme mlle monsieur "
    "madame signor signora signore sig dott dra ing mag captain capt gen col sgt lt hon pan pani bay bayan"
)
_DEGREE = "jr sr jnr snr junior senior ii iii iv v phd md esq filho neto obe mbe cbe kbe"
_TITLES, _SUFFIXES = frozenset(_TITLE.split()), frozenset(_DEGREE.split())


class Strength(IntEnum):
    """How much of a value a match contains."""

    WORD = 4
    """The whole value, which is one word."""
    FULL = 3
    """All words of the value."""
    PARTIAL = 2
    """Some words of a longer name, the first or the last among them."""
    INITIALS = 1
    """A surname with initials."""


def variants(words: Sequence[str]) -> Iterator[tuple[tuple[str, ...], Strength]]:
    """Yield the spellings of a value, as words, with how much of it remains.

    Parameters
    ----------
    words
        Folded, given names first.

    Examples
    --------
    >>> [" ".join(each) for each, _ in variants(["ada", "nemo"])]
    ['ada nemo', 'nemo ada', 'a nemo', 'nemo a', 'n ada', 'ada n']
    >>> {" ".join(each) for each, _ in variants("ada maria nemo".split())} >= {"nemo ada", "a m nemo", "ada m nemo"}
    True
    """
    if len(words) == 1:
        yield tuple(words), Strength.WORD
        return
    numbered = any(letter.isdigit() for word in words for letter in word)
    if numbered or len(words) > MAX_PERMUTED_WORDS:
        yield from ((each, Strength.FULL) for each in _turned(tuple(words)))
    else:
        yield from ((each, Strength.FULL) for each in permutations(words))
    if not numbered:
        yield from _shortened(tuple(words))
        if len(words) == 2:  # which one is the surname, nobody says: Nagy Anna
            yield from _shortened(tuple(words[::-1]))
        if 2 < len(words) <= MAX_PERMUTED_WORDS:  # two surnames, of which the first is used: Rafael Nadal Parera
            yield tuple(words[:-1]), Strength.PARTIAL
            yield from _shortened(tuple(words[:-1]))


def bare(words: Sequence[str]) -> tuple[str, ...]:
    """Return the words of a name without titles before and generations and degrees after it.

    Examples
    --------
    >>> bare(["dr", "ken", "griffey", "jr"]), bare(["jr", "smith"])
    (('ken', 'griffey'), ('jr', 'smith'))
    """
    kept = [word for word in words if word not in _TITLES and word not in _SUFFIXES]
    return tuple(kept if len(kept) > 1 else words)


def written(text: str) -> Iterator[tuple[str, ...]]:
    """Yield the folded words of a value, in each of its spellings, also where only some words are spelt otherwise.

    Examples
    --------
    >>> [" ".join(each) for each in written("Jürgen Müller")]
    ['jurgen muller', 'jurgen mueller', 'juergen muller', 'juergen mueller']
    >>> [" ".join(words) for words in written("Nemo, Ada (FC A)")]
    ['nemo ada fc a', 'nemo ada', 'ada nemo']
    """
    alone = _REMARK.sub(" ", text)
    surname, comma, given = alone.partition(",")
    turned = f"{given} {surname}" if comma and "," not in given else ""
    for way in dict.fromkeys(each for each in (text, alone, turned) if each.strip()):
        yield from _written(way)


def _written(text: str) -> Iterator[tuple[str, ...]]:
    seen = dict.fromkeys([tuple(fold(text).split())])
    shown = visible(text)
    if not shown.isascii():
        each = [spellings(word) or ("",) for word in _WORD.findall(shown)]
        seen |= dict.fromkeys(tuple(" ".join(made).split()) for made in islice(product(*each), MAX_VARIANTS))
        seen |= dict.fromkeys(tuple(made.split()) for made in spellings(text))
    yield from (words for words in seen if words)


def _turned(words: tuple[str, ...]) -> Iterable[tuple[str, ...]]:
    """Return words as they are, and with the last one first."""
    return dict.fromkeys([words, words[-1:] + words[:-1]])


def _shortened(words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Strength]]:
    """Yield a surname with given names in full, as initials, or omitted."""
    given, surname = words[:-1], words[-1]
    if len(surname) == 1:
        return  # what is left of it, "a sample", is a sentence's as well
    if len(given) > MAX_PERMUTED_WORDS:
        given = given[:1]
    for kept in product(*([word, word[0], ""] for word in given)):
        left = tuple(word for word in kept if word)
        if not left or (kept == given and given == words[:-1]):
            continue
        whole = any(len(word) > 1 for word in left)
        if not whole and not kept[0]:
            continue  # an initial of a middle name alone says little
        strength = Strength.PARTIAL if all(len(word) > 1 for word in left) else Strength.INITIALS
        yield from ((each, strength) for each in _turned((*left, surname)))
