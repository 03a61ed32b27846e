"""Holm's correction by hand, and as both levels use it."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personax.independence import correct
from personax.statistics import holm


def test_by_hand() -> None:
    """Sorted: .005 * 4, .01 * 3, .03 * 2, then .04, which may not fall below what stands before it."""
    assert holm([0.01, 0.04, None, 0.03, 0.005]) == pytest.approx([0.03, 0.06, None, 0.06, 0.02])
    assert holm([None]) == [None]
    assert holm([]) == []
    assert holm([0.9, 0.8]) == [1.0, 1.0]


@given(st.lists(st.one_of(st.none(), st.floats(0, 1)), max_size=12))
def test_it_is_the_step_down_bound(p_values: list[float | None]) -> None:
    """A p-value is corrected to the largest, over those no larger, of it times those no smaller than it, at most 1."""
    found = holm(p_values)
    known = [p for p in p_values if p is not None]
    for p, corrected in zip(p_values, found, strict=True):
        if p is None:
            assert corrected is None
        else:
            bounds = [q * sum(r >= q for r in known) for q in known if q <= p]
            assert corrected == pytest.approx(min(1.0, max(bounds)))


@given(st.lists(st.one_of(st.none(), st.floats(0, 1)), max_size=12))
def test_level_one_corrects_by_the_same(p_values: list[float | None]) -> None:
    expected = [math.nan if p is None else p for p in holm(p_values)]
    given = [math.nan if p is None else p for p in p_values]
    assert correct(given, "holm").tolist() == pytest.approx(expected, nan_ok=True)
