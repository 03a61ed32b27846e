"""Rows that stand for several people give what those people give one by one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from personax.errors import UntestableError
from personax.independence._conditional import conditional_kci
from personax.independence._contingency import of_tables, pearson
from personax.independence._counts import count, table
from personax.independence._effects import effect_factor, kernel_correlation
from personax.independence._gsq import likelihood_ratio
from personax.independence._hsic import hsic_of
from personax.independence._kci import kci_of
from personax.independence._kernels import marginal_factor
from personax.independence._rcit import rcit_of

ROW = st.tuples(st.integers(0, 4), st.integers(0, 3), st.integers(0, 2), st.integers(1, 5))


def results(x: Any, y: Any, z: Any) -> dict[str, Any]:
    kx, ky = marginal_factor(x, 0.5), marginal_factor(y, 0.5)
    effect = kernel_correlation(effect_factor(x), effect_factor(y))
    tests: dict[str, Callable[[], Any]] = {
        "kci": lambda: kci_of(kx, ky, effect, "moments"),
        "spectral": lambda: kci_of(kx, ky, effect, "spectral"),
        "permutation": lambda: kci_of(kx, ky, effect, "permutation", 19, np.random.default_rng(0)),
        "hsic": lambda: hsic_of(kx, ky, estimate="unbiased"),
        "chisq": lambda: of_tables([table(x, y)], pearson),
        "gsq": lambda: of_tables([table(x, y)], likelihood_ratio),
        "conditional": lambda: conditional_kci(x, y, z),
        "rcit": lambda: rcit_of(x, y, None, rng=np.random.default_rng(0)),
        "rcit given z": lambda: rcit_of(x, y, z, rng=np.random.default_rng(0)),
    }
    outcome: dict[str, Any] = {}
    for name, test in tests.items():
        try:
            result = test()
            outcome[name] = (result.statistic, result.p_value, result.effect_size, result.n)
        except UntestableError as error:
            outcome[name] = str(error)
    return outcome


@settings(max_examples=8)
@given(rows=st.lists(ROW, min_size=8, max_size=40), nominal=st.booleans())
def test_weights_equal_repeated_rows(rows: list[tuple[int, int, int, int]], nominal: bool) -> None:
    data = np.array(rows)
    assume(all(len(set(column)) > 1 for column in data[:, :3].T))
    weights = data[:, 3].astype(np.intp)
    weighted = results(*(count(column, nominal=nominal, weights=weights) for column in data[:, :3].T))
    repeated = np.repeat(data[:, :3], weights, axis=0)
    plain = results(*(count(column, nominal=nominal) for column in repeated.T))
    for name, expected in plain.items():
        if isinstance(expected, str):
            assert weighted[name] == expected
        else:
            assert weighted[name] == pytest.approx(expected, rel=1e-5, abs=1e-9), name
