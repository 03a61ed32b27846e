"""Each question is asked once; what cannot be answered is counted or named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import polars as pl
import pytest

from personax.discovery import CiTest, NothingVaries, fci, pc
from personax.errors import ComputationError
from personax.schema import Graph

from .oracle import table


@pytest.mark.parametrize("search", [pc, fci])
def test_no_question_is_put_twice_and_x_comes_first(search: Callable[..., Graph]) -> None:
    questions: Counter[tuple[int, int, tuple[int, ...]]] = Counter()

    def p_value(x: int, y: int, z: tuple[int, ...]) -> float:
        assert x < y
        assert z == tuple(sorted(z))
        assert {type(one) for one in (x, y, *z)} == {int}
        questions[x, y, z] += 1
        return 0.0 if len(z) < 2 else 0.5

    watched: list[tuple[int, int]] = []
    test = CiTest("t", lambda frame: p_value)
    graph = search(table("abcde"), test=test, progress=lambda *state: watched.append(state))
    assert max(questions.values()) == 1
    assert graph.details["tests"] == len(questions) == len(watched)
    assert watched[0] == (1, 0)
    assert watched[-1][1] >= 2


def test_two_searches_in_turn_do_not_share_answers() -> None:
    dependent = CiTest("t", lambda frame: lambda x, y, z: 0.0)
    independent = CiTest("t", lambda frame: lambda x, y, z: 1.0)
    assert len(pc(table("ab"), test=dependent).edges) == 1
    assert pc(table("ab"), test=independent).edges == []
    assert len(pc(table("ab"), test=dependent).edges) == 1


def test_nothing_varies_is_independence_and_is_counted() -> None:
    def p_value(x: int, y: int, z: tuple[int, ...]) -> float:
        if z:
            raise NothingVaries
        return 0.0

    graph = pc(table("abc"), test=CiTest("t", lambda frame: p_value))
    assert graph.edges == []
    assert graph.details["tests_nothing_varies"] == 3


def test_no_p_value_is_no_answer() -> None:
    with pytest.raises(ComputationError, match="the test of a and b returned nan"):
        pc(table("ab"), test=CiTest("t", lambda frame: lambda x, y, z: float("nan")))


def test_a_test_sees_the_table_with_its_missing_values() -> None:
    frame = table("ab").with_columns(pl.when(pl.col("a") > 5).then("a"))
    seen: list[pl.DataFrame] = []

    def prepare(given: pl.DataFrame) -> object:
        seen.append(given)
        return lambda x, y, z: 1.0

    pc(frame.with_columns(text=pl.int_range(12).cast(pl.String)), test=CiTest("t", prepare))  # type: ignore[arg-type]
    assert seen[0]["a"].null_count() == 6
