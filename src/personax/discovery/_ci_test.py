"""A test of conditional independence as the searches of causal-learn call it: each question asked once, one way round.

causal-learn asks "x and y given z?" twice, once from each side, and keeps answers under a hash of the printed data,
which numpy abridges. Here the answers of one search are kept under (x, y, z) with x < y and z sorted: no test is
computed twice, and a test that is not symmetric in x and y still has one answer.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import polars as pl

from personax.errors import ComputationError, require

__all__ = [
    "CachedTest",
    "CiTest",
    "NothingVaries",
    "PValue",
    "SearchProgress",
    "Undecided",
    "register_with_causal_learn",
]

PValue = Callable[[int, int, tuple[int, ...]], float]
"""(column x, column y, columns z) -> p-value of "x and y are independent given z"."""

SearchProgress = Callable[[int, int], None]
"""Called with (tests run so far, number of variables given in the last one)."""

NAME = "personax"
"""What our class of tests is called in causal-learn's registry."""


class NothingVaries(Exception):
    """Raised by a `PValue` when no two rows that agree in z differ both in x and in y.

    Then x or y carries nothing beyond z: they are taken as independent given z, and the decision is counted.
    """


class Undecided(Exception):
    """Raised by a `PValue` when there is no answer: z determines x or y as numbers, or no regression on z is reliable.

    Such a question separates nothing: x and y stay connected as far as it goes, and the reason is kept. Otherwise three
    columns that are multiples of one another would explain each other away, and the graph would be empty.
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
    required
        Pairs that stay connected whatever the data say: their p-value is 0, and no test is run.
    progress
        Hears of every test.

    Examples
    --------
    >>> test = CachedTest(lambda x, y, z: 0.25)
    >>> test(2, 0, (3, 1)), test(0, 2, (1, 3)), test.tests
    (0.25, 0.25, 1)
    """

    def __init__(
        self, p_value: PValue, *, required: Collection[tuple[int, int]] = (), progress: SearchProgress | None = None
    ) -> None:
        self._p_value, self._progress = p_value, progress
        self._required = {frozenset(pair) for pair in required}
        self._answers: dict[Query, float] = {}
        self.nothing_varies = 0
        self.undecided: list[str] = []

    @property
    def tests(self) -> int:
        """How many different questions were put to the data."""
        return len(self._answers)

    def __call__(self, x: int, y: int, z: Collection[int] | None = None) -> float:
        """Return the p-value of "x and y are independent given z"."""
        key = Query(min(int(x), int(y)), max(int(x), int(y)), tuple(sorted(int(one) for one in z or ())))
        if frozenset(key[:2]) in self._required:
            return 0.0
        if key not in self._answers:
            self._answers[key] = self._ask(key)
            if self._progress is not None:
                self._progress(self.tests, len(key.z))
        return self._answers[key]

    def __deepcopy__(self, memo: object) -> CachedTest:
        # causal-learn copies its graph, test included, between its phases; the answers and the data need no copy
        return self

    def _ask(self, key: Query) -> float:
        try:
            p = float(self._p_value(*key))
        except NothingVaries:
            self.nothing_varies += 1
            return 1.0
        except Undecided as reason:
            self.undecided.append(str(reason))
            return 0.0
        if not 0 <= p <= 1:
            raise ComputationError(f"the test of columns {key.x} and {key.y} returned {p}, which is no p-value")
        return p


@cache
def register_with_causal_learn() -> str:
    """Register, once a process, the class that hands causal-learn's questions to a `CachedTest`; return its name there.

    causal-learn makes an object of it for each search and passes on ``cached_test=``.
    """
    cit: Any = require("causallearn.utils.cit", extra="discovery")

    def initialise(self: Any, data: object, *, cached_test: CachedTest) -> None:  # noqa: ANN401 - a class of causal-learn
        self.method, self.data, self.cached_test = NAME, data, cached_test

    def answer(self: Any, x: int, y: int, z: Collection[int] | None = None) -> float:  # noqa: ANN401
        return self.cached_test(x, y, z)  # type: ignore[no-any-return]

    cit.register_ci_test(NAME, type("PersonaxTest", (cit.CIT_Base,), {"__init__": initialise, "__call__": answer}))
    return NAME
