"""What of the geometry is kept, against all distances at once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
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
