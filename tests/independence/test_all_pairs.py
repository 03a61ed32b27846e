"""All pairs of small tables, streamed: the numbers of the grid, whatever the table, the blocks and what is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from personax.errors import InputError
from personax.independence import _all_pairs, correct, open_dataset, screen, screen_tables
from personax.independence._corrections import largest_rejected

FEATURES, TARGETS = ["team", "age", "flag", "rare"], ["trait", "team", "odd"]
NUMBERS = ["n", "statistic", "dof", "p_value", "effect_size", "method"]


def people(rows: int = 240) -> pl.DataFrame:
    rng = np.random.default_rng(0)
    trait = rng.integers(1, 6, rows)
    return pl.DataFrame({
        "trait": trait, "team": [("red", "blue", "green", None)[k] for k in rng.integers(0, 4, rows)],
        "flag": trait > 3,
        "age": np.where(rng.random(rows) < 0.1, np.nan, trait + rng.integers(0, 3, rows)),
        "rare": rng.integers(0, 40, rows), "odd": pl.select(pl.int_range(rows) % 2 == 0).to_series(),
    })  # fmt: skip


def rows_of(path: Path) -> pl.DataFrame:
    return pl.read_parquet(path).sort("feature", "target")


@pytest.mark.parametrize("test", ["chisq", "gsq"])
def test_numbers_are_those_of_the_grid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, test: Any) -> None:
    monkeypatch.setattr(_all_pairs, "WIDTH", 7)
    monkeypatch.setattr(_all_pairs, "ROWS", 50)
    frame, told = people(), list[tuple[int, int]]()
    result = screen_tables(
        frame, FEATURES, TARGETS, tmp_path / "p.parquet", test=test, progress=lambda *done: told.append(done)
    )
    options: Any = {} if test == "chisq" else {"gsq": {"null": "asymptotic"}}
    kinds: Any = dict.fromkeys(frame.columns, "nominal")
    grid = screen(frame, FEATURES, TARGETS, tests=[test], kinds=kinds, options=options)
    found = rows_of(result.path)
    keys = ["feature", "target"]
    expected = grid.select(*keys, *NUMBERS).sort(keys)
    same = expected["feature"] != expected["target"]  # a column against itself has no numbers in either
    assert_frame_equal(found.select(expected.columns).filter(same), expected.filter(same), check_dtypes=False)
    assert found.filter(~same)["p_value"].to_list() == [None]
    assert {"moments", "asymptotic"} >= set(found["method"].drop_nulls()) > ({"moments"} if test == "chisq" else set())
    assert (result.pairs, result.tested, told[-1]) == (12, 11, (12, 12))
    rejected = grid.filter("rejected").select(keys).sort(keys)
    assert_frame_equal(result.found().select(keys).collect().sort(keys), rejected)
    assert result.rejected == rejected.height


def test_files_and_streams_have_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_all_pairs, "IN_MEMORY", 100)
    frame = people()
    whole = rows_of(screen_tables(frame, FEATURES, TARGETS, tmp_path / "p.parquet").path)
    for k in range(3):  # other values come first in each
        frame[k * 80 : k * 80 + 80].reverse().write_parquet(tmp_path / f"part-{k}.parquet")
    files = open_dataset(str(tmp_path / "part-*.parquet"))
    coded = frame.reverse().with_columns(pl.col("team").cast(pl.Categorical))
    for table in (files, files.lazy(), frame.reverse().to_pandas(), coded):
        assert_frame_equal(rows_of(screen_tables(table, FEATURES, TARGETS, tmp_path / "q.parquet").path), whole)


def test_what_has_no_small_table_is_named(tmp_path: Path) -> None:
    frame = people().with_columns(number=pl.int_range(240), one=pl.lit("x"), vector=pl.concat_list("trait", "rare"))
    result = screen_tables(frame, ["flag", "number", "one", "vector"], ["trait"], tmp_path / "p.parquet")
    assert dict(result.left_out) == {
        "number": "number has more than 50 levels",
        "one": "one is constant",
        "vector": "vector holds List(Int64) values",
    }
    assert result.pairs == 1
    nothing = screen_tables(frame, ["one"], ["trait"], tmp_path / "q.parquet")
    assert (nothing.pairs, nothing.threshold, nothing.found().collect().height) == (0, None, 0)
    assert screen_tables(frame[:0].lazy(), ["flag"], ["trait"], tmp_path / "q.parquet").pairs == 0
    with pytest.raises(InputError, match="is a folder; name the Parquet file"):
        screen_tables(frame, ["flag"], ["trait"], tmp_path)


@given(
    p=st.lists(st.floats(0, 1), min_size=1, max_size=30),
    method=st.sampled_from(["fdr_bh", "fdr_by", "holm", "bonferroni", "none"]),
)
def test_the_largest_rejected_p_value_is_that_of_the_whole_family(p: list[float], method: Any) -> None:
    alpha = 0.3
    values = np.array(p)
    expected = correct(values, method) < alpha
    threshold, many = largest_rejected(values[values < alpha], len(values), alpha, method)
    close = np.isclose(correct(values, method), alpha, rtol=1e-12)
    if not close.any():
        assert many == expected.sum()
        assert threshold == (values[expected].max() if many else None)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"test": "kci"}, "there is no test 'kci' of tables"),
        ({"alpha": 2}, "alpha is 2; a level lies between 0 and 1"),
        ({"correction": "bonf"}, "there is no correction 'bonf'"),
        ({"features": "team"}, "features is a list of names"),
        ({"targets": ["traits"]}, "the table has no column traits"),
    ],
)
def test_wrong_calls_are_one_sentence(tmp_path: Path, options: dict[str, Any], says: str) -> None:
    call: dict[str, Any] = {"features": ["team"], "targets": ["trait"], "out": tmp_path / "p.parquet"} | options
    with pytest.raises(InputError, match=says):
        screen_tables(people(30), **call)
    assert not list(tmp_path.iterdir())
