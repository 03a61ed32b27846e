"""What the functions take: tables of any library, seeds, counts; and a sentence for every wrong call."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from personax.errors import InputError, PersonaxError
from personax.independence import (
    auto,
    chisq,
    correct,
    gcm,
    gsq,
    hsic,
    kci,
    missingness,
    rcit,
    score_function,
    screen,
    usp,
)

RNG = np.random.default_rng(40)
N = 120
X, Z = RNG.normal(size=N), RNG.normal(size=N)
Y = X + Z + RNG.normal(size=N)
A, B, S = RNG.choice(["u", "v"], N), RNG.choice(["p", "q", "r"], N), RNG.choice(["k", "l"], N)


def libraries() -> dict[str, Callable[[Any], Any]]:
    made: dict[str, Callable[[Any], Any]] = {"list": list, "polars": pl.Series}
    pandas, arrow = pytest.importorskip("pandas"), pytest.importorskip("pyarrow")
    return made | {"pandas": pandas.Series, "arrow": arrow.array, "categorical": pandas.Categorical}


CALLS: dict[str, Callable[..., Any]] = {
    "kci": lambda x, y, z, a, b, s: kci(x, y, z),
    "hsic": lambda x, y, z, a, b, s: hsic(x, y),
    "rcit": lambda x, y, z, a, b, s: rcit(x, y, z, rng=0),
    "gcm": lambda x, y, z, a, b, s: gcm(x, y, z),
    "chisq": lambda x, y, z, a, b, s: chisq(a, b, s),
    "gsq": lambda x, y, z, a, b, s: gsq(a, b, s),
    "usp": lambda x, y, z, a, b, s: usp(a, b, rng=0),
    "auto": lambda x, y, z, a, b, s: auto(x, a, rng=0),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("library", ["list", "polars", "pandas", "arrow"])
def test_columns_of_any_library(call: str, library: str) -> None:
    made = libraries()[library]
    plain = CALLS[call](X, Y, Z, A, B, S)
    other = CALLS[call](*(made(values) for values in (X, Y, Z, A, B, S)))
    assert other.p_value == plain.p_value
    assert other.effect_size == plain.effect_size


def test_a_pandas_categorical_is_text() -> None:
    pandas = pytest.importorskip("pandas")
    assert chisq(pandas.Series(A, dtype="category"), pandas.Categorical(B)).p_value == chisq(A, B).p_value


def mixed(kind: str) -> Any:
    columns = {"age": Z, "club": A}
    if kind == "polars":
        return pl.DataFrame(columns)
    if kind == "pandas":
        return pytest.importorskip("pandas").DataFrame(columns)
    if kind == "arrow":
        return pytest.importorskip("pyarrow").table(columns)
    if kind == "mapping":
        return columns
    if kind == "rows":
        return [[float(number), str(text)] for number, text in zip(Z, A, strict=True)]
    return np.array([[number, text] for number, text in zip(Z, A, strict=True)], dtype=object)


@pytest.mark.parametrize("kind", ["polars", "pandas", "arrow", "mapping", "rows", "objects"])
def test_z_may_mix_numbers_and_categories(kind: str) -> None:
    frame = pl.DataFrame({"x": X, "y": Y, "age": Z, "club": A})
    in_grid = screen(frame, ["x"], ["y"], tests=["kci", "gcm"], given=["age", "club"])["p_value"].to_list()
    in_function = [kci(X, Y, mixed(kind)).p_value, gcm(X, Y, mixed(kind)).p_value]
    assert in_function == pytest.approx(in_grid, rel=1e-9)


def test_numbers_in_a_table_are_one_variable() -> None:
    frame = pl.DataFrame({"a": X, "b": Z})
    assert kci(frame, Y).p_value == kci(np.column_stack([X, Z]), Y).p_value


def test_dates_are_days_in_functions_too() -> None:
    days = RNG.integers(0, 9000, N)
    born = [date(1970, 1, 1) + timedelta(days=int(k)) for k in days]
    y = days / 3000 + RNG.normal(size=N)
    expected = kci(days, y).p_value
    texts = [d.isoformat() for d in born]
    forms: list[Any] = [born, pl.Series(born), np.array(born, dtype="datetime64[D]"), texts, np.array(texts)]
    for form in forms:
        assert kci(form, y).p_value == pytest.approx(expected, rel=1e-9)


def test_a_table_of_counts_is_a_table() -> None:
    counts = np.array([[np.sum(np.equal(A, a) & np.equal(B, b)) for b in "pqr"] for a in "uv"])
    frame = pl.DataFrame(counts)
    for test in (chisq, gsq):
        assert test(counts).p_value == test(A, B).p_value
        assert test(frame).statistic == test(A, B).statistic
        assert test(counts.tolist(), null="permutation", rng=3).n == N
    assert usp(counts, rng=1).p_value == usp(A, B, rng=1).p_value
    strata = np.array(
        [[[np.sum(np.equal(A, a) & np.equal(B, b) & np.equal(S, s)) for b in "pqr"] for a in "uv"] for s in "kl"]
    )
    assert chisq(strata).p_value == pytest.approx(chisq(A, B, S).p_value)


@pytest.mark.parametrize("call", [
    lambda rng: kci(X, Y, null="permutation", rng=rng), lambda rng: hsic(X, Y, null="permutation", rng=rng),
    lambda rng: rcit(X, Y, rng=rng), lambda rng: chisq(A, B, null="permutation", rng=rng),
    lambda rng: gsq(A, B, null="permutation", rng=rng), lambda rng: usp(A, B, rng=rng),
    lambda rng: auto(X[:20], Y[:20], rng=rng),
])  # fmt: skip
def test_rng_is_a_generator_or_a_whole_number(call: Callable[[Any], Any]) -> None:
    assert call(7).p_value == call(np.random.default_rng(7)).p_value
    for wrong in (-1, 0.5, "seven", True, np.random):
        with pytest.raises(PersonaxError, match="rng is"):
            call(wrong)


def test_what_needs_random_numbers_says_so() -> None:
    calls: list[Callable[[], Any]] = [
        lambda: rcit(X, Y, rng=None), lambda: usp(A, B, rng=None), lambda: auto(X, Y, rng=None)
    ]  # fmt: skip
    for call in calls:
        with pytest.raises(PersonaxError, match=r"give rng|needs rng"):
            call()


FRAME = pl.DataFrame({"x": X, "y": Y, "a": A})
ODD: Any = ["a"]
WRONG: list[tuple[Callable[[], Any], str]] = [
    (lambda: screen(FRAME, ["x"], ["y"], tests="kci"), r"tests is a list of names; write tests=\['kci'\]"),
    (lambda: screen(FRAME, ["x"], ["y"], alpha=2), "alpha is 2; a level lies between 0 and 1"),
    (lambda: screen(FRAME, ["x"], ["y"], correction="bonf"), "no correction 'bonf'"),  # type: ignore[arg-type]
    (lambda: chisq(A), "give y, or a table"),
    (lambda: chisq([[1.5, 2.0], [3.0, 4.0]]), "whole numbers"),
    (lambda: chisq([[1, -2], [3, 4]]), "whole numbers"),
    (lambda: chisq([[10, 2], [3, 4]], z=A), "takes no z"),
    (lambda: usp(np.full((2, 2, 2), 5), rng=0), "no strata"),
    (lambda: kci(X, Y, {}), "no columns"),  # type: ignore[arg-type]
    (lambda: kci(X, Y, {"a": X, "b": A[:5]}), "differ in length"),  # type: ignore[arg-type]
    (lambda: kci(X, Y, {"a": ["u"] * N, "b": [1] * N}), "constant"),  # type: ignore[arg-type]
    (lambda: kci([None, *X[1:]], Y), "missing"),
    (lambda: kci(pl.Series([None, *X[1:]]), Y), "missing"),
    (lambda: kci([object()] * N, Y), "holds objects"),  # type: ignore[arg-type]
    (lambda: score_function("gcm"), "needs given columns"),
    (lambda: screen(FRAME, ["x"], ["y"], cluster=ODD), r"cluster is \['a'\]; give the name of one column"),
    (lambda: screen(FRAME, ["x"], ["y"], by=ODD), "by is"),
    (lambda: screen(FRAME, ["x"], ["y"], periods={"x": ODD}), "the period of x is"),
    (lambda: screen(FRAME, ["x"], ["y"], periods={"x": 0}), "the period of x is 0"),
    (lambda: screen(FRAME, ["x"], ["y"], periods={"xx": 7}), "no column xx, did you mean x"),
    (lambda: screen(FRAME, ["x"], ["y"], periods={"x": 7}, kinds={"x": "ordinal"}), "has a period and is called"),
    (lambda: missingness(FRAME, "x"), r"write columns=\['x'\]"),
    (lambda: missingness(FRAME, alpha=7), "alpha is 7"),
    (lambda: missingness(FRAME, kinds={"xx": "nominal"}), "no column xx"),
    (lambda: score_function("kcii"), "did you mean kci"),
]


@pytest.mark.parametrize(("call", "says"), WRONG)
def test_every_wrong_call_is_a_sentence(call: Callable[[], Any], says: str) -> None:
    with pytest.raises(PersonaxError, match=says):
        call()


def test_two_columns_of_one_name_are_refused() -> None:
    pandas, arrow = pytest.importorskip("pandas"), pytest.importorskip("pyarrow")
    twice = pandas.DataFrame(np.column_stack([X, Y, Z]), columns=["x", "y", "x"])
    with pytest.raises(InputError, match="two columns called x"):
        screen(twice, ["x"], ["y"])
    with pytest.raises(InputError, match="two columns called x"):
        screen(arrow.table([X, Y, Z], names=["x", "y", "x"]), ["x"], ["y"])


def test_bonferroni_is_a_correction() -> None:
    assert correct([0.01, float("nan"), 0.4], "bonferroni")[[0, 2]].tolist() == [0.02, 0.8]
    assert screen(FRAME, ["x", "a"], ["y"], tests=["kci"], correction="bonferroni")["p_corrected"].null_count() == 0


def test_a_result_is_a_table_and_a_figure_in_a_notebook() -> None:
    pytest.importorskip("matplotlib")
    result = kci(X, Y)
    assert "effect_size" in result._repr_html_()
    assert result.plot().axes
    names = kci([f"name {k}" for k in range(N - 1)] + ["name 0"], Y)
    assert names.plot() is not None  # its effect size is no number
    with pytest.raises(InputError, match="caption"):
        result.plot(captoin="a")


def test_scikit_learn_selects_features_by_our_tests() -> None:
    selection = pytest.importorskip("sklearn.feature_selection")
    data = np.column_stack([RNG.normal(size=N), Y**2 + 0.1 * RNG.normal(size=N), np.ones(N), X])
    best = selection.SelectKBest(score_function("kci"), k=2).fit(data, Y)
    assert best.get_support(indices=True).tolist() == [1, 3]
    assert selection.SelectFwe(score_function("hsic"), alpha=0.01).fit(data, Y).get_support()[[1, 3]].all()
    assert pickle.loads(pickle.dumps(score_function("hsic", null="gamma")))(data, Y)[1][3] < 1e-4


def test_what_is_no_input_is_a_sentence() -> None:
    """Inputs of a person who knows the page only: each is refused in one sentence, or taken for what it is."""
    rng = np.random.default_rng(0)
    x, other, e = rng.normal(size=(3, 120))
    y = x + 0.3 * e
    frame = pl.DataFrame({"x": x, "y": y})
    refused: list[tuple[Callable[[], Any], str]] = [
        (lambda: correct([0.5, -0.1], "fdr_bh"), "-0.1 is no p-value"),
        (lambda: correct([0.01, 2], "holm"), "2 is no p-value"),
        (lambda: chisq([[10, 20], [30]]), "differ in length"),
        (lambda: kci([[1, 2], [3]] * 30, y[:60]), "differ in length"),
        (lambda: kci(x, y, null="permutation", permutations=2.5, rng=0), "whole number of 1 or more, not 2.5"),  # type: ignore[arg-type]
        (lambda: kci([str(value) for value in x], y), "numbers as text"),
        (lambda: kci([f"p{k}" for k in range(120)], y), "these are names"),
        (lambda: screen(frame, ["x"], ["y"], seed="a"), "seed is 'a'"),  # type: ignore[arg-type]
        (lambda: screen(frame, ["x"], ["y"], kinds={"q": "nominal"}), "no column q"),
        (lambda: screen(frame, ["x"], ["y"], tests=["kci"], options={"hsic": {}}), "not among tests"),
    ]
    for call, says in refused:
        with pytest.raises(PersonaxError, match=says):
            call()
    prices = frame.with_columns(x=pl.Series([f"€ {abs(value) * 1e4:,.2f}" for value in x]))
    assert "numbers as text, such as '€" in screen(prices, ["x"], ["y"], tests=["kci"])["reason"][0]
    assert screen(pd.DataFrame(np.c_[x, y]), [0], [1])["rejected"].all()  # type: ignore[list-item]
    assert kci(pl.Series([[a, b] for a, b in zip(x, other, strict=True)]), y).p_value < 1e-9
    assert kci(pl.Series(x).cast(pl.Decimal(10, 3)), y).p_value < 1e-9
