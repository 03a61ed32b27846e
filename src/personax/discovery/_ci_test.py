"""A test of conditional independence as the searches call it: each question asked once, one way round.

The answers of one search are kept under (x, y, z) with x < y and z sorted: no test is computed twice, and a test that
is not symmetric in x and y still has one answer.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import polars as pl

from personax.errors import ComputationError

__all__ = ["CachedTest", "CiTest", "NothingVaries", "PValue", "SearchProgress", "Undecided"]

PValue = Callable[[int, int, tuple[int, ...]], float]
"""(column x, column y, columns z) -> p-value of "x and y are independent given z"."""

SearchProgress = Callable[[int, int], None]
"""Called with (tests run so far, number of variables given in the last one)."""


class NothingVaries(Exception):
    """Raised by a `PValue` when no two rows that agree in z differ both in x and in y.

    Then x or y carries nothing beyond z: they are taken as independent given z, and the decision is counted.
    """


class Undecided(Exception):
    """Raised by a `PValue` when there is no answer: z determines x or y exactly, or no regression on z is reliable.

    The question is passed over: z is not taken to separate x and y, it is counted, and the reason raised with it is
    kept. Otherwise three columns that are multiples of one another would explain each other away.
    """


@dataclass(frozen=True)
class CiTest:
    """A test by its name, and how to make it ready for a table.

    Parameters
    ----------
    name
        What the graph's details call it.
    prepare
        Table -> `PValue` over the positions of its columns. To search in several processes it must be picklable.

    Examples
    --------
    >>> always = CiTest("always", lambda frame: lambda x, y, z: 1.0)
    >>> always.prepare(pl.DataFrame())(0, 1, ())
    1.0
    """

    name: str
    prepare: Callable[[pl.DataFrame], PValue]


class Query(NamedTuple):
    """One question, the same from whichever side it is asked."""

    x: int
    y: int
    z: tuple[int, ...]


class CachedTest:
    """The questions of one search and their answers.

    Parameters
    ----------
    p_value
        Answers a question that was not asked before.
    names
        Of the columns, for what is said of them.
    required
        Pairs that stay connected whatever the data say: their p-value is 0, and no test is run.
    equivalent
        Pairs of columns that determine one another: neither separates the other from a third.
    progress
        Hears of every test.

    Examples
    --------
    >>> test = CachedTest(lambda x, y, z: 0.25, "abcd")
    >>> test(2, 0, (3, 1)), test(0, 2, (1, 3)), test.tests
    (0.25, 0.25, 1)
    """

    def __init__(
        self,
        p_value: PValue,
        names: Sequence[str],
        *,
        required: Collection[tuple[int, int]] = (),
        equivalent: Collection[tuple[int, int]] = (),
        progress: SearchProgress | None = None,
    ) -> None:
        self._p_value, self._names, self._progress = p_value, names, progress
        self.required = {frozenset(pair) for pair in required}
        self._equivalent = {frozenset(pair) for pair in equivalent}
        self._answers: dict[tuple[int, int], dict[tuple[int, ...], float]] = {}
        self.tests = self.nothing_varies = self.undecided = 0
        self.undecided_why: set[str] = set()

    def __call__(self, x: int, y: int, z: Collection[int] = ()) -> float:
        """Return the p-value of "x and y are independent given z"; 0 where z determines one of them."""
        key, given = (min(x, y), max(x, y)), tuple(sorted(z))
        if frozenset(key) in self.required:
            return 0.0
        answers = self._answers.setdefault(key, {})
        if given not in answers:
            answers[given] = self._ask(Query(*key, given))
            self.tests += 1
            if self._progress is not None:
                self._progress(self.tests, len(given))
        return answers[given]

    def answers(self, x: int, y: int) -> Mapping[tuple[int, ...], float]:
        """Return what was asked of a pair: given columns -> p-value."""
        return self._answers.get((min(x, y), max(x, y)), {})

    def effect(self, x: int, y: int, z: Collection[int]) -> float | None:
        """Return the effect size of one question, where the test has one; its kind is the test's own."""
        measured = getattr(self._p_value, "effect", None)
        if measured is None:
            return None
        try:
            return float(measured(min(x, y), max(x, y), tuple(sorted(z))))
        except (ComputationError, Undecided, NothingVaries):
            return None

    def _ask(self, key: Query) -> float:
        if any(frozenset((end, given)) in self._equivalent for end in (key.x, key.y) for given in key.z):
            self.undecided += 1
            return 0.0
        try:
            p = float(self._p_value(*key))
        except NothingVaries:
            self.nothing_varies += 1
            return 1.0
        except Undecided as reason:
            self.undecided += 1
            if str(reason):
                self.undecided_why.add(str(reason))
            return 0.0
        if not 0 <= p <= 1:
            x, y = self._names[key.x], self._names[key.y]
            raise ComputationError(f"the test of {x} and {y} returned {p}, which is no p-value")
        return p
