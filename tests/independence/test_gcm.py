"""GCM, weighted GCM and PCM: the dependence each is made for, thresholds in z, and no answer where rows are too few."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from personax.errors import UndecidedError, UntestableError
from personax.independence import TestResult, gcm, pcm, screen, wgcm

Array = NDArray[np.float64]
Drawn = tuple[Array, Array, Array]


def drawn(seed: int, n: int = 300, columns: int = 1) -> tuple[Array, Array, Array]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, columns)), rng.normal(size=n), rng.normal(size=n)


def a_threshold(seed: int) -> Drawn:
    z, e, f = drawn(seed)
    step = 2 * np.sign(z[:, 0])
    return step + e, step + f, z


def a_reversal(seed: int) -> Drawn:
    z, e, f = drawn(seed)
    return z[:, 0] + e, z[:, 0] + np.sign(z[:, 0]) * e + f, z


def a_parabola(seed: int) -> Drawn:
    z, e, f = drawn(seed)
    return e, z[:, 0] + e**2 + f, z


TESTS: dict[str, Callable[[Drawn], TestResult]] = {
    "gcm": lambda xyz: gcm(*xyz),
    "wgcm": lambda xyz: wgcm(*xyz),
    "pcm": lambda xyz: pcm(*xyz, rng=0),
}


@pytest.mark.parametrize(
    ("draw", "seen"),
    [(a_threshold, ()), (a_reversal, ("wgcm", "pcm")), (a_parabola, ("pcm",))],
    ids=["threshold", "reversal", "parabola"],
)
def test_what_each_sees(draw: Callable[[int], Drawn], seen: tuple[str, ...]) -> None:
    for name, test in TESTS.items():
        p_values = [test(draw(seed)).p_value for seed in range(2)]
        assert (max(p_values) < 1e-3) == (name in seen), (name, p_values)
        assert name in seen or max(p_values) > 0.05


def test_given_groups_it_is_the_correlation_within_them_whose_means_took_their_degrees_of_freedom() -> None:
    """Means drawn towards one another rejected .18 of true nulls in 200 groups of five."""
    rng = np.random.default_rng(6)
    group = np.repeat(np.arange(40), 5)
    left = np.array([v - np.bincount(group, v)[group] / 5 for v in rng.normal(size=(2, 200)) + group / 20])
    product = left[0] * left[1]
    result = gcm(left[0] + group, left[1] + group % 7, group.astype(str))
    assert result.statistic == pytest.approx(200 * product.mean() ** 2 / (product.var() * 200 / (200 - 40)), rel=1e-6)


def test_the_regressions_are_named() -> None:
    result = gcm(*a_threshold(0))
    assert set(result.details) >= {"regression_x", "regression_y"}


@pytest.mark.parametrize("name", ["gcm", "wgcm"])
def test_too_few_rows_for_bends_in_many_columns_have_no_p_value(name: str) -> None:
    z, e, f = drawn(0, 200, 10)
    bent = np.tanh(2 * z[:, 0]) + z[:, 1] ** 2 / 2 + z[:, 2] * z[:, 3]
    with pytest.raises(UndecidedError, match="rows are enough"):
        TESTS[name]((bent + 0.5 * e, bent + 0.5 * (0.9 * e + 0.4 * f), z))


def test_effect_of_nothing_is_near_nothing() -> None:
    effects = []
    for seed in range(10):
        z, e, f = drawn(seed, 200, 3)
        effects.append(wgcm(z[:, 0] + e, z[:, 1] + f, z).effect_size)
    assert np.median(effects) < 0.05


def test_categories_and_numbers_are_given_together() -> None:
    z, e, f = drawn(4)
    group = np.random.default_rng(5).choice(["a", "b", "c"], 300)
    y = z[:, 0] + np.where(group == "a", e, -e) + f
    frame = pl.DataFrame({"x": z[:, 0] + e, "y": y, "z": z[:, 0], "group": group})
    table = screen(frame, ["x"], ["y"], given=["z", "group"], tests=["gcm", "wgcm", "pcm"])
    p_values = dict(table.select("test", "p_value").iter_rows())
    assert p_values["wgcm"] < 1e-6
    assert p_values["pcm"] < 0.01


def test_pcm_predicts_one_column() -> None:
    z, e, _ = drawn(0)
    text = np.random.default_rng(1).choice(["a", "b", "c"], 300)
    with pytest.raises(UntestableError, match="one column of numbers or of two groups"):
        pcm(e, text, z, rng=0)
    with pytest.raises(UntestableError, match="too few to be halved"):
        pcm(e[:40], e[:40] + 1, z[:40], rng=0)
