"""What of the geometry is kept, against all distances at once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from personax.errors import InputError
from personax.release.vectors._geometry import neighbours_kept


@given(n=st.integers(2, 40), k=st.integers(1, 60), seed=st.integers(0, 99))
def test_neighbours_are_those_of_all_distances_however_few_people_there_are(n: int, k: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(2, n, 3)).astype(np.float32)
    near = [[set(np.argsort(row)[1 : k + 1]) for row in cdist(z, z)] for z in (x, y)]
    share = np.mean([len(a & b) / min(k, n - 1) for a, b in zip(*near, strict=True)])
    assert neighbours_kept(x, y, k) == pytest.approx(share)


def test_one_person_has_no_neighbour() -> None:
    with pytest.raises(InputError, match="two are needed"):
        neighbours_kept(np.ones((1, 3), np.float32), np.ones((1, 3), np.float32))


Rows = NDArray[np.float32]


def turned(x: Rows, seed: int) -> Rows:
    turn = np.linalg.qr(np.random.default_rng(seed).normal(size=(x.shape[1], x.shape[1])))[0]
    return np.asarray(x @ turn, dtype=np.float32)


@given(groups=st.integers(2, 5), size=st.integers(2, 9), k=st.integers(1, 12), seed=st.integers(0, 99))
def test_equal_vectors_share_the_places_that_are_left(groups: int, size: int, k: int, seed: int) -> None:
    """Closed forms: 1 under a rotation; k / (m - 1) within groups of m that one side sees as one point each."""
    rng = np.random.default_rng(seed)
    centres = 100.0 * np.arange(groups)[:, None] * np.array([1, 0, 0])
    equal = np.repeat(centres, size, axis=0).astype(np.float32)
    order = rng.permutation(len(equal))
    assert neighbours_kept(equal[order], turned(equal[order], seed), k) == pytest.approx(1)
    apart = (equal + rng.normal(size=equal.shape)).astype(np.float32)
    nearest = min(k, size - 1)
    assert neighbours_kept(equal, apart, nearest) == pytest.approx(nearest / (size - 1))
    n = len(equal)
    assert neighbours_kept(np.ones_like(equal), apart, k) == pytest.approx(min(k, n - 1) / (n - 1))
    assert neighbours_kept(np.ones_like(equal), np.zeros_like(equal), k) == pytest.approx(1)


def test_chance_breaks_no_ties() -> None:
    """The expected overlap of two independent draws among t tied people would be r / t, though nothing has changed."""
    x = np.repeat(np.eye(3, dtype=np.float32), 20, axis=0)
    assert neighbours_kept(x, x) == pytest.approx(1)
    assert neighbours_kept(x, 5 * x[:, ::-1] + 2) == pytest.approx(1)
