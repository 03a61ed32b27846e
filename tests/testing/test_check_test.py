"""`personax.testing.check_test`: our tests pass it, and each fault that it names is seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from personax import registry
from personax.errors import UntestableError
from personax.independence import TestResult, chisq, hsic
from personax.registry import register
from personax.testing import check_test

Call = Callable[..., TestResult]


@pytest.mark.parametrize("name", ["auto", "kci", "rcit", "hsic", "dcor", "chisq", "gsq", "usp", "gcm", "wgcm", "pcm"])
def test_our_tests_pass(name: str) -> None:
    assert name in registry.names("tests")
    check_test(name, times=60)


def numbers(x: Any, y: Any, z: Any = None, *, rng: Any = None) -> TestResult:
    """The correlation of two columns of numbers, by permutation: a small test that is right."""
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if len(x) != len(y) or len(x) < 5 or not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise UntestableError("fewer than five rows, different lengths or a missing value")
    if min(np.ptp(x), np.ptp(y)) == 0:
        raise UntestableError("a column is constant")
    r = abs(np.corrcoef(x, y)[0, 1])
    a, b = x - x.mean(), y - y.mean()
    drawn = np.abs(rng.permuted(np.tile(a, (199, 1)), axis=1) @ b) / np.sqrt((a @ a) * (b @ b))
    p = (1 + int((drawn >= r - 1e-12).sum())) / 200
    return TestResult(r, p, min(r, 1.0), len(x), "permutation", {"effect_name": "correlation"})


def mutated(x: Any, y: Any, z: Any = None, *, rng: Any = None) -> TestResult:
    result = numbers(x, y, rng=rng)
    x[0] = 0.0
    return result


def global_state(x: Any, y: Any, z: Any = None, *, rng: Any = None) -> TestResult:
    return replace(numbers(x, y, rng=rng), statistic=float(np.random.random()))  # noqa: NPY002 - the fault


def global_draw(x: Any, y: Any, z: Any = None, *, rng: Any = None) -> TestResult:
    np.random.random()  # noqa: NPY002 - the fault
    return numbers(x, y, rng=rng)


def constants_are_independent(x: Any, y: Any, z: Any = None, *, rng: Any = None) -> TestResult:
    try:
        return numbers(x, y, rng=rng)
    except UntestableError:
        return TestResult(0.0, 1.0, 0.0, len(x), "none", {"effect_name": "none"})


def crashes(x: Any, y: Any, z: Any = None, *, rng: Any = None) -> TestResult:
    try:
        return numbers(x, y, rng=rng)
    except UntestableError as error:
        raise ZeroDivisionError from error


def rows_in_order(x: Any, y: Any, z: Any = None, *, rng: Any = None) -> TestResult:
    result = numbers(x, y, rng=rng)
    return replace(result, statistic=result.statistic + x[0])


def lopsided(x: Any, y: Any, z: Any = None, *, rng: Any = None) -> TestResult:
    result = numbers(x, y, rng=rng)
    return replace(result, statistic=float(np.std(x) / np.std(y)))


def liberal(x: Any, y: Any, z: Any = None, *, rng: Any = None) -> TestResult:
    result = numbers(x, y, rng=rng)
    return replace(result, p_value=result.p_value / 4)


def blind(x: Any, y: Any, z: Any = None, *, rng: Any = None) -> TestResult:
    return replace(numbers(x, y, rng=rng), p_value=float(rng.random()))


def changed(**fields: Any) -> Call:
    return lambda x, y, z=None, *, rng=None: replace(numbers(x, y, rng=rng), **fields)


def as_number(x: Any, y: Any, z: Any = None, *, rng: Any = None) -> Any:
    return numbers(x, y, rng=rng).p_value


@pytest.mark.parametrize(
    ("function", "facts", "says"),
    [
        (as_number, {}, "returns float; return a TestResult"),
        (changed(p_value=1.2), {}, "p_value is 1.2; return a probability"),
        (changed(p_value=float("nan")), {}, "p_value is nan"),
        (changed(statistic=float("inf")), {}, "statistic is inf"),
        (changed(effect_size=7.0), {}, "effect_size is 7.0; scale it"),
        (changed(n=3), {}, "n is 3 for 120 rows"),
        (changed(method=""), {}, "method is empty"),
        (changed(details={}), {}, 'details lacks "effect_name"'),
        (mutated, {}, "changes its inputs; work on copies"),
        (global_state, {}, "the same generator gives another result"),
        (global_draw, {}, "draws from numpy's global state; draw from rng"),
        (rows_in_order, {}, "the order of people changes the statistic"),
        (lopsided, {}, "exchanging x and y changes the result; make it symmetric, or register it with symmetric=False"),
        (changed(statistic=1.0), {"invariant": ("rotation",)}, "invariant='rotation' is not known; claim from affine"),
        (lopsided, {"symmetric": False, "invariant": ("affine",)}, "its statistic changes; standardise"),
        (constants_are_independent, {}, "x is constant, and p is 1; raise an UntestableError"),
        (crashes, {}, "x is constant, and it raises ZeroDivisionError"),
        (blind, {}, "the test has no power"),
        (liberal, {}, r"rejects \d+ of 200 at 0.05; its null distribution"),
        (changed(p_value=0.001), {}, "rejects 200 of 200"),
        (numbers, {"colour": "red"}, "registered with an unknown word"),
        (numbers, {"given": "either"}, "x and y are independent given z, and it rejects"),
    ],
)
def test_every_fault_is_seen_and_named(function: Call, facts: dict[str, Any], says: str) -> None:
    register("tests", "toy", help="a toy", **({"given": "without", "invariant": ()} | facts))(function)
    try:
        with pytest.raises(AssertionError, match=f"^toy: .*{says}"):
            check_test("toy", times=200)
    finally:
        registry.forget("tests", "toy")


def test_a_test_that_never_runs_is_named() -> None:
    def broken(x: Any, y: Any, z: Any = None) -> Any:
        raise KeyError("column")

    register("tests", "toy", given="without", invariant=())(broken)
    try:
        with pytest.raises(
            AssertionError, match=r"^toy: on \d+ rows of ordinary values it raises KeyError \('column'\)"
        ):
            check_test("toy")
    finally:
        registry.forget("tests", "toy")


def test_a_right_test_passes() -> None:
    register("tests", "toy", given="without", invariant=("affine",))(numbers)
    try:
        check_test("toy")
    finally:
        registry.forget("tests", "toy")
    with pytest.raises(AssertionError, match="there is no test toy"):
        check_test("toy")


@pytest.mark.parametrize(("function", "categories"), [(chisq, True), (hsic, False)])
def test_a_test_is_the_same_on_arrays_and_on_counted_columns(function: Call, categories: bool) -> None:
    """Without ``on_pair`` the grid hands the function every person's value: the numbers are the same."""
    import polars as pl

    from personax.independence import screen

    rng = np.random.default_rng(0)
    frame = pl.DataFrame({"x": rng.integers(0, 3, 90), "y": rng.integers(0, 3, 90), "w": rng.integers(1, 4, 90)})
    register("tests", "toy", given="without" if function is hsic else "either", categories=categories)(function)
    try:
        kinds = {"x": "ordinal", "y": "ordinal"}
        rows = screen(frame, ["x"], ["y"], tests=["toy", function.__name__], kinds=kinds)  # type: ignore[arg-type]
        heavy = screen(frame, ["x"], ["y"], tests=["toy"], kinds=kinds, weight="w")  # type: ignore[arg-type]
        expanded = frame.select(pl.col("x", "y").repeat_by("w").explode())
        same = screen(expanded, ["x"], ["y"], tests=["toy"], kinds=kinds)  # type: ignore[arg-type]
    finally:
        registry.forget("tests", "toy")
    one, other = rows["statistic"].to_list()
    assert function is hsic or one == pytest.approx(other, rel=1e-12)
    assert heavy["p_value"].to_list() == pytest.approx(same["p_value"].to_list(), rel=1e-9)
