"""Frameworks as files: their items as a questionnaire for models, in their language, with quoted evidence."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from personax import registry
from personax.errors import InputError
from personax.schema import Item, Trait, TraitFramework
from personax.traits import BIG_FIVE, read_framework, trait_framework
from personax.traits.llms import Prompt, Reply
from personax.traits.llms._prompt_ratings import prompt_ratings

OWN = """
name: courage
language: en
anchors: [never, sometimes, always]
traits:
  - {name: courage, letter: c, meaning: 'brave, rather than timid', items: [
      {id: C1, text: Speaks up.}, {id: C2, text: Gives in., reversed: true}]}
  - {name: patience, letter: p, part_of: calm, meaning: 'patient, rather than hasty', items: [{id: P1, text: Waits.}]}
"""


def own(folder: Path, text: str = OWN) -> TraitFramework:
    path = folder / "own.yaml"
    path.write_text(text, encoding="utf-8")
    return read_framework(path)


def said(prompt: Prompt, **answers: Any) -> list[tuple[str, float | None, str]]:
    ratings = prompt_ratings(Reply(json.dumps(answers)), prompt, {"id": "a"})
    return [(one.trait, one.score, one.status) for one in ratings]


@pytest.mark.parametrize("name", registry.names("trait_frameworks"))
def test_a_packaged_framework_says_its_licence_and_balances_its_items(name: str) -> None:
    framework = trait_framework(name)
    assert framework.licence
    assert framework.reference
    assert (
        "copyrighted" in framework.licence or "own words" in framework.licence or "public domain" in framework.licence
    )
    for trait in framework.names:
        signed = framework.scoring_key[trait]
        assert any(item[0] == "-" for item in signed), f"{trait} has no reversed item"
        assert any(item[0] != "-" for item in signed), f"{trait} has reversed items only"


def test_items_are_asked_in_turns_and_scored_by_their_key(tmp_path: Path) -> None:
    framework = own(tmp_path)
    assert [item.id for item in framework.items] == ["C1", "P1", "C2"]
    prompt = Prompt(ask="items", framework=framework)
    system = prompt.messages({"biography": "x"})[0]["content"]
    assert "- c2: Gives in." in system
    assert "1 = never\n2 = sometimes\n3 = always" in system
    assert prompt.schema()["properties"]["c1"] == {"type": "integer", "enum": [0, 1, 2, 3]}
    assert said(prompt, c1=3, p1=2, c2=1) == [("courage", 3.0, "ok"), ("patience", 2.0, "ok")]
    assert said(prompt, C1=3, P1="2", C2=3) == [("courage", 2.0, "ok"), ("patience", 2.0, "ok")]
    assert said(prompt, c1=3, p1=0, c2=0) == [("courage", 3.0, "ok"), ("patience", None, "insufficient")]
    assert said(prompt, c1=9, p1=2, c2=9)[0] == ("courage", None, "off_scale")
    assert said(prompt, p1=2)[0] == ("courage", None, "malformed")
    assert prompt.problem(Reply('{"p1": 2}')) == "c1 had no score"
    again = prompt.repair([], "{}", "c1 had no score")[-1]["content"]
    assert "the keys c1, p1, c2" in again


def test_a_questionnaire_needs_half_of_its_items() -> None:
    prompt = Prompt(ask="items", framework=BIG_FIVE)
    assert prompt.points == 5
    four = {f"o{k}": value for k, value in zip(range(1, 5), (5, 1, 0, 0), strict=True)}
    rest = {item.id.lower(): 0 for item in BIG_FIVE.items if item.trait != "openness"}
    assert said(prompt, **four, **rest)[0] == ("openness", 5.0, "ok")
    assert said(prompt, **{**four, "o2": 0}, **rest)[0] == ("openness", None, "insufficient")


def test_what_was_asked_before_there_were_items_is_still_the_same_question() -> None:
    dumped = Prompt().model_dump()
    assert "ask" not in dumped
    assert "evidence" not in dumped
    hashes = {Prompt(**one).hash for one in ({}, {"ask": "items"}, {"evidence": True})}
    assert len(hashes) == 3
    other = TraitFramework("big_five", BIG_FIVE.traits, items=[Item("O1", "Paints.", "openness")])
    assert Prompt(framework=other).hash == Prompt().hash, "items change no rating of traits"
    assert Prompt(framework=other, ask="items").hash != Prompt(ask="items").hash


@pytest.mark.parametrize(
    ("language", "words"), [("de", "zu wenig Information"), ("fr", "insuffisante"), ("es", "insuficiente")]
)
def test_models_are_asked_in_the_frameworks_language(language: str, words: str) -> None:
    framework = TraitFramework(
        "x", [Trait("zeal", "z", "eifrig")], items=[Item("Z1", "Eilt.", "zeal")], language=language
    )
    for prompt in (Prompt(framework=framework), Prompt(framework=framework, ask="items")):
        written = " ".join(one["content"] for one in prompt.messages({"biography": "x"}))
        assert words in written
        assert "insufficient information" not in written
        assert "JSON" in prompt.repair([], "", "x")[-1]["content"]
    text = Prompt(framework=framework, format="text", levels=5)
    assert text.answers[text._words.levels[5][0]] == 1
    assert text.unknown in text.messages({"biography": "x"})[0]["content"]


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"framework": TraitFramework("x", [Trait("zeal", "z", "m")], language="tlh")}, "no wording; there are de, en"),
        (
            {"framework": TraitFramework("x", [Trait("z", "z", "m")], language="de"), "wording": "paraphrased"},
            "there are en",
        ),
        ({"framework": TraitFramework("x", [Trait("zeal", "z", "m")]), "ask": "items"}, "x has none"),
        ({"ask": "items", "format": "text"}, "numbers of the anchors alone"),
        ({"ask": "items", "evidence": True}, "numbers of the anchors alone"),
    ],
)
def test_what_cannot_be_asked_is_refused(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        Prompt(**settings)


@pytest.mark.parametrize(
    ("quoted", "flag"),
    [
        ("won 3 prizes", None),
        ("  Won  3 PRIZES. ", None),
        ("“She's bold” ... in 2001–2003", None),
        ("biography: Ann won", None),
        ("\ud83d", "unsupported"),
        ("won 4 prizes", "unsupported"),
        ("", "unsupported"),
        ("...", "unsupported"),
        (None, "unsupported"),
    ],
)
def test_a_passage_that_stands_nowhere_flags_its_score(quoted: str | None, flag: str | None) -> None:
    prompt = Prompt(evidence=True)
    assert "copied letter by letter" in prompt.messages({"biography": "x"})[0]["content"]
    assert "evidence" in prompt.schema()["properties"]["openness"]["required"]
    value = {"description": "so", "score": 2} | ({} if quoted is None else {"evidence": quoted})
    person = {"name": "Ann", "biography": 'Ann won 3 prizes. "She\'s bold", they said in 2001-2003.'}
    first = prompt_ratings(Reply(json.dumps({"openness": value})), prompt, person)[0]
    pl.DataFrame({"text": [first.text], "evidence": [first.evidence]}).write_ipc(io.BytesIO())
    assert (first.score, first.flag) == (2.0, flag)


FAULTS = {
    "no YAML": ("name: [", "own.yaml"),
    "a list": ("[1, 2]", "own.yaml"),
    "no traits": ("name: x", "traits"),
    "unknown key": (OWN + "colour: red\n", "colour"),
    "an item twice": (OWN.replace("P1", "c1"), "items have different ids"),
    "a letter twice": (OWN.replace("letter: p", "letter: c"), "another letter"),
    "one anchor": (OWN.replace("[never, sometimes, always]", "[never]"), "two anchors"),
    "no language": (OWN.replace("language: en", "language: English"), "is no language"),
    "a bomb": ("a: &a [x, x, x, x, x, x, x, x]\n" + "\n".join(
        f"{c}: &{c} [{', '.join([f'*{p}'] * 9)}]" for p, c in zip("abcdefgh", "bcdefghi", strict=True)), "anchors"),
}  # fmt: skip


@pytest.mark.parametrize("case", FAULTS)
def test_a_file_that_describes_no_framework_is_one_sentence(tmp_path: Path, case: str) -> None:
    text, says = FAULTS[case]
    with pytest.raises(InputError, match=says) as error:
        own(tmp_path, text)
    assert "\n" not in str(error.value)


def test_a_framework_comes_back_from_what_a_study_keeps_of_it(tmp_path: Path) -> None:
    framework = own(tmp_path)
    assert TraitFramework.from_json(framework.to_json()) == framework
    before = '{"name": "x", "traits": [{"name": "zeal", "letter": "z", "meaning": "m", "low": [], "high": []}]}'
    assert TraitFramework.from_json(before) == TraitFramework("x", [Trait("zeal", "z", "m")])
