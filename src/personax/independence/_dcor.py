"""Distance correlation in O(n log² n): whether large distances in x go with large distances in y."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc

from personax.errors import UntestableError
from personax.independence._counts import Counted, join, read
from personax.independence._normal_scores import Scores, check_scores, scored
from personax.independence._pair import ColumnPair
from personax.independence._result import TestResult
from personax.registry import register

__all__ = ["dcor"]

Array = NDArray[np.float64]

DISTANCE_CORRELATION = "distance correlation"


def _on_pair(pair: ColumnPair, rng: np.random.Generator, *, scores: Scores = "auto") -> TestResult:
    return _tested(pair.x.counted, pair.y.counted, scores)


@register(
    "tests",
    "dcor",
    title="Distance correlation",
    help="whether distances in x go with distances in y: quick at any size, best for lines and bends",
    order=35,
    invariant=("affine",),
    given="without",
    on_pair=_on_pair,
)
def dcor(x: ArrayLike, y: ArrayLike, *, nominal: Collection[str] = (), scores: Scores = "auto") -> TestResult:
    """Test whether x and y are independent by their distance correlation.

    The statistic is n times the bias-corrected squared distance correlation, of the distances ``|x_i - x_j|`` (of
    categories: 0 or 1). No n x n matrix exists: sums over pairs follow from sorting, block by block.

    Parameters
    ----------
    x, y
        Shape (n,) or (n, 1); numbers or text.
    nominal
        Which of x, y hold numbers that are only names, and so are treated as text.
    scores
        As in `personax.independence.kci`: normal scores of columns of heavy tails by default.

    Returns
    -------
    TestResult
        The effect size is the square root of the bias-corrected squared distance correlation, 0 where that is negative.

    Raises
    ------
    UntestableError
        A constant, missing or infinite value, different lengths, fewer than five rows, several columns.

    Notes
    -----
    Null hypothesis: x and y are independent. Rows are assumed independent of one another. ``n R + 1`` has a tail that a
    chi-square variable of one degree of freedom dominates at .05 and below: the test is conservative, at .05 too.

    References
    ----------
    Székely, Rizzo, Bakirov 2007, doi:10.1214/009053607000000505; Székely, Rizzo 2014, doi:10.1214/14-AOS1255 (the
    bias-corrected one); Chaudhuri, Hu 2019, doi:10.1016/j.csda.2019.01.016 (by sorting); Shen, Panda, Vogelstein 2022,
    doi:10.1080/10618600.2021.1938585 (the chi-square test).

    Examples
    --------
    >>> x = list(range(-20, 21))
    >>> result = dcor(x, [value**2 for value in x])
    >>> result.p_value < 0.01, round(result.effect_size, 2)
    (True, 0.43)
    """
    vx, vy, _ = read(x, y, None, nominal)
    check_scores(scores)
    return _tested(vx, vy, scores)


def _tested(x: Counted, y: Counted, scores: Scores) -> TestResult:
    for name, variable in (("x", x), ("y", y)):
        if variable.columns > 1:
            raise UntestableError(
                f"{name} has {variable.columns} columns; distance correlation takes one, so choose hsic"
            )
    x, y = (_in_units(scored(variable, scores)) for variable in (x, y))
    own = [_covariance(variable, variable) for variable in (x, y)]
    scale = float(np.sqrt(max(own[0], 0.0) * max(own[1], 0.0)))
    squared = _covariance(x, y) / scale if scale > 0 else 0.0
    statistic = x.n * squared
    effect = float(np.sqrt(min(max(squared, 0.0), 1.0)))
    p_value = float(chdtrc(1, max(statistic + 1, 0.0)))
    return TestResult(statistic, p_value, effect, x.n, "chi-square", {"effect_name": DISTANCE_CORRELATION})


def _covariance(x: Counted, y: Counted) -> float:
    """Return the unbiased squared distance covariance."""
    # With a_ij the distances of x and a_i. their sums over j: sum_ij a_ij b_ij / (n (n - 3))
    #   - 2 sum_i a_i. b_i. / (n (n - 2) (n - 3)) + a.. b.. / (n (n - 1) (n - 2) (n - 3)) (Huo, Székely 2016).
    n = float(x.n)
    in_x, in_y, count = _cells(x, y)
    sums_x, sums_y = _sums(x)[in_x], _sums(y)[in_y]
    total = float(count @ sums_x) * float(count @ sums_y) / ((n - 1) * (n - 2))
    products = _products(x, y, in_x, in_y, count) - 2 * float(count @ (sums_x * sums_y)) / (n - 2) + total
    return products / (n * (n - 3))


def _cells(x: Counted, y: Counted) -> tuple[NDArray[np.intp], NDArray[np.intp], Array]:
    """Return the distinct (x, y) as codes, and how often each occurs."""
    if x is y:
        return np.arange(x.size), np.arange(x.size), x.counts.astype(float)
    if x.size == len(x.codes) and x.weights is None:  # every row has its own x
        in_y = np.empty(x.size, dtype=np.intp)
        in_y[x.codes] = y.codes
        return np.arange(x.size), in_y, np.ones(x.size)
    both, first = join(x, y)
    return x.codes[first], y.codes[first], both.counts.astype(float)


def _in_units(variable: Counted) -> Counted:
    """Return numbers about their mean and in units of their spread; categories stay."""
    if variable.values is None:
        return variable
    values = variable.values / max(np.abs(variable.values).max(), 1e-300)  # squares of large numbers would overflow
    values = values - variable.counts @ values / variable.n
    return replace(variable, values=values / np.sqrt(variable.counts @ np.square(values) / variable.n))


def _unit(variable: Counted) -> Array:
    """Return the distinct numbers, in order."""
    assert variable.values is not None
    return variable.values[:, 0]


def _sums(variable: Counted) -> Array:
    """Return the sum of the distances of each distinct value from all rows."""
    counts = variable.counts.astype(float)
    if variable.values is None:
        return np.asarray(variable.n - counts)
    values = _unit(variable)
    below, moment = np.cumsum(counts), np.cumsum(counts * values)  # distinct values are sorted
    return np.asarray(values * (2 * below - variable.n) - 2 * moment + moment[-1])


def _products(x: Counted, y: Counted, in_x: NDArray[np.intp], in_y: NDArray[np.intp], count: Array) -> float:
    """Return sum_ij a_ij b_ij over all pairs of rows, from the distinct (x, y) and their counts."""
    if x is y and x.values is not None:  # sum_ij (x_i - x_j)^2
        values = _unit(x)
        return float(2 * (x.n * (count @ np.square(values)) - (count @ values) ** 2))
    if x.values is None and y.values is None:  # pairs that differ in both
        same = sum(float(np.square(v.counts.astype(float)).sum()) for v in (x, y))
        return x.n**2 - same + float(np.square(count).sum())
    if x.values is None:
        x, y, in_x, in_y = y, x, in_y, in_x
    if y.values is None:  # all pairs, less those of one category
        within = sum(_within(_unit(x)[in_x[at]], count[at]) for at in _groups(in_y))
        return float(x.counts @ _sums(x)) - within
    return _both(_unit(x)[in_x], _unit(y)[in_y], count)


def _groups(codes: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    order = np.argsort(codes, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(codes[order])) + 1)


def _within(values: Array, count: Array) -> float:
    """Return the sum of the distances of all pairs."""
    order = np.argsort(values)
    values, count = values[order], count[order]
    below, moment = np.cumsum(count), np.cumsum(count * values)
    return float(2 * count @ (values * below - moment))


DIRECT = 32
"""Rows of a block within which all pairs are gone through; the fastest of 16, 32, 64 at 1,000 to 100,000 rows."""

BLOCKS = 4096
"""Blocks that are gone through at one time."""


def _both(x: Array, y: Array, count: Array) -> float:
    """Return sum_ij |x_i - x_j| |y_i - y_j|."""
    # In the order of x, (x_i - x_j) |y_i - y_j| over j before i is 2 (x_i - x_j) (y_i - y_j) where y_j <= y_i, less the
    # same over all pairs, which is n sum x y - sum x sum y. Pairs of the first kind are counted where two blocks of a
    # merge sort meet: sorted by y, each row of the right one sees all of the left one that came before. Blocks of
    # `DIRECT` rows are where it begins: their own pairs are gone through one by one.
    order = np.lexsort((y, x))
    x, y, count = x[order], y[order], count[order]
    size = len(x)
    whole = count.sum() * float(count @ (x * y)) - float(count @ x) * float(count @ y)
    total, signed = _within_blocks(x, y, count)
    by_y = np.argsort(y, kind="stable")
    terms = np.stack([count, count * x, count * y, count * x * y])
    seen_of_left, width = 0.0, DIRECT
    while width < size:
        block = by_y // (2 * width)
        # whole numbers of 16 bits are sorted by radix
        at = by_y[np.argsort(block.astype(np.int16) if size < 2**15 * width else block, kind="stable")]
        left = (at // width) % 2 == 0
        running = np.cumsum(np.where(left, terms[:, at], 0.0), axis=1)
        before = np.concatenate([np.zeros((4, 1)), running[:, np.arange(2 * width, size, 2 * width) - 1]], axis=1)
        right = at[~left]
        one, of_x, of_y, of_both = running[:, ~left] - before[:, right // (2 * width)]
        seen_of_left += float(count[right] @ (x[right] * y[right] * one - y[right] * of_x - x[right] * of_y + of_both))
        width *= 2
    return float(2 * (total + 2 * seen_of_left - (whole - signed)))


def _within_blocks(x: Array, y: Array, count: Array) -> tuple[float, float]:
    """Return sums of count_i count_j |dx| |dy|, and of dx dy, over the pairs i < j within blocks of `DIRECT` rows."""
    rows = -(-len(x) // DIRECT) * DIRECT
    padded = np.zeros((3, rows))
    padded[:, : len(x)] = x, y, count
    total = signed = 0.0
    for start in range(0, rows, DIRECT * BLOCKS):
        u, v, c = padded[:, start : start + DIRECT * BLOCKS].reshape(3, -1, DIRECT)
        products = (u[:, :, None] - u[:, None, :]) * (v[:, :, None] - v[:, None, :])
        signed += float(((c[:, None, :] @ products)[:, 0] * c).sum()) / 2
        np.abs(products, out=products)
        total += float(((c[:, None, :] @ products)[:, 0] * c).sum()) / 2
    return total, signed
