"""Conditional KCI equals the n x n computation, is close to causal-learn, and explains a common cause away."""

from __future__ import annotations

import json
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from personax.errors import DeterminedError, UndecidedError, UntestableError
from personax.independence import TestResult, gcm, kci
from personax.independence._counts import combine, count
from personax.independence._kernel_products import Products
from personax.independence._segments import segmented
from personax.independence._trees import jumping
from personax.progress import telling

Array = NDArray[np.float64]


def gauss(values: Array, width: float) -> Array:
    squared = np.square(values[:, None] - values[None]).sum(axis=2)
    return np.asarray(np.exp(-0.5 * squared / width**2))


def equal(labels: NDArray[Any]) -> Array:
    return np.asarray((labels[:, None] == labels[None]).all(axis=2), dtype=float)


def residual_p(kx: Array, ky: Array, kz: Array) -> float:
    """Return the p-value from n x n matrices with nothing truncated, written down as in Zhang et al. 2011."""
    n = len(kz)
    centre = np.eye(n) - 1 / n
    rz = 1e-3 * np.linalg.inv(centre @ kz @ centre + 1e-3 * np.eye(n))
    product = (rz @ centre @ kx @ centre @ rz) * (rz @ centre @ ky @ centre @ rz)
    mean, variance = np.trace(product), 2 * np.square(product).sum()
    return float(stats.gamma.sf(product.sum(), mean**2 / variance, scale=variance / mean))


def dense(x: Array, y: Array, z: Array) -> float:
    x, y, z = ((v - v.mean(axis=0)) / v.std(axis=0, ddof=1) for v in (x, y, z))
    width = (1.2 if len(x) < 200 else 0.7) * np.sqrt(z.shape[1])
    return residual_p(gauss(np.hstack([x, z / 2]), width), gauss(y, width), gauss(z, width))


def problems(n: int) -> dict[str, tuple[Array, Array, Array]]:
    rng = np.random.default_rng(n)
    z, e, f = rng.normal(size=(n, 1)), rng.normal(size=(n, 1)), rng.normal(size=(n, 1))
    two = np.hstack([z, rng.normal(size=(n, 1))])
    levels = rng.integers(0, 4, (n, 1)).astype(float)
    return {
        "linear": (z + e, z + f, z),
        "bent": (np.sin(2 * z) + e, z**2 + f, z),
        "dependent": (z + e, z + f + 0.4 * e, z),
        "two columns of z": (z + e, two[:, 1:] + f, two),
        "two columns of x": (np.hstack([z + e, f]), z + f, z),
        "levels": (np.round(levels + e), np.round(levels + f), levels),
    }


@pytest.mark.parametrize("n", [80, 250])
@pytest.mark.parametrize("name", problems(80))
def test_equals_the_dense_computation(name: str, n: int) -> None:
    x, y, z = problems(n)[name]
    assert kci(x, y, z, regression="ridge").p_value == pytest.approx(dense(x, y, z), abs=1e-6)


def test_categories_equal_the_dense_computation() -> None:
    rng = np.random.default_rng(1)
    z = rng.integers(0, 3, (150, 1))
    x, y = (z + rng.integers(0, 3, (150, 1))) % 4, z + rng.normal(size=(150, 1))
    standard = (y - y.mean()) / y.std(ddof=1)
    expected = residual_p(equal(np.hstack([x, z])), gauss(standard, 1.2), equal(z))
    assert kci(x, y, z, nominal=("x", "z"), regression="ridge").p_value == pytest.approx(expected, abs=1e-6)
    names = np.array(["a", "b", "c", "d"])
    assert kci(names[x], y, names[z], regression="ridge").p_value == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("name", problems(80))
def test_is_close_to_causal_learn(name: str) -> None:
    """It drops eigenvalues below 1e-5 of the largest, so it is close, not equal."""
    peer = pytest.importorskip("causallearn.utils.KCI.KCI", reason="causal-learn is in the extra discovery")
    x, y, z = problems(250)[name]
    p_value, statistic = peer.KCI_CInd().compute_pvalue(x, y, z)
    result = kci(x, y, z, regression="ridge")
    assert result.p_value == pytest.approx(p_value, abs=1e-3)
    assert result.statistic == pytest.approx(statistic, rel=1e-6)


def answers() -> list[tuple[str, tuple[Array, Array, Array], float]]:
    """What causal-learn said of larger inputs."""
    script = Path(__file__).parents[1] / "reference" / "independence_kci.py"
    known = json.loads(script.with_suffix(".json").read_text(encoding="utf-8"))["answers"]
    inputs = runpy.run_path(str(script))["conditional_inputs"]()
    return [(name, xyz, known[name]["p_value"]) for name, xyz in inputs.items()]


