"""Words with one letter wrong: exchanged, left out, put in, or two neighbours turned round."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

__all__ = ["Slips", "is_slip"]

SHORTEST, LONGER = 4, 5
"""Letters of the shorter word and of the longer one; in fewer, one letter makes another name of everything."""


class Slips:
    """The words of names, found again with one letter wrong.

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
        """Return the words that may have been meant by a word that is none of them.

        Examples
        --------
        >>> sorted(Slips(["papadopoulos", "nemo", "nemos"]).meant("papadopoulso")), Slips(["nemo"]).meant("nemo")
        (['papadopoulos'], [])
        """
        if len(word) < SHORTEST or not word.isalpha():
            return []
        likely = {each for left in (word, *_left(word)) for each in self._left.get(left, ())}
        return [each for each in likely if is_slip(word, each)]

    def corrected(self, words: Sequence[str]) -> Iterator[tuple[str, ...]]:
        """Yield a run of words with each of them in turn as what may have been meant."""
        for place, word in enumerate(words):
            for other in self.meant(word):
                yield (*words[:place], other, *words[place + 1 :])


def is_slip(one: str, other: str) -> bool:
    """Say whether two words differ by one slip (optimal string alignment distance 1) and are long enough to tell.

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
