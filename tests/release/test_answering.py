"""The output checker, least cells, populations that differ by few, and the log that outlives a kill."""

from __future__ import annotations

import json
import math
import stat
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from personax.data.table import Table
from personax.errors import StudyError
from personax.release.answering import (
    OutputRules,
    Populations,
    RequestLog,
    RequestLogEntry,
    hashes,
    join_small_cells,
    population,
    rounded_count,
    rounded_p,
    significant,
)
from personax.schema import Column, Edge, Graph, Node

LEVELS = st.lists(st.one_of(st.none(), st.integers(0, 6)), min_size=30, max_size=120)


@given(LEVELS, st.sampled_from(["nominal", "ordinal"]), st.integers(2, 12))
def test_no_value_is_left_that_few_people_have(values: list[int | None], kind: str, least: int) -> None:
    texts = kind == "nominal"
    series = pl.Series("x", [None if v is None else f"v{v}" for v in values] if texts else values,
                       dtype=pl.String if texts else pl.Int64)  # fmt: skip
    table = Table(series.to_frame(), [Column("x", "feature", kind)])  # type: ignore[arg-type]
    made, told = join_small_cells(table, least)
    frame = made.frame
    if not made.columns:
        assert [one.left_out for one in told] == [True]
        assert frame.width == 0
        return
    counts = frame["x"].drop_nulls().value_counts()["count"]
    assert counts.min() >= least  # type: ignore[operator]
    gone = frame["x"].null_count() - series.null_count()
    assert 0 <= gone < least, "the rare are missing where even together they are too few"
    assert gone == 0 or texts
    if not told:
        assert frame["x"].equals(series)


@given(st.lists(st.integers(0, 6), min_size=40, max_size=100))
def test_levels_keep_their_order_when_they_are_joined(values: list[int]) -> None:
    made, _ = join_small_cells(Table(pl.DataFrame({"x": values}), [Column("x", "feature", "ordinal")]), 5)
    if made.names:
        pairs = sorted(zip(values, made.frame["x"].to_list(), strict=True))
        assert [level for _, level in pairs] == sorted(level for _, level in pairs)


def test_a_flag_that_three_people_have_is_not_answered_about() -> None:
    frame = pl.DataFrame({"convicted": [1] * 3 + [0] * 97, "height": np.arange(100.0)})
    columns = [Column("convicted", "feature", "ordinal"), Column("height", "feature", "continuous")]
    made, told = join_small_cells(Table(frame, columns), 10)
    assert made.names == ["height"]
    assert told[0].left_out
    assert made.frame["height"].to_list() == [9.0] * 10 + list(range(10, 90)) + [90.0] * 10


def test_no_number_is_left_that_few_people_exceed() -> None:
    goals = [*range(20, 99), 9999]
    columns = [Column("goals", "feature", "continuous"), Column("day_index", "feature", "cyclic")]
    made, told = join_small_cells(Table(pl.DataFrame({"goals": goals, "day_index": goals}), columns), 10)
    left = made.frame["goals"]
    assert left.max() == sorted(goals)[-10]
    assert (left == left.max()).sum() == (left == left.min()).sum() == 10
    assert made.frame["day_index"].to_list() == goals, "a circle has no ends"
    assert [one.column for one in told] == ["goals"]
    assert "9999" not in told[0].how
    made, _ = join_small_cells(Table(pl.DataFrame({"goals": range(19)}), columns[:1]), 10)
    assert made.names == []


def test_numbers_leave_in_few_digits() -> None:
    assert (significant(123456.0), significant(-0.00098765)) == (123000.0, -0.000988)
    assert math.isnan(significant(math.nan))
    assert (rounded_p(0.0), rounded_p(3e-200), rounded_p(0.049999), rounded_p(None)) == (1e-6, 1e-6, 0.05, None)
    assert [rounded_count(n) for n in (0, 4, 5, 14, 15, 1499)] == [0, 0, 10, 10, 20, 1500]


def test_an_effect_that_says_something_of_everybody_leaves_smaller() -> None:
    table = pl.DataFrame({"feature": ["club", "age"], "target": ["faith", "o"], "n": [100, 100], "p_value": [0.0, 0.5],
                          "effect_size": [1.0, -0.12345], "reason": [None, None]},
                         schema_overrides={"reason": pl.String, "p_value": pl.Float64})  # fmt: skip
    made = OutputRules(10).pvalues(table.with_columns(p_corrected="p_value"))
    assert made["effect_size"].to_list() == [0.95, -0.123]


@given(st.integers(0, 10**6), st.integers(1, 100))
def test_rounding_of_counts_moves_them_by_half_the_base(n: int, base: int) -> None:
    made = rounded_count(n, base)
    assert made % base == 0
    assert abs(made - n) <= base / 2


