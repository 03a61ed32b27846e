"""Rows that belong together: levels that hold, p-values of closed form, refusals."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from personax.config import IndependenceSection
from personax.errors import InputError, PlanError
from personax.independence import screen
from personax.independence._blocks import blocks_of
from personax.progress import Silent
from personax.stages import analyse_file


def long_table(rng: np.random.Generator, people: int = 40, raters: int = 3, effect: float = 0.0) -> pl.DataFrame:
    """Return a row a person and rater; both columns are of the person, the score with noise of the rater."""
    person = np.repeat(np.arange(people), raters)
    x = rng.normal(size=people)[person]
    y = (rng.normal(size=people) + effect * x[::raters])[person] + 0.3 * rng.normal(size=len(person))
    return pl.DataFrame({"person": person, "x": x, "y": y, "high": np.where(y > 0, "yes", "no"),
                         "group": np.where(x > 0, "a", "b")})  # fmt: skip


def test_three_raters_a_person_keep_the_level() -> None:
    """Taken as independent rows, kci rejected .53 of these at .05."""
    plain, blocks, said = 0, {"kci": 0, "chisq": 0}, 0
    for seed in range(40):
        frame = long_table(np.random.default_rng([50, seed]))
        plain += screen(frame, ["x"], ["y"], tests=["hsic"])["p_value"][0] < 0.05
        options: dict[str, Any] = {"permutations": 199}
        for test, names in (("kci", ("x", "y")), ("chisq", ("group", "high"))):
            found = screen(frame, [names[0]], [names[1]], tests=[test], cluster="person", seed=seed,
                           options={test: options} if test == "chisq" else {})  # fmt: skip
            blocks[test] += found["p_value"][0] < 0.05
            said += found["direction"][0] is not None
    assert plain > 10
    assert max(blocks.values()) <= 6  # more of 40 has probability .003
    assert said <= 10


def test_a_dependence_between_people_is_found_with_its_direction() -> None:
    frame = long_table(np.random.default_rng(51), people=80, effect=1.5)
    found = screen(frame, ["x", "group"], ["y", "high"], tests=["auto", "kci", "hsic", "gsq", "gcm"], cluster="person")
    ran = found.filter(pl.col("p_value").is_not_null())
    assert (ran["p_value"] < 0.01).all()
    assert set(ran["method"]) == {f"{chosen}exchange of clusters" for chosen in ("", "kci, ", "chisq, ")}
    assert ran.filter(test="auto").height == 4
    assert ran["effect_low"].null_count() == ran.height
    assert set(ran.filter(feature="x", target="y")["direction"]) == {"rises"}
    assert ran.filter(feature="group", target="y")["level_high"][0] == "a"
    assert (
        "knows no clusters" in found.filter(test="gcm")["reason"][0] or "given" in found.filter(test="gcm")["reason"][0]
    )


def test_the_p_value_is_that_of_all_exchanges() -> None:
    rng = np.random.default_rng(52)
    x, y = rng.integers(0, 3, 12), rng.integers(0, 2, 12)
    cluster = np.repeat(np.arange(6), 2)
    frame = pl.DataFrame({"x": [f"v{k}" for k in x], "y": [f"w{k}" for k in y], "c": cluster})

    def chisquare(order: tuple[int, ...]) -> float:
        moved = x.reshape(6, 2)[list(order)].ravel()
        table = np.zeros((3, 2))
        np.add.at(table, (moved, y), 1)
        expected = np.outer(table.sum(1), table.sum(0)) / 12
        return float(((table - expected) ** 2 / expected)[expected > 0].sum())

    every = np.array([chisquare(order) for order in permutations(range(6))])
    exact = (every >= every[0] - 1e-9).mean()
    found = [screen(frame, ["x"], ["y"], tests=["chisq"], cluster="c", seed=s)["p_value"][0] for s in range(40)]
    assert np.mean(found) == pytest.approx(exact, rel=0.25, abs=0.02)


def test_strata_that_move_both_are_held() -> None:
    rejected = 0
    for seed in range(40):
        rng = np.random.default_rng([53, seed])
        s = rng.integers(0, 2, 100)
        frame = pl.DataFrame({"s": s, "x": s + rng.normal(size=100), "y": s + rng.normal(size=100)})
        rejected += screen(frame, ["x"], ["y"], tests=["hsic"], strata="s", seed=seed)["p_value"][0] < 0.05
    assert rejected <= 6


def test_clusters_of_other_sizes_stay_apart_and_missing_ones_are_left_out() -> None:
    frame = pl.DataFrame({"c": [1, 1, 2, 2, 3, None, 4], "s": ["u"] * 7})
    blocks = blocks_of(frame, "c", None)
    assert blocks is not None
    assert [one.tolist() for one in blocks.classes(blocks.present)] == [[[4], [5]], [[0, 1], [2, 3]]]


def test_what_does_not_go_together_is_refused() -> None:
    frame = long_table(np.random.default_rng(54))
    with pytest.raises(InputError, match="no column persons, did you mean person"):
        screen(frame, ["x"], ["y"], cluster="persons")
    with pytest.raises(InputError, match="without `weight`"):
        screen(frame.with_columns(w=1), ["x"], ["y"], cluster="person", weight="w")
    with pytest.raises(InputError, match="in memory"):
        screen(frame.lazy(), ["x"], ["y"], cluster="person")
    with pytest.raises(InputError, match="lies in two values of high"):
        screen(frame, ["x"], ["y"], cluster="person", strata="high")
    few = screen(frame.head(6), ["x"], ["y"], tests=["hsic"], cluster="person")
    assert "fewer than five clusters" in few["reason"][0]


def test_the_command_takes_clusters(tmp_path: Path) -> None:
    long_table(np.random.default_rng(55), effect=2).write_csv(tmp_path / "long.csv")
    section = IndependenceSection(features=["x"], targets=["y"], tests=["kci"], cluster="person", figures=False)
    found = analyse_file(tmp_path / "long.csv", section, tmp_path / "out", missing=[], seed=0, progress=Silent())
    assert found.pvalues["method"].to_list() == ["exchange of clusters"]
    assert not [one for one in found.notices if "not independent" in one.text]
    said = analyse_file(tmp_path / "long.csv", section.replaced(cluster=None), tmp_path / "unsaid", missing=[], seed=0,
                        progress=Silent()).notices  # fmt: skip
    assert [one.text for one in said if "120 rows have 40 values of person" in one.text]
    wrong = section.replaced(cluster="peson")
    with pytest.raises(PlanError, match=r"independence\.cluster: there is no column peson; did you mean person"):
        analyse_file(tmp_path / "long.csv", wrong, tmp_path / "other", missing=[], seed=0, progress=Silent())


def test_p_values_of_exchanges_reach_where_a_correction_looks() -> None:
    rng = np.random.default_rng(0)
    x, team = rng.normal(size=120), ["a", "b"] * 60
    frame = pl.DataFrame({"x": x, "y": x + 0.3 * rng.normal(size=120), "team": team})
    found = screen(frame, ["x"], ["y"], tests=["kci"], strata="team")
    assert found["p_value"][0] < 1e-8
    few = frame.with_columns(person=pl.Series(np.repeat(np.arange(6), 20)))
    assert screen(few, ["x"], ["y"], tests=["kci"], cluster="person")["p_value"][0] >= 1 / 720
