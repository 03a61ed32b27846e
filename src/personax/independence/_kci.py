"""KCI: the kernel test of independence and of conditional independence, by counting."""

from __future__ import annotations

from collections.abc import Collection
from math import nan
from typing import Any, get_args

import numpy as np
from numpy.typing import ArrayLike

from personax.errors import UntestableError
from personax.independence._conditional import Choice, conditional_kci
from personax.independence._counts import read
from personax.independence._effects import KERNEL_CORRELATION
from personax.independence._inputs import Rng, generator
from personax.independence._kernels import Bandwidth, Factor, cross, marginal_factor
from personax.independence._normal_scores import Scores, check_scores, scored, with_kernels
from personax.independence._null import Null, check_null, chosen_null, p_value
from personax.independence._pair import ColumnPair, Sample, kernel_interval_of
from personax.independence._result import TestResult
from personax.independence._several_widths import Kernels, joined_test, kernels
from personax.registry import register

__all__ = ["kci", "kci_of"]


def _on_pair(pair: ColumnPair, rng: np.random.Generator, **options: Any) -> TestResult:
    if "null" in options:
        options["null"] = check_null(options["null"], rng, conditional=pair.z is not None)
    if pair.z is None:
        return _marginal(pair.x, pair.y, pair.effect, **{"rng": rng, **options})
    z = pair.z
    return conditional_kci(
        pair.x.counted, pair.y.counted, z.counted, validated=z.regression, effect=pair.effect, **options
    )


@register(
    "tests",
    "kci",
    title="KCI",
    help="a kernel test: it sees any shape of dependence, not only straight lines",
    order=10,
    invariant=("affine",),
    on_pair=_on_pair,
    interval=kernel_interval_of,
    with_given=("regression",),
    without_given=("permutations", "scores"),
    variants={
        # as causal-learn has it
        "gamma": ("without", {"null": "gamma", "scores": "never"}),
        "spectral": ("with", {"null": "spectral"}),
        # exact at .05 and at .01: (1 + 199) alpha is whole
        "permutation": ("without", {"null": "permutation", "permutations": 199}),
        "ridge": ("with", {"regression": "ridge"}),
    },
)
def kci(
    x: ArrayLike,
    y: ArrayLike,
    z: ArrayLike | None = None,
    *,
    nominal: Collection[str] = (),
    bandwidth: Bandwidth = "auto",
    scores: Scores = "auto",
    null: Null = "auto",
    regression: Choice = "cv",
    permutations: int = 999,
    rng: Rng = None,
    with_effect: bool = True,
) -> TestResult:
    r"""Test whether x and y are independent (given z), whatever the form of the dependence.

    With centred kernels on the n rows, the statistic is ``sum_ij Kx_ij Ky_ij``. Under independence it tends to a
    weighted sum of chi-square variables of mean ``tr(Kx) tr(Ky) / n`` and variance ``2 |Kx|^2 |Ky|^2 / n^2``. Rows
    that repeat share one kernel row, so distinct values and their contingency table give the same numbers as the n x n
    matrices. Given z, x and y and then their kernels are replaced by what regression on z leaves of them, and the
    statistic is ``sum_ij Kx_ij Ky_ij Kz_ij`` with a wide kernel of z.

    Parameters
    ----------
    x, y, z
        Shape (n,) or (n, d); numbers (standardised here; kernel: Gaussian) or text (kernel: equal or not).
    nominal
        Which of x, y, z hold numbers that are only names, and so are treated as text.
    bandwidth
        Width of the Gaussian kernels: ``"empirical"`` (0.8, 0.5 or 0.3 standard deviations for n < 200, n < 1,200 or
        more, divided by sqrt(d); given z 1.2, 0.7 or 0.4 times sqrt(columns of z)), ``"distance"`` (the median
        distance), ``"median"`` (sqrt(2) times that), or a number of standard deviations. Without z the default is 0.2,
        0.8 and 3.2 standard deviations together for one column of numbers (see Notes), and ``"median"`` for several
        columns; under the gamma and spectral nulls, which have no joint form, one column has the ``"empirical"`` one.
        Given z it is ``"distance"`` where z is regressed
        out by cross-validation, because narrow kernels of several columns tell all rows apart, and ``"empirical"``
        elsewhere.
    scores
        Without z, which columns of numbers are replaced by their normal scores: ``"auto"`` (those of a kurtosis above
        6, of which a few rows would carry the whole kernel), ``"always"`` or ``"never"``.
    null
        Without z ``"auto"`` is ``"moments"``, and ``"sequential"`` permutations where fewer than 5 of the rows that
        carry the two kernels are expected to meet by chance; given z it is ``"gamma"``, the one that causal-learn has.
        Also ``"spectral"``, and without z ``"permutation"``; see `personax.independence._null.p_value`.
    regression
        How z is regressed out: ``"cv"``, the best by generalised cross-validation of linear, additive and kernel ridge
        regressions and, where p is below .1, those that may jump; ``"ridge"``, penalty 0.001 and the width of the test,
        as causal-learn does, not symmetric in x and y. With the latter the level rises with n and the columns of z.
    permutations, rng
        How many, and from which random numbers; for the permutation null only. The sequential one draws from a fixed
        seed where there is no ``rng``.
    with_effect
        Whether the effect size is computed, which costs about as much as the test; without, it is NaN.

    Returns
    -------
    TestResult
        The effect size is the kernel correlation; see `personax.independence._effects.kernel_correlation`. Without z
        ``details["kernels"]`` and ``details["null"]`` say which kernels and which null were taken, and why.

    Raises
    ------
    UntestableError
        A constant, missing or infinite value, different lengths, fewer than five rows, nothing that varies given z, a
        permutation null without ``rng`` or with z.
    DeterminedError
        z determines x or y: what is left is rounding.
    UndecidedError
        Fewer than 50 rows for each of several columns of z, which move x and y in bent ways, and p below .1.

    Notes
    -----
    Each width of x meets each of y, and the p-values are joined by the Cauchy combination, whose mean cotangent is then
    the statistic: over hyppo's 19 simulations at n = 60 the mean power is .64, that of the width of causal-learn .59.

    Null hypothesis: x and y are independent (given z). Rows are assumed independent of one another. The gamma null
    is rough below about 50 rows, and rejects far too often for values that nearly everybody shares and for a few very
    large ones; the default does not, down to .0001, and the permutation nulls are exact. Given z the level depends on
    how well the regressions remove z; docs/independence.md has the measured levels.

    References
    ----------
    Zhang, Peters, Janzing, Schölkopf 2011, arXiv:1202.3775. Gretton et al. 2007, A kernel statistical test of
    independence, NeurIPS 20. Liu, Xie 2020, doi:10.1080/01621459.2018.1554485 (Cauchy combination).

    Examples
    --------
    >>> x = [0, 1, 2, 3, 4] * 20
    >>> round(kci(x, [(value - 2) ** 2 for value in x]).p_value, 6)
    0.0
    >>> kci(["a", "b", "c"] * 20, [1, 2, 3, 4] * 15).p_value > 0.9
    True
    """
    rng = generator(rng)
    vx, vy, vz = read(x, y, z, nominal)
    null = check_null(null, rng, conditional=vz is not None)
    check_scores(scores)
    if regression not in get_args(Choice):
        raise UntestableError(f"there is no regression {regression!r}; choose cv or ridge")
    if vz is not None:
        unasked = None if with_effect else nan
        return conditional_kci(vx, vy, vz, bandwidth, null, regression, effect=unasked)
    samples = Sample(vx, "continuous"), Sample(vy, "continuous")
    effect = ColumnPair(*samples, None).effect if with_effect else nan
    return _marginal(*samples, effect, bandwidth, scores, null, permutations, rng)


