"""Upper tails of weighted sums of chi-square variables, which are what kernel statistics become under independence.

``Q = sum_i w_i Z_i^2`` with independent standard normal Z_i. All tails are survival functions, good down to 1e-300.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve
from scipy.optimize import brentq
from scipy.special import gammainc, gammaincc, ndtr

__all__ = ["TAILS", "exact", "gamma", "hall_buckley_eagleson", "lindsay_pilla_basak", "pearson3", "satterthwaite"]

Weights = NDArray[np.float64]

NEGLIGIBLE = 1e-10
"""Weights below this share of the largest act through their mean alone."""

SYMMETRIC = 1e-4
"""A skewness smaller than this is none."""

SAME = 1e-13
"""Weights that differ by no more share one gamma distribution."""

ACCURACY = 1e-11
"""Relative accuracy of the exact tail."""

CERTAIN, IMPOSSIBLE = 1e-33, 1e12
"""In units of the largest weight Q exceeds the one with probability 1 and the other with 0, to double precision."""

SLOPE = 0.7
"""The path is the branch of a hyperbola: along the descent at first, then so steep that many weights fall too."""


def gamma(statistic: float, mean: float, variance: float) -> float:
    """Return the upper tail of the gamma distribution with this mean and variance."""
    return float(gammaincc(mean**2 / variance, max(0.0, statistic) * mean / variance))


def pearson3(statistic: float, mean: float, variance: float, skewness: float) -> float:
    """Return the upper tail of the Pearson type III distribution: a gamma variable moved to match three moments.

    Examples
    --------
    >>> from scipy.stats import chi2
    >>> bool(np.isclose(pearson3(7.0, 3.0, 6.0, np.sqrt(8 / 3)), chi2.sf(7.0, 3)))
    True
    """
    away = (statistic - mean) / np.sqrt(variance)
    if abs(skewness) < SYMMETRIC:
        return float(ndtr(-away))
    shape = 4 / skewness**2
    if skewness < 0:
        return float(gammainc(shape, max(0.0, shape - away * np.sqrt(shape))))
    return float(gammaincc(shape, max(0.0, shape + away * np.sqrt(shape))))


def exact(statistic: float, weights: Weights, rest: tuple[float, float] = (0.0, 0.0)) -> float:
    r"""Return P(Q > statistic) by integrating the moment generating function along its path of descent.

    ``P(Q > q) = 1 / (2 pi i) \int exp(K(s) - s q) / s ds`` over a path from below to above that crosses the real axis
    between 0 and the first singularity. Through the saddle point the integrand neither oscillates nor cancels, so that
    a tail of 1e-300 has as many digits as one of 0.5. ``rest`` holds the sum and the sum of squares of further weights,
    too many to list: they act as the gamma variable of that mean and variance.

    Examples
    --------
    >>> from scipy.stats import chi2
    >>> bool(np.isclose(exact(2000.0, np.ones(7)), chi2.sf(2000.0, 7), rtol=1e-9))
    True
    """
    q, w, times = _trimmed(statistic, weights, *rest)
    if q < CERTAIN or not len(w):
        return 1.0
    if q > IMPOSSIBLE:
        return 0.0
    if np.ptp(w) < SAME:
        return float(gammaincc(times.sum() / 2, q / (2 * w[0])))
    mean = times @ w

    def slope(s: float) -> float:
        return float(times @ (w / (1 - 2 * s * w)) - q - 1 / s)

    # below the mean the path crosses left of the pole at 0, which adds 1; right of it the terms would cancel
    low, high = (0.5e-14, 0.5 * (1 - 1e-14)) if q > mean else (-(times.sum() + 2) / q, -0.5 / q)
    s0 = float(brentq(slope, low, high, xtol=1e-300, rtol=1e-14))
    part = w / (1 - 2 * s0 * w)
    second, third = 2 * times @ np.square(part), 8 * times @ part**3
    width = float(np.sqrt(second + s0**-2))
    reach = SLOPE * 3 * second / third
    height = -0.5 * times @ np.log1p(-2 * s0 * w) - s0 * q

    def term(u: NDArray[np.float64]) -> NDArray[np.float64]:
        root = np.hypot(1, u / reach)
        s = s0 + SLOPE * u * (u / reach) / (1 + root) + 1j * u
        power = -0.5 * np.log(1 - 2 * np.outer(s, w)) @ times - s * q - height
        return np.asarray((np.exp(power) * (1 - 1j * SLOPE * (u / reach) / root) * s0 / s).real)

    part_of_path = np.exp(height - np.log(abs(s0))) * _half_line(term, 0.5 / width) / np.pi
    return float(np.clip(part_of_path if s0 > 0 else 1 - part_of_path, 0, 1))


def _trimmed(
    statistic: float, weights: Weights, more: float, squares: float
) -> tuple[float, Weights, NDArray[np.float64]]:
    """Return statistic and weights in units of the largest, without the negligible, and multiplicities."""
    largest = float(weights.max(initial=0.0))
    if not largest > 0:
        return statistic, weights[:0], weights[:0]
    weights = np.asarray(weights / largest)
    kept = weights > NEGLIGIBLE
    q, w, times = statistic / largest - weights[~kept].sum(), weights[kept], np.ones(kept.sum())
    # a rest that is a difference of large sums may be nothing but their rounding
    known = more > NEGLIGIBLE * weights.sum() * largest
    if known and NEGLIGIBLE * more * largest < squares <= more * largest * (1 + NEGLIGIBLE):
        return float(q), np.append(w, min(1.0, squares / more / largest)), np.append(times, more**2 / squares)
    return float(q - more / largest), w, times


def _half_line(term: Callable[[NDArray[np.float64]], NDArray[np.float64]], step: float) -> float:
    """Integrate a function that falls fast over u >= 0 by the trapezoidal rule, which then converges exponentially."""

    def ahead(first: float, gap: float) -> float:
        """Sum the terms at first, first + gap, ... until they vanish."""
        value, start, many = 0.0, 0, 64
        while start < 100_000:
            terms = term(first + gap * np.arange(start, start + many, dtype=float))
            value += float(terms.sum())
            if np.abs(terms[-8:]).max() < 1e-17 * abs(value):
                break
            start, many = start + many, 2 * many
        return value

    middle = 0.5 * float(term(np.zeros(1))[0])
    points = middle + ahead(step, step)
    before = step * points
    for _ in range(8):
        points += ahead(step / 2, step)  # the points between those that are known
        step /= 2
        after = step * points
        if abs(after - before) <= ACCURACY * abs(after):
            break
        before = after
    return step * points


def satterthwaite(statistic: float, weights: Weights) -> float:
    """Return the tail of the gamma distribution with the mean and variance of Q (Satterthwaite; Welch)."""
    return gamma(statistic, float(weights.sum()), float(2 * np.square(weights).sum()))


def hall_buckley_eagleson(statistic: float, weights: Weights) -> float:
    """Return the tail by matching three cumulants (Hall 1983; Buckley, Eagleson 1988, doi:10.2307/2531473)."""
    first, second, third = weights.sum(), 2 * np.square(weights).sum(), 8 * (weights**3).sum()
    return pearson3(statistic, float(first), float(second), float(third / second**1.5))


def lindsay_pilla_basak(statistic: float, weights: Weights) -> float:
    """Return the tail of a mixture of four gamma distributions that matches eight moments.

    Where there are fewer than four distinct weights, or the moments leave double precision, three cumulants are
    matched instead.

    References
    ----------
    Lindsay, Pilla, Basak 2000, doi:10.1023/A:1004123320899.

    Examples
    --------
    >>> bool(np.isclose(lindsay_pilla_basak(12.0, np.array([4.0, 2.0, 1.0, 0.5, 0.1])),
    ...      exact(12.0, np.array([4.0, 2.0, 1.0, 0.5, 0.1])), rtol=1e-2))
    True
    """
    mixture = _gamma_mixture(weights / weights.sum())
    if mixture is None:
        return hall_buckley_eagleson(statistic, weights)
    shape, scales, shares = mixture
    tail = float(shares @ gammaincc(shape, max(0.0, statistic) / weights.sum() / scales))
    return min(max(tail, 0.0), 1.0)


COMPONENTS = 4

WORST_CONDITION = 1e14
"""Above it the equations of the mixture hold rounding only: the weights are nearly equal."""


def _gamma_mixture(weights: Weights) -> tuple[float, NDArray[np.float64], NDArray[np.float64]] | None:
    """Return common shape, scales and shares of the mixture, or None where its equations cannot be solved."""
    moments = _moments(weights, 2 * COMPONENTS)
    spread = moments[2] / moments[1] ** 2 - 1
    for size in range(2, COMPONENTS + 1):
        low, high = _determinant(0.0, moments, size), _determinant(spread, moments, size)
        if low * high >= 0:
            return None
        spread = float(brentq(_determinant, 0.0, spread, args=(moments, size), xtol=1e-15))
    reduced = moments / np.cumprod(np.concatenate([[1.0], 1 + spread * np.arange(2 * COMPONENTS)]))
    square = np.array([[reduced[i + j] for j in range(COMPONENTS)] for i in range(COMPONENTS)])
    if np.linalg.cond(square) > WORST_CONDITION:
        return None
    polynomial = solve(square, -reduced[COMPONENTS : 2 * COMPONENTS])
    roots = np.roots(np.concatenate([[1.0], polynomial[::-1]]))
    if np.abs(roots.imag).max() > 1e-8 or roots.real.min() <= 0:
        return None
    powers = np.vander(roots.real, increasing=True).T
    if np.linalg.cond(powers) > WORST_CONDITION:
        return None
    shares = solve(powers, reduced[:COMPONENTS])
    return 1 / spread, roots.real * spread, shares


def _moments(weights: Weights, highest: int) -> NDArray[np.float64]:
    """Return the moments of Q about zero, from its cumulants."""
    factorial = np.cumprod(np.concatenate([[1.0], np.arange(1.0, highest + 1)]))
    cumulants = [0.0] + [2 ** (k - 1) * factorial[k - 1] * float((weights**k).sum()) for k in range(1, highest + 1)]
    moments = [1.0]
    for k in range(1, highest + 1):
        binomial = [factorial[k - 1] / factorial[i - 1] / factorial[k - i] for i in range(1, k + 1)]
        moments.append(sum(b * cumulants[i] * moments[k - i] for i, b in enumerate(binomial, 1)))
    return np.array(moments)


def _determinant(spread: float, moments: NDArray[np.float64], size: int) -> float:
    """Return the determinant whose smallest root is the spread shared by ``size`` gamma distributions."""
    steps = np.cumprod(np.concatenate([[1.0], 1 + spread * np.arange(2 * size)]))
    reduced = moments[: 2 * size + 1] / steps
    return float(np.linalg.det([[reduced[i + j] for j in range(size + 1)] for i in range(size + 1)]))


TAILS: Mapping[str, Callable[[float, Weights], float]] = {
    "exact": exact,
    "lpb": lindsay_pilla_basak,
    "hbe": hall_buckley_eagleson,
    "satterthwaite": satterthwaite,
}
"""Name in ``null=`` -> tail."""