def rows(**columns: object) -> pl.DataFrame:
    base = {"group": "final", "subgroup": "all", "feature": "f", "target": "t", "test": "kci", "method": "moments",
            "statistic": 12.345678, "dof": 3, "details": '{"secret": 1}', "n": 57, "p_value": 0.0123456,
            "p_corrected": 0.0234567, "effect_size": 0.123456, "effect_low": 0.01, "effect_high": 0.2,
            "effect_name": "kernel correlation", "rejected": True, "reason": None, "feature_kind": "nominal",
            "target_kind": "ordinal", "given": None}  # fmt: skip
    return pl.DataFrame([base | columns], schema_overrides={"reason": pl.String, "given": pl.String})


def test_what_leaves_of_level_one() -> None:
    row = OutputRules(10).pvalues(rows()).row(0, named=True)
    assert {"statistic", "dof", "details"}.isdisjoint(row)
    assert (row["n"], row["p_value"], row["p_corrected"], row["effect_size"]) == (60, 0.0123, 0.0235, 0.123)
    assert row["reason"] is None


@pytest.mark.parametrize(
    ("columns", "why"),
    [({"n": 9}, "fewer than 10 people"), ({"suppressed": "too near"}, "too near"),
     ({"reason": "x has 1,493 distinct values"}, "the test cannot run")],
)  # fmt: skip
def test_what_does_not_leave_has_no_number_and_says_why(columns: dict[str, object], why: str) -> None:
    row = OutputRules(10).pvalues(rows(**columns)).row(0, named=True)
    assert why in row["reason"]
    assert "1,493" not in row["reason"], "a reason of a test may quote counts"
    if "reason" not in columns:
        assert [row[name] for name in ("n", "p_value", "effect_size", "rejected")] == [None] * 4


def test_a_graph_leaves_without_counts_and_metrics_without_texts() -> None:
    graph = Graph(
        [Node("a"), Node("b")],
        [Edge("a", "b", weight=0.123456, label="n = 3")],
        details={"n": 1493, "secret": 1},
    )
    made = OutputRules(10).graph(graph, ["n"])
    assert (made.edges[0].weight, made.edges[0].label, made.details) == (0.123, "", {"n": 1490})
    told = OutputRules(10).numbers({"a": {"b": 0.123456, "c": "Ada Author"}, "d": float("inf"), "e": True, "f": 3})
    assert told == {"a": {"b": 0.123, "c": None}, "d": None, "e": True, "f": 3}


def ids(numbers: range) -> np.ndarray:
    return population(hashes(pl.Series([f"p{n}" for n in numbers])))


@pytest.mark.parametrize(("other", "near"), [(range(100), False), (range(3, 100), True), (range(3, 103), True),
                                             (range(9), False), (range(91), True), (range(90), False),
                                             (range(200, 300), False)])  # fmt: skip
def test_populations_that_differ_by_fewer_than_ten(tmp_path: Path, other: range, near: bool) -> None:
    kept = Populations(tmp_path)
    name = kept.keep(ids(range(100)))
    found = Populations(tmp_path).find_differencing(ids(other), [name], 10)
    assert (found == name) is near


def test_a_population_that_was_changed_is_refused(tmp_path: Path) -> None:
    kept = Populations(tmp_path)
    name = kept.keep(ids(range(20)))
    (file,) = tmp_path.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert b"p1" not in file.read_bytes()
    np.save(file, ids(range(19)))
    with pytest.raises(StudyError, match="was changed"):
        Populations(tmp_path).get(name)
    file.unlink()
    with pytest.raises(StudyError, match="missing"):
        Populations(tmp_path).get(name)


def entry(event: str, who: str = "A. Reader") -> RequestLogEntry:
    return RequestLogEntry(event, "2026-11-29T00:00:00+00:00", who, "0" * 64)  # type: ignore[arg-type]


def test_the_log_is_the_owners_and_counts_a_requester_however_they_are_spelt(tmp_path: Path) -> None:
    log = RequestLog(tmp_path / "answers" / "log.jsonl")
    assert log.entries() == []
    for who in ("A. Reader", " a.  READER", "Ａ. Reader", "B. Reader"):
        log.add(entry("asked", who))
    log.add(entry("answered"))
    assert (log.spent("A. Reader"), log.spent("B. reader"), log.spent("C")) == (3, 1, 0)
    assert stat.S_IMODE(log.path.stat().st_mode) == 0o600


@given(st.integers(1, 200))
def test_a_line_cut_off_by_a_kill_is_passed_over_and_written_over(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    log = RequestLog(tmp_path_factory.mktemp("log") / "log.jsonl")
    log.add(entry("asked"))
    whole = log.path.read_bytes()
    log.add(entry("answered"))
    both = log.path.read_bytes()
    log.path.write_bytes(both[: max(len(whole), len(both) - cut)])
    assert [one.event for one in log.entries()] == ["asked"]
    log.add(entry("refused"))
    assert [one.event for one in log.entries()] == ["asked", "refused"]


def test_a_broken_line_in_the_middle_is_said(tmp_path: Path) -> None:
    log = RequestLog(tmp_path / "log.jsonl")
    log.path.write_text("{nothing}\n" + json.dumps({"event": "asked"}) + "\n")
    with pytest.raises(StudyError, match="invalid line"):
        log.entries()
