"""Tests as score functions of scikit-learn's feature selection, which ask for a score and a p-value a column."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from personax.errors import InputError, UntestableError
from personax.independence._inputs import Rng, as_columns, needed
from personax.independence._registered import check_options, find_test

__all__ = ["ScoreFunction", "score_function"]

Scores = tuple[NDArray[np.float64], NDArray[np.float64]]


@dataclass(frozen=True)
class ScoreFunction:
    """``(X, y) -> (scores, p-values)`` of a registered test; `score_function` makes one.

    Parameters
    ----------
    test, options, seed
        As given.
    """

    test: str
    options: dict[str, Any] = field(default_factory=dict)
    seed: Rng = 0

    def __call__(self, X: ArrayLike, y: ArrayLike) -> Scores:
        """Return effect sizes and p-values of every column of X against y; NaN where a test could not be run."""
        columns = [one for part in as_columns(X, "X") for one in (part.T if part.ndim == 2 else [part])]
        run, rng = find_test(self.test), needed(self.seed, "a score function")
        found = np.array([_score(run, column, y, rng, self.options) for column in columns]).reshape(-1, 2)
        return found[:, 0], found[:, 1]


def _score(
    run: Callable[..., Any], column: NDArray[Any], y: ArrayLike, rng: np.random.Generator, options: dict[str, Any]
) -> tuple[float, float]:
    try:
        result = run(column, y, None, rng, **options)
    except UntestableError:
        return float("nan"), float("nan")
    return float(result.effect_size), float(result.p_value)


def score_function(test: str = "kci", *, seed: Rng = 0, **options: Any) -> ScoreFunction:
    """Return a test as a score function for ``sklearn.feature_selection``.

    Parameters
    ----------
    test
        A registered test that runs without z.
    seed
        Of tests that draw random numbers.
    **options
        Of the test.

    Returns
    -------
    callable
        ``(X, y) -> (scores, p-values)``: scores are effect sizes, by which ``SelectKBest`` and ``SelectPercentile``
        choose; ``SelectFdr``, ``SelectFwe`` and ``SelectFpr`` choose by p-values. It can be pickled.

    Raises
    ------
    InputError
        Another test, one that needs z, an option that it has not.

    Examples
    --------
    >>> X = np.column_stack([np.arange(60) % 5, np.arange(60) % 7])
    >>> scores, p_values = score_function("kci")(X, np.square(np.arange(60) % 5 - 2))
    >>> bool(scores[0] > scores[1]), bool(p_values[0] < 0.001)
    (True, True)
    """
    check_options(test, options, given=False)
    if not find_test(test).fits(given=False):
        raise InputError(f"{test} needs given columns, which feature selection has not; choose kci, hsic or rcit")
    return ScoreFunction(test, options, seed)