def _marginal(
    x: Sample,
    y: Sample,
    effect: float,
    bandwidth: Bandwidth = "auto",
    scores: Scores = "auto",
    null: Null = "auto",
    permutations: int = 999,
    rng: np.random.Generator | None = None,
) -> TestResult:
    """Test without z: kernels of several widths where none is asked for and the null can join them, else of one."""
    if bandwidth == "auto" and null not in ("gamma", "spectral"):
        kx, ky = (s.kernels if scores == "auto" else kernels(scored(s.counted, scores)) for s in (x, y))
    else:
        kx, ky = (Kernels((marginal_factor(scored(s.counted, scores), bandwidth),)) for s in (x, y))
    if len(kx.factors) == len(ky.factors) == 1:
        result = kci_of(kx.factors[0], ky.factors[0], effect, null, permutations, rng)
    else:
        result = _joined(kx, ky, effect, null, permutations, rng)
    return with_kernels(result, (x.counted, kx.factors), (y.counted, ky.factors))


def _joined(
    x: Kernels, y: Kernels, effect: float, null: Null, permutations: int, rng: np.random.Generator | None
) -> TestResult:
    found = joined_test(x, y, null, permutations, rng)
    ranks = {"rank_x": x.stacked.shape[1], "rank_y": y.stacked.shape[1]}
    details: dict[str, object] = {"effect_name": KERNEL_CORRELATION, **ranks, "null": found.why, "least_p": found.least}
    if found.null == "permutation":
        details["permutations"] = permutations
    return TestResult(found.statistic, found.p_value, effect, x.factors[0].of.n, found.null, details)


def kci_of(
    x: Factor,
    y: Factor,
    effect: float,
    null: Null = "auto",
    permutations: int = 999,
    rng: np.random.Generator | None = None,
) -> TestResult:
    """Test two variables whose kernels are known."""
    statistic = cross(x, y)
    null, why = chosen_null(null, x, y)
    details: dict[str, object] = {"effect_name": KERNEL_CORRELATION, "rank_x": x.rank, "rank_y": y.rank, "null": why}
    if null == "permutation":
        details["permutations"] = permutations
    return TestResult(statistic, p_value(x, y, statistic, null, permutations, rng), effect, x.of.n, null, details)
