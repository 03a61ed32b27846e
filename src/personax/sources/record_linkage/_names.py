"""Comparison of names: words in any order, spellings of one name in several alphabets, slips, chance."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from importlib.resources import files
from itertools import permutations
from math import prod
from types import ModuleType

from personax.data import fold
from personax.errors import require

__all__ = [
    *("EXACT", "NEAR", "SAME", "SHORT", "SHORTER", "SLIP", "SPELLING", "NameFrequencies", "are_alike"),
    *("name_agreement", "name_points", "skeleton", "slips", "tokens", "word_agreement"),
]

SAME, SPELLING, SLIP, SHORTER = 4, 3, 2, 1
"""Two words are equal; spellings of one name; a typing error apart; an initial or a nickname and its name."""

EXACT, NEAR, SHORT = 5, 4, 3
"""Points of the same words in any order; of words with typing errors; of initials, nicknames and left-out words."""

_POINTS = (0, SHORT, NEAR, NEAR, EXACT)

_SUFFIXES = {"jr", "sr", "ii", "iii", "iv"}
_SPELLINGS = (
    ("yo", "e"), ("tch", "ch"), ("sch", "sh"), ("dj", "j"), ("zh", "j"), ("kh", "h"), ("ph", "f"), ("th", "t"),
    ("gh", "g"), ("ks", "x"), ("ck", "k"), ("qu", "k"), ("ou", "u"), ("oo", "u"), ("ae", "a"), ("oe", "o"), ("ue", "u"),
    ("w", "v"), ("y", "i"), ("j", "i"), ("ie", "e"), ("q", "k"),
)  # fmt: skip
"""Letters of which several spellings of one name have either; replaced in this order."""


@cache
def _rapidfuzz() -> ModuleType:
    return require("rapidfuzz.distance", extra="sources")


@cache
def _formal() -> Mapping[str, frozenset[str]]:
    """Return nickname, or name -> the names that it can stand for; rows of nicknames.txt."""
    found: dict[str, set[str]] = {}
    for line in files(__package__).joinpath("nicknames.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            names = line.split()
            for name in names:
                found.setdefault(name, set()).add(names[0])
    return {name: frozenset(formal) for name, formal in found.items()}


@lru_cache(maxsize=2**17)
def tokens(name: str) -> tuple[str, ...]:
    """Return the words of a name, folded, in the order of the alphabet; Jr and the like left out.

    Examples
    --------
    >>> tokens("Griffey, Ken Jr.")
    ('griffey', 'ken')
    """
    words = fold(name).split()
    return tuple(sorted(word for word in words if word not in _SUFFIXES) or sorted(words))


@lru_cache(maxsize=2**17)
def skeleton(word: str) -> str:
    """Return what the usual spellings of a name in Latin letters share.

    Parameters
    ----------
    word
        Folded, as `tokens` gives it.

    Examples
    --------
    >>> [skeleton(word) for word in ("evgeni", "yevgeny", "evgenii")]
    ['evgeni', 'evgeni', 'evgeni']
    >>> skeleton("mueller") == skeleton("muller"), skeleton("smirnoff") == skeleton("smirnov")
    (True, True)
    """
    if len(word) < 4:
        return word
    if word.endswith("off"):
        word = word[:-3] + "ov"
    for one, other in _SPELLINGS:
        word = word.replace(one, other)
    word = re.sub(r"c(?!h)", "k", word)
    return re.sub(r"(.)\1+", r"\1", word)


def name_points(a: str, b: str) -> int:
    """Return the points of two names: `EXACT`, `NEAR`, `SHORT`, or 0 where they are of two people.

    Notes
    -----
    Every word of the shorter name needs a partner of its own; see `word_agreement`. One word in common is nothing,
    unless both names are only that word.

    Examples
    --------
    >>> [name_points("Thomas Müller", name) for name in ("Muller, Thomas", "Tomas Müller", "T. Müller", "Gerd Müller")]
    [5, 4, 3, 0]
    """
    left, right = tokens(a), tokens(b)
    if left != right and min(len(left), len(right)) < 2:
        return 0
    return _POINTS[name_agreement(left, right)[0]] if left else 0


def name_agreement(a: tuple[str, ...], b: tuple[str, ...]) -> tuple[int, tuple[str, ...], tuple[int, ...]]:
    """Return how two names agree, the words of the shorter one, and how each of them does.

    Parameters
    ----------
    a, b
        As `tokens` gives them.

    Returns
    -------
    agreement, words, of_words
        `SAME`, `SPELLING`, `SLIP` or `SHORTER`, the least of its words'; 0 where a word of the shorter name has no
        partner, or no word is whole on both sides. A name with fewer words is at most `SHORTER`.
    """
    short, long = (b, a) if len(a) > len(b) else (a, b)
    if a == b:
        return SAME, a, (SAME,) * len(a)
    if not short:
        return 0, (), ()
    agreements = _partners(short, long)
    whole = any(one >= SPELLING and len(word) > 1 for one, word in zip(agreements, short, strict=True))
    least = min(*agreements, SAME if len(short) == len(long) else SHORTER)
    return (least if whole else 0), short, agreements


def _partners(short: tuple[str, ...], long: tuple[str, ...]) -> tuple[int, ...]:
    """Return the agreement of every word of the shorter name with its partner, best pairs first; 0 without one."""
    pairs = sorted(
        ((word_agreement(word, other), i, j) for i, word in enumerate(short) for j, other in enumerate(long)),
        key=lambda pair: (-pair[0], pair[1], pair[2]),
    )
    found: dict[int, int] = {}
    used: set[int] = set()
    for one, i, j in pairs:
        if one and i not in found and j not in used:
            found[i] = one
            used.add(j)
    return tuple(found.get(i, 0) for i in range(len(short)))


@lru_cache(maxsize=2**18)
def word_agreement(a: str, b: str) -> int:
    """Return how two folded words agree: `SAME`, `SPELLING`, `SLIP`, `SHORTER`, or 0 where they are two names.

    Notes
    -----
    A slip is one typing error, two from eight letters on; none below four letters, and never in the first one.

    Examples
    --------
    >>> word_agreement("evgeni", "yevgeny"), word_agreement("moe", "moritz"), word_agreement("robert", "robrt")
    (3, 1, 2)
    """
    if a == b:
        return SAME
    if min(len(a), len(b)) == 1:
        return SHORTER if a[0] == b[0] else 0
    if skeleton(a) == skeleton(b):
        return SPELLING
    if a[0] == b[0] and slips(a, b):
        return SLIP
    formal = _formal()
    return SHORTER if formal.get(a, frozenset((a,))) & formal.get(b, frozenset((b,))) else 0


def slips(a: str, b: str) -> bool:
    """Say whether two texts are one typing error apart, two from eight letters on; none below four letters."""
    shorter = min(len(a), len(b))
    most = 0 if shorter < 4 else 1 if shorter < 8 else 2
    if not most or abs(len(a) - len(b)) > most:
        return False
    distance = _rapidfuzz().OSA.distance
    return bool(distance(a, b) <= most or (most == 2 and distance(skeleton(a), skeleton(b)) <= 1))


def are_alike(a: tuple[str, ...], b: tuple[str, ...]) -> bool:
    """Say whether two names are the same letters up to typing errors, wherever their words begin and end.

    Examples
    --------
    >>> are_alike(("ditty", "jessica"), ("ca", "ditty", "jessi")), are_alike(("ada", "sample"), ("eve", "sample"))
    (True, False)
    """
    length = sum(map(len, a))
    if len(a) == len(b) or abs(length - sum(map(len, b))) > 1 or max(len(a), len(b)) > 4:
        return False
    whole = "".join(a)
    return any(_rapidfuzz().OSA.distance(whole, "".join(words), score_cutoff=1) <= 1 for words in permutations(b)) or (
        len(a) > 2 and any(_rapidfuzz().OSA.distance("".join(words), "".join(b), score_cutoff=1) <= 1
                           for words in permutations(a))
    )  # fmt: skip


NAMESAKES = 0.001
"""Namesakes a record beyond chance that are expected before a source is looked at."""


class NameFrequencies:
    """Frequencies of the words of names in a source.

    Parameters
    ----------
    names
        One a record: its words, as `tokens` gives them.

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
