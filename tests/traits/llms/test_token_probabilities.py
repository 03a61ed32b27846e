"""Expected scores are the means of what a model might have said; nothing in a reply is a reason to fail."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("httpx2", reason="httpx2 is not installed: pip install personax[traits]")

from tests.traits.llms.llm_server import Body, Fault, Server, serving

from personax.errors import InputError
from personax.schema import TRAITS
from personax.traits import trait_framework
from personax.traits.llms import Model, Prompt, Reply, ReplyJournal, Survey, annotate, annotation_table
from personax.traits.llms._prompt_ratings import prompt_ratings
from personax.traits.llms._token_probabilities import expected_scores

PEOPLE = [{"id": "p0", "name": "Ann", "biography": "She sings."}]


def spoken(content: str, chances: dict[str, float], pieces: int = 1) -> list[dict[str, Any]]:
    """Return tokens of a text: digits alone, anything else in pieces; every digit has the same alternatives."""
    top = [{"token": digit, "logprob": math.log(chance)} for digit, chance in chances.items()]
    tokens: list[dict[str, Any]] = []
    for start in range(0, len(content), pieces):
        piece = content[start : start + pieces]
        tokens.append({"token": piece, "logprob": -0.1, "top_logprobs": top if piece.isdigit() else []})
    return tokens


def test_the_mean_is_over_levels_and_unknown_is_none_of_them() -> None:
    said = json.dumps({"openness": {"description": "won 3 times", "score": 2}, "zeal": {"score": "3"}})
    found = expected_scores(spoken(said, {"2": 0.5, "3": 0.25, "0": 0.2, "x": 0.05}))
    assert found == {"openness": pytest.approx(7 / 3, abs=1e-4), "zeal": pytest.approx(7 / 3, abs=1e-4)}
    assert expected_scores(spoken('{"c1": 4, "c2": 10, "c3": 0}', {"4": 0.5, "5": 0.5})) == {"c1": 4.5, "c3": 4.5}
    assert expected_scores(spoken('{"c1": 1} no: {"c1": 12}', {"1": 1.0})) == {"c1": 1.0}
    assert expected_scores(spoken('{"c1": 2}', {"0": 1.0})) == {}
    assert expected_scores(spoken('{"c1": 2}', {"2": 1.0}, pieces=4)) == {}, "a digit within a longer token"


JUNK = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
)
OFFERED = st.fixed_dictionaries({"token": st.sampled_from(["1", " 2"]) | JUNK, "logprob": st.floats() | JUNK})
TOKENS = st.fixed_dictionaries({
    "token": st.sampled_from(['{"a": ', "2", "}", " 3"]) | JUNK, "top_logprobs": st.lists(OFFERED | JUNK) | JUNK,
})  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(st.lists(TOKENS | JUNK) | JUNK)
def test_whatever_a_server_sends_is_read_or_left(tokens: Any) -> None:
    assert all(1 <= value <= 9 for value in expected_scores(tokens).values())


def test_items_have_expected_means_by_their_key() -> None:
    prompt = Prompt(ask="items", framework=trait_framework("dark_triad"))
    reply = Reply(json.dumps({key: 2 for key in prompt.keys}))
    expected = {key: 2.5 for key in prompt.keys}
    found = prompt_ratings(reply, prompt, {}, expected)[0]
    assert (found.score, found.expected) == (3.0, 3.0), "two of four items are reversed on five points"
    del expected["m1"]
    assert prompt_ratings(reply, prompt, {}, expected)[0].expected is None
    assert prompt_ratings(reply, prompt, {}, {"m2": "x", "n1": 99})[1].expected is None


def test_a_study_is_given_expected_scores_and_an_endpoint_may_refuse_them(tmp_path: Path) -> None:
    said = json.dumps({trait: {"description": "so", "score": 2} for trait in TRAITS})
    choice = {"index": 0, "message": {"role": "assistant", "content": said}, "finish_reason": "stop",
              "logprobs": {"content": spoken(said, {"2": 0.5, "3": 0.5})}}  # fmt: skip
    server = Server(script=lambda body, seen: Fault(whole={"choices": [choice]}))
    with serving(server), ReplyJournal(tmp_path / "journal.sqlite") as journal:
        model = Model(name="one", model="m", base_url=server.url, logprobs=True)
        survey = Survey(PEOPLE, [model], Prompt())
        annotate(survey, journal)
        assert (server.bodies[0]["logprobs"], server.bodies[0]["top_logprobs"]) == (True, 5)
        assert annotation_table(survey, journal)["expected"].to_list() == [2.5] * 5

        def refuse(body: Body, seen: int) -> Fault | None:
            return Fault(400, error="logprobs is not supported with this model") if "logprobs" in body else None

        server.script = refuse
        other = Survey(PEOPLE, [model.replaced(model="n")], Prompt())
        annotate(other, journal)
        table = annotation_table(other, journal)
        assert table["expected"].to_list() == [None] * 5
        assert set(table["status"]) <= {"ok", "insufficient"}


def test_expected_scores_need_probabilities() -> None:
    from personax.config import AnnotateLLM

    settings: dict[str, Any] = {
        "source": "llm",
        "score_from": "tokens",
        "models": [Model(name="a", model="a", base_url="https://a.test")],
    }
    with pytest.raises(InputError, match="logprobs: true"):
        AnnotateLLM(**settings)
