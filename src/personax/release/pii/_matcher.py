"""Rules of what counts as a match, and matching of many texts at once, exactly or with one letter wrong.

A word is a polynomial of its bytes modulo 2^64, h(w) = sum c_i B^(n-1-i), so that the hash of two words written
together is h(uv) = h(u) B^|v| + h(v): the runs of one length of all texts are one multiplication of arrays. A table of
bits lets through what may be a key; whoever asks compares the letters, so that a collision costs time, nothing else.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from personax.data import fold
from personax.data.text import visible
from personax.release.pii._name_variants import Strength

__all__ = [
    "MIN_GLUED_ID",
    "MIN_LENGTH",
    "MIN_TYPO_LENGTH",
    "Form",
    "KeyIndex",
    "TypoMatcher",
    "WordIndex",
    "can_be_glued",
    "can_be_parted",
    "is_long",
    "is_slip",
    "nested",
    "shows_initials",
    "tells_name",
    "tells_part",
    "tells_word",
]

MIN_LENGTH = 4
"""Shorter private values count only when they are the whole cell."""
MIN_GLUED_NAME, MIN_GLUED_ID = 7, 5
"""Fewest letters of a name of several words, and of an id, that is searched for inside other words."""
MIN_PARTED_NAME = 7
"""Fewest letters of two words of a name that are searched for with a gap, or without the rest of it."""
MIN_TYPO_LENGTH = 10
"""Fewest letters of a name that is also matched with one wrong letter."""
MIN_NUMBER_DIGITS = 6
"""Fewest digits of a private number that is searched for in documents, which hold many numbers."""


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
    """Say whether a match of a value of one word identifies a person."""
    if length > 1 and not (_is_mixed(word) and len(word) >= MIN_GLUED_ID):
        return False
    if document:
        return len(word) >= (MIN_NUMBER_DIGITS if word.isdigit() else MIN_GLUED_ID) and not word.isalpha()
    return whole or len(word) >= MIN_LENGTH


def tells_name(form: Form, words: Sequence[str], *, whole: bool, document: bool) -> bool:
    """Say whether a match of a value of several words identifies a person."""
    letters = sum(map(len, words))
    if all(word.isdigit() for word in form.words):
        return form.words == tuple(words) and (not document or letters >= MIN_NUMBER_DIGITS)
    if len(words) == 1:
        return letters >= MIN_GLUED_NAME or (whole and not document)
    return not document or letters + len(words) > MIN_GLUED_ID


def tells_part(form: Form, words: Sequence[str], *, whole: bool, text: str) -> bool:
    """Say whether a part of a name, or a surname with initials, identifies a person."""
    if len(words) == 1:
        return False
    if form.strength is Strength.PARTIAL:
        return sum(map(len, words)) >= MIN_PARTED_NAME
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
    """Say whether a name of several words is also matched with one wrong letter."""
    name = len(form.words) > 1 and form.strength is not Strength.INITIALS and all(map(str.isalpha, form.words))
    return name and sum(map(len, form.words)) >= MIN_TYPO_LENGTH


def can_be_parted(form: Form) -> bool:
    """Say whether a name of two words is also matched with a gap."""
    two = len(form.words) == 2 and form.strength in (Strength.FULL, Strength.PARTIAL)
    return (
        two
        and all(len(word) > 1 and word.isalpha() for word in form.words)
        and sum(map(len, form.words)) >= MIN_PARTED_NAME
    )


def can_be_glued(form: Form) -> bool:
    """Say whether a name or an id is searched for inside other words."""
    letters = "".join(form.words)
    if letters.isdigit():
        return False
    if form.strength is Strength.FULL:
        return len(letters) >= MIN_GLUED_NAME
    return form.strength is Strength.WORD and len(letters) >= MIN_GLUED_ID and _is_mixed(letters)


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


SHORTEST, LONGER = 4, 5
"""Letters of the shorter word and of the longer one; in fewer, one letter makes another name of everything."""


class TypoMatcher:
    """Words of names, matched with one wrong letter.

    Two words are one slip apart only if they are equal after one letter of each is left out, or of one alone: so what
    is left of every word is kept, and looked up (the deletion neighbourhood of SymSpell), and `is_slip` decides.

    Parameters
    ----------
    words
        Folded.
    """

    def __init__(self, words: Iterable[str]) -> None:
        self._left: defaultdict[str, list[str]] = defaultdict(list)
        for word in dict.fromkeys(words):
            if len(word) >= SHORTEST and word.isalpha():
                for left in {word, *_left(word)}:
                    self._left[left].append(word)

    def meant(self, word: str) -> list[str]:
        """Return the known words that differ from a word by one letter.

        Examples
        --------
        >>> names = TypoMatcher(["papadopoulos", "nemo"])
        >>> sorted(names.meant("papadopoulso")), names.meant("nemo")
        (['papadopoulos'], [])
        """
        if len(word) < SHORTEST or not word.isalpha():
            return []
        likely = {each for left in (word, *_left(word)) for each in self._left.get(left, ())}
        return [each for each in likely if is_slip(word, each)]

    def corrected(self, words: Sequence[str]) -> Iterator[tuple[str, ...]]:
        """Yield a run of words with each of them in turn corrected."""
        for place, word in enumerate(words):
            for other in self.meant(word):
                yield (*words[:place], other, *words[place + 1 :])


def is_slip(one: str, other: str) -> bool:
    """Say whether two words, long enough, differ by one edit (optimal string alignment distance 1).

    Examples
    --------
    >>> [is_slip(one, "alexandra") for one in ("alexnadra", "alexandre", "alexandr", "alexanders")]
    [True, True, True, False]
    >>> is_slip("meno", "nemo"), is_slip("marina", "martin")
    (False, False)
    """
    short, long = sorted((one, other), key=len)
    if len(short) < SHORTEST or len(long) < LONGER or len(long) - len(short) > 1:
        return False
    if len(short) < len(long):
        return short in _left(long)
    wrong = [place for place, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
    if len(wrong) == 2 and wrong[1] == wrong[0] + 1:
        first, second = wrong
        return one[first] == other[second] and one[second] == other[first]
    return len(wrong) == 1


def _left(word: str) -> Iterator[str]:
    """Yield a word without one of its letters."""
    return (word[:place] + word[place + 1 :] for place in range(len(word)))


_BASE = np.uint64(0x9E3779B97F4A7C15)
_BITS_OF = 5
"""The table of bits has two to this power places a key."""

Hashes = NDArray[np.uint64]


class KeyIndex:
    """An index of hashes to search for.

    Parameters
    ----------
    keys
        Letters without blanks.
    """

    def __init__(self, keys: Collection[str]) -> None:
        self._sorted = np.unique(_hashes(sorted(keys))[0])
        bits = max(1, len(self._sorted)).bit_length() + _BITS_OF
        self._shift = np.uint64(64 - bits)
        self._bits = np.zeros(1 << bits, dtype=bool)
        self._bits[self._sorted >> self._shift] = True

    def hits(self, hashes: Hashes) -> NDArray[np.intp]:
        """Return the places of those hashes that are of a key."""
        if not len(self._sorted):
            return np.empty(0, dtype=np.intp)
        likely = np.flatnonzero(self._bits[hashes >> self._shift])
        places = np.searchsorted(self._sorted, hashes[likely])
        places[places == len(self._sorted)] = 0
        found: NDArray[np.intp] = likely[self._sorted[places] == hashes[likely]]
        return found


class WordIndex:
    """The words of many texts, one after another.

    Parameters
    ----------
    texts
        Folded words of each text.
    """

    def __init__(self, texts: Sequence[Sequence[str]]) -> None:
        self.texts = texts
        flat = [word for words in texts for word in words]
        vocabulary = {word: number for number, word in enumerate(dict.fromkeys(flat))}
        self.vocabulary = list(vocabulary)
        self._lengths = np.fromiter(map(len, texts), dtype=np.intp, count=len(texts))
        self.text = np.repeat(np.arange(len(texts)), self._lengths)
        self._starts = np.concatenate([[0], np.cumsum(self._lengths)])
        self.word = np.fromiter(map(vocabulary.__getitem__, flat), dtype=np.intp, count=len(flat))
        self._hash, self._power = _hashes(self.vocabulary)

    def runs(self, keys: KeyIndex, longest: int) -> Iterator[tuple[int, int, int]]:
        """Yield text, place in it and number of words of each run whose letters are a key."""
        made = self._hash[self.word]
        for length in range(1, longest + 1):
            if length > 1:
                made = self._joined(made[:-1], self.word[length - 1 :])
            yield from ((*place, length) for place in self._within(keys.hits(made), length - 1))

    def pairs(self, keys: KeyIndex, apart: int, *, most: int | None = None) -> Iterator[tuple[int, int]]:
        """Yield text and first place of two words so far apart whose letters are a key.

        Parameters
        ----------
        apart
            Negative where the second word comes first.
        most
            Only texts of at most so many words.
        """
        looked = np.arange(len(self.word)) if most is None else np.flatnonzero(self._lengths[self.text] <= most)
        here, there = looked[: -abs(apart)], looked[abs(apart) :]
        first, second = (self.word[here], self.word[there])[:: 1 if apart > 0 else -1]
        hits = here[keys.hits(self._joined(self._hash[first], second))]
        yield from self._within(hits, abs(apart))

    def slips(
        self, keys: KeyIndex, others: Mapping[int, Sequence[str]], longest: int
    ) -> Iterator[tuple[int, int, int]]:
        """Yield text, place and number of words of runs that are a key when one word is another one.

        Parameters
        ----------
        others
            Number of a word of the vocabulary -> what may have been meant.
        """
        flat = [(word, other) for word, found in others.items() for other in found]
        if not flat:
            return
        of_word = np.array([word for word, _ in flat])
        hash_, power = _hashes([other for _, other in flat])
        wanted = np.zeros(len(self.vocabulary), dtype=bool)
        wanted[of_word] = True
        order = np.flatnonzero(wanted[self.word])
        order = order[np.argsort(self.word[order], kind="stable")]
        starts = np.searchsorted(self.word[order], of_word)
        counts = np.searchsorted(self.word[order], of_word, side="right") - starts
        other = np.repeat(np.arange(len(flat)), counts)
        within = np.arange(len(other)) - np.repeat(np.cumsum(counts) - counts, counts)
        place = order[np.repeat(starts, counts) + within]
        for length in range(2, longest + 1):
            for before in range(length):
                start = place - before
                fits = (start >= 0) & (start + length <= len(self.word))
                fits[fits] &= self.text[start[fits]] == self.text[start[fits] + length - 1]
                first, chosen = start[fits], other[fits]
                made = np.zeros(len(first), dtype=np.uint64)
                for step in range(length):
                    word = self.word[first + step]
                    meant = step == before
                    made = made * (power[chosen] if meant else self._power[word])
                    made = made + (hash_[chosen] if meant else self._hash[word])
                for hit in keys.hits(made):
                    text = self.text[first[hit]]
                    yield int(text), int(first[hit] - self._starts[text]), length

    def _joined(self, made: Hashes, words: NDArray[np.intp]) -> Hashes:
        return made * self._power[words] + self._hash[words]

    def _within(self, hits: NDArray[np.intp], reach: int) -> Iterator[tuple[int, int]]:
        """Yield text and place of what does not reach into the next text."""
        hits = hits[hits + reach < len(self.text)]
        for hit in hits[self.text[hits] == self.text[hits + reach]]:
            text = self.text[hit]
            yield int(text), int(hit - self._starts[text])


def _hashes(words: Sequence[str]) -> tuple[Hashes, Hashes]:
    """Return the hash of each word, and the base to the power of its length."""
    raw = [word.encode() for word in words]
    hashes, powers = np.zeros(len(raw), dtype=np.uint64), np.ones(len(raw), dtype=np.uint64)
    if not raw:
        return hashes, powers
    lengths = np.fromiter(map(len, raw), dtype=np.intp, count=len(raw))
    for group in np.array_split(np.argsort(lengths, kind="stable"), 1 + len(raw) // 65536):
        letters = np.array([raw[place] for place in group], dtype=f"S{max(1, lengths[group].max())}")
        table = letters.view(np.uint8).reshape(len(group), -1)
        for column in range(table.shape[1]):
            inside = lengths[group] > column
            hashes[group[inside]] = hashes[group[inside]] * _BASE + table[inside, column]
            powers[group[inside]] *= _BASE
    return hashes, powers
