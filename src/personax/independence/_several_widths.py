"""Kernels of several widths joined into one test, so that nobody has to know how wide the bends of a dependence are.

Each width of x meets each width of y, and their p-values are joined by the Cauchy combination: it is nearly as powerful
as the best of them, wherever that is, and in the tail its level does not depend on how they hang together.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from personax.independence._counts import Counted
from personax.independence._kernels import Factor, marginal_factor, sums_within
from personax.independence._null import Null, chosen_null, moment_tails
from personax.independence._permutations import check_number, permutation_p_value, permuted_crosses, sequential_p_value

__all__ = ["WIDTHS", "Joined", "Kernels", "closed_form", "joined_test", "joint_tails", "kernels"]

Array = NDArray[np.float64]

WIDTHS = (0.2, 0.8, 3.2)
"""In standard deviations: waves, bends, lines."""

TOLERANCE = 1e-5
"""Largest mean diagonal that a kernel leaves out where most values occur once: the null is that of what is kept."""

DEPENDENT, BODY = 0.25, 0.4
"""The Cauchy combination c of kernels of these widths becomes ``c (1 + 0.25 (1 - c / 0.4))`` below 0.4. Because they
depend on one another c alone rejects up to 1.17, 1.20 and 1.3 times too often at .1, .05 and .01, not at .4 and above,
and not in the limit of small levels, in 2,500 to 20,000 permutations of each of thirteen pairs of margins of 30 to
1,000 rows: normal, lognormal, uniform, exponential, counts, levels, categories, two humps, zeros."""

LEAST, MOST = 1e-300, 0.99
"""Between these p-values enter the combination: one p-value of 1 would outweigh all others."""


@dataclass(frozen=True)
class Kernels:
    """Kernels of one variable, of one width or several."""

    factors: tuple[Factor, ...]

    @cached_property
    def stacked(self) -> Array:
        """The features of all, side by side, shape (a, r)."""
        return np.hstack([factor.rows for factor in self.factors])

    @cached_property
    def starts(self) -> NDArray[np.intp]:
        """Where each kernel's features begin."""
        return np.cumsum([0, *(factor.rank for factor in self.factors[:-1])])


def kernels(variable: Counted) -> Kernels:
    """Return the kernels of a variable: of one column of numbers those of `WIDTHS`, of anything else one.

    Categories have one kernel, and two numbers too, whose kernels of all widths are proportional; several columns have
    the median width, and points of a circle the empirical one.
    """
    values = variable.values
    if values is None or values.shape[1] > 1 or variable.labels is not None or variable.size == 2:
        return Kernels((marginal_factor(variable, "auto"),))
    tolerance = None if 2 * variable.size < variable.n else TOLERANCE
    return Kernels(tuple(marginal_factor(variable, width, tolerance=tolerance) for width in WIDTHS))


@dataclass(frozen=True, slots=True)
class Joined:
    """The outcome.

    Parameters
    ----------
    statistic
        The mean of ``cot(pi p)`` over the pairs of kernels.
    p_value
        The p-value.
    null, why
        The null distribution that was taken, and why.
    least
        The least p-value of a pair of kernels, and the kernels, in the order of their widths.
    """

    statistic: float
    p_value: float
    null: Null
    why: str
    least: str


def joined_test(
    x: Kernels, y: Kernels, null: Null, permutations: int = 999, rng: np.random.Generator | None = None
) -> Joined:
    """Test two variables by all pairs of their kernels.

    ``"moments"`` joins closed forms: the combination is increased by up to a quarter, because the p-values depend on
    one another. Permutations, which ``"auto"`` takes by the rule of `personax.independence._null.chosen_null`, compare
    the combination with that of permuted rows, and are exact.

    References
    ----------
    Liu, Xie 2020, doi:10.1080/01621459.2018.1554485 (Cauchy combination). Schrab et al. 2023, MMD aggregated two-sample
    test, JMLR 24 (several widths).
    """
    null, why = _chosen(null, x, y)
    tails = moment_tails(_crosses(x, y)[None], x.factors, y.factors)[0]
    combined = float(_combined(tails))
    if tails.min() > MOST:
        p_value = float(tails.min())  # beyond the range of the combination; 1 where all permutations are alike
    elif null == "moments":
        p_value = float(closed_form(tails))
    else:
        rng = np.random.default_rng(0) if rng is None else rng
        p_value = _permuted(x, y, -float(np.log(combined)), null, permutations, rng)
    return Joined(float(1 / np.tan(np.pi * combined)), p_value, null, why, _least(tails))


def _least(tails: Array) -> str:
    place = np.unravel_index(int(tails.argmin()), tails.shape)
    named = [f"{name} {WIDTHS[i]:g}" for name, i, many in zip("xy", place, tails.shape, strict=True) if many > 1]
    return f"{tails.min():.3g} at width {', '.join(named)}"


def _chosen(null: Null, x: Kernels, y: Kernels) -> tuple[Null, str]:
    """Return the null for all pairs: the one that the least trustworthy of them needs."""
    chosen = [chosen_null(null, a, b) for a in x.factors for b in y.factors]
    return next((one for one in chosen if one[0] == "sequential"), chosen[0])


def _crosses(x: Kernels, y: Kernels) -> Array:
    """Return the statistic of every pair of kernels, shape (kernels of x, kernels of y)."""
    products = np.square(x.stacked.T @ sums_within(x.factors[0].of, y.factors[0].of, y.stacked))
    return np.asarray(np.add.reduceat(np.add.reduceat(products, x.starts, axis=0), y.starts, axis=1))


def _combined(tails: Array) -> Array:
    """Return the Cauchy combination of the last two axes."""
    mean = np.mean(1 / np.tan(np.pi * tails.clip(LEAST, MOST)), axis=(-2, -1))
    return np.asarray(np.arctan2(1, mean) / np.pi)


def closed_form(tails: Array) -> Array:
    """Return the joined p-value of the p-values of all pairs of kernels, the last two axes."""
    combined = _combined(tails)
    return np.asarray(combined * (1 + DEPENDENT * np.maximum(0.0, 1 - combined / BODY)))


def joint_tails(x: Kernels, y: Kernels, times: int, rng: np.random.Generator) -> Array:
    """Return the p-values of all pairs of kernels after permutations that all pairs share: their joint null."""
    return moment_tails(permuted_crosses(x.factors, y.factors, times, rng), x.factors, y.factors)


def _permuted(
    x: Kernels, y: Kernels, observed: float, null: Null, permutations: int, rng: np.random.Generator
) -> float:
    def drawn(times: int) -> Array:
        return -np.log(_combined(joint_tails(x, y, times, rng)))

    if null == "sequential":
        return sequential_p_value(drawn, observed)
    check_number(permutations)
    return permutation_p_value(drawn(permutations), observed)
