"""The router: every branch, why it was taken, and that auto is the test that it names."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

from personax.independence import chisq, kci, screen


def auto(frame: pl.DataFrame, given: list[str] | None = None) -> tuple[str, str, float]:
    row = screen(frame, ["x"], ["y"], given=given or [], tests=["auto"]).row(0, named=True)
    return row["method"], json.loads(row["details"])["why"], row["p_value"]


def people(n: int) -> pl.DataFrame:
    rng = np.random.default_rng(n)
    return pl.DataFrame({
        "number": rng.normal(size=n), "other": rng.normal(size=n), "few": rng.choice(["a", "b"], n),
        "many": rng.integers(0, 30, n).astype(str), "z": rng.normal(size=n), "w": rng.normal(size=n),
        "g": rng.choice(["u", "v"], n),
    })  # fmt: skip


def named(frame: pl.DataFrame, x: str, y: str) -> pl.DataFrame:
    return frame.rename({x: "x", y: "y"})


@pytest.mark.parametrize(
    ("x", "y", "n", "given", "method", "why"),
    [
        ("few", "g", 200, [], "chisq, asymptotic", "every expected count"),
        ("few", "many", 200, [], "chisq, moments", "an expected count is"),
        ("number", "other", 200, [], "kci, moments", "any form"),
        ("number", "few", 200, [], "kci, moments", "any form"),
        ("number", "other", 20, [], "kci, sequential", "only 20 people"),
        ("few", "g", 400, ["many"], "chisq, moments", "within strata of 13 people"),
        ("number", "other", 200, ["z"], "kci, gamma", "given one column"),
        ("number", "other", 200, ["z", "w"], "kci, gamma", "given 2 columns"),
    ],
)
def test_each_branch(x: str, y: str, n: int, given: list[str], method: str, why: str) -> None:
    taken, because, _ = auto(named(people(n), x, y), given)
    assert taken == method
    assert why in because


def test_auto_is_the_test_it_names() -> None:
    frame = people(200)
    assert auto(named(frame, "number", "other"))[2] == kci(frame["number"], frame["other"]).p_value
    expected = chisq(frame["few"].to_numpy(), frame["many"].to_numpy(), null="moments").p_value
    assert auto(named(frame, "few", "many"))[2] == expected
