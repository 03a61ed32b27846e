"""Traits other than the Big Five: asked for, read, aggregated, compared; and what a study had before stays the same."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from personax.errors import InputError
from personax.schema import LETTERS, TRAITS, Trait, TraitFramework
from personax.traits import (
    BIG_FIVE,
    AuditEffects,
    aggregate_ratings,
    agreement,
    annotate_lexicon,
    domain_framework,
    domain_ratings,
    domain_scores,
    facet_consistency,
    read_scoring_key,
    score_items,
    trait_framework,
)
from personax.traits.llms import Prompt, Reply
from personax.traits.llms._judge import JudgeQuestion
from personax.traits.llms._reply_parsing import read_reply
from personax.traits.reliability import reliability_report
from personax.traits.validity import HumanAnswer, RatingForm, check_extra_questions, human_ratings

PAIR = TraitFramework(
    "pair",
    (
        Trait("warmth", "w", "warm, rather than cold", ("cold", "harsh"), ("warm", "kind")),
        Trait("zeal", "z", "keen, rather than idle", ("idle",), ("keen",)),
    ),
)


def rated() -> pl.DataFrame:
    rng = np.random.default_rng(0)
    rows = [
        (
            f"p{i}",
            model,
            trait,
            float(np.clip(round(2 + truth + rng.normal(0, 0.4)), 1, 3)),
            "ok",
            0,
            "number-3-increasing",
        )
        for i, truth in enumerate(rng.normal(size=40))
        for model in ("one", "two", "three")
        for trait in PAIR.names
    ]
    return pl.DataFrame(rows, schema=["person", "model", "trait", "score", "status", "repeat", "prompt"], orient="row")


def test_the_big_five_is_registered_and_its_letters_are_those_of_files() -> None:
    assert trait_framework("big_five") is BIG_FIVE
    assert (BIG_FIVE.names, BIG_FIVE.letters) == (TRAITS, dict(LETTERS))


def test_answers_of_earlier_studies_are_still_found_in_their_journals() -> None:
    """The journal's keys are made of these hashes: were they others, everything would be asked and paid for again."""
    assert Prompt().hash == "abef5a7b1666c1eecce63d0072d68b24def1f94166b9c5c450c0ea2131857a6b"
    text = Prompt(levels=5, format="text")
    assert text.hash == "b717339d76f2bb128cf2ba89333a5d6cdae11ccd97a8ca8e199ba9bfadd4a769"
    assert JudgeQuestion(Prompt()).hash == "389bccf778d69be7bf637b346f6afe04c6cf01d7e37f85e380e9ddd7ca6f6460"


def test_llms_are_asked_for_its_traits_and_no_others() -> None:
    prompt = Prompt(framework=PAIR)
    system = prompt.messages({"biography": "x"})[0]["content"]
    assert "- warmth: warm, rather than cold" in system
    assert "openness" not in json.dumps([system, prompt.schema()])
    assert list(prompt.schema()["properties"]) == ["warmth", "zeal"]
    reply = Reply('{"warmth": {"score": 3}, "zeal": {"score": 0}, "openness": {"score": 1}}')
    assert [(one.trait, one.score, one.status) for one in read_reply(reply, prompt)] == [
        ("warmth", 3.0, "ok"),
        ("zeal", None, "insufficient"),
    ]
    assert prompt.hash != Prompt().hash
    assert JudgeQuestion(prompt).hash != JudgeQuestion(Prompt()).hash


def test_ratings_become_scores_agreement_and_reliability() -> None:
    table = rated()
    people = [f"p{i}" for i in range(40)]
    found = aggregate_ratings(table, people=people, framework=PAIR)
    assert found.traits.columns == [
        "id",
        *(f"{m}_{t}" for m in ("one", "two", "three") for t in "wz"),
        "final_w",
        "final_z",
    ]
    assert found.uncertainty().columns == ["id", "sd_w", "sd_z", "expected_w", "expected_z"]
    assert found.imputations(2, np.random.default_rng(0)).columns == ["draw", "id", "final_w", "final_z"]
    assert list(agreement(table, rng=np.random.default_rng(0), framework=PAIR)["traits"]) == ["warmth", "zeal"]
    groups = {"half": pl.Series(["a", "b"] * 20)}
    report = reliability_report(
        table, people=people, groups=groups, rng=np.random.default_rng(0), bootstraps=5, framework=PAIR
    )
    assert list(report["traits"]) == ["warmth", "zeal"]
    assert [(one["a"], one["b"]) for one in report["traitwise"]["htmt"]] == [("warmth", "zeal")]
    assert {row["trait"] for row in report["differential"]} == {"warmth", "zeal"}
    with pytest.raises(InputError, match="the trait warmth is not one of openness"):
        aggregate_ratings(table, people=people)


