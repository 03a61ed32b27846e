"""Whom and what people are asked, and what comes back: samples, formats, bad files."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any
from xml.etree import ElementTree

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from personax.errors import InputError
from personax.schema import TRAITS
from personax.traits.llms._prompt import Prompt
from personax.traits.validity import (
    argilla_records,
    label_studio_config,
    label_studio_tasks,
    rating_form_table,
    read_argilla,
    read_label_studio,
    read_rating_table,
)
from personax.traits.validity._human_ratings import (
    HumanAnswer,
    RatingForm,
    RatingTask,
    check_extra_questions,
    human_ratings,
)
from personax.traits.validity._stratified_sample import expected_information, informative_sample, stratified_sample

TASKS = [RatingTask("task-0001", "biography: <b>&amp;</b> $about"), RatingTask("task-0002", "=HYPERLINK(1)")]
SHEET = RatingForm(3, ("likability",))


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=60), st.integers(1, 60), st.integers(0, 5))
def test_proportional_samples_are_within_one_of_their_share(strata: list[str], number: int, seed: int) -> None:
    who, probability = stratified_sample(strata, number, rng=np.random.default_rng(seed))
    n = len(strata)
    assert len(set(who)) == len(who) == min(number, n)
    assert probability == pytest.approx(np.full(n, min(number, n) / n))
    got = Counter(strata[place] for place in who)
    for stratum, size in Counter(strata).items():
        assert abs(got[stratum] - size * len(who) / n) < 1 + 1e-9


@pytest.mark.parametrize("allocation", ["proportional", "equal"])
def test_people_are_drawn_as_often_as_their_probability_says(allocation: Any) -> None:
    strata = ["a"] * 17 + ["b"] * 6 + ["c"] * 2
    rng = np.random.default_rng(0)
    times = np.zeros(25)
    for _ in range(4000):
        who, probability = stratified_sample(strata, 9, allocation, rng=rng)
        times[who] += 1
    # largest standard error: .008
    assert times / 4000 == pytest.approx(probability, abs=0.035)
    if allocation == "equal":
        assert np.ptp(probability) > 0.7, "of the small stratum everybody is asked"


def test_those_of_whom_most_is_to_be_learned_are_drawn_more_often_by_known_chances() -> None:
    information = expected_information(np.array([[1.0]] * 3 + [[0.3]] * 20 + [[0.0], [np.nan]]), error=0.5)
    assert information[24] == information[0], "nobody is less known than those whom nobody scored"
    rng = np.random.default_rng(1)
    times = np.zeros(25)
    for _ in range(3000):
        who, probability = informative_sample(information, 8, rng=rng)
        assert len(set(who)) == 8
        times[who] += 1
    assert probability.sum() == pytest.approx(8)
    assert times / 3000 == pytest.approx(probability, abs=0.04)
    assert probability[:3].min() == probability.max() == 1
    assert probability[23] > 0, "of everybody something can be said"
    with pytest.raises(InputError, match="nobody of whom"):
        informative_sample(np.zeros(3), 2, rng=rng)


def test_equal_samples_need_one_person_a_stratum() -> None:
    with pytest.raises(InputError, match="fewer than the 3 strata"):
        stratified_sample(["a", "b", "c"], 2, "equal", rng=np.random.default_rng(0))


def test_label_studio_files_hold_text_as_text() -> None:
    view = ElementTree.fromstring(label_studio_config(SHEET))
    groups = view.findall("Choices")
    assert [group.get("name") for group in groups] == [*TRAITS, "likability"]
    assert [choice.get("alias") for choice in groups[0]] == ["1", "2", "3", "0"]
    assert label_studio_tasks(TASKS)[0]["data"] == {"task": "task-0001", "about": "biography: <b>&amp;</b> $about"}


def exported(by: object, choice: str, **more: object) -> list[dict[str, Any]]:
    results = [
        {"from_name": name, "to_name": "about", "type": "choices", "value": {"choices": [choice]}} for name in TRAITS
    ]
    return [{"data": {"task": "task-0001"}, "annotations": [{"completed_by": by, "result": results, **more}]}]


def test_label_studio_exports_are_read() -> None:
    expected = [HumanAnswer("task-0001", "7", trait, "2") for trait in TRAITS]
    assert read_label_studio(exported(7, "2"), TRAITS, "x") == expected
    assert read_label_studio(exported({"id": 7, "email": "a@b.c"}, "2"), TRAITS, "x") == expected
    minimal = [{"task": "task-0001", "annotator": 7, **dict.fromkeys(TRAITS, "2")}]
    assert read_label_studio(minimal, TRAITS, "x") == expected


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ({}, "not a list of tasks"),
        ([1], "not a list of tasks"),
        ([{"annotations": []}], "lacks data.task"),
        ([{"data": {"task": "t"}, "annotations": [{"result": None}]}], "no list called result"),
        ([{"about": "x"}], "has no key task"),
        ([{"data": {"task": "t"}, "annotations": []}], "holds no answer"),
        (exported(1, "2", was_cancelled=True), "holds no answer"),
    ],
)
def test_other_shapes_are_refused_in_one_sentence(raw: object, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_label_studio(raw, TRAITS, "file.json")


def test_argilla_records_go_there_and_back() -> None:
    records = json.loads(json.dumps(argilla_records(TASKS)))
    with pytest.raises(InputError, match="holds no response"):
        read_argilla(records, "x")
    records[0]["responses"] = {"openness": [{"value": "3", "user_id": "u"}, {"value": None, "user_id": "v"}]}
    assert read_argilla(records, "x") == [HumanAnswer("task-0001", "u", "openness", "3")]
    for bad, said in (({}, "no list"), ([{"id": 1}], "lacks id"), ([{"id": "a", "responses": {"o": 1}}], "no list of")):
        with pytest.raises(InputError, match=said):
            read_argilla(bad, "x")


def test_tables_long_and_wide_are_read_alike_and_hold_no_formula() -> None:
    sheet = rating_form_table(TASKS, SHEET)
    assert sheet["about"][1] == "'=HYPERLINK(1)"
    wide = sheet.with_columns(pl.lit("r").alias("rater"), pl.lit("2").alias("openness"))
    long = pl.DataFrame({"Person": sheet["task"], "rater": "r", "Trait": "Openness", "score": "2"})
    expected = [HumanAnswer(task.code, "r", "openness", "2") for task in TASKS]
    assert read_rating_table(wide, "x") == read_rating_table(long, "x") == expected
    for bad, said in (
        (pl.DataFrame({"who": ["a"]}), "has no column task, person or id"),
        (pl.DataFrame({"id": ["a"], "height": ["1"]}), "neither the columns trait and score"),
        (long.with_columns(pl.lit("charm").alias("Trait")), "charm is no trait"),
        (sheet, "holds no answer"),
    ):
        with pytest.raises(InputError, match=said):
            read_rating_table(bad, "x")


def test_answers_become_annotations_and_raters_lose_their_names() -> None:
    key = {"task-0001": "ann"}
    answers = [
        HumanAnswer("task-0001", "eve@example.org", "openness", "high"),
        HumanAnswer("ann", "bob", "openness", "0"),
        HumanAnswer("ann", "bob", "likability", "2"),
        HumanAnswer("stranger", "bob", "openness", "2"),
    ]
    found = human_ratings(answers, SHEET, ["ann"], key)
    assert found.annotations.select("person", "model", "score", "status").rows() == [
        ("ann", "human 2", 3.0, "ok"),
        ("ann", "human 1", None, "insufficient"),
    ]
    assert (found.extra, found.same_scale, found.unknown_people) == ({"likability": {"ann": 2.0}}, True, 1)


def test_questionnaire_scores_are_on_another_scale() -> None:
    found = human_ratings([HumanAnswer("ann", "", "openness", "4.25")], SHEET, ["ann"], {})
    assert not found.same_scale
    assert found.annotations["score"].to_list() == [4.25]
    with pytest.raises(InputError, match="is not one of 1, 2, 3, 0"):
        human_ratings([HumanAnswer("ann", "", "openness", "4.25")], SHEET, ["ann"], {}, scale="same")
    with pytest.raises(InputError, match="is no number"):
        human_ratings([HumanAnswer("ann", "", "openness", "nan")], SHEET, ["ann"], {})
    with pytest.raises(InputError, match="none of the people"):
        human_ratings([HumanAnswer("bob", "", "openness", "1")], SHEET, ["ann"], {})


def test_names_are_hidden_and_bad_questions_refused() -> None:
    prompt = Prompt(fields=("biography",), hide_name=True)
    task = RatingForm().task("t", {"name": "Ada Byron", "biography": "Byron wrote."}, prompt)
    assert task == RatingTask("t", "biography: [name hidden] wrote.")
    assert RatingForm().task("t", {"name": "Ada"}, prompt) is None
    for bad in ("openness", "How nice?", "about"):
        with pytest.raises(InputError, match="no name for a question"):
            check_extra_questions([bad])