@pytest.mark.parametrize(("name", "xyz", "p_value"), answers(), ids=lambda value: value if type(value) is str else "")
def test_is_close_to_causal_learn_on_larger_inputs(name: str, xyz: tuple[Array, Array, Array], p_value: float) -> None:
    assert kci(*xyz, regression="ridge").p_value == pytest.approx(p_value, abs=1e-3)


def test_a_common_cause_is_explained_away() -> None:
    x, y, z = problems(250)["linear"]
    assert kci(x, y).p_value < 1e-6
    assert kci(x, y, z).p_value > 0.05
    assert kci(x, y, z).effect_size < 0.2 < kci(x, y).effect_size


def test_the_effect_size_reads_like_a_partial_correlation() -> None:
    rng = np.random.default_rng(2)
    z = rng.normal(size=1000)
    x = z + rng.normal(size=1000)
    y = z + 0.5 * (x - z) + np.sqrt(0.75) * rng.normal(size=1000)
    assert kci(x, y, z).effect_size == pytest.approx(0.5, abs=0.08)


def test_order_and_units_do_not_matter() -> None:
    x, y, z = problems(80)["bent"]
    order = np.random.default_rng(3).permutation(80)
    p = kci(x, y, z).p_value
    assert kci(x[order], y[order], z[order]).p_value == pytest.approx(p, abs=1e-7)
    assert kci(2.54 * x - 7, 100 - y, 1000 * z).p_value == pytest.approx(p, abs=1e-7)


@pytest.fixture(params=["numbers", "categories", "both", "neither"])
def of_three_kernels(request: pytest.FixtureRequest) -> Products:
    """Features of x and y on 300 rows of unequal counts, with a z of each kind."""
    rng = np.random.default_rng(0)
    z = rng.normal(size=(300, 2)) if request.param in ("numbers", "both") else None
    labels = rng.integers(0, 5, 300) if request.param in ("categories", "both") else None
    falls = 0.6 ** np.arange(7)
    x, y = rng.normal(size=(300, 7)) * falls, rng.normal(size=(300, 6)) * falls[:6]
    return Products(x, y, z, labels, rng.integers(1, 4, 300).astype(float))


def matrix(three: Products) -> Array:
    """S over all rows, as it is defined."""
    kz = np.ones((300, 300)) if three.z is None else gauss(three.z, np.sqrt(0.5))
    if three.labels is not None:
        kz = kz * (1 + equal(three.labels[:, None])) / 2
    rows = np.repeat(np.arange(300), three.counts.astype(int))
    return np.asarray(((three.x @ three.x.T) * (three.y @ three.y.T) * kz)[np.ix_(rows, rows)])


@pytest.mark.parametrize(
    ("few", "many", "pair", "accuracy"), [(4000, 20_000, 0, 1e-12), (0, 20_000, 1, 1e-9), (0, 0, 0, 1e-6)]
)
def test_sums_of_three_kernels_by_blocks_by_features_and_by_a_factor(
    of_three_kernels: Products, monkeypatch: pytest.MonkeyPatch, few: int, many: int, pair: float, accuracy: float
) -> None:
    room = "personax.independence._kernel_products."
    for name, value in {
        "FEW": few,
        "MANY": max(many, 300 * (pair > 0)),
        "PAIR": pair,
        "BLOCK": 33,
        "RANK": 300,
    }.items():
        monkeypatch.setattr(room + name, value)
    whole = matrix(of_three_kernels)
    expected = whole.sum(), np.trace(whole), 2 * np.square(whole).sum()
    assert of_three_kernels.moments() == pytest.approx(expected, rel=accuracy)
    weights, (more, squares) = of_three_kernels.spectrum()
    assert weights.sum() + more == pytest.approx(expected[1], rel=accuracy)
    assert 2 * (np.square(weights).sum() + squares) == pytest.approx(expected[2], rel=accuracy)


@pytest.mark.parametrize("problem", ["two columns of z", "bent"])
def test_linear_time_gives_the_same_p_value(monkeypatch: pytest.MonkeyPatch, problem: str) -> None:
    x, y, z = problems(250)[problem]
    whole = kci(x, y, z).p_value
    monkeypatch.setattr("personax.independence._kernel_products.FEW", 0)
    monkeypatch.setattr("personax.independence._kernel_products.PAIR", 1.0)
    assert kci(x, y, z).p_value == pytest.approx(whole, abs=1e-9)


@pytest.mark.slow
def test_level_under_conditional_independence() -> None:
    """300 nulls with a common cause: no more rejections at 0.05 than a binomial of level 0.05 has with p = 0.001."""
    rng = np.random.default_rng(4)
    rejected = 0
    for _ in range(300):
        z = rng.normal(size=150)
        x, y = z + rng.normal(size=150), z + rng.normal(size=150)
        rejected += kci(x, y, z).p_value < 0.05
    assert rejected <= stats.binom.ppf(0.999, 300, 0.05)


