"""Null distributions of a kernel statistic ``sum_ij Kx_ij Ky_ij``, both kernels centred."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from personax.errors import UntestableError
from personax.independence._counts import unrolled
from personax.independence._low_rank import Factor, cross
from personax.independence._margins import random_tables
from personax.independence._tails import exact, gamma, pearson3

__all__ = ["Null", "check_null", "p_value", "permuted_statistics"]

Null = Literal["auto", "moments", "gamma", "spectral", "permutation"]
"""How p-values are computed; see `p_value`."""

SMALL_TABLE = 10_000
"""Cells up to which whole contingency tables are drawn; above, rows are shuffled."""

TIE = 1e-10
"""A permuted statistic within this share of the observed one counts as equal."""

SPREAD = 0.02
"""A kernel with more directions than this share of the rows tells nearly all of them apart."""

MOST_PAIRS = 6000
"""Distinct values up to which all pairs are looked at."""

LARGEST_SPECTRUM = 1000
"""Weights that the spectral null has one by one; the others act through their sum and sum of squares."""


def check_null(null: Null, rng: np.random.Generator | None, *, conditional: bool) -> Null:
    """Resolve ``"auto"``, and say which null distribution does not exist, or what it lacks."""
    if null == "auto":
        return "gamma" if conditional else "moments"
    if null not in get_args(Null):
        raise UntestableError(f"there is no null distribution {null!r}; choose from {', '.join(get_args(Null))}")
    if null == "permutation" and rng is None:
        raise UntestableError("a permutation null needs rng, for example numpy.random.default_rng(0)")
    if conditional and null in ("permutation", "moments"):
        raise UntestableError(f"the {null} null knows no z: shuffled rows would break the tie to z; choose gamma")
    return null


def p_value(
    x: Factor, y: Factor, statistic: float, null: Null, permutations: int = 999, rng: np.random.Generator | None = None
) -> float:
    """Return the p-value of the statistic of two variables.

    - ``"gamma"``: the gamma distribution with the limiting mean and variance (Gretton et al. 2007).
    - ``"spectral"``: the limiting weighted sum of chi-square variables itself, by its exact tail.
    - ``"moments"``: Pearson type III with the mean and the variance that all n! permutations have, in closed form
      (Kazi-Aoual et al. 1995, Computational Statistics & Data Analysis 20:643), and the limiting skewness.
    - ``"permutation"``: (1 + permutations at least as extreme) / (1 + permutations) (Phipson, Smyth 2010,
      doi:10.2202/1544-6115.1585).
    """
    n = x.of.n
    match null:
        case "permutation":
            assert rng is not None
            if permutations < 1:
                raise UntestableError(f"{permutations} permutations; at least 1 is needed")
            drawn = permuted_statistics(x, y, permutations, rng)
            return float((1 + (drawn >= statistic * (1 - TIE)).sum()) / (1 + permutations))
        case "spectral":
            return _by_spectrum(x, y, statistic)
        case "moments" | "auto":
            return _by_moments(x, y, statistic)
        case "gamma":
            return gamma(statistic, x.trace * y.trace / n, 2 * x.square * y.square / n**2)


def _by_spectrum(x: Factor, y: Factor, statistic: float) -> float:
    weights = np.outer(x.eigenvalues[:LARGEST_SPECTRUM], y.eigenvalues[:LARGEST_SPECTRUM]).ravel().clip(0) / x.of.n
    if len(weights) > LARGEST_SPECTRUM:
        weights = np.partition(weights, -LARGEST_SPECTRUM)[-LARGEST_SPECTRUM:]
    more = x.trace * y.trace / x.of.n - weights.sum()
    squares = x.square * y.square / x.of.n**2 - np.square(weights).sum()
    return exact(statistic, weights, (float(more), float(squares)) if more > 0 and squares > 0 else (0.0, 0.0))


def _by_moments(x: Factor, y: Factor, statistic: float) -> float:
    n = x.of.n
    if max(_share(x), _share(y)) > (n - 1) * (1 - TIE):
        return 1.0  # every row differs from every other by the same: all permutations give one statistic
    return pearson3(statistic, x.trace * y.trace / (n - 1), permutation_variance(x, y), _skewness(x, y))


def permutation_variance(x: Factor, y: Factor) -> float:
    """Return the variance of the statistic over all permutations of the rows of y."""
    n = x.of.n
    first, second = _share(x), _share(y)
    tau = [
        (n - 1) / ((n - 3) * (n - 1 - share)) * (n * (n + 1) * factor.quartic / factor.square - (n - 1) * (share + 2))
        for factor, share in ((x, first), (y, second))
    ]
    common = 2 * (n - 1 - first) * (n - 1 - second) / ((n + 1) * (n - 1) ** 2 * (n - 2))
    return float(x.square * y.square * common * (1 + (n - 3) / (2 * n * (n - 1)) * tau[0] * tau[1]))


def _share(x: Factor) -> float:
    """Return tr(K)^2 / tr(K^2), the number of directions that the kernel has in effect."""
    return x.trace**2 / x.square


def _skewness(x: Factor, y: Factor) -> float:
    """Return the skewness of the statistic: that of its limit, and the share of single pairs of rows.

    What a kernel has in common in all directions adds a constant to the statistic: the mean eigenvalue is taken off.
    Pairs count where a kernel tells nearly all rows apart, so that a few close pairs decide.
    """
    n = x.of.n
    third = 8 * _triangles(x) * _triangles(y) / n**3
    if min(_share(x), _share(y)) > SPREAD * n and max(x.of.size, y.of.size) <= MOST_PAIRS:
        third += 4 * _pairs(x) * _pairs(y) / n**2
    return float(third / permutation_variance(x, y) ** 1.5)


def _triangles(x: Factor) -> float:
    """Return the sum of the cubed eigenvalues less their mean."""
    mean = x.trace / (x.of.n - 1)
    rest = x.of.n - 1 - len(x.eigenvalues)
    return float(((x.eigenvalues - mean) ** 3).sum() - rest * mean**3)


def _pairs(x: Factor) -> float:
    """Return the sum of the cubed entries of the n x n kernel outside its diagonal."""
    cubes = (x.rows @ x.rows.T) ** 3
    return float(x.counts @ cubes @ x.counts - x.counts @ np.diagonal(cubes))


def permuted_statistics(x: Factor, y: Factor, times: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return the statistic after each of several permutations of the rows.

    To permute rows is to draw a contingency table with the same margins; where the table is small it is drawn as such.
    """
    small = len(x.counts) * len(y.counts) <= SMALL_TABLE
    return _tables(x, y, times, rng) if small else _shuffles(x, y, times, rng)


def _tables(x: Factor, y: Factor, times: int, rng: np.random.Generator) -> NDArray[np.float64]:
    batches = random_tables(x.counts, y.counts, times, rng)
    return np.concatenate([np.square(x.rows.T @ tables @ y.rows).sum(axis=(1, 2)) for tables in batches])


def _shuffles(x: Factor, y: Factor, times: int, rng: np.random.Generator) -> NDArray[np.float64]:
    first, second = unrolled(x.of), unrolled(y.of)
    one = replace(x, of=first)
    return np.array(
        [cross(one, replace(y, of=replace(second, codes=rng.permutation(second.codes)))) for _ in range(times)]
    )
