"""RCIT and RCoT: kernel independence tests by random Fourier features, in time linear in n."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from math import nan
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import solve_triangular

from personax.errors import DeterminedError, UntestableError
from personax.independence._counts import MAX_CATEGORIES, Counted, combine, join, join_given, read
from personax.independence._effects import KERNEL_CORRELATION
from personax.independence._inputs import Rng, needed
from personax.independence._kernel_ridge import Regression, Residual, Spectrum, inflation
from personax.independence._kernels import Bandwidth, marginal_width, standardise
from personax.independence._null import TAILS
from personax.independence._pair import ColumnPair, Sample, kernel_interval_of
from personax.independence._regression_checks import checked
from personax.independence._residual_kernels import Location
from personax.independence._result import TestResult
from personax.progress import step_begins
from personax.registry import register

__all__ = ["Given", "Tail", "Variant", "fourier_features", "rcit", "rcit_of"]


def fourier_features(
    variable: Counted, number: int, rng: np.random.Generator, bandwidth: Bandwidth = "distance"
) -> NDArray[np.float64]:
    """Return features of the distinct values, each of mean 0 and variance 1 over the rows, shape (a, number).

    ``sqrt(2) cos(w'x + b)`` with w normal of standard deviation 1 / width and b uniform. Categories stand at equal
    distances from one another, on axes of their own.

    References
    ----------
    Rahimi, Recht 2007, Random features for large-scale kernel machines, NeurIPS 20.
    """
    if variable.values is None:
        turns = rng.normal(size=(variable.size, number))
    else:
        values = standardise(variable)
        width = marginal_width(values, variable.counts, bandwidth)
        turns = values @ rng.normal(size=(values.shape[1], number)) / width
        if variable.labels is not None:
            turns += rng.normal(size=(int(variable.labels.max()) + 1, number))[variable.labels]
    waves = np.sqrt(2) * np.cos(turns + rng.uniform(0, 2 * np.pi, number))
    share = variable.counts / variable.n
    waves -= share @ waves
    spread = np.sqrt(share @ np.square(waves))
    return np.asarray(waves / np.where(spread > 0, spread, 1))


Tail = Literal["exact", "lpb", "hbe", "satterthwaite"]
Variant = Literal["rcit", "rcot"]
Given = Literal["ridge", "fourier"]

FOURIER_RIDGE = 1e-10
"""Penalty of the regression on random waves, as published."""

EXPLAINED = 1e-8
"""A variable of whose waves z leaves a smaller share of the variance is a function of z."""


def _on_pair(pair: ColumnPair, rng: np.random.Generator, **options: Any) -> TestResult:
    z = None if pair.z is None else pair.z.counted
    shared: dict[str, Any] = {"rng": rng, "effect": pair.effect}
    if pair.z is not None and options.get("given", "ridge") == "ridge":
        shared["regression"] = pair.z.regression
    return rcit_of(pair.x.counted, pair.y.counted, z, **{**shared, **options})


@register(
    "tests",
    "rcit",
    title="RCIT",
    help="a fast approximation of the kernel test by random Fourier features",
    order=20,
    invariant=("affine",),
    symmetric=False,
    on_pair=_on_pair,
    interval=kernel_interval_of,
    draws=True,
    variants={"fourier": ("with", {"given": "fourier"})},
)
def rcit(
    x: ArrayLike,
    y: ArrayLike,
    z: ArrayLike | None = None,
    *,
    rng: Rng,
    nominal: Collection[str] = (),
    variant: Variant = "rcit",
    features: int = 5,
    features_z: int = 100,
    given: Given = "ridge",
    null: Tail = "exact",
    draws: int = 1,
    with_effect: bool = True,
) -> TestResult:
    r"""Test whether x and y are independent (given z) by random Fourier features.

    The statistic is ``n |C|_F^2``, C the covariance of a few random waves of x and of y, after z is regressed out of
    both. Under independence it tends to a weighted sum of chi-square variables, whose weights are the eigenvalues of
    the covariance of the products of the waves.

    Parameters
    ----------
    x, y, z
        Shape (n,) or (n, d); numbers (standardised here) or text.
    rng
        Draws the waves. The result depends on them, the more the fewer they are; see ``draws``.
    nominal
        Which of x, y, z hold numbers that are only names, and so are treated as text.
    variant
        ``"rcit"`` tests x against (y, z), ``"rcot"`` x against y; the same without z.
    features
        Number of waves of x and of y.
    given
        How z is regressed out: ``"ridge"``, by kernel ridge regression whose penalty and width are chosen by
        cross-validation; ``"fourier"``, by ``features_z`` random waves, as published. With the latter the level drifts
        as n grows, because a fixed number of waves cannot follow z.
    null
        ``"exact"`` tail, or the approximations ``"lpb"`` (Lindsay, Pilla, Basak), ``"hbe"`` (Hall, Buckley, Eagleson)
        and ``"satterthwaite"``.
    draws
        Repeat with so many draws of the waves: the p-value and the statistic are medians, and
        ``details["p_stability"]`` is the largest p-value less the smallest.
    with_effect
        Whether the effect size is computed, which costs about as much as the test; without, it is NaN.

    Returns
    -------
    TestResult
        The effect size is the kernel correlation, as for KCI; it does not depend on ``rng``.

    Raises
    ------
    UntestableError
        A constant, missing or infinite value, different lengths, fewer than five rows.
    DeterminedError, UndecidedError
        As for `personax.independence.kci`, where z is regressed out by cross-validation.

    Notes
    -----
    Null hypothesis: x and y are independent (given z). Rows are assumed independent of one another. RCoT does not see a
    dependence that shows only together with z. A median of p-values is no exact p-value itself; twice it is (Vovk, Wang
    2020, doi:10.1093/biomet/asaa027).

    References
    ----------
    Strobl, Zhang, Visweswaran 2019, doi:10.1515/jci-2018-0017.

    Examples
    --------
    >>> x = [0, 1, 2, 3, 4] * 40
    >>> rcit(x, [-value for value in x], rng=np.random.default_rng(0)).p_value < 1e-6
    True
    """
    rng = needed(rng, "rcit")
    vx, vy, vz = read(x, y, z, nominal)
    for name, value, known in (("variant", variant, Variant), ("given", given, Given), ("null", null, Tail)):
        if value not in get_args(known):
            raise UntestableError(f"there is no {name} {value!r}; choose from {', '.join(get_args(known))}")
    for name, variable in (("x", vx), ("y", vy), ("z", vz)):
        if variable is not None and variable.values is None and variable.size > MAX_CATEGORIES:
            raise UntestableError(f"{name} has {variable.size:,} categories; more than {MAX_CATEGORIES:,} are names")
    if min(features, features_z, draws) < 1:
        raise UntestableError("features, features_z and draws must be at least 1")
    return rcit_of(
        vx, vy, vz, rng=rng, variant=variant, features=features, features_z=features_z, given=given, null=null,
        draws=draws, effect=None if with_effect else nan,
    )  # fmt: skip


def rcit_of(
    x: Counted,
    y: Counted,
    z: Counted | None,
    *,
    rng: np.random.Generator,
    variant: Variant = "rcit",
    features: int = 5,
    features_z: int = 100,
    given: Given = "ridge",
    null: Tail = "exact",
    draws: int = 1,
    regression: Regression | None = None,
    effect: float | None = None,
) -> TestResult:
    """Test counted variables; ``regression`` and ``effect`` where they are known already."""
    step_begins()
    tested = combine(y, z) if z is not None and variant == "rcit" else y
    if regression is None and z is not None and given == "ridge":
        regression = Regression(z)
    drawn = [
        (
            fourier_features(x, features, rng),
            fourier_features(tested, features, rng),
            _Waves(z, fourier_features(z, features_z, rng)) if z is not None and given == "fourier" else None,
        )
        for _ in range(draws)
    ]
    size = _effect(x, y, z) if effect is None else effect
    details: dict[str, object] = {"effect_name": KERNEL_CORRELATION, "variant": variant, "features": features}

    def run(locations: Sequence[Location] = ()) -> TestResult:
        found = [_once(waves, (x, tested), z, null, regression, locations) for waves in drawn]
        statistics, p_values = np.array(found).T
        spread = {"draws": draws, "p_stability": float(np.ptp(p_values))} if draws > 1 else {}
        median = float(np.median(statistics)), float(np.median(p_values))
        return TestResult(*median, size, x.n, null, {**details, **spread})

    return run() if regression is None else checked(run(), run, x, y, regression)


def _once(
    drawn: tuple[NDArray[np.float64], NDArray[np.float64], _Waves | None],
    variables: tuple[Counted, Counted],
    z: Counted | None,
    null: Tail,
    regression: Regression | None,
    locations: Sequence[Location],
) -> tuple[float, float]:
    """Return statistic and p-value of one draw of waves."""
    *waves, waves_z = drawn
    more = [one.spectra for one in locations] or [[], []]
    left = [
        _left(wave, of, name, z, waves_z, regression, also)
        for wave, of, name, also in zip(waves, variables, "xy", more, strict=True)
    ]
    if z is not None:
        _check_left(left)
    statistic, weights = _statistic(*left)
    return statistic, TAILS[null](statistic / _inflation(*left), weights)


def _inflation(x: Residual, y: Residual) -> float:
    """Return by how much the statistic is larger than its weights say; 1 of regressions that are as published."""
    if x.used is None or y.used is None:
        return 1.0
    used_x, used_y = (np.atleast_1d(used.mean()) for used in (x.used, y.used))
    return float(inflation(x.of.n, used_x, used_y)[0, 0])


def _check_left(residuals: list[Residual]) -> None:
    """Say which variable z explains but for rounding."""
    for name, residual in zip("xy", residuals, strict=True):
        if (residual.of.counts @ np.square(residual.rows)).max() < EXPLAINED * residual.of.n:
            raise DeterminedError(f"z explains {name} wholly; nothing of it is left to test", name)


def _left(
    waves: NDArray[np.float64],
    variable: Counted,
    name: str,
    z: Counted | None,
    waves_z: _Waves | None,
    regression: Regression | None,
    more: Sequence[Spectrum],
) -> Residual:
    """Return what z leaves of the waves."""
    if regression is not None:
        return regression.residual(waves, variable, name, more=more)
    if z is None or waves_z is None:
        return Residual(waves, variable, np.zeros((1, waves.shape[1])))
    return waves_z.residual(waves, variable, name)


class _Waves:
    """Ridge regression on random waves of z, factored once for all that is regressed."""

    def __init__(self, z: Counted, waves: NDArray[np.float64]) -> None:
        self.z, self.waves, self._root = z, waves, np.sqrt(z.counts)[:, None]
        # as further rows the penalty keeps the digits that the normal equations would lose
        penalty = np.sqrt(FOURIER_RIDGE * z.n) * np.eye(waves.shape[1])
        basis, self._triangle = np.linalg.qr(np.vstack([self._root * waves, penalty]))
        self._basis = basis[: z.size]

    def residual(self, features: NDArray[np.float64], variable: Counted, name: str) -> Residual:
        """Return what is left of features of the distinct values of a variable."""
        both, first = join_given(variable, self.z, name)
        target, in_z = features[variable.codes[first]], self.z.codes[first]
        sums = np.zeros((self.z.size, target.shape[1]))
        np.add.at(sums, in_z, both.counts[:, None] * target)
        coefficients = solve_triangular(self._triangle, self._basis.T @ (sums / self._root))
        fitted = self.waves @ coefficients
        return Residual(target - fitted[in_z], both, fitted)


def _statistic(x: Residual, y: Residual) -> tuple[float, NDArray[np.float64]]:
    """Return the statistic and the weights of its null distribution."""
    both, first = join(x.of, y.of)
    fx, fy = x.rows[x.of.codes[first]], y.rows[y.of.codes[first]]
    products = (fx[:, :, None] * fy[:, None, :]).reshape(both.size, -1)
    n = both.n
    mean = both.counts @ products / n
    weights = np.linalg.eigvalsh((both.counts[:, None] * products).T @ products / n).clip(0)
    if not weights.max() > 0:
        raise UntestableError("nothing of x or y varies given z")
    return float(n * np.square(mean).sum()), weights


def _effect(x: Counted, y: Counted, z: Counted | None) -> float:
    if z is None:
        return ColumnPair(Sample(x, "continuous"), Sample(y, "continuous"), None).effect
    # the effect is that of conditional KCI, whose residual maker it needs
    from personax.independence._conditional import conditional_effect

    return conditional_effect(x, y, z)
