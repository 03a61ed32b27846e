"""Distance correlation by sorting equals the one by n x n distances, for numbers, ties, weights and categories."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from personax.errors import UntestableError
from personax.independence import dcor, screen

Array = NDArray[np.float64]


def dense(x: Any, y: Any) -> float:
    """Return the bias-corrected squared distance correlation as Székely and Rizzo (2014) write it down."""

    def centred(values: Any) -> Array:
        numbers = values.dtype.kind == "f"
        a = np.abs(values[:, None] - values) if numbers else (values[:, None] != values).astype(float)
        n = len(a)
        u = a - a.sum(0) / (n - 2) - a.sum(1)[:, None] / (n - 2) + a.sum() / ((n - 1) * (n - 2))
        np.fill_diagonal(u, 0)
        return np.asarray(u)

    a, b = centred(x), centred(y)
    return float((a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum()))


def samples() -> dict[str, tuple[Any, Any]]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=83)
    tied = np.round(x, 1)
    names = np.array(list("abcd"))[np.digitize(x, [-1, 0, 1])]
    return {
        "numbers": (x, x**2 + rng.normal(size=83)),
        "ties": (tied, np.round(tied + rng.normal(size=83))),
        "two values": ((x > 0).astype(float), np.round(x + rng.normal(size=83), 1)),
        "names and numbers": (names, x + rng.normal(size=83)),
        "numbers and names": (tied, names),
        "names": (names, np.array(list("xyz"))[rng.integers(0, 3, 83)]),
    }


@pytest.mark.parametrize("name", samples())
def test_equals_the_n_by_n_computation(name: str) -> None:
    x, y = samples()[name]
    result = dcor(x, y, scores="never")
    assert result.statistic == pytest.approx(83 * dense(x, y), rel=1e-9)
    assert dcor(y, x, scores="never").statistic == pytest.approx(result.statistic, rel=1e-9)
    if x.dtype.kind == "f":
        assert dcor(7 - 3 * x, y, scores="never").statistic == pytest.approx(result.statistic, rel=1e-9)


def test_in_the_grid_with_weights_and_without() -> None:
    rng = np.random.default_rng(1)
    x = rng.integers(0, 5, 60)
    frame = pl.DataFrame({"x": x, "y": x + rng.integers(0, 9, 60), "count": rng.integers(1, 5, 60)})
    whole = frame.select(pl.all().repeat_by("count").explode())
    a = screen(frame, ["x"], ["y"], tests=["dcor"], weight="count")
    b = screen(whole, ["x"], ["y"], tests=["dcor"])
    assert a["p_value"][0] == pytest.approx(b["p_value"][0], rel=1e-9)
    assert a["n"][0] == b["n"][0]
    assert a["method"][0] == "chi-square"


def test_many_rows_and_no_more_than_the_level() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=100_000)
    assert dcor(x, 0.03 * x + rng.normal(size=100_000)).p_value < 1e-6
    found = [dcor(rng.normal(size=60), rng.normal(size=60)).p_value for _ in range(200)]
    assert np.sum(np.array(found) <= 0.05) <= 18
    assert min(found) > 1e-5


def test_several_columns_are_told() -> None:
    with pytest.raises(UntestableError, match="x has 2 columns; distance correlation takes one"):
        dcor(np.zeros((9, 2)) + np.arange(9)[:, None], np.arange(9))
