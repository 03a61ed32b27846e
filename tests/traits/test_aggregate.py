"""Votes: what was refused is left out; nobody without a score gets one."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personax.errors import InputError
from personax.schema import TRAITS
from personax.traits import aggregate, aggregate_ratings
from personax.traits._aggregate import slug

Row = tuple[str, str, int, float | None, str]


def rated(*rows: Row, trait: str = "openness") -> pl.DataFrame:
    names = ["person", "model", "repeat", "score", "status"]
    frame = pl.DataFrame(list(rows), schema=names, orient="row", schema_overrides={"score": pl.Float64})
    return frame.with_columns(pl.lit(trait).alias("trait"))


def test_the_median_leaves_out_who_said_nothing() -> None:
    votes = rated(
        ("a", "x", 0, 3.0, "ok"),
        ("a", "y", 0, None, "refused"),
        ("a", "z", 0, 1.0, "ok"),
        ("b", "x", 0, None, "insufficient"),
        ("b", "y", 0, None, "refused"),
    )
    table = aggregate(votes, people=["a", "b", "c"])
    assert table.select("id", "x_o", "y_o", "z_o", "final_o").rows() == [
        ("a", 3.0, None, 1.0, 2.0),
        ("b", None, None, None, None),
        ("c", None, None, None, None),
    ]
    assert table["final_n"].null_count() == 3


def test_a_score_without_ok_never_counts() -> None:
    votes = rated(("a", "x", 0, 0.0, "insufficient"), ("a", "y", 0, 3.0, "ok"))
    assert aggregate(votes, people=["a"])["final_o"][0] == 3.0


def test_a_model_asked_twice_counts_once() -> None:
    votes = rated(("a", "x", 0, 1.0, "ok"), ("a", "x", 1, 2.0, "ok"), ("a", "y", 0, 3.0, "ok"))
    table = aggregate(votes, people=["a"], rule="mean")
    assert table.select("x_o", "final_o").row(0) == (1.5, 2.25)


Votes = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from("xyz"), st.sampled_from([1.0, 2.0, 3.0])), min_size=1
)


@settings(max_examples=50)
@given(Votes, st.sampled_from(["median", "mean"]))
def test_scores_stay_within_the_votes_whatever_their_order(votes: list[tuple[str, str, float]], rule: str) -> None:
    rows: list[Row] = [(p, m, i, s, "ok") for i, (p, m, s) in enumerate(votes)]
    kind: Literal["median", "mean"] = "median" if rule == "median" else "mean"
    table = aggregate(rated(*rows), people=list("abc"), rule=kind)
    turned = aggregate(rated(*rows[::-1]), people=list("abc"), rule=kind)
    for person, score in table.select("id", "final_o").iter_rows():
        own = [s for p, _, s in votes if p == person]
        assert (score is None) == (not own)
        assert score is None or min(own) <= score <= max(own)
    assert table["final_o"].to_list() == pytest.approx(turned["final_o"].to_list(), nan_ok=True)


def test_columns_are_complete_and_named_by_model() -> None:
    table = aggregate(rated(("a", "GPT-4o (latest)", 0, 1.0, "ok")), people=["a"])
    assert table.columns == ["id", *(f"gpt_4o_latest_{t[0]}" for t in TRAITS), *(f"final_{t[0]}" for t in TRAITS)]
    assert slug("  DeepSeek R1 ") == "deepseek_r1"


@pytest.mark.parametrize(
    ("votes", "says"),
    [
        (rated(("a", "Final", 0, 1.0, "ok")), "a model is called final"),
        (rated(("a", "x-1", 0, 1.0, "ok"), ("a", "x 1", 0, 1.0, "ok")), "same column name"),
        (rated(("z", "x", 0, 1.0, "ok")), "1 rated people are not in the people table"),
        (rated(("a", "x", 0, 1.0, "ok"), trait="humour"), "the trait humour is not one of"),
    ],
)
def test_what_cannot_be_voted_on(votes: pl.DataFrame, says: str) -> None:
    with pytest.raises(InputError, match=says):
        aggregate(votes, people=["a"])


@pytest.mark.parametrize("rule", ["median", "mean", "majority", "graded"])
def test_files_that_are_read_one_trait_after_the_other_give_the_same(rule: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    parts = [
        rated(*((f"p{p}", m, 0, float(rng.integers(1, 4)), "ok") for p in range(60) for m in "xyz"), trait=trait)
        for trait in TRAITS[:3]
    ]
    parts.append(rated(("p1", "w", 0, None, "refused"), trait=TRAITS[1]))
    files = [tmp_path / f"{at}.parquet" for at in range(len(parts))]
    for part, file in zip(parts, files, strict=True):
        part.write_parquet(file)
    people = [f"p{p}" for p in range(61)]
    whole = aggregate_ratings(pl.concat(parts), people=people, rule=rule)
    unread = aggregate_ratings(pl.scan_parquet(files, glob=False), people=people, rule=rule)
    assert unread.traits.equals(whole.traits)
    assert unread.uncertainty().equals(whole.uncertainty())
    assert "w_o" in unread.traits.columns
