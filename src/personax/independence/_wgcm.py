"""Weighted GCM: correlation of residuals that may turn its sign with z."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import ArrayLike, NDArray

from personax.errors import UntestableError
from personax.independence._counts import Counted, read
from personax.independence._gcm import MAX_SHARE, products_vary, regressed, residual_products
from personax.independence._kernel_ridge import Regression
from personax.independence._null import exact
from personax.independence._pair import ColumnPair
from personax.independence._residual_kernels import Location
from personax.independence._result import TestResult
from personax.registry import register

__all__ = ["wgcm"]

MOST_CUTS = 7
"""Quantiles of each column of z at which the sign of a weight turns, as published; fewer where columns are many."""

ROWS_A_WEIGHT = 10

MOST_GROUPS = 20
"""Categories of z, the most frequent ones, that have a weight each."""

WEIGHTED_CORRELATION = "weighted partial correlation"


def _on_pair(pair: ColumnPair, rng: np.random.Generator) -> TestResult:
    assert pair.z is not None
    return _wgcm_of(pair.x.counted, pair.y.counted, pair.z.regression)


@register(
    "tests",
    "wgcm",
    title="Weighted GCM",
    help="GCM that also sees a correlation whose sign or size changes with what is given",
    order=72,
    invariant=("affine",),
    given="with",
    on_pair=_on_pair,
)
def wgcm(x: ArrayLike, y: ArrayLike, z: ArrayLike, *, nominal: Collection[str] = ()) -> TestResult:
    r"""Test whether x and y are uncorrelated for every z, once z is regressed out of both.

    With residuals r of x and s of y, ``mean(w(z) r s)`` is 0 under independence given z whatever the function w. It is
    taken for w = 1 and, for each column of z, for signs that turn at seven quantiles or as many as rows allow (for
    categories: in one group).
    The statistic is the sum of the squares of these means over their standard errors; its null distribution the
    weighted sum of chi-square variables of the eigenvalues of their correlations.

    Parameters
    ----------
    x, y, z
        As for `personax.independence.gcm`.
    nominal
        Which of x, y, z hold numbers that are only names, and so are treated as text.

    Returns
    -------
    TestResult
        The effect size is the root of the largest squared weighted partial correlation less what chance makes of it.

    Raises
    ------
    UntestableError
        As for `personax.independence.gcm`; with fewer than ten rows for each weight and pair of columns.
    DeterminedError, UndecidedError
        As for `personax.independence.kci`.

    Notes
    -----
    Null hypothesis: x and y are independent given z. The published test takes the maximum over the weights, by a
    bootstrap; the sum has a closed tail.

    References
    ----------
    Scheidegger, Hörrmann, Bühlmann 2022, The weighted generalised covariance measure, JMLR 23 (273), arXiv:2111.04361.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> z, x, e = rng.normal(size=(3, 300))
    >>> y = np.sign(z) * x + e
    >>> from personax.independence import gcm
    >>> gcm(x, y, z).p_value > 0.05, wgcm(x, y, z).p_value < 1e-6
    (True, True)
    """
    vx, vy, vz = read(x, y, z, nominal)
    assert vz is not None
    return _wgcm_of(vx, vy, Regression(vz))


def _wgcm_of(x: Counted, y: Counted, regression: Regression) -> TestResult:
    weights = _weights(regression.z)
    return regressed(lambda left, right: _tested(left, right, regression.z, weights), x, y, regression)


def _weights(z: Counted) -> NDArray[np.float64]:
    """Return the weights on the distinct values of z, shape (a, k); the first is 1."""
    columns = [np.ones(z.size)]
    cuts_a_column = min(MOST_CUTS, max(1, z.n // ROWS_A_WEIGHT // z.columns - 1))
    quantiles = np.linspace(0, 1, cuts_a_column + 2)[1:-1]
    for values in () if z.values is None else z.values.T:
        order = np.argsort(values)
        below = np.cumsum(z.counts[order]) / z.n
        cuts = np.unique(values[order][np.searchsorted(below, quantiles)])
        columns += [np.where(values <= cut, 1.0, -1.0) for cut in cuts if cut < values.max()]
    if z.values is None or z.labels is not None:
        labels = np.arange(z.size) if z.labels is None else z.labels
        sizes = np.bincount(labels, z.counts)
        most = np.argsort(-sizes)[:MOST_GROUPS]
        columns += [np.where(labels == group, 1.0, -1.0) for group in most if sizes[group] < z.n]
    return np.column_stack(columns)


def _tested(x: Location, y: Location, z: Counted, weights: NDArray[np.float64]) -> TestResult:
    both, products, scale = residual_products(x.residual, y.residual)
    in_z = np.empty(both.size, dtype=np.intp)
    in_z[both.codes] = z.codes
    weighted = (products[:, :, None] * weights[in_z][:, None, :]).reshape(both.size, -1)
    n = both.n
    if weighted.shape[1] > MAX_SHARE * n:
        raise UntestableError(f"{weighted.shape[1]} weights and pairs of columns are too many for {n} rows; use gcm")
    mean = both.counts @ weighted / n
    centred = (weighted - mean) * np.repeat(np.sqrt(products_vary(x.residual, y.residual)), weights.shape[1])
    covariance = (both.counts[:, None] * centred).T @ centred / n
    error = np.sqrt(np.diag(covariance))
    if not error.max() > 0:
        raise UntestableError("nothing of x or y varies given z")
    kept = error > 1e-10 * error.max()
    standard = np.sqrt(n) * mean[kept] / error[kept]
    correlations = covariance[np.ix_(kept, kept)] / np.outer(error[kept], error[kept])
    statistic = float(standard @ standard)
    p_value = exact(statistic, np.linalg.eigvalsh(correlations).clip(0))
    scale = np.repeat(scale, weights.shape[1])[kept]
    best = int(np.argmax(np.abs(standard)))
    squared = (mean[kept][best] / scale[best]) ** 2 if scale[best] > 0 else 0.0
    by_chance = squared / standard[best] ** 2 * max(1.0, 2 * np.log(len(standard))) if standard[best] else 0.0
    effect = float(np.sqrt(min(1.0, max(0.0, squared - by_chance))))
    details = {"effect_name": WEIGHTED_CORRELATION, "weights": int(weights.shape[1])}
    return TestResult(statistic, p_value, effect, n, "weighted chi-square", details)
