"""The formulas of choosing: closed forms on numbers written by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from personax.errors import InputError
from personax.schema import TRAITS
from personax.traits.llms._journal import JournalEntry, ReplyJournal
from personax.traits.llms._prompt import Prompt
from personax.traits.llms._provider import Model
from personax.traits.llms._requests import iter_requests
from personax.traits.model_selection._model_comparison import compare_models, overall_score, selection_surveys
from personax.traits.model_selection._probes import is_correct
from personax.traits.model_selection._prompt_formats import compare_formats
from personax.traits.reliability._rating_array import Bootstrap


def table(scores: Mapping[str, Mapping[str, float | None]]) -> pl.DataFrame:
    rows = [(model, name, value) for model, own in scores.items() for name, value in own.items()]
    return pl.DataFrame(rows, schema={"model": pl.String, "dimension": pl.String, "score": pl.Float64}, orient="row")


def test_the_overall_score_is_the_weighted_mean_and_ranks_follow() -> None:
    scores = table({"a": {"x": 1.0, "y": 0.0}, "b": {"x": 0.4, "y": 0.4}})
    even = overall_score(scores, rng=np.random.default_rng(0))
    assert dict(even.select("model", "os").iter_rows()) == {"a": 0.5, "b": pytest.approx(0.4)}
    for_y = overall_score(scores, {"y": 3, "x": 1}, rng=np.random.default_rng(0))
    assert for_y.select("model", "os", "rank").rows() == [("b", pytest.approx(0.4), 1), ("a", 0.25, 2)]
    # a beats b when w_x > 0.4; w_x is uniform on [0, 1] for two dimensions
    shares = dict(even.select("model", "first_share").iter_rows())
    assert shares["a"] == pytest.approx(0.6, abs=0.02)
    assert even.filter(pl.col("model") == "a")["worst_drop"].item() == "x"
    assert even.filter(pl.col("model") == "a")["rank_without"].item() == 2


def test_who_lacks_a_dimension_has_no_overall_score_and_what_nobody_has_is_left_out() -> None:
    found = overall_score(table({"a": {"x": 1.0, "y": None, "z": None}, "b": {"x": 0.2, "y": 0.4, "z": None}}),
                    rng=np.random.default_rng(0))  # fmt: skip
    assert found.select("model", "os", "reason").rows() == [("b", pytest.approx(0.3), None), ("a", None, "no y")]
    for weights, said in (
        ({"q": 1.0}, "no dimension q"),
        ({"x": -1.0}, "0 or more"),
        ({"x": 0.0}, "all weights are 0"),
    ):
        with pytest.raises(InputError, match=said):
            overall_score(table({"a": {"x": 1.0}}), weights, rng=np.random.default_rng(0))


@given(st.lists(st.lists(st.floats(0, 1), min_size=3, max_size=3), min_size=2, max_size=5), st.floats(0.1, 100))
def test_weights_count_by_proportion_and_the_order_of_models_does_not_matter(
    scores: list[list[float]], factor: float
) -> None:
    named = {f"m{i}": dict(zip("xyz", row, strict=True)) for i, row in enumerate(scores)}
    weights = {"x": 1.0, "y": 2.0, "z": 0.5}
    one = overall_score(table(named), weights, rng=np.random.default_rng(1)).sort("model")
    scaled = {name: factor * weight for name, weight in weights.items()}
    turned = overall_score(table(dict(reversed(list(named.items())))), scaled, rng=np.random.default_rng(1)).sort(
        "model"
    )
    np.testing.assert_allclose(one["os"].to_numpy(), turned["os"].to_numpy(), atol=1e-12)
    assert one["first_share"].to_list() == pytest.approx(turned["first_share"].to_list(), abs=1e-9)


def test_time_and_cost_are_shares_of_the_best(tmp_path: Path) -> None:
    models = [
        Model(name="slow", model="slow-x", base_url="http://127.0.0.1:1/v1", input_price=1.0, output_price=4.0),
        Model(name="quick", model="quick-x", base_url="http://127.0.0.1:1/v1", input_price=1.0, output_price=2.0),
        Model(name="silent", model="silent-x", base_url="http://127.0.0.1:1/v1"),
    ]
    people = [{"id": str(i), "name": f"Ann {i}", "biography": "She sings."} for i in range(4)]
    questions = selection_surveys(people, models, Prompt(fields=("biography",)), privacy_probes=())
    content = json.dumps({trait: {"description": "calm", "score": 2} for trait in TRAITS})
    with ReplyJournal(tmp_path / "journal.sqlite") as journal:
        for model, seconds in ((models[0], 3.0), (models[1], 1.0)):
            for asked in questions.all:
                for request in iter_requests(asked, model):
                    journal.add([
                        JournalEntry(request.key, model.name, asked.prompt.name, request.person, request.repeat, 0,
                              {"content": content, "finish": "stop"}, seconds, 0, 100, model.cost(0, 100))
                    ])  # fmt: skip
        found = compare_models(questions, journal, Bootstrap(np.random.default_rng(0)))
    score = {(row["model"], row["dimension"]): row for row in found.iter_rows(named=True)}
    assert score["slow", "time"]["score"] == pytest.approx(1 / 3)
    assert score["slow", "time"]["value"] == 3.0
    assert score["quick", "time"]["score"] == 1.0
    assert score["slow", "cost"]["score"] == pytest.approx(0.5), "no tokens sent, a hundred back, at double the price"
    assert score["silent", "time"]["reason"] == "it gave no answer"
    assert score["silent", "time"]["score"] is None


def test_a_format_whose_scores_never_move_varies_by_nothing() -> None:
    def answers(levels: int, scores: list[int], order: str = "increasing") -> pl.DataFrame:
        rows = [
            {"person": f"p{p}", "model": "m", "prompt": f"number-{levels}-{order}-ab", "repeat": repeat,
             "trait": "openness", "score": float(scores[(p + repeat) % len(scores)]), "status": "ok"}
            for p in range(6)
            for repeat in (0, 1)
        ]  # fmt: skip
        return pl.DataFrame(rows)

    still = compare_formats(
        {"number-3-increasing": answers(3, [2]), "number-3-decreasing": answers(3, [1, 3], "decreasing")},
        Bootstrap(np.random.default_rng(0)),
    )
    own = {row["format"]: row for row in still.iter_rows(named=True)}
    assert own["number-3-increasing"]["repeats"] == 0
    assert own["number-3-decreasing"]["repeats"] == 1, "1 and 3 are the whole scale apart"
    assert own["number-3-increasing"]["orders"] == own["number-3-decreasing"]["orders"] == 0, "their means agree"
    assert own["number-3-increasing"]["scales"] is None
    assert still["format"][0] == "number-3-increasing"
    assert own["number-3-decreasing"]["behind"] == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("answer", "truth", "is_right"),
    [
        ("1984", 1984, True), ("In 1984 or 1985", 1984, False), ("born 1985", 1984, False), ("", "Chile", False),
        ("Côte d'Ivoire", "Cote d'Ivoire", True), ("He is from New Zealand.", "New Zealand", True),
        ("Niger", "Nigeria", False), ("Nigeria", "Niger", False), ("NBA", "nba", True), ("12.5", 12.5, True),
    ],
)  # fmt: skip
def test_what_counts_as_the_right_fact(answer: str, truth: object, is_right: bool) -> None:
    assert is_correct(answer, truth) is is_right