@pytest.mark.parametrize(
    ("x", "z", "reason"),
    [
        (np.arange(20), [f"row {i}" for i in range(20)], "another category in every row"),
        (np.arange(20) % 2, np.arange(20) % 2, "one value of x"),
        (np.arange(20), np.ones(20), "z is constant"),
        (np.arange(20), np.arange(19), "z has 19 rows and x has 20"),
    ],
)
def test_what_cannot_be_tested_is_named(x: Array, z: ArrayLike, reason: str) -> None:
    with pytest.raises(UntestableError, match=reason):
        kci(x, np.arange(20) % 7, z)


@pytest.mark.parametrize("function", [np.copy, lambda x: x / 2, lambda x: np.exp(x), lambda x: 3 - x**3])
def test_what_z_determines_has_no_p_value_but_a_reason(function: Callable[[Array], Array]) -> None:
    rng = np.random.default_rng(7)
    x, y = rng.normal(size=(2, 200))
    for first, second, name in ((function(x), y, "x"), (y, function(x), "y")):
        with pytest.raises(DeterminedError, match=f"z determines {name}") as caught:
            kci(first, second, x)
        assert caught.value.variable == name


def test_it_is_the_same_from_both_sides() -> None:
    for x, y, z in problems(80).values():
        one, other = kci(x, y, z), kci(y, x, z)
        assert one.p_value == pytest.approx(other.p_value, rel=1e-9)
        assert one.statistic == pytest.approx(other.statistic, rel=1e-9)


def rejected(draw: Callable[[np.random.Generator], tuple[Array, Array, Array]], times: int) -> int:
    """Return how many of so many draws are rejected at .05."""
    return sum(kci(*draw(np.random.default_rng([9, seed]))).p_value <= 0.05 for seed in range(times))


@pytest.mark.parametrize("columns", [5, 20])
def test_many_columns_are_explained_away_and_a_dependence_beyond_them_is_seen(columns: int) -> None:
    def draw(rng: np.random.Generator, *, dependent: bool = False) -> tuple[Array, Array, Array]:
        z = rng.normal(size=(150, columns))
        x, y = (z.mean(axis=1) * np.sqrt(columns) + 0.5 * rng.normal(size=150) for _ in range(2))
        return x, y + dependent * 0.5 * (x - z.mean(axis=1) * np.sqrt(columns)), z

    assert rejected(draw, 12) <= 3
    assert rejected(lambda rng: draw(rng, dependent=True), 3) >= 2


def test_thresholds_in_z_are_explained_away_by_trees() -> None:
    """Ridge regression alone rejects three in four of these; one of two steps, as of an age limit, is in z."""

    def draw(rng: np.random.Generator) -> tuple[Array, Array, Array]:
        z = rng.normal(size=(200, 2))
        step = np.sign(z[:, 0]) + np.sign(z[:, 1] - 0.5)
        return step + 0.5 * rng.normal(size=200), step + 0.5 * rng.normal(size=200), z

    assert rejected(draw, 10) <= 3
    x, y, z = draw(np.random.default_rng(11))
    result = kci(x, y + 0.5 * (x - np.sign(z[:, 0])), z)
    assert result.p_value < 0.01
    assert result.details["regression_x"] == "boosted trees"


@pytest.mark.parametrize("n", [60, 200])
def test_many_jumps_in_one_column_are_explained_away(n: int) -> None:
    """A sawtooth of six teeth: smooth regressions alone reject two in three, trees one in three."""

    def draw(rng: np.random.Generator) -> tuple[Array, Array, Array]:
        z, noise = rng.uniform(size=n), 0.1 * rng.normal(size=(2, n))
        return 6 * z % 1 + noise[0], 6 * z % 1 + noise[1], z

    assert rejected(draw, 12) <= 2
    x, y, z = draw(np.random.default_rng(13))
    result = kci(x, y + x, z)
    assert result.p_value < (0.02 if n == 60 else 1e-4)


@pytest.mark.parametrize("test", [kci, gcm])
def test_waves_too_fast_to_follow_have_no_p_value_but_their_period(test: Callable[..., TestResult]) -> None:
    rng = np.random.default_rng(17)
    day, noise = rng.permutation(400)[:150], 0.1 * rng.normal(size=(2, 150))
    weekend = (day % 7 > 4).astype(float)
    with pytest.raises(UndecidedError, match=r"move in waves of z, one every (7|6\.9\d|7\.0\d), that"):
        test(weekend + noise[0], weekend + noise[1], day)
    x = rng.normal(size=150)
    assert test(x, x + noise[0], day).p_value < 1e-6  # alike, but not for the day
    assert test(weekend + noise[0], weekend + noise[1], (day % 7).astype(str)).p_value > 0.01


