"""The grid beyond one table in memory: any frame, files, weights, given columns, subgroups, votes, threads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personax.data.columns import infer_columns
from personax.errors import InputError
from personax.independence import chisq, correct, gcm, heterogeneity, hsic, kci, rcit, screen
from personax.independence._frames import as_frame

ALL = ["kci", "rcit", "hsic", "chisq", "gsq", "usp"]
NUMBERS = ["statistic", "p_value", "effect_size", "effect_low", "effect_high"]


def people(n: int = 240, seed: int = 0) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    age = rng.integers(20, 60, n)
    group = rng.choice(["a", "b", "c"], n)
    height = (170 + 0.2 * age + rng.normal(0, 5, n)).round()
    trait = 1 + np.digitize(0.05 * age + (group == "b") + rng.normal(0, 1, n), [2, 3])
    frame = pl.DataFrame({"age": age, "group": group, "height": height, "trait": trait})
    holes = pl.Series(rng.random(n) < 0.05)
    return frame.with_columns(pl.when(holes).then(None).otherwise("height").alias("height"))


def same(first: pl.DataFrame, second: pl.DataFrame, rel: float = 1e-7) -> None:
    keys = ["feature", "target", "test"]
    first, second = first.sort(keys), second.sort(keys)
    assert first.select(*keys, "n", "rejected", "reason").equals(second.select(*keys, "n", "rejected", "reason"))
    for name in NUMBERS:
        one, other = (table[name].cast(pl.Float64).to_numpy() for table in (first, second))
        assert np.allclose(one, other, rtol=rel, atol=1e-9, equal_nan=True), name


def grid(frame: Any, **settings: Any) -> pl.DataFrame:
    settings = {"tests": ALL} | settings
    if "gsq" in settings["tests"]:
        settings = {"options": {"gsq": {"null": "asymptotic"}}} | settings
    return screen(frame, ["height", "group"], ["trait"], **settings)


def test_any_table_gives_the_same(tmp_path: Path) -> None:
    frame = people()
    frame.write_parquet(tmp_path / "people.parquet")
    expected = grid(frame)
    columns = {name: frame[name].to_list() for name in frame.columns}
    plain = pd.DataFrame(columns)
    nullable = pd.DataFrame({"height": pd.array(columns["height"], dtype="Float64"), "trait": columns["trait"]})
    nullable["group"] = pd.Categorical(columns["group"])
    for other in (plain, nullable, columns, frame.lazy(), tmp_path / "people.parquet"):
        same(grid(other), expected)


def test_what_is_no_table_is_named() -> None:
    for wrong in (3, [1, 2], np.zeros(4)):
        with pytest.raises(InputError, match="is no table"):
            as_frame(wrong)
    with pytest.raises(InputError, match="no Parquet file"):
        as_frame("nowhere.parquet")
    with pytest.raises(InputError, match="mixes types"):
        as_frame(pd.DataFrame({"a": [1, "x", [2]]}))


def test_kinds_are_inferred_as_columns_infers_them() -> None:
    frame = people()
    table = grid(frame)
    inferred = {column.name: column.kind for column in infer_columns(frame)}
    assert dict(table.select("feature", "feature_kind").iter_rows()) == {n: inferred[n] for n in ("height", "group")}


@given(st.integers(0, 10_000))
@settings(max_examples=8, deadline=None)
def test_counts_merge(seed: int) -> None:
    """A table that was counted in pieces is the table."""
    frame = people(120, seed).select("height", "group", "trait")
    pieces = [part.group_by(frame.columns).len("people") for part in (frame[:50], frame[50:])]
    same(grid(pl.concat(pieces), weight="people"), grid(frame))


def test_bad_weights_are_named() -> None:
    for weights in ([1.5] * 240, [0] * 240, [None] * 240, ["x"] * 240):
        with pytest.raises(InputError, match="weights that are no whole numbers"):
            grid(people().with_columns(pl.Series("w", weights)), weight="w")


def test_given_is_the_test_itself_given_z() -> None:
    frame = people()
    whole = frame.drop_nulls()
    x, y, z = (whole[name].to_numpy() for name in ("height", "trait", "age"))
    table = screen(frame, ["height", "group"], ["trait"], given=["age"], tests=["kci", "gcm"])
    by = {(row["feature"], row["test"]): row for row in table.iter_rows(named=True)}
    assert by["height", "kci"]["n"] == whole.height
    assert by["height", "kci"]["p_value"] == pytest.approx(kci(x, y, z).p_value, rel=1e-9)
    assert by["height", "gcm"]["p_value"] == pytest.approx(gcm(x, y, z).p_value, rel=1e-9)
    strata = screen(frame, ["trait"], ["height"], given=["group"], tests=["chisq"], kinds={"height": "ordinal"})
    alone = chisq(whole["trait"].to_numpy(), whole["height"].to_numpy(), whole["group"].to_numpy(), null="moments")
    assert strata["p_value"][0] == pytest.approx(alone.p_value, rel=1e-9)


def test_numbers_and_names_given_together() -> None:
    rng = np.random.default_rng(1)
    n = 500
    group, age = rng.integers(0, 3, n), rng.normal(size=n)
    cause = 1.5 * (group == 1) + np.sin(2 * age)
    frame = pl.DataFrame({
        "x": cause + rng.normal(size=n), "y": cause + rng.normal(size=n), "age": age, "group": group.astype(str)
    })  # fmt: skip
    one = screen(frame, ["x"], ["y"], tests=["kci"])["p_value"][0]
    half = screen(frame, ["x"], ["y"], given=["age"], tests=["kci"])["p_value"][0]
    both = screen(frame, ["x"], ["y"], given=["age", "group"], tests=["kci", "rcit", "gcm"])
    assert max(one, half) < 1e-6
    assert both["p_value"].min() > 0.01  # type: ignore[operator]


def test_what_is_given_is_not_tested() -> None:
    table = screen(people(), ["age", "height"], ["trait"], given=["age"], tests=["kci", "hsic"])
    reasons = dict(zip(table["feature"] + table["test"], table["reason"], strict=True))
    assert reasons["agekci"] == "age is given; it is constant where it is known"
    assert reasons["heighthsic"] == "hsic knows no given columns"
    assert screen(people(), ["height"], ["trait"], tests=["gcm"])["reason"][0] == "gcm needs given columns"


def test_subgroups_are_the_grid_within_each() -> None:
    frame = people()
    table = screen(frame, ["height"], ["trait"], by="group", tests=["kci"])
    assert table["subgroup"].to_list() == ["all", "a", "b", "c"]
    for name in ("a", "b"):
        alone = screen(frame.filter(pl.col("group") == name), ["height"], ["trait"], tests=["kci"])
        assert table.filter(pl.col("subgroup") == name)["p_value"][0] == alone["p_value"][0]
    with pytest.raises(InputError, match="splits the people"):
        screen(frame, ["group"], ["trait"], by="group")
    with pytest.raises(InputError, match="240 values"):
        screen(frame.with_row_index("id"), ["height"], ["trait"], by="id")


def test_heterogeneity_sees_an_interaction_and_no_other() -> None:
    rng = np.random.default_rng(2)
    half = np.repeat(["a", "b"], 600)
    x = rng.normal(size=1200)
    frame = pl.DataFrame({"half": half, "x": x, "y": np.where(half == "a", 0.7, 0) * x + rng.normal(size=1200),
                          "w": 0.7 * x + rng.normal(size=1200)})  # fmt: skip
    table = heterogeneity(screen(frame, ["x"], ["y", "w"], by="half", tests=["kci"]))
    by = {row["target"]: row for row in table.iter_rows(named=True)}
    assert by["y"]["p_heterogeneity"] < 1e-6
    assert by["y"]["i_squared"] > 0.9
    assert by["w"]["p_heterogeneity"] > 0.01
    assert (by["y"]["rejected_in"], by["w"]["rejected_in"], by["w"]["subgroups"]) == (1, 2, 2)


def test_votes_are_counted_and_auto_has_none() -> None:
    table = screen(people(), ["height", "group"], ["trait"], tests=["auto", "kci", "hsic", "chisq"])
    for feature in ("height", "group"):
        part = table.filter(pl.col("feature") == feature)
        voters = part.filter(pl.col("test") != "auto")["rejected"].drop_nulls()
        assert part["consensus"].unique().to_list() == [voters.sum()]
        assert part["tests_run"].unique().to_list() == [len(voters)]
    assert table.filter(pl.col("test") == "auto")["method"].to_list() == ["kci, moments", "chisq, asymptotic"]


def test_options_reach_the_tests() -> None:
    options: dict[str, dict[str, Any]] = {
        "hsic": {"null": "permutation", "permutations": 99},
        "rcit": {"draws": 5},
        "chisq": {"null": "moments"},
    }
    table = screen(people(), ["group"], ["trait"], tests=ALL, options=options)
    methods = dict(table.select("test", "method").iter_rows())
    assert (methods["hsic"], methods["chisq"]) == ("permutation", "moments")
    spread = dict(table.select("test", "p_stability").iter_rows())
    assert spread["rcit"] is not None
    assert spread["rcit"] > 0
    assert spread["kci"] is None


def test_a_sparse_table_changes_its_null() -> None:
    rng = np.random.default_rng(3)
    frame = pl.DataFrame({"x": rng.integers(0, 40, 200).astype(str), "y": rng.integers(0, 4, 200).astype(str)})
    methods = dict(screen(frame, ["x"], ["y"], tests=["chisq", "gsq"]).select("test", "method").iter_rows())
    assert methods == {"chisq": "moments", "gsq": "permutation"}


def test_neither_threads_nor_order_change_a_digit() -> None:
    frame = people().with_columns(pl.col("age").alias("again"))
    features = ["height", "group", "again"]
    settings: dict[str, Any] = {"tests": ALL, "options": {"gsq": {"null": "permutation"}}}
    one = screen(frame, features, ["trait", "age"], **settings)
    assert one.equals(screen(frame, features, ["trait", "age"], jobs=3, **settings))
    turned = screen(frame, features[::-1], ["age", "trait"], **settings)
    same(one.drop("rejected").with_columns(rejected=None), turned.drop("rejected").with_columns(rejected=None), 1e-12)
    other = screen(frame, features, ["trait", "age"], seed=1, **settings)
    changed = {test for test, a, b in zip(one["test"], one["p_value"], other["p_value"], strict=True) if a != b}
    assert changed <= {"rcit", "usp", "gsq"}
    assert "rcit" in changed


def test_row_order_and_units_do_not_matter() -> None:
    frame = people()
    mixed = frame.sample(fraction=1, shuffle=True, seed=4).with_columns(pl.col("height") * 2.54 - 7)
    deterministic = ["kci", "hsic", "chisq"]
    same(grid(mixed, tests=deterministic), grid(frame, tests=deterministic))


def test_the_cells_are_the_tests_themselves() -> None:
    frame = people().drop_nulls()
    x, y = frame["height"].to_numpy(), frame["trait"].to_numpy()
    table = dict(
        grid(frame, tests=["kci", "hsic"]).filter(pl.col("feature") == "height").select("test", "p_value").iter_rows()
    )
    assert table["kci"] == pytest.approx(kci(x, y).p_value, rel=1e-9)
    assert table["hsic"] == pytest.approx(hsic(x, y).p_value, rel=1e-9)
    assert np.allclose(correct([0.01, 0.02], "fdr_bh"), [0.02, 0.02])
    assert rcit(x, y, rng=np.random.default_rng(0)).effect_size == pytest.approx(kci(x, y).effect_size)


def test_a_column_of_vectors_is_one_variable() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(120, 10))
    y, team = vectors @ rng.normal(size=10) + rng.normal(size=120), np.where(vectors[:, 0] > 0, "a", "b")
    lists = pl.Series(vectors.tolist())
    columns = {"lists": lists, "arrays": lists.cast(pl.Array(pl.Float64, 10)), "y": y, "team": team}
    frame = pl.DataFrame(columns)
    frame = frame.with_columns(
        odd=pl.when(pl.int_range(120) % 2 == 0).then(pl.lit([1.0])).otherwise(pl.lit([1.0, 2.0]))
    )
    table = screen(frame, ["lists", "arrays", "odd"], ["y", "team"], tests=["kci", "auto", "chisq"])
    p_values = {(r["feature"], r["target"], r["test"]): r["p_value"] for r in table.iter_rows(named=True)}
    for name in ("lists", "arrays"):
        assert p_values[name, "y", "kci"] == kci(vectors, y, with_effect=False).p_value < 1e-6
        assert p_values[name, "team", "auto"] == p_values[name, "team", "kci"] < 1e-6
        assert p_values[name, "team", "chisq"] is None
    assert table.filter(feature="odd")["reason"][0] == "odd holds vectors of different lengths; give all the same"
    with_gap = frame.with_columns(pl.when(pl.int_range(120) < 20).then(None).otherwise("lists").alias("lists"))
    assert screen(with_gap, ["lists"], ["y"], tests=["kci"])["n"].to_list() == [100]
