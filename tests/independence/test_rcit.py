"""RCIT and RCoT: equal the published formulas on the same waves, keep their level, see bends, refuse what is void."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from personax.errors import UndecidedError, UntestableError
from personax.independence._counts import count
from personax.independence._null import exact, lindsay_pilla_basak
from personax.independence._rcit import fourier_features, rcit, rcit_of

Array = NDArray[np.float64]


def seeded(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def published(fx: Array, fy: Array, fz: Array | None) -> tuple[float, Array]:
    """Return statistic and weights as in section 4 of Strobl, Zhang, Visweswaran 2019, on n rows."""
    n = len(fx)
    if fz is not None:
        maker = np.linalg.solve(fz.T @ fz / n + 1e-10 * np.eye(fz.shape[1]), fz.T / n)
        fx, fy = fx - fz @ (maker @ fx), fy - fz @ (maker @ fy)
    covariance = fx.T @ fy / n
    products = np.einsum("ij,ik->ijk", fx, fy).reshape(n, -1)
    return float(n * np.square(covariance).sum()), np.linalg.eigvalsh(products.T @ products / n).clip(0)


@pytest.mark.parametrize("variant", ["rcit", "rcot"])
@pytest.mark.parametrize("null", ["exact", "lpb"])
def test_equals_the_published_algorithm(variant: Any, null: Any) -> None:
    r = seeded(1)
    z = r.normal(size=200)
    x, y = z + r.normal(size=200), z**2 + r.normal(size=200)
    rng = seeded(2)
    of_x, of_z = count(x), count(z)
    of_y = count(np.column_stack([y, z])) if variant == "rcit" else count(y)
    fx = fourier_features(of_x, 5, rng)[of_x.codes]
    fy = fourier_features(of_y, 5, rng)[of_y.codes]
    fz = fourier_features(of_z, 8, rng)[of_z.codes]
    statistic, weights = published(fx, fy, fz)
    result = rcit(x, y, z, rng=seeded(2), variant=variant, given="fourier", features_z=8, null=null)
    assert result.statistic == pytest.approx(statistic, rel=1e-4)
    tail = exact if null == "exact" else lindsay_pilla_basak
    assert result.p_value == pytest.approx(tail(statistic, weights), rel=1e-3)


def test_equals_the_published_algorithm_without_z() -> None:
    r = seeded(3)
    x, y = r.normal(size=150), r.normal(size=150)
    rng = seeded(4)
    of_x, of_y = count(x), count(y)
    fx, fy = (fourier_features(of, 5, rng)[of.codes] for of in (of_x, of_y))
    statistic, weights = published(fx, fy, None)
    result = rcit(x, y, rng=seeded(4))
    assert result.statistic == pytest.approx(statistic, rel=1e-10)
    assert result.p_value == pytest.approx(exact(statistic, weights), rel=1e-8)


def test_waves_are_those_of_a_gaussian_kernel() -> None:
    values = count(np.linspace(-2, 2, 30))
    many = fourier_features(values, 200_000, seeded(5), bandwidth=1.0)
    assert values.values is not None
    z = values.values[:, 0] / values.values.std(ddof=1)
    kernel = np.exp(-0.5 * np.square(z[:, None] - z[None]))
    centre = np.eye(30) - 1 / 30
    expected = centre @ kernel @ centre
    correlation = np.corrcoef((many @ many.T).ravel(), expected.ravel())[0, 1]
    assert correlation > 0.98  # waves are scaled to variance 1 one by one, which the kernel is not


def test_the_same_numbers_from_the_same_rng_in_any_order_of_rows() -> None:
    r = seeded(6)
    x, y, z = r.normal(size=(3, 120))
    order = r.permutation(120)
    p = rcit(x, y, z, rng=seeded(7)).p_value
    assert rcit(x, y, z, rng=seeded(7)).p_value == p
    assert rcit(x[order], y[order], z[order], rng=seeded(7)).p_value == pytest.approx(p, rel=1e-6)
    assert rcit(3 * x - 1, 7 - y, 1e6 * z, rng=seeded(7)).n == 120


@pytest.mark.slow
@pytest.mark.parametrize("variant", ["rcit", "rcot"])
@pytest.mark.parametrize("bent", [False, True])
def test_level_given_a_common_cause(variant: Any, bent: bool) -> None:
    """60 nulls: no more rejections at 0.05 than a binomial of level 0.05 has with p = 0.001."""
    r = seeded(8)
    rejected = 0
    for _ in range(60):
        z = r.normal(size=120)
        x, y = (np.sin(2 * z), np.tanh(2 * z)) if bent else (z, z)
        counted = (count(values) for values in (x + r.normal(size=120), y + r.normal(size=120), z))
        p = rcit_of(*counted, rng=r, variant=variant, effect=0.0).p_value
        rejected += p < 0.05
    assert rejected <= stats.binom.ppf(0.999, 60, 0.05)


@pytest.mark.slow
@pytest.mark.parametrize("dim", [4, 10])
def test_level_given_many_columns(dim: int) -> None:
    """Where regression could interpolate, residuals must not be rounding."""
    r = seeded(9)
    rejected = 0
    for _ in range(15):
        z = r.normal(size=(60, dim))
        result = rcit(z[:, 0] + r.normal(size=60), r.normal(size=60), z, rng=r, variant="rcot")
        assert result.statistic > 1e-6
        rejected += result.p_value < 0.05
    assert rejected <= stats.binom.ppf(0.999, 15, 0.05)


def test_sees_a_relation_without_correlation_and_through_z() -> None:
    r = seeded(10)
    x, z = r.normal(size=(2, 400))
    y = x**2 + 0.5 * r.normal(size=400)
    assert rcit(x, y, rng=seeded(0), draws=9).p_value < 1e-3  # one draw of five waves may miss the bend
    assert rcit(x + z, x + 0.5 * r.normal(size=400), z, rng=seeded(0)).p_value < 1e-6


def test_draws_give_medians_and_their_spread() -> None:
    r = seeded(11)
    x, y = r.normal(size=(2, 100))
    rng = seeded(12)
    single = [rcit(x, y, rng=rng) for _ in range(5)]
    result = rcit(x, y, rng=seeded(12), draws=5)
    assert result.p_value == np.median([one.p_value for one in single])
    assert result.statistic == np.median([one.statistic for one in single])
    assert result.details["p_stability"] == np.ptp([one.p_value for one in single])


def test_categories_as_x_and_as_z() -> None:
    r = seeded(13)
    z = r.integers(0, 3, 600)
    x = (z + r.integers(0, 2, 600)) % 3
    y = z + r.normal(size=600)
    names = np.array(list("abc"))
    assert rcit(names[x], y, rng=seeded(0)).p_value < 1e-6
    for variant in ("rcit", "rcot"):
        assert rcit(names[x], y, names[z], rng=seeded(0), variant=variant).p_value > 0.001


NAMES = np.array([f"row {i}" for i in range(60)])
LINE = np.arange(60.0)
NOISE = seeded(14).normal(size=60)
VOID: list[tuple[Any, Any, Any, dict[str, Any], str]] = [
    ([1, 2, 3], [1, 2, 3], None, {}, "only 3 rows"),
    (np.ones(60), NOISE, None, {}, "x is constant"),
    (NOISE, NOISE, np.ones(60), {}, "z is constant"),
    (np.append(NOISE[:59], np.nan), NOISE, None, {}, "missing or infinite"),
    (np.append(NOISE[:59], np.inf), NOISE, LINE, {}, "missing or infinite"),
    (NOISE, NOISE[:59], None, {}, "60 rows and y has 59"),
    (NOISE, NOISE, LINE[:59], {}, "z has 59 rows"),
    ([object()] * 60, NOISE, None, {}, "mixes types or holds objects"),
    (NOISE, LINE % 7, NAMES, {}, "another category in every row"),
    (LINE % 3, NOISE, LINE % 3, {}, "one value of x"),
    (NOISE, LINE, LINE, {}, "z explains y wholly"),
    (LINE**2, NOISE, LINE, {}, "z explains x wholly"),
    (NOISE, NOISE[::-1], seeded(15).normal(size=(60, 8)), {"given": "fourier"}, "z explains"),
    ([f"{i}" for i in range(2001)], np.arange(2001), None, {}, "2,001 categories"),
    (NOISE, LINE, None, {"null": "gamma"}, "no null 'gamma'"),
    (NOISE, LINE, None, {"variant": "kcit"}, "no variant 'kcit'"),
    (NOISE, LINE, None, {"given": "lasso"}, "no given 'lasso'"),
    (NOISE, LINE, None, {"draws": 0}, "at least 1"),
    (NOISE, LINE, None, {"features": 0}, "at least 1"),
    (NOISE, LINE, None, {"nominal": ("q",)}, "nominal names 'q'"),
]


@pytest.mark.parametrize(("x", "y", "z", "options", "reason"), VOID, ids=[case[-1] for case in VOID])
def test_what_cannot_be_tested_is_named(x: Any, y: Any, z: Any, options: dict[str, Any], reason: str) -> None:
    with pytest.raises(UntestableError, match=reason):
        rcit(x, y, z, rng=seeded(), **options)


@pytest.mark.parametrize("variant", ["rcit", "rcot"])
def test_more_columns_of_z_than_rows(variant: Any) -> None:
    z = seeded(16).normal(size=(30, 50))
    # nobody can tell a small p-value there from a dependence on z, so that none is given
    with nullcontext() if variant == "rcot" else pytest.raises(UndecidedError, match="30 rows are too few"):
        assert rcit(NOISE[:30], NOISE[30:], z, rng=seeded(), variant=variant).p_value >= 0.1


@pytest.mark.slow
@pytest.mark.parametrize("given", [False, True], ids=["RIT", "RCIT"])
@pytest.mark.parametrize("strength", [0.0, 0.3], ids=["null", "bent"])
def test_as_published_it_agrees_in_distribution_with_the_port_of_r(given: bool, strength: float) -> None:
    """The waves differ, so single p-values do; over 150 samples their distributions do not."""
    peer = pytest.importorskip("causallearn.utils.RCIT.RCIT", reason="causal-learn is in the extra discovery")
    theirs, ours = [], []
    for k in range(150):
        rng = np.random.default_rng(k)
        z, x, e = (rng.normal(size=(300, 1)) for _ in range(3))
        y = z * given + strength * np.square(x) + e
        x = x + z * given
        np.random.seed(k)  # noqa: NPY002 - causal-learn draws from numpy's global state
        test = peer.RCIT(approx="lpd4") if given else peer.RIT(approx="lpd4")
        theirs.append((test.compute_pvalue(x, y, z) if given else test.compute_pvalue(x, y))[0])
        ours.append(rcit(x, y, z if given else None, rng=rng, given="fourier", null="lpb").p_value)
    assert stats.ks_2samp(theirs, ours).pvalue > 0.001
