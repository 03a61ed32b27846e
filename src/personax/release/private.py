"""Private values, ready to be looked for in whatever leaves: as words, glued into words, as passages."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

__all__ = ["COMMON", "MIN_LENGTH", "PASSAGE", "Private", "fold", "spellings", "words_of"]

MIN_LENGTH = 4
"""Shorter private values count only when they are the whole cell."""

PASSAGE = 8
"""Words in a row that a private text and something that leaves must not share."""

COMMON = 5
"""People who must share a category before it may be called like a private value of one word."""

GLUED = 7
"""Least letters of a name of several words that is looked for inside other words."""
GLUED_ID = 5
DIGITS = 6
"""Least digits of a private number that is looked for in documents, which are full of numbers."""

VALUE = "a private value"
INSIDE = "a private value inside a word"
TEXT = "a passage of a private text"

_WORD = re.compile(r"[^\W_]+")
_TOKEN = re.compile(r"[^\s\"',:;()\[\]{}<>|=]+")
_DIGEST = re.compile(r"[0-9a-f]{16,}", re.IGNORECASE)
# letters that Unicode does not take apart
_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h"})
# how names are written where there are no dots and rings: Müller, Mueller
_SPELT_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"})


def fold(text: str) -> str:
    """Return a text as a person would compare it: without case and accents.

    Examples
    --------
    >>> fold("Zoë MÜẞIG, Łódź")
    'zoe mussig, lodz'
    """
    text = text.casefold()
    if text.isascii():
        return text
    plain = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in plain if not unicodedata.combining(letter)).translate(_LETTERS)


def words_of(text: str) -> list[str]:
    """Return the folded words of a text; an underscore parts words."""
    return _WORD.findall(fold(text))


def spellings(text: str) -> list[list[str]]:
    """Return the folded words of a text, and again where its letters have another spelling.

    Examples
    --------
    >>> spellings("Jürgen Nemo")
    [['jurgen', 'nemo'], ['juergen', 'nemo']]
    >>> spellings("Ann Nemo")
    [['ann', 'nemo']]
    """
    words = words_of(text)
    if text.isascii():
        return [words]
    spelt_out = words_of(unicodedata.normalize("NFC", text.casefold()).translate(_SPELT_OUT))
    return [words] if spelt_out == words else [words, spelt_out]


class Private:
    """Values that must not leave, and how they are told from what merely looks alike.

    Parameters
    ----------
    values
        Names, ids, dates and texts of the private side, one a person; how often a value occurs matters.
    allowed
        Values that may leave although they are private ones, such as a country that is also somebody's name.
    common
        See the notes.

    Notes
    -----
    Everything is compared without case, accents and punctuation; Müller is also Mueller, in the value and in the text.
    A value counts

    - as a run of words: "the club of ZOE NEMO", also with the last name first. A value shorter than four characters
      must be the whole cell;
    - inside a word: "fc-zoenemo", "zoenemo1987". Only names of several words with seven letters, and ids with letters
      and digits, are looked for so: "Lin" is in "Berlin", and "Martin" in "Martinique";
    - as a passage: eight words in a row that a private text has too.

    A value of *one* word may be a category by chance: a player called Jordan, the country Jordan. Such a cell passes
    where at least ``common`` people have the category, and at least twice as many as have the private value: a column
    that leaks names has each as often as the people have it. Every other clash stops the release, and ``allowed``
    is the way out. In documents (``document=True``), which are made of plain words and numbers, values of one plain
    word, and numbers of fewer than six digits, are not looked for.
    """

    def __init__(self, values: Iterable[str], allowed: Collection[str] = (), *, common: int = COMMON) -> None:
        self.allowed = frozenset(" ".join(words) for text in allowed for words in spellings(text))
        self.common = common
        self._times: Counter[str] = Counter()
        self._texts: list[str] = []
        lengths: defaultdict[str, set[int]] = defaultdict(set)
        self._glued: defaultdict[str, set[str]] = defaultdict(set)
        for value, times in Counter(values).items():
            written = spellings(value) if value else [[]]
            if not written[0] or any(" ".join(words) in self.allowed for words in written):
                continue
            if len(written[0]) >= PASSAGE:
                self._texts.append(value)
            for order in _orders(value):
                self._times[" ".join(order)] += times
                lengths[order[0]].add(len(order))
                if _can_be_glued(order):
                    whole = "".join(order)
                    self._glued[whole[:GLUED_ID]].add(whole)
        self._seen: dict[str, int] = {}
        self._lengths: Mapping[str, Sequence[int]] = {first: sorted(found) for first, found in lengths.items()}

    def find(self, text: str, *, rows: int = 1, document: bool = False) -> Counter[str]:
        """Count private values in a text, by kind.

        Parameters
        ----------
        rows
            How many people have this text as their value.
        document
            The text is a document or a name of something, not a value of a person.
        """
        found: Counter[str] = Counter()
        if runs := max(self._runs_in(words, rows, document) for words in spellings(text)):
            found[VALUE] = runs
        if not found and (inside := self._inside(text)):
            found[INSIDE] = inside
        return found

    def _runs_in(self, words: Sequence[str], rows: int, document: bool) -> int:
        runs = (
            (" ".join(words[place : place + length]), length)
            for place, first in enumerate(words)
            for length in self._lengths.get(first, ())
            if place + length <= len(words)
        )
        return sum(self._counts(run, length, len(words), rows, document) for run, length in runs)

    def _counts(self, run: str, length: int, words: int, rows: int, document: bool) -> bool:
        times = self._times.get(run, 0)
        if not times:
            return False
        if document:
            return _strong(run)
        if len(run) < MIN_LENGTH and length < words:
            return False
        return length > 1 or rows < max(self.common, 2 * times)

    def _inside(self, text: str) -> int:
        return sum(self._held(token) for token in _TOKEN.findall(text) if len(token) >= GLUED_ID)

    def _held(self, token: str) -> int:
        """Count names and ids inside a word; texts repeat their words."""
        if token not in self._seen:
            # a pseudonym or a checksum holds any short run of digits and letters a to f by chance
            wholes = [] if _DIGEST.fullmatch(token) else ["".join(words) for words in spellings(token)]
            self._seen[token] = max(map(self._inside_of, wholes), default=0)
        return self._seen[token]

    def _inside_of(self, whole: str) -> int:
        return sum(
            whole.startswith(value, place)
            for place in range(len(whole) - GLUED_ID + 1)
            for value in self._glued.get(whole[place : place + GLUED_ID], ())
        )

    def passages(self, texts: Collection[str]) -> set[str]:
        """Return those of the texts that share a passage with a private text."""
        owners: defaultdict[str, set[str]] = defaultdict(set)
        for text in texts:
            for run in _runs(words_of(text)):
                owners[run].add(text)
        found: set[str] = set()
        if not owners:
            return found
        ends = {(run.split(" ", 1)[0], run.rsplit(" ", 1)[1]) for run in owners}
        for private in self._texts:
            for run in _runs(words_of(private), ends):
                found |= owners.get(run, set())
        return found


def _runs(words: Sequence[str], ends: Collection[tuple[str, str]] | None = None) -> Iterable[str]:
    for place in range(len(words) - PASSAGE + 1):
        if ends is None or (words[place], words[place + PASSAGE - 1]) in ends:
            yield " ".join(words[place : place + PASSAGE])


def _orders(value: str) -> Iterable[list[str]]:
    for words in spellings(value):
        yield words
        if 1 < len(words) <= 4 and not _number(words):
            yield words[-1:] + words[:-1]


def _number(words: Sequence[str]) -> bool:
    return all(word.isdigit() for word in words)


def _can_be_glued(words: Sequence[str]) -> bool:
    letters = "".join(words)
    if len(words) >= PASSAGE or letters.isdigit():
        return False
    if len(words) > 1:
        return len(letters) >= GLUED
    return len(letters) >= GLUED_ID and any(c.isdigit() for c in letters)


def _strong(run: str) -> bool:
    """Say whether a run of words tells of a person even in a document."""
    words = run.split(" ")
    if _number(words):
        return len(run) - len(words) + 1 >= DIGITS
    mixed = any(c.isdigit() for c in run)
    return len(run) >= GLUED_ID and (len(words) > 1 or mixed)
