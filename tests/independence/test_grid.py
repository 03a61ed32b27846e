"""The grid: what is tested, what is left out and why, what missing values do, how p-values are corrected."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from personax.errors import InputError
from personax.independence import chisq, correct, dependence_graph, hsic, kci, screen, wide
from personax.schema import Kind

KINDS: dict[str, Kind] = {
    "height": "continuous",
    "league": "nominal",
    "month": "cyclic",
    "o": "ordinal",
    "flat": "nominal",
}


def people(n: int = 200) -> pl.DataFrame:
    rng = np.random.default_rng(8)
    league = rng.choice(["NBA", "NHL", "NA"], n)
    height = rng.normal(180, 9, n) + 10 * (league == "NBA")
    o = 1 + np.digitize(height + rng.normal(0, 9, n), [176, 190])
    frame = pl.DataFrame({"height": height.round(), "league": league, "month": rng.integers(1, 13, n), "o": o})
    return frame.with_columns(pl.lit("same").alias("flat"))


def test_each_cell_is_the_test_itself() -> None:
    frame = people()
    table = screen(frame, ["height", "league"], ["o"], kinds=KINDS)
    for row in table.filter(pl.col("reason").is_null()).iter_rows(named=True):
        test = kci if row["test"] == "kci" else chisq
        if row["test"] in ("kci", "chisq"):
            alone = test(frame[row["feature"]].to_numpy(), frame["o"].to_numpy())
            assert row["p_value"] == pytest.approx(alone.p_value, rel=1e-9)
            assert row["effect_size"] == pytest.approx(alone.effect_size, rel=1e-9)


def test_missing_values_are_deleted_pair_by_pair() -> None:
    frame = people().with_columns(
        pl.when(pl.int_range(pl.len()) < 50).then(None).otherwise(pl.col("height")).alias("height"),
        pl.when(pl.int_range(pl.len()) >= 190).then(None).otherwise(pl.col("o")).alias("o"),
    )
    table = screen(frame, ["height", "league"], ["o"], kinds=KINDS, tests=["kci"])
    assert table["n"].to_list() == [140, 190]
    whole = frame.drop_nulls(["height", "o"])
    alone = kci(whole["height"].to_numpy(), whole["o"].to_numpy())
    assert table["p_value"][0] == pytest.approx(alone.p_value, rel=1e-9)


def test_nan_is_missing_too() -> None:
    frame = people().with_columns(
        pl.when(pl.int_range(pl.len()) < 9).then(float("nan")).otherwise("height").alias("height")
    )
    assert screen(frame, ["height"], ["o"], kinds=KINDS, tests=["kci"])["n"][0] == 191


def test_what_cannot_run_says_why_and_has_no_number() -> None:
    table = screen(people(), ["height", "flat"], ["o"], kinds=KINDS)
    reasons = dict(table.select(pl.concat_str("feature", "test"), "reason").iter_rows())
    assert reasons["heightchisq"] == "height is continuous; this test needs categories"
    assert reasons["flatkci"] == "flat is constant"
    missing = table.filter(pl.col("reason").is_not_null())
    numbers = ["statistic", "p_value", "p_corrected", "effect_size", "rejected"]
    assert missing.select(pl.col(numbers).null_count()).row(0) == (missing.height,) * len(numbers)


def test_an_empty_and_an_all_missing_column() -> None:
    frame = people().with_columns(pl.lit(None, pl.Float64).alias("height"))
    table = screen(frame, ["height"], ["o"], kinds=KINDS)
    assert table["p_value"].null_count() == 3
    assert "only 0 rows" in table["reason"][0]
    assert table["n"].to_list() == [0, 0, 0]


def test_names_are_not_tested_as_categories() -> None:
    frame = pl.DataFrame({"league": [f"n{i}" for i in range(3000)], "o": [1, 2, 3] * 1000})
    assert "are names" in screen(frame, ["league"], ["o"], kinds={"league": "nominal", "o": "ordinal"})["reason"][0]


def test_december_is_next_to_january() -> None:
    """A cyclic column is a circle: a peak around the turn of the year is seen as one."""
    rng = np.random.default_rng(9)
    month = np.tile(np.arange(1, 13), 40)
    winter = np.isin(month, [11, 12, 1, 2]) + 0.7 * rng.normal(size=len(month))
    frame = pl.DataFrame({"month": month, "o": winter})
    kinds: dict[str, Kind] = {"month": "cyclic", "o": "continuous"}
    turned = frame.with_columns((pl.col("month") + 5) % 12)
    first, second = (
        screen(f, ["month"], ["o"], kinds=kinds, tests=["kci"], periods={"month": 12.0}) for f in (frame, turned)
    )
    assert first["p_value"][0] == pytest.approx(second["p_value"][0], rel=1e-6)


def test_a_circle_has_no_beginning() -> None:
    """Also where all births are within a few months, so that sine and cosine spread differently."""
    rng = np.random.default_rng(11)
    month = rng.integers(0, 4, 300)
    frame = pl.DataFrame({"month": month, "o": 0.2 * month + rng.normal(size=300)})
    kinds: dict[str, Kind] = {"month": "cyclic", "o": "continuous"}
    turns = [frame.with_columns((pl.col("month") + k) % 12) for k in (0, 1, 5)]
    p = [screen(f, ["month"], ["o"], kinds=kinds, tests=["kci"], periods={"month": 12})["p_value"][0] for f in turns]
    assert p == pytest.approx([p[0]] * 3, rel=1e-9)


def test_columns_that_are_not_what_they_are_called() -> None:
    frame = people().with_columns(pl.lit(["a", "b"]).alias("vector"), pl.col("league").alias("words"))
    kinds = KINDS | {"vector": "continuous", "words": "continuous"}
    table = screen(frame, ["vector", "words", "month", "o"], ["o"], kinds=kinds, tests=["kci"])
    reasons = ["vector holds List", "words is called continuous and holds String", "month is cyclic", "against itself"]
    assert all(text in reason for text, reason in zip(reasons, table["reason"], strict=True))


def test_few_distinct_numbers_are_categories_and_many_are_not() -> None:
    frame = pl.DataFrame({"few": [i % 20 for i in range(420)], "many": [i % 21 for i in range(420)], "o": [1, 2] * 210})
    kinds: dict[str, Kind] = {"few": "continuous", "many": "continuous", "o": "ordinal"}
    table = screen(frame, ["few", "many"], ["o"], kinds=kinds, tests=["chisq"])
    assert table["reason"].to_list() == [None, "many is continuous; this test needs categories"]


def test_an_infinite_value_is_a_reason_not_a_number() -> None:
    frame = people().with_columns(
        pl.when(pl.int_range(pl.len()) == 3).then(float("inf")).otherwise("height").alias("height")
    )
    assert "infinite" in screen(frame, ["height"], ["o"], kinds=KINDS, tests=["kci"])["reason"][0]


def test_which_list_is_longer_changes_nothing() -> None:
    frame = people().with_columns(pl.when(pl.int_range(pl.len()) < 9).then(None).otherwise(pl.col("o")).alias("o"))
    across = screen(frame, ["o"], ["height", "league"], kinds=KINDS)
    down = screen(frame, ["height", "league"], ["o"], kinds=KINDS)
    assert across["target"].to_list() == down["feature"].to_list()
    for name in ("p_value", "p_corrected", "effect_size", "statistic"):
        first, second = (table[name].cast(pl.Float64).to_numpy() for table in (across, down))
        assert np.allclose(first, second, rtol=1e-9, atol=0, equal_nan=True)


def test_progress_counts_every_pair() -> None:
    seen: list[tuple[int, int]] = []
    screen(people(), ["height", "league"], ["o"], kinds=KINDS, tests=["gsq"], progress=lambda *at: seen.append(at))
    assert seen == [(1, 2), (2, 2)]


def test_unknown_names_are_named() -> None:
    with pytest.raises(InputError, match="no test anova"):
        screen(people(), ["height"], ["o"], kinds=KINDS, tests=["anova"])
    with pytest.raises(InputError, match="no column weight"):
        screen(people(), ["weight"], ["o"], kinds=KINDS)
    with pytest.raises(InputError, match="no test anova"):
        screen(people(), ["height"], ["o"], kinds=KINDS, options={"anova": {}})


@pytest.mark.parametrize(
    ("test", "options", "with_given", "says"),
    [
        (
            "hsic",
            {"bandwith": 1},
            False,
            r"^hsic has no option bandwith; did you mean bandwidth\? \(it takes bandwidth, ",
        ),
        (
            "kci",
            {"nul": "gamma", "rng": 3},
            False,
            "^kci has no option nul; did you mean null.*; kci has no option rng; ",
        ),
        ("gcm", {"null": "gamma"}, True, "^gcm has no option null; it takes none$"),
        ("kci", {"regression": "ridge"}, False, "^kci: regression is for tests with given columns; leave it out$"),
        ("kci", {"permutations": 9}, True, "^kci: permutations is for tests without given columns; leave it out$"),
        ("kci", {"permutations": "many"}, False, "^kci: permutations must be a whole number, not 'many'$"),
        ("kci", {"permutations": True}, False, "^kci: permutations must be a whole number, not True$"),
    ],
)
def test_an_option_that_a_test_does_not_take_is_one_sentence(
    test: str, options: dict[str, Any], with_given: bool, says: str
) -> None:
    with pytest.raises(InputError, match=says):
        screen(people(), ["height"], ["o"], kinds=KINDS, tests=[test], options={test: options},
               given=["month"] if with_given else [])  # fmt: skip


@pytest.mark.parametrize("test", ["kci", "hsic"])
def test_the_width_of_kernels_is_that_of_the_test_by_itself(test: str) -> None:
    frame = people()
    row = screen(frame, ["height"], ["o"], kinds=KINDS, tests=[test], options={test: {"bandwidth": 1}}).row(
        0, named=True
    )
    complete = frame.select("height", "o").drop_nulls()
    x, y = complete["height"].to_numpy(), complete["o"].to_numpy()
    alone = (kci if test == "kci" else hsic)(x, y, bandwidth=1.0)
    assert row["p_value"] == pytest.approx(alone.p_value, rel=1e-9)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"tests": "kci"}, r"^tests is a list of names; write tests=\['kci'\]$"),
        ({"given": "month"}, "^given is a list of names"),
        ({"kinds": {"height": "contnuous"}}, r"^kinds: height cannot be 'contnuous'; did you mean continuous\?$"),
        ({"alpha": 5}, "^alpha is 5; a level lies between 0 and 1"),
    ],
)
def test_arguments_of_another_kind_are_one_sentence(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        screen(people(), ["height"], ["o"], **settings)


def test_every_unknown_column_is_named() -> None:
    with pytest.raises(InputError, match=r"no column hight, did you mean height.*; the table has no column oo, "):
        screen(people(), ["hight"], ["oo"], kinds=KINDS)


def test_correction_is_within_a_test_over_what_was_run() -> None:
    table = screen(people(), ["height", "league", "month", "flat"], ["o"], kinds=KINDS, correction="holm")
    for test in ("kci", "chisq"):
        part = table.filter((pl.col("test") == test) & pl.col("p_value").is_not_null())
        assert np.allclose(part["p_corrected"], correct(part["p_value"].to_numpy(), "holm"))
    assert table["rejected"].drop_nulls().to_list() == (table["p_corrected"].drop_nulls() < 0.05).to_list()


P = st.lists(st.one_of(st.floats(0, 1), st.just(float("nan"))), min_size=1, max_size=20)


@given(P)
def test_corrections_are_ordered_and_keep_missing(p: list[float]) -> None:
    by, bh, holm = (correct(p, method) for method in ("fdr_by", "fdr_bh", "holm"))
    known = ~np.isnan(p)
    assert (np.isnan(bh) == ~known).all()
    raw = np.array(p)[known]
    assert (raw <= bh[known] + 1e-12).all()
    assert (bh[known] <= by[known] + 1e-12).all()
    assert (bh[known] <= holm[known] + 1e-12).all()
    assert (holm[known] <= 1).all()


def test_holm_by_hand() -> None:
    assert correct([0.01, 0.04, 0.03], "holm").tolist() == pytest.approx([0.03, 0.06, 0.06])


def test_wide_and_graph() -> None:
    table = screen(people(), ["height", "month"], ["o", "league"], kinds=KINDS, tests=["kci"])
    printed = wide(table, "kci")
    assert printed.columns == ["feature", "o", "league"]
    assert printed["feature"].to_list() == ["height", "month"]
    graph = dependence_graph(table)
    found = {(edge.source, edge.target) for edge in graph.edges}
    assert found == set(table.filter(pl.col("rejected")).select("feature", "target").iter_rows())
    assert ("height", "o") in found
    assert graph.weight == "kernel correlation"


def test_thousands_of_columns() -> None:
    rng = np.random.default_rng(10)
    frame = pl.DataFrame(rng.integers(0, 3, (30, 3000)), schema=[f"c{i}" for i in range(3000)])
    names = frame.columns
    kinds: dict[str, Kind] = dict.fromkeys(names, "ordinal")
    table = screen(frame, names[1:], names[:1], kinds=kinds, tests=["chisq"])
    assert table.height == 2999


def test_rows_come_in_the_order_asked_for() -> None:
    features, targets = ["height", "league"], ["o", "flat", "league"]
    table = screen(people(), features, targets, kinds=KINDS, tests=["gsq", "kci"])
    expected = [(feature, target, test) for feature in features for target in targets for test in ("gsq", "kci")]
    assert list(table.select("feature", "target", "test").iter_rows()) == expected


@pytest.mark.parametrize(
    ("test", "options", "says"),
    [
        ("kci", {"null": "gama"}, "kci: null cannot be 'gama'; choose from auto, moments"),
        ("hsic", {"estimate": "unb"}, "estimate cannot be 'unb'; choose from biased, unbiased"),
        ("rcit", {"variant": "v"}, "variant cannot be 'v'; choose from rcit, rcot"),
        ("chisq", {"null": "gama"}, "choose from asymptotic, moments, permutation"),
        ("chisq", {"correction": "bonferroni"}, "choose from yates, williams"),
    ],
)
@pytest.mark.parametrize("given", [[], ["month"]])
def test_a_value_of_an_option_that_there_is_not_is_refused(
    test: str, options: dict[str, str], says: str, given: list[str]
) -> None:
    """Some tests would fall through to another null and return its p-value under a name that is none."""
    with pytest.raises(InputError, match=says):
        screen(people(), ["height"], ["o"], kinds=KINDS, tests=[test], given=given, options={test: options})


@pytest.mark.parametrize(
    ("null", "z", "method"),
    [
        ("permutation", ["league"], None),
        ("moments", ["league"], None),
        ("auto", ["league"], "gamma"),
        ("auto", [], "moments"),
    ],
)
def test_a_null_that_does_not_fit_has_no_p_value_and_none_is_called_by_another_name(
    null: str, z: list[str], method: str | None
) -> None:
    table = screen(people(), ["height"], ["o"], kinds=KINDS, tests=["kci"], given=z, options={"kci": {"null": null}})
    (row,) = table.rows(named=True)
    assert row["method"] == method
    assert (row["p_value"] is None) == (method is None)
    assert method or "choose gamma" in row["reason"]


def test_a_correction_that_there_is_not_is_refused() -> None:
    with pytest.raises(InputError, match="no correction 'fdr'; choose from fdr_bh, fdr_by, holm, bonferroni, none"):
        correct([0.1, 0.2], "fdr")  # type: ignore[arg-type]
