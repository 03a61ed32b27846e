"""Counts add up: every p-value is the same to the last bit, however the rows are split and wherever they come from."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from personax.engine import find_engine
from personax.errors import InputError
from personax.independence import State, _state, count, screen
from personax.independence._state import WEIGHT

PAIRS = [["height", "trait", "year"], ["team", "trait", "year"]]
KINDS: Any = {"height": "continuous", "team": "nominal", "trait": "ordinal", "year": "nominal"}


def people(rows: int, seed: int = 0) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    trait = rng.integers(1, 6, rows)
    return pl.DataFrame({
        "trait": trait, "height": np.where(rng.random(rows) < 0.05, np.nan, 160 + 3 * trait + rng.normal(0, 9, rows)),
        "team": [("red", "blue", "green", None)[k] for k in rng.integers(0, 4, rows)],
        "year": rng.choice([2023, 2024], rows),
    })  # fmt: skip


def outcome(table: object, **options: Any) -> pl.DataFrame:
    return screen(table, ["height", "team"], ["trait"], kinds=KINDS, tests=["kci", "chisq", "rcit"], **options)


def split(frame: pl.DataFrame, cuts: list[float]) -> list[pl.DataFrame]:
    ends = sorted({0, frame.height, *(int(cut * frame.height) for cut in cuts)})
    return [frame[start:end] for start, end in pairwise(ends)]


CUTS = st.lists(st.floats(0, 1), min_size=1, max_size=5)


@settings(max_examples=5)
@given(cuts=CUTS, seed=st.integers(0, 9), order=st.randoms(use_true_random=False))
def test_any_split_has_the_same_p_values(cuts: list[float], seed: int, order: Any) -> None:
    frame = people(60, seed)
    parts = split(frame, cuts)
    order.shuffle(parts)
    state = sum(count(part, PAIRS) for part in parts)
    assert_frame_equal(outcome(state), outcome(frame.lazy()), check_exact=True)
    assert_frame_equal(outcome(state, given=["year"]), outcome(count(frame, PAIRS), given=["year"]), check_exact=True)


@settings(max_examples=30)
@given(cuts=CUTS, scale=st.integers(-200, 200), seed=st.integers(0, 9), order=st.randoms(use_true_random=False))
def test_any_split_is_rounded_to_the_same_steps(cuts: list[float], scale: int, seed: int, order: Any) -> None:
    values = np.random.default_rng(seed).standard_cauchy(400) * 10.0**scale
    frame = pl.DataFrame({"x": values, "y": np.where(values > 0, np.nan, -values), "z": np.arange(400) % 3})
    parts = split(frame, cuts)
    order.shuffle(parts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_state, "MAX_DISTINCT", 90)
        patch.setattr(_state, "CELLS", 30)
        whole, state = count(frame, ["x", "y", "z"]), sum(count(part, ["x", "y", "z"]) for part in parts)
    assert isinstance(state, State)
    assert state.steps == whole.steps
    assert set(state.steps) == {"x", "y"}
    assert_frame_equal(state.counts("xyz"), whole.counts("xyz"), check_exact=True)
    rounded = whole.counts("x")
    assert 10 <= rounded["x"].n_unique() <= 30
    assert rounded[WEIGHT].sum() == 400
    nearest = rounded["x"].to_numpy()[np.abs(values[:, None] - rounded["x"].to_numpy()).argmin(axis=1)]
    assert (np.abs(nearest - values) <= whole.steps["x"] / 2).all()


def test_numbers_of_many_values_are_rounded_and_tested(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=3000)
    frame = pl.DataFrame({"x": x, "y": 0.05 * x + rng.normal(size=3000)})
    exact = screen(frame, ["x"], ["y"], tests=["kci"])
    monkeypatch.setattr(_state, "MAX_DISTINCT", 2900)
    monkeypatch.setattr(_state, "CELLS", 2000)
    rounded = screen(frame.lazy(), ["x"], ["y"], tests=["kci"])
    assert '"rounded to": {"x": 0.00' in rounded["details"][0]
    assert rounded["p_value"][0] == pytest.approx(exact["p_value"][0], rel=5e-3)
    names = pl.DataFrame({"x": [f"name {k}" for k in range(3000)], "y": x})
    row = screen(names.lazy(), ["x"], ["y"], tests=["kci"], kinds={"x": "nominal"})
    assert row["reason"][0] == "x has more than 2,900 different texts, which are names"
    with pytest.raises(InputError, match="different texts"):
        count(names, ["x"]).counts(["x"])


def test_times_of_many_values_are_rounded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_state, "MAX_DISTINCT", 900)
    monkeypatch.setattr(_state, "CELLS", 500)
    seconds = np.random.default_rng(0).integers(0, 10**9, 1000)
    frame = pl.DataFrame({"t": pl.Series(seconds).cast(pl.Datetime("ms")), "y": seconds % 3})
    state = count(frame[:300], ["t", "y"]) + count(frame[300:], ["t", "y"])
    assert state.counts(["t"]).schema["t"] == pl.Datetime("ms")
    assert_frame_equal(state.counts(["t", "y"]), count(frame, ["t", "y"]).counts(["t", "y"]), check_exact=True)
    assert screen(state, ["t"], ["y"], tests=["kci"])["p_value"][0] is not None


def duckdb_relation(frame: pl.DataFrame) -> Any:
    duckdb = pytest.importorskip("duckdb", reason="DuckDB is not installed")
    return duckdb.sql("select * from frame")


SOURCES: dict[str, Callable[[pl.DataFrame], Any]] = {
    "lazy": lambda frame: frame.lazy(),
    "Arrow": lambda frame: frame.to_arrow(),
    "pandas": lambda frame: frame.to_pandas(),
    "mapping": lambda frame: frame.to_dict(as_series=False),
    "categorical": lambda frame: frame.with_columns(pl.col("team").cast(pl.Categorical)),
    "DuckDB": duckdb_relation,
}


@pytest.mark.parametrize("source", SOURCES)
def test_any_table_is_a_part(source: str) -> None:
    frame = people(120)
    state = count(SOURCES[source](frame[:50]), PAIRS) + count(frame[50:], PAIRS)
    whole = count(frame, PAIRS)
    for columns in PAIRS:
        # a text may come as NaN or null: both are missing
        expected = whole.counts(columns).with_columns(pl.selectors.float().fill_nan(None))
        found = state.counts(columns).with_columns(pl.selectors.float().fill_nan(None))
        both = [one.group_by(columns).agg(pl.col(WEIGHT).sum()).sort(columns) for one in (found, expected)]
        assert_frame_equal(*both, check_dtypes=False)


def _count_file(sets: list[list[str]], file: Path) -> State:
    return count(file, sets, jobs=1)


@pytest.mark.parametrize("engine", ["threads", "processes"])
def test_states_are_counted_by_the_workers_of_an_engine(tmp_path: Path, engine: Any) -> None:
    files = [tmp_path / f"{k}.parquet" for k in range(3)]
    for file, part in zip(files, split(people(120), [0.3, 0.4]), strict=True):
        part.write_parquet(file)
    states = [state for _, state in find_engine(engine, 2).map(_count_file, files, shared=PAIRS)]
    assert_frame_equal(outcome(sum(states)), outcome(files), check_exact=True)


def test_weights_and_subgroups_are_those_of_the_people() -> None:
    frame = people(200)
    weighted = frame.group_by(frame.columns).len()
    state = count(weighted, PAIRS, weight="len")
    assert_frame_equal(outcome(state, by="year"), outcome(frame.lazy(), by="year"), check_exact=True)
    kinds = screen(count(frame, PAIRS), ["height", "team"], ["trait"], tests=["auto"])
    assert kinds["feature_kind"].to_list() == ["continuous", "nominal"]


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda f: count(f, ["trait", "age"]), "the table has no column age"),
        (lambda f: count(f, []), "sets names no column"),
        (lambda f: count(f, "team"), "sets names no column"),
        (lambda f: count(f, ["team", ["trait", "year"]]), "sets names no column"),
        (lambda f: count(f, ["team"]) + f, "a DataFrame is no state; count it first"),
        (lambda f: count(f.rename({"team": WEIGHT}), [WEIGHT]), "a column is called 'number of rows'"),
        (lambda f: count(f.select(team=pl.concat_list("trait", "year")), ["team"]), "which cannot be counted"),
        (lambda f: count(f, ["trait"]) + count(f, ["team"]), "not of the same sets of columns"),
        (lambda f: count(f, ["trait"]) + count(f.cast({"trait": pl.String}), ["trait"]), "values of other types"),
        (
            lambda f: screen(count(f, [["trait", "team"], ["year", "team"]]), ["trait"], ["year"]),
            "not counted together",
        ),
        (lambda f: screen(count(f, ["trait", "team"]), ["trait"], ["teams"]), "the table has no column teams"),
        (lambda f: screen(count(f, f.columns), ["team"], ["trait"], weight="year"), "a state has its weights already"),
        (lambda f: count(f, ["team"], weight="height"), "weights that are no whole numbers"),
    ],
)
def test_what_cannot_be_counted_is_one_sentence(call: Callable[[pl.DataFrame], object], says: str) -> None:
    with pytest.raises(InputError, match=says):
        call(people(30))
