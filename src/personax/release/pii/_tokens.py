"""A text as words that can be compared with names, in every way to read it; and passages that two texts share."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from personax.data import spellings, words
from personax.data.text import has_inner_dot, visible

__all__ = ["PASSAGE_WORDS", "Passages", "Written", "in_own_script", "is_digest", "readings", "tokens"]


_TOKEN = re.compile(r"[^\W_]+(?:[-_./+~*&@#$!\\’']+[^\W_]+)+")
_DIGEST = re.compile(r"[0-9a-f]{16,}", re.IGNORECASE)
_SIGNS, _APOSTROPHES = "-_/+~*&@#$!\\’'", "'’ʼ＇"
_DIGIT = re.compile(r"\d")
_POSSESSIVE = re.compile(r"(?<=\w)['’ʼ＇][sS](?!\w)")
_MIXED = re.compile(r"[a-z]\d|\d[a-z]")
_APART = re.compile(r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])")
_LEET = str.maketrans("013457", "oieast")
_SPACED = re.compile(r"(?<!\w)(?:\w ){3,}\w(?!\w)")
_OWN = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u30ff\u3400-\u9fff\uac00-\ud7a3\U00020000-\U000323af]+"
)
"""Letters of scripts that write words without blanks between them: Thai, Lao, Burmese, Khmer, kana, Chinese, Hangul."""


class Written(NamedTuple):
    """One way to read a text.

    Parameters
    ----------
    number
        Of the text.
    words
        Folded.
    apart
        Letters and digits of one word are taken apart, so that one word alone says nothing.
    """

    number: int
    words: Sequence[str]
    apart: bool


def readings(text: str, number: int = 0) -> Iterator[Written]:
    """Yield every way to read a text: its spellings, digits apart, digits as letters, single letters as words.

    Examples
    --------
    >>> [" ".join(each.words) for each in readings("Z0e-Nemo87's")]
    ['z0e nemo87 s', 'z 0 e nemo 87 s', 'zoe nemo8t s']
    >>> [" ".join(each.words) for each in readings("by Z o e N")]
    ['by z o e n', 'zoen']
    """
    text = _POSSESSIVE.sub(" s", text) if any(sign in text for sign in _APOSTROPHES) else text
    for each in spellings(text):
        words = each.split(" ")
        yield Written(number, words, apart=False)
        if _DIGIT.search(each) and _MIXED.search(each):
            yield Written(number, [part for word in words for part in _parts(word)], apart=True)
            yield Written(number, [_letters(word) for word in words], apart=True)
        if sum(len(word) == 1 for word in words) > 3:
            joined = [match[0].replace(" ", "") for match in _SPACED.finditer(each)]
            yield Written(number, joined, apart=False)


def tokens(text: str) -> Iterator[str]:
    """Yield what is one word but for signs in it.

    Examples
    --------
    >>> list(tokens("the fc-zoe.nemo club"))
    ['fczoenemo']
    """
    if not (has_inner_dot(text) or any(sign in text for sign in _SIGNS)):
        return
    for match in _TOKEN.finditer(text):
        for each in spellings(match[0]):
            yield each.replace(" ", "")


def in_own_script(text: str) -> str:
    """Return the letters of a text that are of scripts without blanks between words.

    Examples
    --------
    >>> in_own_script("FC 大谷 翔平!")
    '大谷翔平'
    """
    return "" if text.isascii() else "".join(_OWN.findall(visible(text)))


def is_digest(word: str) -> bool:
    """Say whether a word is a pseudonym or a checksum, which holds any short run of digits and a to f by chance."""
    return _DIGEST.fullmatch(word) is not None


def _parts(word: str) -> list[str]:
    return [word] if is_digest(word) else _APART.split(word)


def _letters(word: str) -> str:
    """Return a word with the digits in it as the letters that they look like."""
    return word if word.isdigit() or word.isalpha() or is_digest(word) else word.translate(_LEET)


PASSAGE_WORDS = 8
"""Words in a row that a private text and something that leaves must not share."""


class Passages:
    """Private texts, each of at least `PASSAGE_WORDS` words."""

    def __init__(self, texts: Collection[str]) -> None:
        self._texts = texts

    def shared(self, texts: Collection[str]) -> set[str]:
        """Return those of the texts that share a passage with a private text.

        Examples
        --------
        >>> Passages(["one two three four five six seven eight"]).shared(["One, two (three) four five six seven eight"])
        {'One, two (three) four five six seven eight'}
        """
        owners: defaultdict[str, set[str]] = defaultdict(set)
        for text in texts if self._texts else ():
            for run in _runs(words(text)):
                owners[run].add(text)
        found: set[str] = set()
        if not owners:
            return found
        ends = {(run.split(" ", 1)[0], run.rsplit(" ", 1)[1]) for run in owners}
        for private in self._texts:
            for run in _runs(words(private), ends):
                found |= owners.get(run, set())
        return found


def _runs(words: Sequence[str], ends: Collection[tuple[str, str]] | None = None) -> Iterable[str]:
    for place in range(len(words) - PASSAGE_WORDS + 1):
        if ends is None or (words[place], words[place + PASSAGE_WORDS - 1]) in ends:
            yield " ".join(words[place : place + PASSAGE_WORDS])