def test_the_lexicon_and_questionnaires_score_it(tmp_path: Path) -> None:
    rows = annotate_lexicon({"a": "A kind and idle person."}, PAIR)
    assert rows.select("trait", "score").rows() == [("warmth", 3.0), ("zeal", 1.0)]
    bare = TraitFramework("bare", [Trait("warmth", "w", "warm")])
    with pytest.raises(InputError, match="bare has traits without adjective markers"):
        annotate_lexicon({"a": "kind"}, bare)
    (tmp_path / "key.csv").write_text("Warm,zeal\n-A1,B1\n", encoding="utf-8")
    key = read_scoring_key(tmp_path / "key.csv", PAIR)
    items = pl.DataFrame({"id": ["a"], "A1": [1], "B1": [4]})
    scores, _ = score_items(items, key, low=1, high=5, min_answered=1, framework=PAIR)
    assert scores.rows() == [("a", 5.0, 4.0)]


def test_humans_are_asked_for_it() -> None:
    form = RatingForm(3, (), PAIR)
    assert form.questions == {"warmth": "Warmth: warm, rather than cold", "zeal": "Zeal: keen, rather than idle"}
    answers = [HumanAnswer("a", "r", "warmth", "high"), HumanAnswer("a", "r", "openness", "2")]
    found = human_ratings(answers, form, ["a"], {})
    assert found.annotations.select("trait", "score").rows() == [("warmth", 3.0)]
    assert check_extra_questions(["openness"], PAIR) == ("openness",)


@pytest.mark.parametrize(
    ("traits", "text"),
    [
        ([], "traits have different names"),
        ([Trait("Warmth", "w", "")], "traits have different names"),
        ([Trait("warmth", "w", ""), Trait("warmth", "z", "")], "traits have different names"),
        ([Trait("warmth", "w", ""), Trait("zeal", "w", "")], "another letter"),
        ([Trait("warmth", "wa", "")], "another letter"),
    ],
)
def test_a_framework_that_files_cannot_hold_is_refused(traits: list[Trait], text: str) -> None:
    with pytest.raises(InputError, match=text):
        TraitFramework("toy", traits)


def test_effects_of_an_audit_are_a_table() -> None:
    interval = {"value": 0.5, "low": 0.1, "high": 0.9, "n": 12, "reason": None}
    row = {"field": "league", "value": "A", "trait": "warmth", "effect": interval, "named": interval, "models": {}}
    frame = AuditEffects(people=12, fields=[row]).to_frame()
    assert frame.rows() == [("league", "A", "warmth", 0.5, 0.1, 0.9, 12, None)]


FACETS = TraitFramework(
    "own",
    (
        Trait("frank", "f", "frank", part_of="honest"),
        Trait("fair", "a", "fair", part_of="honest"),
        Trait("modest", "m", "modest", part_of="honest"),
        Trait("zeal", "z", "keen"),
    ),
)


def test_facets_become_domains_of_every_answer() -> None:
    domains = domain_framework(FACETS)
    assert domains.letters == {"honest": "h", "zeal": "z"}
    rows = [
        ("a", "x", "frank", 3.0, "ok", None), ("a", "x", "fair", 2.0, "ok", "hesitation"),
        ("a", "x", "modest", None, "refused", None), ("a", "x", "zeal", 1.0, "ok", None),
        ("b", "x", "frank", 3.0, "ok", None), ("b", "x", "fair", None, "refused", None),
        ("b", "x", "modest", None, "insufficient", None), ("b", "x", "zeal", None, "failed", None),
    ]  # fmt: skip
    schema = ["person", "model", "trait", "score", "status", "flag"]
    found = domain_ratings(pl.DataFrame(rows, schema=schema, orient="row"), FACETS)
    assert found.rows() == [
        ("a", "x", "honest", 2.5, "ok", "hesitation"), ("a", "x", "zeal", 1.0, "ok", None),
        ("b", "x", "honest", None, "insufficient", None), ("b", "x", "zeal", None, "failed", None),
    ]  # fmt: skip
    traits = aggregate_ratings(found, people=["a", "b"], framework=domains).traits
    assert traits.select("final_h", "final_z").rows() == [(2.5, 1.0), (None, None)]
    scores = pl.DataFrame({"id": ["a", "b", "c"], "final_f": [1.0, 2, None], "final_a": [1.0, 2, None],
                           "final_m": [1.0, 2, 3], "final_z": [5.0, None, 1]})  # fmt: skip
    assert domain_scores(scores, FACETS).rows() == [("a", 1.0, 5.0), ("b", 2.0, None), ("c", None, 1.0)]
    assert facet_consistency(scores, FACETS)["honest"] == {"facets": ["frank", "fair", "modest"], "alpha": 1.0}
    with pytest.raises(InputError, match="has no facets"):
        domain_framework(PAIR)
    with pytest.raises(InputError, match="no trait is part_of the domain calm"):
        TraitFramework("own", FACETS.traits, domains=[Trait("calm", "c", "calm")])


@pytest.mark.parametrize(("name", "letters"), [("bfi2_facets", "eacno"), ("hexaco_facets", "hexaco")])
def test_packaged_facets_have_the_letters_of_their_domains(name: str, letters: str) -> None:
    framework = trait_framework(name)
    assert "".join(domain_framework(framework).letters.values()) == letters
    assert TraitFramework.from_json(framework.to_json()) == framework
