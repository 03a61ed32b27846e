"""Kernel ridge regression on z: equals the dense solution, finds known functions, and never interpolates noise."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from personax.independence._counts import count
from personax.independence._kernel_ridge import PENALTIES, WIDTHS, Regression
from personax.independence._kernels import marginal_width, standardise

Array = NDArray[np.float64]


def dense_gcv(z: Array, target: Array) -> Array:
    """Return residuals by n x n matrices, scores written down as by Golub, Heath, Wahba 1979."""
    n = len(z)
    counted = count(z)
    assert counted.values is not None
    values = standardise(counted)
    width = marginal_width(values, counted.counts, "median")
    rows = values[counted.codes]
    squared = np.square(rows[:, None] - rows[None]).sum(axis=2)
    centre = np.eye(n) - 1 / n
    target = target - target.mean()
    best, residual = np.inf, target
    for scale in WIDTHS:
        kernel = centre @ np.exp(-0.5 * squared / (scale * width) ** 2) @ centre
        for penalty in n * PENALTIES[PENALTIES > 1e-7]:
            maker = penalty * np.linalg.inv(kernel + penalty * np.eye(n))
            left = maker @ target
            score = left @ left / (np.trace(maker) - 1) ** 2
            if score < best:
                best, residual = score, left
    return residual


@pytest.mark.parametrize("dim", [1, 2])
def test_equals_the_dense_solution(dim: int) -> None:
    rng = np.random.default_rng(dim)
    z = np.round(rng.normal(size=(70, dim)), 1)
    # a function of both columns together, which a sum of curves does not follow
    y = (np.sin(2 * z[:, 0]) if dim == 1 else z.prod(axis=1)) + 0.1 * rng.normal(size=70)
    of = count(y)
    assert of.values is not None
    left = Regression(count(z)).residual(of.values, of)
    assert left.rows[left.of.codes, 0] == pytest.approx(dense_gcv(z, y), abs=1e-6)


def test_groups_leave_deviations_from_shrunk_means() -> None:
    rng = np.random.default_rng(3)
    z = rng.choice(list("abcd"), 400)
    means = {"a": 0.0, "b": 2.0, "c": -3.0, "d": 5.0}
    y = np.array([means[level] for level in z]) + 0.1 * rng.normal(size=400)
    of = count(y)
    assert of.values is not None
    left = Regression(count(z)).residual(of.values, of)
    rows = left.rows[left.of.codes, 0]
    for level in "abcd":
        assert rows[z == level] == pytest.approx(y[z == level] - y[z == level].mean(), abs=0.01)


def test_finds_a_function() -> None:
    rng = np.random.default_rng(4)
    z, e = rng.uniform(-2, 2, 500), rng.normal(size=500)
    of = count(np.sin(3 * z) + 0.2 * e)
    assert of.values is not None
    left = Regression(count(z)).residual(of.values, of)
    assert np.corrcoef(left.rows[left.of.codes, 0], e)[0, 1] > 0.97


@pytest.mark.parametrize("dim", [1, 3, 8, 60])
def test_noise_is_neither_fitted_nor_interpolated(dim: int) -> None:
    """With all rows of z different in many dimensions any penalty near 0 interpolates; the score must see that."""
    rng = np.random.default_rng(5)
    z, waves = rng.normal(size=(60, dim)), rng.normal(size=(60, 20))
    of = count(np.arange(60.0))
    left = Regression(count(z)).residual(waves, of)
    share = np.square(left.rows).mean(axis=0) / waves.var(axis=0)
    assert share.max() <= 1 + 1e-9
    assert np.median(share) > 0.85
    assert share.min() > 1e-3
