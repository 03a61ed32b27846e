"""Endpoints that take other parameters are asked in their way, by name or by what they refuse."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("httpx2", reason="httpx2 is not installed: pip install personax[traits]")

from tests.traits.llms.llm_server import Body, Fault, Server, serving

from personax.errors import InputError
from personax.traits.llms import Model, Prompt, ReplyJournal, Survey, annotate, annotation_table
from personax.traits.llms._chat_completions import OpenAIProvider
from personax.traits.llms._profiles import Profile, adapted_profile, profile_of

PEOPLE = [{"id": f"p{i}", "name": f"Ann {i}", "biography": f"She has won {i} prizes."} for i in range(6)]


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(Server()) as running:
        yield running


def body(url: str, model: str, **settings: Any) -> dict[str, Any]:
    prompt = Prompt()
    return OpenAIProvider(Model(name="x", model=model, base_url=url, **settings), prompt.schema()).body([])


@pytest.mark.parametrize("model", ["o1", "o3-mini", "o4-mini-2025-04-16", "gpt-5", "gpt-5-mini", "gpt-5.1-2025-11-13"])
def test_reasoning_models_take_their_own_limit_and_no_temperature(model: str) -> None:
    sent = body("https://api.openai.com/v1", model, extra_body={"reasoning_effort": "low", "seed": 7})
    assert sent["max_completion_tokens"] == 600
    assert not {"max_tokens", "temperature"} & sent.keys()
    assert (sent["reasoning_effort"], sent["seed"]) == ("low", 7)


@pytest.mark.parametrize(
    "model", ["gpt-4o", "gpt-4.1-mini", "meta-llama/Llama-3.3-70B", "gpt-oss-120b", "olmo-2", "qwen3"]
)
def test_other_models_are_asked_as_before(model: str) -> None:
    sent = body("https://api.together.xyz/v1", model)
    assert (sent["max_tokens"], sent["temperature"]) == (600, 0.0)
    score = sent["response_format"]["json_schema"]["schema"]["properties"]["openness"]["properties"]["score"]
    assert score == {"type": "integer", "enum": [0, 1, 2, 3]}


def test_gemini_is_given_no_enumeration_of_numbers() -> None:
    sent = body("https://generativelanguage.googleapis.com/v1beta/openai", "gemini-2.5-flash")
    score = sent["response_format"]["json_schema"]["schema"]["properties"]["openness"]["properties"]["score"]
    assert score == {"type": "string", "enum": ["0", "1", "2", "3"]}


REFUSALS: dict[str, tuple[Any, Any]] = {
    # words as endpoints of these kinds use them
    "max_tokens": (
        lambda sent: "max_tokens" in sent,
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
    ),
    "temperature": (
        lambda sent: "temperature" in sent,
        "Unsupported value: 'temperature' does not support 0 with this model. Only the default (1) value is supported.",
    ),
    "enum": (
        lambda sent: "'enum': [0" in str(sent),
        "Invalid value at 'generation_config.response_schema.properties[0].value.properties[1].value.enum[0]' "
        "(TYPE_STRING), 0",
    ),
    "strict": (
        lambda sent: "'strict': True" in str(sent),
        "response_format.json_schema.strict: Extra inputs are not permitted",
    ),
}


@pytest.mark.parametrize("names", [[one] for one in REFUSALS] + [list(REFUSALS)])
def test_what_an_endpoint_refuses_by_name_is_renamed_or_left_out(
    server: Server, tmp_path: Path, names: list[str]
) -> None:
    def script(sent: Body, seen: int) -> Fault | None:
        refused = next((REFUSALS[name][1] for name in names if REFUSALS[name][0](sent)), None)
        return None if refused is None else Fault(400, error=refused)

    server.script = script
    survey = Survey(PEOPLE, [Model(name="x", model="new-model", base_url=server.url, concurrency=1)], Prompt())
    with ReplyJournal(tmp_path / "journal.sqlite") as journal:
        (summary,) = annotate(survey, journal)
        table = annotation_table(survey, journal)
    assert (summary.completed, summary.failed) == (6, 0)
    assert summary.left_out == ({"temperature"} if "temperature" in names else set())
    assert sum(server.sent.values()) == 6 + len(names), "each refusal is met once"
    assert set(table["status"]) <= {"ok", "insufficient"}


@pytest.mark.parametrize(
    "words",
    [
        "The text about the temperature of his serve violates our content policy",
        "content filter: enumerating strict facts",
        "Invalid request",
        "",
    ],
)
def test_words_that_name_no_parameter_change_nothing(words: str) -> None:
    assert adapted_profile(Profile(), words) is None


def test_routers_translate_the_limit_themselves() -> None:
    assert profile_of("https://openrouter.ai/api/v1", "openai/gpt-5-mini") == Profile(temperature=False)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"extra_body": {"messages": []}}, "extra_body: messages is set by personax"),
        ({"headers": {"Authorization": "Bearer x"}}, "would hold a key"),
        ({"headers": {"X-Title": "sk-0123456789abc"}}, "would hold a key"),
        ({"headers": {"Host": "elsewhere.example"}}, "Host is set by personax"),
        ({"headers": {"bad name": "x"}}, "is no header"),
        ({"headers": {"X": "a\r\nb: c"}}, "is no header"),
    ],
)
def test_what_may_not_be_sent(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        Model(name="x", model="m", base_url="https://example.org/v1", **settings)


def test_extra_parameters_are_another_question_and_headers_are_not() -> None:
    plain = Model(name="x", model="m", base_url="https://example.org/v1")
    assert plain.replaced(headers={"X-Title": "study"}).settings() == plain.settings()
    assert plain.replaced(extra_body={"seed": 1}).settings() != plain.settings()
    assert "extra_body" not in plain.model_dump()
