"""The noise is what the statement says, and the statement is what theory says."""

from __future__ import annotations

import math
import sys
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.optimize import brentq
from scipy.special import ndtr
from scipy.stats import chi2, kstest, laplace, norm

from personax.errors import InputError, MissingExtraError
from personax.release.disclosure import Bounds, Categories, Sphere, add_noise, calibrate_noise, expected_cosine
from personax.release.disclosure._privacy_statement import Clip

pytest.importorskip("opendp", reason="the extra release is not installed")


def _analytic(epsilon: float, delta: float, gap: float) -> float:
    """Return the least standard deviation of Gaussian noise; Balle and Wang 2018, theorem 8."""

    def excess(scale: float) -> float:
        a, b = gap / (2 * scale), epsilon * scale / gap
        return float(ndtr(a - b) - math.exp(epsilon) * ndtr(-a - b) - delta)

    return float(brentq(excess, 1e-3 * gap, 1e5 * gap, xtol=1e-12))


@pytest.mark.parametrize("epsilon", [0.1, 1.0, 8.0, 50.0])
@pytest.mark.parametrize("delta", [1e-9, 1e-5, 1e-2])
def test_gaussian_noise_is_enough_and_little_more(epsilon: float, delta: float) -> None:
    (made,) = calibrate_noise({"x": Sphere(1.5, 8)}, epsilon=epsilon, delta=delta).mechanisms
    assert (made.sensitivity, made.epsilon, made.delta) == (3.0, epsilon, delta)
    least = _analytic(epsilon, delta, 3.0)
    assert least <= made.scale <= 1.4 * least


@pytest.mark.parametrize("epsilon", [0.01, 1.0, 30.0])
def test_laplace_and_randomised_response_by_their_closed_forms(epsilon: float) -> None:
    names = ("a", "b", "c", "d")
    made = calibrate_noise({"x": Bounds(1, 5), "y": Categories(names)}, epsilon=2 * epsilon)
    assert [m.epsilon for m in made.mechanisms] == [epsilon, epsilon]
    assert made.mechanisms[0].scale == pytest.approx(4 / epsilon, rel=1e-9)
    assert made.mechanisms[0].scale >= 4 / epsilon, "rounding costs, it does not give"
    truth = made.mechanisms[1].scale
    assert truth == pytest.approx(math.exp(epsilon) / (math.exp(epsilon) + 3), rel=1e-9)
    assert truth / ((1 - truth) / 3) <= math.exp(epsilon) * (1 + 1e-9)


def test_the_budget_is_split_and_adds_up() -> None:
    columns: dict[str, Clip] = {"a": Sphere(1, 4), "b": Sphere(1, 4), "c": Bounds(0, 1)}
    made = calibrate_noise(columns, epsilon=4, delta=1e-6, weights={"a": 2.0})
    assert [m.epsilon for m in made.mechanisms] == [2, 1, 1]
    assert [m.delta for m in made.mechanisms] == [5e-7, 5e-7, 0]
    assert made.epsilon == pytest.approx(4)
    assert made.delta == pytest.approx(1e-6)
    assert made.model == "local"
    assert "one person's row" in made.sentence
    assert "add up" in made.sentence
    assert "mean cosine" in made.sentence
    assert made.to_dict()["mechanisms"][2]["clip"] == {"low": 0, "high": 1}
    assert calibrate_noise({"c": Bounds(0, 1)}, epsilon=1, delta=1e-6).delta == 0, "nobody uses it"


@pytest.mark.parametrize(
    ("radius", "scale", "dim"), [(1, 0.5, 2), (1, 1, 10), (1, 0.05, 64), (40, 1, 3), (1, 0.5, 1024)]
)
def test_the_expected_cosine(radius: float, scale: float, dim: int) -> None:
    rng = np.random.default_rng(0)
    noisy = scale * rng.standard_normal((20_000, dim))
    noisy[:, 0] += radius
    seen = noisy[:, 0] / np.linalg.norm(noisy, axis=1)
    assert expected_cosine(radius, scale, dim) == pytest.approx(
        seen.mean(), abs=4 * seen.std() / math.sqrt(20_000) + 1e-5
    )


