"""HSIC: the Hilbert-Schmidt independence criterion, by counting."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from personax.errors import UntestableError
from personax.independence._counts import read
from personax.independence._inputs import Rng, generator
from personax.independence._intervals import Interval, kernel_interval
from personax.independence._kernels import Bandwidth, Factor, cross, joint_counts, marginal_factor
from personax.independence._normal_scores import Scores, check_scores, scored, with_kernels
from personax.independence._null import Null, check_null, chosen_null, p_value
from personax.independence._pair import ColumnPair
from personax.independence._result import TestResult
from personax.registry import register

__all__ = ["NHSIC", "Estimate", "hsic", "hsic_of"]

NHSIC = "normalised HSIC"

Estimate = Literal["biased", "unbiased"]


def _on_pair(pair: ColumnPair, rng: np.random.Generator, **options: Any) -> TestResult:
    if "null" in options:
        options["null"] = check_null(options["null"], rng, conditional=False)
    width, scores = options.pop("bandwidth", "median"), options.pop("scores", "auto")
    usual = width == "median" and scores == "auto"
    samples = (pair.x, pair.y)
    x, y = (s.median if usual else marginal_factor(scored(s.counted, scores), width) for s in samples)
    return with_kernels(hsic_of(x, y, **{"rng": rng, **options}), (pair.x.counted, [x]), (pair.y.counted, [y]))


def _interval(pair: ColumnPair, _: object) -> Interval:
    return kernel_interval(pair.x.median, pair.y.median, adjusted=False)


@register(
    "tests",
    "hsic",
    title="HSIC",
    help="a kernel test by the Hilbert-Schmidt norm of the cross-covariance: any shape of dependence",
    order=30,
    invariant=("affine",),
    given="without",
    on_pair=_on_pair,
    interval=_interval,
    permutes=True,
)
def hsic(
    x: ArrayLike,
    y: ArrayLike,
    *,
    nominal: Collection[str] = (),
    bandwidth: Bandwidth = "median",
    scores: Scores = "auto",
    estimate: Estimate = "biased",
    null: Null = "auto",
    permutations: int = 999,
    rng: Rng = None,
) -> TestResult:
    r"""Test whether x and y are independent by the Hilbert-Schmidt independence criterion.

    The biased estimate is ``sum_ij Kx_ij Ky_ij / n^2`` with centred kernels, what KCI is built on; HSIC and KCI differ
    in the width of the kernels and in scale. The unbiased estimate leaves the diagonals out and may be negative.

    Parameters
    ----------
    x, y
        Shape (n,) or (n, d); numbers (standardised here; kernel: Gaussian) or text (kernel: equal or not).
    nominal
        Which of x, y hold numbers that are only names, and so are treated as text.
    bandwidth
        As in `personax.independence.kci`; the default is sqrt(2) times the median distance.
    scores
        As in `personax.independence.kci`: normal scores of columns of heavy tails by default.
    estimate
        ``"biased"`` or ``"unbiased"``. The p-value is that of the biased one in either case: given the margins the two
        order samples nearly alike, and only the biased one has a null distribution in closed form.
    null
        As in `personax.independence.kci` without z: ``"auto"``, ``"moments"``, ``"sequential"``, ``"gamma"``,
        ``"spectral"`` or ``"permutation"``; see `personax.independence._null.p_value`.
    permutations, rng
        How many, and from which random numbers; for the permutation null only. The sequential one draws from a fixed
        seed where there is no ``rng``.

    Returns
    -------
    TestResult
        The effect size is the normalised HSIC, ``HSIC(x, y) / sqrt(HSIC(x, x) HSIC(y, y))`` of the chosen estimate,
        0 where the unbiased estimate is negative.

    Raises
    ------
    UntestableError
        A constant, missing or infinite value, different lengths, fewer than five rows, a permutation null without
        ``rng``.

    Notes
    -----
    Null hypothesis: x and y are independent. Rows are assumed independent of one another. To permute rows is to draw a
    contingency table with the same margins, which is how a thousand permutations take milliseconds.

    References
    ----------
    Gretton et al. 2007, A kernel statistical test of independence, NeurIPS 20; Song et al. 2012, Feature selection via
    dependence maximization, JMLR 13 (the unbiased estimate).

    Examples
    --------
    >>> x = [0, 1, 2, 3, 4] * 20
    >>> result = hsic(x, [(value - 2) ** 2 for value in x], null="permutation", rng=np.random.default_rng(0))
    >>> result.p_value, result.method
    (0.001, 'permutation')
    """
    rng = generator(rng)
    vx, vy, _ = read(x, y, None, nominal)
    null = check_null(null, rng, conditional=False)
    if estimate not in get_args(Estimate):
        raise UntestableError(f"there is no estimate {estimate!r}; choose biased or unbiased")
    check_scores(scores)
    kx, ky = (marginal_factor(scored(variable, scores), bandwidth) for variable in (vx, vy))
    result = hsic_of(kx, ky, estimate=estimate, null=null, permutations=permutations, rng=rng)
    return with_kernels(result, (vx, [kx]), (vy, [ky]))


def hsic_of(
    x: Factor,
    y: Factor,
    *,
    estimate: Estimate = "biased",
    null: Null = "auto",
    permutations: int = 999,
    rng: np.random.Generator | None = None,
) -> TestResult:
    """Test two variables whose kernels are known."""
    total = cross(x, y)
    null, why = chosen_null(null, x, y)
    p = p_value(x, y, total, null, permutations, rng)
    own = (_unbiased(f, f, f.square, f.quartic) if estimate == "unbiased" else f.square / f.of.n**2 for f in (x, y))
    statistic = _unbiased(x, y, total, _diagonals(x, y)) if estimate == "unbiased" else total / x.of.n**2
    scale = np.prod([max(value, 0.0) for value in own])
    effect = float(np.clip(statistic / np.sqrt(scale), 0, 1)) if scale > 0 else 0.0
    details: dict[str, object] = {"effect_name": NHSIC, "estimate": estimate, "null": why}
    if null == "permutation":
        details["permutations"] = permutations
    return TestResult(float(statistic), p, effect, x.of.n, null, details)


def _diagonals(x: Factor, y: Factor) -> float:
    """Return sum_i Kx_ii Ky_ii over the rows."""
    return float(x.diagonal() @ (joint_counts(x.of, y.of) @ y.diagonal()))


def _unbiased(x: Factor, y: Factor, total: float, diagonals: float) -> float:
    """Return the U-statistic: rows of a centred kernel sum to 0, so without its diagonal they sum to minus that."""
    # Song et al. 2012, with K' = K without its diagonal: n (n - 3) HSIC_u = tr(K' L')
    #   + 1'K'1 1'L'1 / ((n - 1) (n - 2)) - 2 1'K'L'1 / (n - 2).
    # Centring adds terms of rows and of columns to a kernel, which the U-statistic does not see. For centred K and L,
    # K'1 = -diag(K): tr(K' L') = total - diagonals, 1'K'1 = -tr(K) and 1'K'L'1 = sum_i K_ii L_ii = diagonals.
    n = x.of.n
    off = total - diagonals - 2 * diagonals / (n - 2) + x.trace * y.trace / ((n - 1) * (n - 2))
    return off / (n * (n - 3))