def test_two_groups_that_go_together_beyond_a_number_are_seen() -> None:
    """Groups are equal for most neighbours: lines in segments must not take each run of them for a jump."""
    rng = np.random.default_rng(0)
    g = rng.integers(0, 2, 250)
    h = np.where(rng.random(250) < 0.9, g, 1 - g)
    v = 2 * h - 1 + rng.normal(size=250)
    assert kci(np.array(["m", "f"])[g], np.array(["red", "blue"])[h], v).p_value < 1e-5
    assert kci(np.array(["m", "f"])[g], v, np.array(["red", "blue"])[h]).p_value > 0.05


def test_lines_in_segments_find_jumps_to_the_row_and_predict_what_has_no_weight() -> None:
    rng = np.random.default_rng(14)
    z = rng.permutation(np.linspace(-1, 1, 2000))
    truth = np.column_stack([np.where(z < 0.1234, z, 3 - z), np.sign(z)])
    weights = np.where(np.arange(2000)[:, None] % 4 == 0, 0.0, 2.0) * np.ones(2)
    found, segments = segmented(z, truth + 0.1 * rng.normal(size=truth.shape), weights)
    assert (segments >= 2).all()
    assert (segments <= 10).all()
    assert np.abs(found - truth).max(axis=1).mean() < 0.02
    assert np.count_nonzero(np.abs(found - truth).max(axis=1) > 0.5) <= 2
    five, _ = segmented(np.arange(5.0), np.ones((5, 1)), np.ones((5, 1)))
    assert five == pytest.approx(1)


def test_boosted_trees_follow_steps_and_groups_of_several_columns() -> None:
    rng = np.random.default_rng(15)
    z, group = rng.normal(size=(1500, 2)), rng.integers(0, 3, 1500)
    truth = np.where(group == 1, np.sign(z[:, 0]), 0.0) + (z[:, 1] > 0.5)
    given = combine(count(z), count(np.array(["a", "b", "c"])[group]))
    target = np.empty((given.size, 1))
    target[given.codes, 0] = truth + 0.3 * rng.normal(size=1500)
    assert np.mean(np.square(jumping(target, given)[0][given.codes, 0] - truth)) < 0.05


def test_too_few_rows_for_bent_regressions_on_many_columns_are_told() -> None:
    rng = np.random.default_rng(12)
    z = rng.normal(size=(60, 8))
    bent = np.abs(z[:, 0]) * 2 + z[:, 1] * z[:, 2]
    x = bent + 0.3 * rng.normal(size=60)
    with pytest.raises(UndecidedError, match="60 rows are too few to follow given 8 columns"):
        kci(x, x + bent + 0.3 * rng.normal(size=60), z)


def test_a_dependence_that_turns_its_sign_with_z_is_seen() -> None:
    rng = np.random.default_rng(10)
    z, x, noise = rng.normal(size=(3, 400))
    assert kci(x, np.sign(z) * x + noise, z).p_value < 0.001


def test_two_hundred_random_problems_equal_the_dense_computation() -> None:
    """Of any kinds, sizes and ties; what one cannot test the other need not."""
    for seed in range(200):
        rng = np.random.default_rng([21, seed])
        n = int(rng.integers(20, 90))
        z = rng.normal(size=(n, 1)) if seed % 3 else rng.integers(0, 4, (n, 1)).astype(float)
        x = np.round(z * rng.normal() + rng.normal(size=(n, 1)), int(rng.integers(0, 3)))
        y = np.round(np.sin(z) + rng.normal() * x + rng.normal(size=(n, 1)), int(rng.integers(0, 3)))
        nominal = seed % 3 == 0
        standard_x, standard_y = ((v - v.mean()) / v.std(ddof=1) for v in (x, y))
        if nominal:
            kx = gauss(standard_x, 1.2) * equal(z)
            expected = residual_p(kx, gauss(standard_y, 1.2), equal(z))
        else:
            expected = dense(x, y, z)
        result = kci(x, y, z, nominal=("z",) if nominal else (), regression="ridge")
        assert result.p_value == pytest.approx(expected, abs=1e-6), seed


def test_a_test_that_takes_long_tells_what_it_is_at(monkeypatch: pytest.MonkeyPatch) -> None:
    z, x, y = np.random.default_rng(16).normal(size=(3, 600))
    given = np.column_stack([z, x * y])
    told: list[str] = []
    with telling(told.append):
        kci(x, y, given)
        assert not told  # nothing before two seconds
        monkeypatch.setattr("personax.progress.PATIENCE", 0.0)
        kci(x, y, given)
    assert {"regression of x on z", "the kernel of what z leaves of y", "the variance of the statistic"} <= set(told)
    assert any("features of a kernel of 600 values" in one for one in told)
    heard = len(told)
    kci(x, y, given)
    assert len(told) == heard  # nobody listens any more