def test_the_noise_follows_its_distribution() -> None:
    """OpenDP cannot be seeded: limits at which chance fails once in a million runs."""
    n = 3000
    made = calibrate_noise(
        {"x": Bounds(0, 1), "v": Sphere(1, 4), "c": Categories(("a", "b", "c"))}, epsilon=6, delta=1e-3
    )
    number, vector, category = made.mechanisms
    long = np.tile([30.0, 40.0, 0.0, 0.0], (n, 1))
    frame = pl.DataFrame({"x": [7.0] * n, "v": pl.Series(long, dtype=pl.Array(pl.Float64, 4)), "c": ["b"] * n})
    noisy = add_noise(frame, made)
    assert kstest(noisy["x"].to_numpy() - 1, laplace(scale=number.scale).cdf).pvalue > 1e-6, "7 is clipped to 1"
    gaps = noisy["v"].to_numpy() - [0.6, 0.8, 0, 0]
    assert kstest(gaps.ravel(), norm(scale=vector.scale).cdf).pvalue > 1e-6, "clipped to the sphere, direction kept"
    counts = noisy["c"].value_counts().sort("c")["count"].to_numpy()
    wanted = n * np.array([(1 - category.scale) / 2, category.scale, (1 - category.scale) / 2])
    assert chi2(2).sf(((counts - wanted) ** 2 / wanted).sum()) > 1e-6
    assert not add_noise(frame, made)["x"].equals(noisy["x"]), "no two draws are the same"


def test_missing_stays_missing_and_inside_the_sphere_nothing_is_clipped() -> None:
    columns: dict[str, Clip] = {"x": Bounds(0, 10), "v": Sphere(5, 2), "c": Categories(("a", "b"))}
    made = calibrate_noise(columns, epsilon=99, delta=0.5)
    vectors = pl.Series("v", [[3.0, 0.0], None], dtype=pl.Array(pl.Float32, 2))
    frame = pl.DataFrame({"x": [3, None], "v": vectors, "c": ["a", None], "id": ["p", "q"]})
    found = add_noise(frame, made)
    assert found.select(pl.all().null_count()).row(0) == (1, 1, 1, 0)
    assert found["x"][0] == pytest.approx(3, abs=30 * made.mechanisms[0].scale)
    assert found["v"].to_numpy()[0] == pytest.approx([3, 0], abs=8 * made.mechanisms[1].scale)
    assert found.schema["v"] == pl.Array(pl.Float32, 2)
    assert add_noise(frame.select("id"), made).equals(frame.select("id"))


@pytest.mark.parametrize(
    ("columns", "settings", "says"),
    [
        ({}, {"epsilon": 1}, "needs columns"),
        ({"x": Bounds(0, 1)}, {"epsilon": 0}, "epsilon is above 0"),
        ({"x": Bounds(0, 1)}, {"epsilon": -1}, "epsilon is above 0"),
        ({"x": Bounds(0, 1)}, {"epsilon": math.nan}, "epsilon is above 0"),
        ({"x": Bounds(0, 1)}, {"epsilon": 1e9}, "at most 100"),
        ({"x": Sphere(1, 3)}, {"epsilon": 1}, "needs a delta"),
        ({"x": Sphere(1, 3)}, {"epsilon": 1, "delta": 1.0}, "delta in"),
        ({"x": Sphere(0, 3)}, {"epsilon": 1, "delta": 0.1}, "radius above 0"),
        ({"x": Bounds(1, 1)}, {"epsilon": 1}, "bounds 1 and 1 of x"),
        ({"x": Bounds(0, math.inf)}, {"epsilon": 1}, "bounds 0 and inf of x"),
        ({"x": Categories(("a",))}, {"epsilon": 1}, "two or more"),
        ({"x": Categories(("a", "a"))}, {"epsilon": 1}, "two or more"),
        ({"x": Bounds(0, 1)}, {"epsilon": 1, "weights": {"y": 1.0}}, "weight 1 of y"),
    ],
)
def test_settings_that_promise_nothing(columns: dict[str, Any], settings: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        calibrate_noise(columns, **settings)


def test_values_that_cannot_be_protected() -> None:
    made = calibrate_noise({"x": Bounds(0, 1), "v": Sphere(1, 2), "c": Categories(("a", "b"))}, epsilon=3, delta=0.1)
    for frame, says in [
        (pl.DataFrame({"x": [float("nan"), 1.0]}), "1 values of x are not finite"),
        (pl.DataFrame({"x": ["a"]}), "x holds String"),
        (pl.DataFrame({"v": [[1.0, 2.0, 3.0]]}), "no vectors of 2 numbers"),
        (pl.DataFrame({"v": [1.0]}), "no vectors of 2 numbers"),
        (pl.DataFrame({"c": ["a", "z"]}), "1 values of c are none"),
    ]:
        with pytest.raises(InputError, match=says):
            add_noise(frame, made)


def test_without_opendp_one_line_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opendp.prelude", None)
    with pytest.raises(MissingExtraError, match=r"personax\[release\]"):
        calibrate_noise({"x": Bounds(0, 1)}, epsilon=1)
