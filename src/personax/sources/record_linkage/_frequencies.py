"""How many people have a name by chance: the frequencies of its words, and how many namesakes there are beyond."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from math import prod

from personax.sources.record_linkage._names import SPELLING, word_agreement

__all__ = ["NameFrequencies"]

NAMESAKES = 0.001
"""Namesakes a record beyond chance that are expected before a source is looked at."""


class NameFrequencies:
    """Frequencies of the words of names in a source.

    Parameters
    ----------
    names
        One a record: its words, as `personax.sources.record_linkage._names.tokens` gives them.

    Notes
    -----
    A stranger has a name by chance, the product of the shares of its words, or is one of the *namesakes* a record that
    the source has beyond chance: given and family names of one language come together, and so they do in a family.

    Examples
    --------
    >>> names = NameFrequencies([("ada", "sample"), ("ben", "sample"), ("ada", "other"), ("cy", "fictor")])
    >>> names.chance(("ada", "sample"), (4, 4)) > names.chance(("cy", "fictor"), (4, 4))
    True
    """

    def __init__(self, names: Sequence[tuple[str, ...]]) -> None:
        self.size = max(1, len(names))
        self._words = Counter(word for name in names for word in set(name))
        self._letters = Counter(letter for name in names for letter in {word[0] for word in name})
        self._whole = Counter(names)
        self._by_letter: dict[str, list[str]] = {}
        for word in self._words:
            self._by_letter.setdefault(word[0], []).append(word)
        self._near: dict[str, float] = {}
        self.namesakes = NAMESAKES + self._excess()

    def _excess(self) -> float:
        """Return the number of records of the same whole name that a record has, beyond chance."""
        observed = sum(times * (times - 1) for times in self._whole.values())
        expected = sum(times * self._product(name) for name, times in self._whole.items()) * (self.size - 1)
        return max(0.0, observed - expected) / self.size

    def _product(self, words: Iterable[str]) -> float:
        return prod(self._share(self._words[word]) for word in words)

    def _share(self, times: float) -> float:
        return (times + 0.5) / (self.size + 1)

    def chance(self, words: Sequence[str], agreements: Sequence[int]) -> float:
        """Return the probability that a stranger of the source agrees with these words as well or better.

        Parameters
        ----------
        words, agreements
            Of the other record's name, and how each agrees; 0 for a word without a partner, which says nothing.
        """
        product = prod(self._partner(word, one) for word, one in zip(words, agreements, strict=True) if one)
        several = sum(one > 0 for one in agreements) > 1
        return min(1.0, product + (self.namesakes / self.size if several else 0.0))

    def _partner(self, word: str, agreement: int) -> float:
        if agreement > SPELLING:
            return self._share(self._words[word])
        if len(word) == 1:
            return self._share(self._letters[word])
        if word not in self._near:
            alike = (other for other in self._by_letter.get(word[0], ()) if word_agreement(word, other))
            self._near[word] = sum(self._words[other] for other in alike)
        return self._share(self._near[word])
