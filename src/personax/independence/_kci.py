"""KCI: the kernel test of independence and of conditional independence, by counting."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, get_args

import numpy as np
from numpy.typing import ArrayLike

from personax.errors import UntestableError
from personax.independence._conditional import Choice, conditional_kci
from personax.independence._counts import read
from personax.independence._effects import KERNEL_CORRELATION, effect_factor, kernel_correlation
from personax.independence._kernels import Bandwidth, Factor, cross, marginal_factor
from personax.independence._null import Null, check_null, p_value
from personax.independence._pair import ColumnPair, kernel_interval_of
from personax.independence._result import TestResult
from personax.registry import register

__all__ = ["kci", "kci_of"]


def _on_pair(pair: ColumnPair, rng: np.random.Generator, **options: Any) -> TestResult:  # noqa: ANN401 - its own options
    if "null" in options:
        options["null"] = check_null(options["null"], rng, conditional=pair.z is not None)
    if pair.z is None:
        width = options.pop("bandwidth", "auto")
        x, y = (s.factor if width == "auto" else marginal_factor(s.counted, width) for s in (pair.x, pair.y))
        return kci_of(x, y, pair.effect, **{"null": "moments", "rng": rng, **options})
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
    without_given=("permutations",),
    variants={
        "gamma": ("without", {"null": "gamma"}),
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
    null: Null = "auto",
    regression: Choice = "cv",
    permutations: int = 999,
    rng: np.random.Generator | None = None,
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
        distance), ``"median"`` (sqrt(2) times that), or a number of standard deviations. The default is ``"distance"``
        where z is regressed out by cross-validation, because narrow kernels of several columns tell all rows apart,
        and ``"empirical"`` elsewhere.
    null
        ``"moments"`` (the default without z), ``"gamma"`` (the default with z, and the one that causal-learn has),
        ``"spectral"`` or, without z, ``"permutation"``; see `personax.independence._null.p_value`.
    regression
        How z is regressed out: ``"cv"``, the best by generalised cross-validation of linear, additive and kernel ridge
        regressions and, where p is below .1, boosted trees; ``"ridge"``, penalty 0.001 and the width of the test, as
        causal-learn does, not symmetric in x and y. With the latter the level rises with n and the columns of z.
    permutations, rng
        How many, and from which random numbers; for the permutation null only.

    Returns
    -------
    TestResult
        The effect size is the kernel correlation; see `personax.independence._effects.kernel_correlation`.

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
    Null hypothesis: x and y are independent (given z). Rows are assumed independent of one another. The gamma null
    is rough below about 50 rows, and rejects far too often for values that nearly everybody shares; the default does
    not, and the permutation null is exact. Given z the level depends on how well the regressions remove z;
    docs/independence.md has the measured levels.

    References
    ----------
    Zhang, Peters, Janzing, Schölkopf 2011, arXiv:1202.3775. Gretton et al. 2007, A kernel statistical test of
    independence, NeurIPS 20.

    Examples
    --------
    >>> x = [0, 1, 2, 3, 4] * 20
    >>> round(kci(x, [(value - 2) ** 2 for value in x]).p_value, 6)
    0.0
    >>> kci(["a", "b", "c"] * 20, [1, 2, 3, 4] * 15).p_value > 0.9
    True
    """
    vx, vy, vz = read(x, y, z, nominal)
    null = check_null(null, rng, conditional=vz is not None)
    if regression not in get_args(Choice):
        raise UntestableError(f"there is no regression {regression!r}; choose cv or ridge")
    if vz is not None:
        return conditional_kci(vx, vy, vz, bandwidth, null, regression)
    kx, ky = marginal_factor(vx, bandwidth), marginal_factor(vy, bandwidth)
    effect = kernel_correlation(effect_factor(vx), effect_factor(vy))
    return kci_of(kx, ky, effect, null, permutations, rng)


def kci_of(
    x: Factor,
    y: Factor,
    effect: float,
    null: Null = "gamma",
    permutations: int = 999,
    rng: np.random.Generator | None = None,
) -> TestResult:
    """Test two variables whose kernels are known."""
    statistic = cross(x, y)
    details: dict[str, object] = {"effect_name": KERNEL_CORRELATION, "rank_x": x.rank, "rank_y": y.rank}
    if null == "permutation":
        details["permutations"] = permutations
    return TestResult(statistic, p_value(x, y, statistic, null, permutations, rng), effect, x.of.n, null, details)
