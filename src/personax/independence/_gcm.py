"""GCM: the generalised covariance measure, a test of conditional independence whose level rests on regression alone."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc

from personax.errors import UntestableError
from personax.independence._counts import Counted, join, read
from personax.independence._intervals import Interval, correlation_interval
from personax.independence._kernel_ridge import Regression, Residual, inflation
from personax.independence._pair import ColumnPair
from personax.independence._regression_checks import checked
from personax.independence._residual_kernels import Location, located
from personax.independence._result import TestResult
from personax.progress import step_begins
from personax.registry import register

__all__ = ["PARTIAL_CORRELATION", "covariance_test", "gcm", "gcm_of", "products_vary", "regressed", "residual_products"]

PARTIAL_CORRELATION = "partial correlation"

MAX_SHARE = 0.1
"""The Wald statistic needs ten people for each pair of columns."""

RANK = 1e-10
"""Directions of the covariance with less than this share of the largest eigenvalue are no directions."""


def _on_pair(pair: ColumnPair, rng: np.random.Generator) -> TestResult:
    assert pair.z is not None
    return gcm_of(pair.x.counted, pair.y.counted, pair.z.counted, pair.z.regression)


def _interval(_: ColumnPair, result: TestResult) -> Interval | None:
    return correlation_interval(result.effect_size, result.n) if result.details["dof"] == 1 else None


@register(
    "tests",
    "gcm",
    title="GCM",
    help="a test of correlation once what is given is regressed out of both: its level rests on regression alone",
    order=70,
    invariant=("affine",),
    given="with",
    on_pair=_on_pair,
    interval=_interval,
)
def gcm(x: ArrayLike, y: ArrayLike, z: ArrayLike, *, nominal: Collection[str] = ()) -> TestResult:
    r"""Test whether x and y are uncorrelated once z is regressed out of both.

    With residuals r of x and s of y after regression on z, as `personax.independence.kci` takes it (those that may
    jump where p is below .1 included), ``sqrt(n) mean(r s)`` is normal under independence given z; several columns make
    a Wald statistic with as many degrees of freedom as there are pairs of columns.

    Parameters
    ----------
    x, y, z
        Shape (n,) or (n, d); numbers, or text, which enters as one column a category but one.
    nominal
        Which of x, y, z hold numbers that are only names, and so are treated as text.

    Returns
    -------
    TestResult
        The effect size is the largest partial correlation of two columns; ``details["dof"]`` counts pairs of columns.

    Raises
    ------
    UntestableError
        A constant, missing or infinite value, different lengths, fewer than ten rows for each pair of columns, nothing
        that varies given z.
    DeterminedError, UndecidedError
        As for `personax.independence.kci`.

    Notes
    -----
    Null hypothesis: x and y are independent given z. The level holds if the two regressions together are better than
    the fourth root of n each. Only dependence that moves the mean of ``r s`` is seen: a test for x and y that rise
    together, blind to ``y = r^2``.

    References
    ----------
    Shah, Peters 2020, doi:10.1214/19-AOS1857.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> z = rng.normal(size=300)
    >>> x, y = np.sin(z) + rng.normal(size=300), z**2 + rng.normal(size=300)
    >>> gcm(x, y, z).p_value > 0.05, gcm(x, x + y, z).p_value < 1e-6
    (True, True)
    """
    vx, vy, vz = read(x, y, z, nominal)
    assert vz is not None
    return gcm_of(vx, vy, vz)


def gcm_of(x: Counted, y: Counted, z: Counted, regression: Regression | None = None) -> TestResult:
    """Test counted variables; ``regression`` where it is known already."""
    return regressed(covariance_test, x, y, regression or Regression(z))


def regressed(
    test: Callable[[Location, Location], TestResult], x: Counted, y: Counted, regression: Regression
) -> TestResult:
    """Run a test on what z leaves of x and y, with trees among the regressions where a small p could be their fault."""

    def run(locations: Sequence[Location]) -> TestResult:
        result = test(*locations)
        taken = {f"regression_{name}": one.residual.chosen for name, one in zip("xy", locations, strict=True)}
        return replace(result, details={**result.details, **taken})

    step_begins()
    locations = [located(v, regression, name) for v, name in ((x, "x"), (y, "y"))]
    return checked(run(locations), run, x, y, regression, locations)


def covariance_test(x: Location, y: Location) -> TestResult:
    """Test whether what z leaves of x and y is uncorrelated."""
    both, products, scale = residual_products(x.residual, y.residual)
    counts, n = both.counts, both.n
    if products.shape[1] > MAX_SHARE * n:
        raise UntestableError(f"{products.shape[1]} pairs of columns are too many for {n} rows; use kci or rcit")
    # r and s are residuals of the mean given z. Under independence given z, E r s = 0, and the errors of the two
    # regressions move the mean of r s by the product of their sizes only: less than n^(-1/2), where each is better than
    # n^(-1/4). Then sqrt(n) mean is normal with the covariance of the products, and n mean' cov^-1 mean is chi-square
    # with as many degrees of freedom as the covariance has rank; directions without spread hold no evidence. What the
    # regressions took from the products is given back to their covariance.
    mean = counts @ products / n
    centred = (products - mean) * np.sqrt(products_vary(x.residual, y.residual))
    spread, axes = np.linalg.eigh((counts[:, None] * centred).T @ centred / n)
    kept = spread > RANK * max(spread.max(), 1e-300)
    if not spread.max() > 0 or not kept.any():
        raise UntestableError("nothing of x or y varies given z")
    statistic = float(n * (np.square(mean @ axes[:, kept]) / spread[kept]).sum())
    dof = int(kept.sum())
    effect = float(np.clip(np.abs(mean / np.where(scale > 0, scale, np.inf)).max(), 0, 1))
    details = {"dof": dof, "effect_name": PARTIAL_CORRELATION}
    return TestResult(statistic, float(chdtrc(dof, statistic)), effect, n, "asymptotic", details)


def products_vary(x: Residual, y: Residual) -> NDArray[np.float64]:
    """Return by how much the mean of each product of residuals varies more than the products say, shape (pairs,)."""
    assert x.used is not None
    assert y.used is not None
    return inflation(x.of.n, x.used, y.used).ravel()


def residual_products(x: Residual, y: Residual) -> tuple[Counted, NDArray[np.float64], NDArray[np.float64]]:
    """Return the distinct (x, y, z), their products of residuals, and the standard deviations they are relative to."""
    both, first = join(x.of, y.of)
    fx, fy = x.rows[x.of.codes[first]], y.rows[y.of.codes[first]]
    products = (fx[:, :, None] * fy[:, None, :]).reshape(both.size, -1)
    spread = [np.sqrt(both.counts @ np.square(values) / both.n) for values in (fx, fy)]
    return both, products, np.outer(*spread).ravel()
