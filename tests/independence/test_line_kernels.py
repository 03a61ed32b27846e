"""Kernels of one column from a table of polynomials are those of the definition, for all widths and counts."""

from __future__ import annotations

import numpy as np
import pytest

from personax.independence import kci
from personax.independence._counts import count
from personax.independence._kernels import centred, kernel_of, line_of, marginal_factor
from personax.independence._line_kernels import LineKernels, polynomials_needed

RNG = np.random.default_rng(0)
NUMBERS = np.sort(RNG.normal(size=400))
COUNTS = RNG.integers(1, 4, 400)


@pytest.mark.parametrize("width", [0.15, 0.7, 5.0])
@pytest.mark.parametrize("tolerance", [1e-7, 1e-11])
def test_features_and_their_products_are_those_of_the_kernel(width: float, tolerance: float) -> None:
    line = LineKernels(NUMBERS, COUNTS)
    made = line.coefficients(width, tolerance)
    features = line.table(len(made)).T @ made
    kernel = np.exp(-np.square(NUMBERS[:, None] - NUMBERS) / (2 * width**2))
    assert np.abs(features @ features.T - kernel).max() < 10 * tolerance
    assert len(made) == polynomials_needed((line.half / width) ** 2 / 2, tolerance)
    about = features - COUNTS @ features / COUNTS.sum()
    assert made.T @ line.gram(len(made)) @ made == pytest.approx(about.T @ (COUNTS[:, None] * about), abs=1e-9)


def test_a_table_that_grows_is_the_larger_table() -> None:
    small, large = LineKernels(NUMBERS, COUNTS), LineKernels(NUMBERS, COUNTS)
    first = small.table(1).copy()
    assert (small.table(60) == large.table(60)).all()
    assert (large.table(1) == first).all()
    angles = np.arccos(((NUMBERS - NUMBERS[0]) / large.half - 1).clip(-1, 1))
    assert large.table(60) == pytest.approx(np.cos(np.outer(np.arange(60), angles)), abs=1e-11)


def test_the_factor_is_that_of_a_factorisation() -> None:
    variable = count(NUMBERS)
    direct = centred(kernel_of(variable, lambda _: 0.5), variable, 1e-11)
    factor = marginal_factor(variable, 0.5, tolerance=1e-11)
    assert factor.rows @ factor.rows.T == pytest.approx(direct.rows @ direct.rows.T, abs=1e-9)


def test_far_values_are_factored_on_the_values_themselves() -> None:
    """One person in ten million units away would need thousands of polynomials."""
    x = np.append(NUMBERS, 1e4)
    line = line_of(count(x))
    assert line is not None
    assert line.needed(0.01, 1e-9) > 1000
    assert kci(x, np.append(RNG.normal(size=400), 0.0), np.append(RNG.normal(size=400), 1e4)).p_value > 0.01
    assert line_of(count(np.round(x[:-1]))) is None
