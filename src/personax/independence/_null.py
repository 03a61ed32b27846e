"""Null distributions: tails of weighted sums of chi-square variables, and p-values of a kernel statistic.

The statistic is ``sum_ij Kx_ij Ky_ij``, both kernels centred.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import solve
from scipy.optimize import brentq
from scipy.special import gammainc, gammaincc, ndtr

from personax.errors import UntestableError
from personax.independence._kernels import Factor
from personax.independence._permutation_moments import (
    permutation_mean,
    permutation_skewness,
    permutation_variance,
    share,
)
from personax.independence._permutations import (
    TIE,
    check_number,
    permutation_p_value,
    permuted_statistics,
    sequential_p_value,
)

__all__ = [
    "TAILS",
    "Null",
    "check_null",
    "chosen_null",
    "exact",
    "gamma",
    "hall_buckley_eagleson",
    "lindsay_pilla_basak",
    "moment_tails",
    "p_value",
    "pearson3",
    "satterthwaite",
]

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

TERMS = 64
"""Of a sum that are computed together."""

SLOPE = 0.7
"""The path is the branch of a hyperbola: along the descent at first, then so steep that many weights fall too."""


def gamma(statistic: float, mean: float, variance: float) -> float:
    """Return the upper tail of the gamma distribution with this mean and variance."""
    return float(gammaincc(mean**2 / variance, max(0.0, statistic) * mean / variance))


def pearson3(statistic: ArrayLike, mean: ArrayLike, variance: ArrayLike, skewness: ArrayLike) -> NDArray[np.float64]:
    """Return the upper tail of the Pearson type III distribution: a gamma variable moved to match three moments.

    Examples
    --------
    >>> from scipy.stats import chi2
    >>> bool(np.isclose(pearson3(7.0, 3.0, 6.0, np.sqrt(8 / 3)), chi2.sf(7.0, 3)))
    True
    """
    # A gamma variable G of shape k has mean k, variance k and skewness 2 / sqrt(k). So k = 4 / skewness^2, and with
    # (T - mean) / sd distributed as (G - k) / sqrt(k), P(T > t) = P(G > k + away sqrt(k)); a negative skewness mirrors
    # both, P(T > t) = P(G < k - away sqrt(k)). As the skewness goes to 0, k grows and G becomes normal.
    away, skew = np.broadcast_arrays((np.asarray(statistic) - mean) / np.sqrt(variance), np.asarray(skewness, float))
    tails = np.array(ndtr(-away))
    skewed = np.abs(skew) >= SYMMETRIC
    shape, side = 4 / np.square(skew[skewed]), np.sign(skew[skewed])
    reached = np.maximum(0.0, shape + side * away[skewed] * np.sqrt(shape))
    tails[skewed] = np.where(side > 0, gammaincc(shape, reached), gammainc(shape, reached))
    return tails


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
    # Q = sum w chi2_1 has K(s) = log E exp(s Q) = -1/2 sum log(1 - 2 s w) for s < 1 / (2 max w). The exponent of the
    # integrand is f(s) = K(s) - s q - log s; its stationary point on the real axis, f'(s0) = K'(s0) - q - 1 / s0 = 0
    # (`slope`), is a minimum there and so a maximum across it: f = f(s0) - f''(s0) u^2 / 2 + ... along s0 + i u, with
    # f'' = K'' + 1 / s0^2 (`second` is K''; `third` the third derivative, which says how the path has to bend). The
    # integrand at conjugate points is conjugate, hence twice the real part over one half of the path.
    # The real steps are those of Lugannani, Rice 1980, doi:10.2307/1426607, with the integral done in full.
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
        value, start = 0.0, 0
        while start < 100_000:
            terms = term(first + gap * np.arange(start, start + TERMS, dtype=float))
            value += float(terms.sum())
            if np.abs(terms[-8:]).max() < 1e-17 * abs(value):
                break
            start += TERMS
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
    return float(pearson3(statistic, float(first), float(second), float(third / second**1.5)))


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
    # A gamma variable of mean m and shape 1 / v has E X^j = m^j (1 + v) (1 + 2 v) ... (1 + (j - 1) v). Divided by these
    # products, the moments of a mixture with one v are those of its means alone, sum_i share_i m_i^j: of a distribution
    # on `COMPONENTS` points. Its matrix of the moments i + j, one row larger than it has points, is singular, which
    # gives v (`_determinant`); the points are the roots of the polynomial orthogonal to it, and the shares solve linear
    # equations.
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
    # K(s) = -1/2 sum log(1 - 2 s w) = sum_k (2 s)^k / (2 k) sum w^k, so kappa_k = 2^(k - 1) (k - 1)! sum w^k; and from
    # M' = K' M, moment_k = sum_i binomial(k - 1, i - 1) kappa_i moment_(k - i).
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


Null = Literal["auto", "moments", "gamma", "spectral", "permutation", "sequential"]
"""How p-values are computed; see `p_value`."""

MEETINGS = 5.0
"""Rows that carry both kernels, as many as are expected by chance, from which the moments null is trusted: the least
expected count that Cochran asked of a table."""

LARGEST_SPECTRUM = 1000
"""Weights that the spectral null has one by one; the others act through their sum and sum of squares."""


def check_null(null: Null, rng: np.random.Generator | None, *, conditional: bool) -> Null:
    """Resolve ``"auto"``, and say which null distribution does not exist, or what it lacks."""
    if null == "auto":
        return "gamma" if conditional else "auto"
    if null not in get_args(Null):
        raise UntestableError(f"there is no null distribution {null!r}; choose from {', '.join(get_args(Null))}")
    if null == "permutation" and rng is None:
        raise UntestableError("a permutation null needs rng, for example numpy.random.default_rng(0)")
    if conditional and null in ("permutation", "sequential", "moments"):
        raise UntestableError(f"the {null} null knows no z: shuffled rows would break the tie to z; choose gamma")
    return null


def p_value(
    x: Factor, y: Factor, statistic: float, null: Null, permutations: int = 999, rng: np.random.Generator | None = None
) -> float:
    """Return the p-value of the statistic of two variables.

    - ``"gamma"``: the gamma distribution with the limiting mean and variance (Gretton et al. 2007).
    - ``"spectral"``: the limiting weighted sum of chi-square variables itself, by its exact tail.
    - ``"moments"``: Pearson type III with the mean, the variance and the skewness that all n! permutations have, in
      closed form (Kazi-Aoual et al. 1995, Computational Statistics & Data Analysis 20:643).
    - ``"permutation"``: (1 + permutations at least as extreme) / (1 + permutations) (Phipson, Smyth 2010,
      doi:10.2202/1544-6115.1585).
    - ``"sequential"``: permutations until 20 are as extreme, at most 9,999; see `sequential_p_value`. Without ``rng``
      they are drawn from a fixed seed.
    - ``"auto"``: ``"moments"`` or ``"sequential"``; see `chosen_null`.
    """
    n = x.of.n
    match chosen_null(null, x, y)[0]:
        case "sequential":
            rng = np.random.default_rng(0) if rng is None else rng
            # the root of the statistic is the size of a vector of sums over people
            return sequential_p_value(lambda times: np.sqrt(permuted_statistics(x, y, times, rng)), statistic**0.5)
        case "permutation":
            assert rng is not None
            check_number(permutations)
            return permutation_p_value(permuted_statistics(x, y, permutations, rng), statistic)
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
    return float(moment_tails(np.array([[[statistic]]]), [x], [y])[0, 0, 0])


def moment_tails(statistics: NDArray[np.float64], x: Sequence[Factor], y: Sequence[Factor]) -> NDArray[np.float64]:
    """Return the moments null's p-values of statistics of each kernel of x and each of y, shape (k, len(x), len(y))."""
    tails = np.ones_like(statistics)
    for i, first in enumerate(x):
        for j, second in enumerate(y):
            if not _is_settled(first, second):
                mean, variance = permutation_mean(first, second), permutation_variance(first, second)
                skewness = permutation_skewness(first, second)
                tails[:, i, j] = pearson3(statistics[:, i, j], mean, variance, skewness)
    return tails


def _is_settled(x: Factor, y: Factor) -> bool:
    """Say whether every row differs from every other by the same: all permutations give one statistic."""
    return max(share(x), share(y)) > (x.of.n - 1) * (1 - TIE)


def chosen_null(null: Null, x: Factor, y: Factor) -> tuple[Null, str]:
    """Return the null distribution that ``"auto"`` means for two kernels, and why.

    A kernel is carried by ``(sum_i K_ii)^2 / sum_i K_ii^2`` rows: n where all are alike, and as many as are not zero
    where nearly all are. The product of both over n are expected to meet by chance. Of fewer than `MEETINGS` the
    statistic is a small count more than it is a sum, which no smooth distribution follows into its tail: then rows are
    permuted. Only the margins decide.
    """
    if null != "auto":
        return null, ""
    carried = [factor.trace**2 / factor.quartic for factor in (x, y)]
    meetings = carried[0] * carried[1] / x.of.n
    if meetings >= MEETINGS or _is_settled(x, y):
        return "moments", f"{meetings:.0f} of the rows that carry both kernels are expected to meet"
    return "sequential", f"only {meetings:.2g} of the rows that carry both kernels are expected to meet"
