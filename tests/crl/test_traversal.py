"""A measurement that is a known function of latents moves as that function does, and only along its own latent."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from personax.crl import traverse
from personax.errors import InputError

RNG = np.random.default_rng(0)
Z = RNG.normal(size=(3000, 3))


def test_the_mean_follows_the_function_and_rests_where_a_latent_does_nothing() -> None:
    x = np.column_stack([np.tanh(Z[:, 0]), Z[:, 0] * 0 + 5.0, np.sin(2 * Z[:, 1])])
    first, second, idle = traverse(Z, x, [0, 1, 2], quantiles=[0.1, 0.5, 0.9], rng=np.random.default_rng(1))
    np.testing.assert_allclose(first.values, np.quantile(Z[:, 0], [0.1, 0.5, 0.9]))
    np.testing.assert_allclose(first.means[:, 0], np.tanh(first.values), atol=0.05)
    np.testing.assert_allclose(second.means[:, 2], np.sin(2 * second.values), atol=0.05)
    np.testing.assert_allclose(np.ptp(idle.means, axis=0), 0, atol=0.05)
    np.testing.assert_allclose(first.means[:, 1], 5.0)
    assert first.r2 > 0.98


def test_what_latents_do_not_show_is_not_explained() -> None:
    (found,) = traverse(Z, RNG.normal(size=(3000, 4)), [0], rng=np.random.default_rng(1))
    assert abs(found.r2) < 0.05
    assert found.means.shape == (7, 4)
    assert np.abs(found.means).max() < 0.3


def test_people_near_a_place_are_counted() -> None:
    (found,) = traverse(Z, Z, [1], quantiles=[0.5, 1.0], rng=np.random.default_rng(1))
    median = np.median(Z, axis=0)
    near = (np.abs(Z - median) <= 0.5 * Z.std(axis=0)).all(axis=1).sum()
    assert found.people.tolist()[0] == near
    assert found.people[1] < near


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"which": [3]}, "there are 3 latents, counted from 0"),
        ({"quantiles": [1.2]}, "quantiles from 0 to 1"),
        ({"measurement": Z[:7]}, "give the same people"),
        ({"measurement": np.full((3000, 2), np.nan)}, "missing or infinite"),
    ],
)
def test_bad_input(change: dict[str, Any], said: str) -> None:
    asked: dict[str, Any] = {"latents": Z, "measurement": Z, "which": [0], "rng": np.random.default_rng(0)} | change
    with pytest.raises(InputError, match=said):
        traverse(**asked)
