"""Scores beside words of doubt count; how many, of whom, and what becomes of the result without them is told."""

from __future__ import annotations

import numpy as np
import polars as pl

from personax.schema import TRAITS
from personax.traits import aggregate_ratings, flag_report, without_flagged


def survey(worded: bool, n: int = 400) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return people of two leagues and the ratings of two models; ``worded``: words of doubt with low scores of one."""
    rng = np.random.default_rng(0)
    people = pl.DataFrame({"id": [f"p{i}" for i in range(n)], "league": rng.choice(["a", "b"], n)})
    rows = []
    for model in ("x", "y"):
        for trait in TRAITS:
            scores = rng.integers(1, 4, n).astype(float)
            doubted = (scores == 1) & ((people["league"] == "a").to_numpy() if worded else rng.random(n) < 0.5)
            flags = pl.Series(["contradictory" if one else None for one in doubted], dtype=pl.String)
            named = people.select(person="id", model=pl.lit(model), trait=pl.lit(trait), repeat=pl.lit(0))
            rows.append(named.with_columns(score=pl.Series(scores), status=pl.lit("ok"), flag=flags))
    return people, pl.concat(rows)


def report(worded: bool) -> dict[str, object]:
    people, rated = survey(worded)
    scores = aggregate_ratings(rated, people=people["id"].to_list())
    found = flag_report(rated, people=people, groups={"league": people["league"]}, scores=scores, rule="median")
    assert found is not None
    return found


def test_flags_that_go_with_one_group_are_told() -> None:
    uneven, even = report(True), report(False)
    assert uneven["groups"]["league"]["p_corrected"] < 1e-9  # type: ignore[index]
    assert uneven["groups"]["league"]["shares"]["b"] == 0  # type: ignore[index]
    assert even["groups"]["league"]["p_corrected"] > 0.01  # type: ignore[index]
    one = uneven["traits"]["openness"]  # type: ignore[index]
    assert one["mean_flagged"] == 1
    assert one["final_changed"] > 0
    assert one["final_lost"] > 0, "both models' words were of doubt"
    assert 0.5 < one["correlation"] < 1


def test_leaving_them_out_makes_a_difference_that_is_not_there() -> None:
    """The words of doubt beside the low scores of one league took them away: then its people seemed to score higher."""
    people, rated = survey(True)
    gaps = []
    for rows in (rated, without_flagged(rated)):
        means = aggregate_ratings(rows, people=people["id"].to_list()).traits.join(people, on="id")
        by = dict(means.group_by("league").agg(pl.col("final_o").mean()).iter_rows())
        gaps.append(by["a"] - by["b"])
    assert abs(gaps[0]) < 0.15
    assert gaps[1] > 0.25


def test_without_a_flag_there_is_no_report() -> None:
    people, rated = survey(True)
    plain = rated.with_columns(flag=pl.lit(None, pl.String))
    scores = aggregate_ratings(plain, people=people["id"].to_list())
    assert flag_report(plain, people=people, groups={}, scores=scores, rule="median") is None
    assert without_flagged(plain.drop("flag")).equals(plain.drop("flag"))
