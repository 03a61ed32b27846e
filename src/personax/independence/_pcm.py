"""PCM: does x help to predict y beyond z? Half of the rows say how, the other half whether."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from personax.errors import UntestableError
from personax.independence._counts import Counted, combine, count, read
from personax.independence._gcm import PARTIAL_CORRELATION, products_vary, regressed, residual_products
from personax.independence._inputs import Rng, needed
from personax.independence._kernel_ridge import Regression
from personax.independence._residual_kernels import Location, located
from personax.independence._result import TestResult
from personax.independence._trees import grown, tree_features
from personax.registry import register

__all__ = ["pcm"]

FEWEST = 50
"""Rows below which halves are too small for trees."""


@register(
    "tests",
    "pcm",
    title="PCM",
    help="does x help to predict y beyond what is given? Trees say how on one half of the rows, the other half whether",
    order=74,
    symmetric=False,
    given="with",
)
def pcm(
    x: ArrayLike, y: ArrayLike, z: ArrayLike, *, rng: Rng, nominal: Collection[str] = (), splits: int = 5
) -> TestResult:
    r"""Test whether the mean of y given x and z is that given z alone, by the projected covariance measure.

    On one half of the rows boosted trees learn from x and z what regression on z leaves of y. On the other half their
    prediction f is a new variable, and f and y are compared as `personax.independence.gcm` does: without an effect of x
    ``sqrt(n) mean(r s) / sd(r s)`` is standard normal, with one it is positive. The mean over several splits is read
    off the normal distribution too; it varies less, so that the test is conservative.

    Parameters
    ----------
    x, z
        Shape (n,) or (n, d); numbers or text.
    y
        Shape (n,); numbers, or text of two values.
    rng
        Draws the splits.
    nominal
        Which of x, y, z hold numbers that are only names, and so are treated as text.
    splits
        How many.

    Returns
    -------
    TestResult
        The effect size is the partial correlation of f and y, mean over the splits; 0 where it is negative.

    Raises
    ------
    UntestableError
        A constant, missing or infinite value, different lengths, fewer than 50 rows, y of more than two categories or
        of several columns, z of categories alone that no two rows share.
    DeterminedError, UndecidedError
        As for `personax.independence.kci`.

    Notes
    -----
    Null hypothesis: E(y | x, z) = E(y | z), which is less than independence: an x that moves only the spread of y is
    not seen. Unlike GCM it sees ``y = x^2``. x and y are not exchangeable. The published test divides f by the variance
    that is left, which this one does not.

    References
    ----------
    Lundborg, Kim, Shah, Samworth 2024, doi:10.1214/24-AOS2447, arXiv:2211.02039.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> z, x, e = rng.normal(size=(3, 400))
    >>> pcm(x, z + x**2 + e, z, rng=0).p_value < 1e-4, pcm(x, z + e, z, rng=0).p_value > 0.05
    (True, True)
    """
    rng = needed(rng, "pcm")
    vx, vy, vz = read(x, y, z, nominal)
    assert vz is not None
    if len(vx.codes) < FEWEST:
        raise UntestableError(f"{len(vx.codes)} rows are too few to be halved; {FEWEST} are needed")
    if splits < 1:
        raise UntestableError("splits must be at least 1")
    target = _target(vy)
    ordered = np.lexsort((vz.codes, vy.codes, vx.codes))  # in whatever order the rows come, the halves are the same
    results = [_split(vx, target, vz, rng.permutation(ordered)) for _ in range(splits)]
    statistic = float(np.mean([one.statistic for one in results]))
    effect = max(0.0, float(np.mean([one.effect_size for one in results])))
    details = {"effect_name": PARTIAL_CORRELATION, "splits": splits}
    return TestResult(statistic, float(ndtr(-statistic)), effect, len(target), "half of the rows, normal", details)


def _target(y: Counted) -> NDArray[np.float64]:
    if y.values is None and y.size == 2:
        return y.codes.astype(float)
    if y.values is None or y.values.shape[1] > 1 or y.labels is not None:
        raise UntestableError("pcm predicts one column of numbers or of two groups; y is neither")
    return np.asarray(y.values[y.codes, 0])


def _split(x: Counted, y: NDArray[np.float64], z: Counted, order: NDArray[np.intp]) -> TestResult:
    """Learn f on the first half of the rows, compare it with y on the second."""
    both = combine(x, z)
    learning, testing = order[: len(order) // 2], order[len(order) // 2 :]
    left = located(count(y[learning], name="y"), Regression(_some(z, learning)), "y").residual
    target, weights = np.zeros((2, len(y), 1))
    target[learning, 0], weights[learning] = left.rows[left.of.codes, 0], 1
    predicted = grown(tree_features(both)[both.codes], target, weights)[testing, 0]
    if not np.ptp(predicted) > 0:
        return TestResult(0.0, 0.5, 0.0, len(testing), "half of the rows, normal", {})
    # f is a score of our own making, which two rows may share
    return regressed(_one_sided, count(predicted, name="x"), count(y[testing], name="y"), Regression(_some(z, testing)))


def _some(variable: Counted, rows: NDArray[np.intp]) -> Counted:
    """Return a variable over some of the rows."""
    kept, codes, counts = np.unique(variable.codes[rows], return_inverse=True, return_counts=True)
    values = None if variable.values is None else variable.values[kept]
    labels = None if variable.labels is None else np.unique(variable.labels[kept], return_inverse=True)[1]
    return replace(variable, values=values, labels=labels, codes=codes, counts=counts)


def _one_sided(x: Location, y: Location) -> TestResult:
    both, products, scale = residual_products(x.residual, y.residual)
    n, mean = both.n, float(both.counts @ products[:, 0] / both.n)
    spread = np.sqrt(both.counts @ np.square(products[:, 0] - mean) / n * products_vary(x.residual, y.residual)[0])
    if not spread > 0:
        raise UntestableError("nothing of x or y varies given z")
    statistic = float(np.sqrt(n) * mean / spread)
    return TestResult(statistic, float(ndtr(-statistic)), mean / scale[0], n, "normal", {})
