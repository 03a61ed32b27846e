"""Each provider's interface as its specification has it: requests it refuses, replies, errors, counts of tokens."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("httpx2", reason="httpx2 is not installed: pip install personax[traits]")

from tests.traits.llms.llm_server import Body, Server, _head, serving
from typer.testing import CliRunner

from personax.cli import app
from personax.http import TransientError
from personax.schema import TRAITS
from personax.traits.llms import (
    InvalidRequestError,
    Model,
    ModelUnavailableError,
    Prompt,
    ReplyJournal,
    Survey,
    annotate,
    annotation_table,
    probe_models,
)
from personax.traits.llms._provider import make_provider

GOOD = json.dumps({trait: {"description": "so", "score": 2} for trait in TRAITS})
PEOPLE = [{"id": f"p{i}", "name": f"Ann {i}", "biography": f"She has won {i} prizes."} for i in range(3)]
Replied = tuple[int, dict[str, str], Any]


@dataclass
class Specified(Server):
    """A server that answers as a specification says: path, headers and body -> status, headers, body."""

    reply: Callable[[str, dict[str, str], Body], Replied] = lambda path, headers, body: (500, {}, {})
    asked: list[tuple[str, dict[str, str], Body]] = field(default_factory=list)

    async def _answer(
        self, method: str, path: str, headers: dict[str, str], raw: bytes, writer: asyncio.StreamWriter
    ) -> bool:
        body = json.loads(raw)
        self.asked.append((path, headers, body))
        status, more, said = self.reply(path, headers, body)
        data = json.dumps(said).encode()
        writer.write(_head(status, len(data), more) + data)
        await writer.drain()
        return True


@pytest.fixture
def server() -> Iterator[Specified]:
    with serving(Specified()) as running:
        assert isinstance(running, Specified)
        yield running


def anthropic_message(content: Any = None, **changed: Any) -> Body:
    return {
        "id": "msg_01", "type": "message", "role": "assistant", "model": "claude-x-20260101",
        "content": [{"type": "text", "text": GOOD}] if content is None else content,
        "stop_reason": "end_turn", "stop_sequence": None,
        "usage": {"input_tokens": 40, "cache_creation_input_tokens": 3, "cache_read_input_tokens": 7,
                  "output_tokens": 11},
    } | changed  # fmt: skip


def anthropic_error(status: int, kind: str, message: str, **headers: str) -> Replied:
    return status, headers, {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}


def anthropic(path: str, headers: dict[str, str], body: Body) -> Replied:
    """What the Messages API demands of every request."""
    if headers.get("x-api-key") != "sk-test-key":
        return anthropic_error(401, "authentication_error", "invalid x-api-key")
    if path != "/v1/messages":
        return anthropic_error(404, "not_found_error", "Not found")
    faults = [
        *(["anthropic-version: header is required"] if headers.get("anthropic-version") != "2023-06-01" else []),
        *(["max_tokens: Field required"] if "max_tokens" not in body else []),
        *(["messages: at least one message is required"] if not body.get("messages") else []),
        *(f"messages.{i}.role: Input should be 'user' or 'assistant'"
          for i, one in enumerate(body["messages"]) if one["role"] not in ("user", "assistant")),
        *(f"{name}: Extra inputs are not permitted" for name in body
          if name not in ("model", "max_tokens", "messages", "system", "temperature", "output_config", "tools",
                          "tool_choice", "thinking")),
    ]  # fmt: skip
    if faults:
        return anthropic_error(400, "invalid_request_error", faults[0])
    return 200, {"request-id": "req_1"}, anthropic_message()


def response(output: list[Body] | None = None, **changed: Any) -> Body:
    said = {"type": "message", "id": "msg_1", "status": "completed", "role": "assistant",
            "content": [{"type": "output_text", "text": GOOD, "annotations": []}]}  # fmt: skip
    return {
        "id": "resp_1", "object": "response", "status": "completed", "error": None, "incomplete_details": None,
        "model": "gpt-x-2026-01-01",
        "output": [{"type": "reasoning", "id": "rs_1", "summary": []}, said] if output is None else output,
        "usage": {"input_tokens": 36, "output_tokens": 87, "output_tokens_details": {"reasoning_tokens": 64},
                  "total_tokens": 123},
    } | changed  # fmt: skip


def responses(path: str, headers: dict[str, str], body: Body) -> Replied:
    """What the Responses API demands of every request."""
    if path != "/v1/responses" or headers.get("authorization") != "Bearer sk-test-key":
        return 401, {}, {"error": {"message": "Incorrect API key provided", "code": "invalid_api_key"}}
    unknown = [
        name for name in body
        if name not in ("model", "input", "store", "max_output_tokens", "temperature", "text", "reasoning")
    ]  # fmt: skip
    if unknown or body["store"] is not False:
        return 400, {}, {"error": {"message": f"Unknown parameter: '{unknown}'.", "code": "unknown_parameter"}}
    return 200, {}, response()


def azure(path: str, headers: dict[str, str], body: Body) -> Replied:
    if headers.get("api-key") != "sk-test-key" or "authorization" in headers:
        return 401, {}, {"error": {"code": "401", "message": "Access denied due to invalid subscription key"}}
    if path != "/v1/chat/completions?api-version=2024-10-21":
        return 404, {}, {"error": {"code": "DeploymentNotFound", "message": "The API deployment does not exist."}}
    return 200, {}, chat()


def chat(content: str = GOOD, **changed: Any) -> Body:
    return {
        "id": "c1", "object": "chat.completion", "model": "m-0613",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 50, "completion_tokens": 9, "total_tokens": 59},
    } | changed  # fmt: skip


def groq(path: str, headers: dict[str, str], body: Body) -> Replied:
    if (body.get("response_format") or {}).get("type") == "json_schema":
        said = "This model does not support response format `json_schema`. See supported models at the docs."
        return 400, {}, {"error": {"message": said, "type": "invalid_request_error"}}
    if "p1" not in json.dumps(body) and "won 1 prizes" in json.dumps(body):
        said = "Failed to generate JSON. Please adjust your prompt. See 'failed_generation' for more details."
        failed = {"message": said, "type": "invalid_request_error", "code": "json_validate_failed"}
        return 400, {}, {"error": failed | {"failed_generation": GOOD + " as asked"}}
    return 200, {}, chat(x_groq={"id": "req_1"})


def vllm(path: str, headers: dict[str, str], body: Body) -> Replied:
    if (body.get("response_format") or {}).get("json_schema", {}).get("strict"):
        said = "[{'type': 'extra_forbidden', 'loc': ('body', 'response_format', 'json_schema', 'strict'), " \
               "'msg': 'Extra inputs are not permitted'}]"  # fmt: skip
        return 400, {}, {"object": "error", "message": said, "type": "BadRequestError", "param": None, "code": 400}
    return 200, {}, chat("<think>{}</think>" + GOOD)


def openrouter(path: str, headers: dict[str, str], body: Body) -> Replied:
    return 200, {}, chat(provider="Some Host", usage={"prompt_tokens": 5, "completion_tokens": 2, "cost": 0.0001})


def together(path: str, headers: dict[str, str], body: Body) -> Replied:
    wanted = body.get("response_format") or {}
    if wanted.get("type") == "json_schema" and "schema" not in wanted.get("json_schema", {}):
        return 400, {}, {"error": {"message": "schema is required", "type": "invalid_request_error"}}
    return 200, {}, chat(prompt=[], warnings=None)


def ollama(path: str, headers: dict[str, str], body: Body) -> Replied:
    return 200, {}, chat(system_fingerprint="fp_ollama")


def llama_cpp(path: str, headers: dict[str, str], body: Body) -> Replied:
    return 200, {}, chat(timings={"prompt_n": 1}, __verbose={})


def gemini(path: str, headers: dict[str, str], body: Body) -> Replied:
    wanted = json.dumps(body.get("response_format") or {})
    if '"type": "integer", "enum"' in wanted:
        said = "Invalid value at 'generation_config.response_schema.properties[0].enum[0]' (TYPE_STRING), 0"
        return 400, {}, [{"error": {"code": 400, "message": said, "status": "INVALID_ARGUMENT"}}]
    return 200, {}, chat(GOOD.replace("2", '"2"'))


def native_gemini(path: str, headers: dict[str, str], body: Body) -> Replied:
    """What ``:generateContent`` demands of every request."""
    if headers.get("x-goog-api-key") != "sk-test-key" or path != "/v1/models/m:generateContent":
        return 400, {}, {"error": {"code": 400, "message": "API key not valid", "status": "INVALID_ARGUMENT"}}
    unknown = body.keys() - {"contents", "systemInstruction", "generationConfig"}
    if unknown or any(one["role"] not in ("user", "model") for one in body["contents"]):
        return 400, {}, {"error": {"code": 400, "message": f"Unknown name {unknown}", "status": "INVALID_ARGUMENT"}}
    parts = [{"text": "thought", "thought": True}, {"text": GOOD}]
    return 200, {}, {
        "candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": "STOP", "index": 0}],
        "usageMetadata": {"promptTokenCount": 9, "candidatesTokenCount": 4, "thoughtsTokenCount": 5},
        "modelVersion": "gemini-x", "responseId": "r1",
    }  # fmt: skip


SPECIFIED: dict[str, tuple[Callable[[str, dict[str, str], Body], Replied], str, dict[str, Any]]] = {
    "anthropic": (anthropic, "anthropic", {}),
    "openai-responses": (responses, "openai-responses", {}),
    "azure": (azure, "azure", {"api_version": "2024-10-21"}),
    "groq": (groq, "openai", {}),
    "vllm": (vllm, "openai", {}),
    "openrouter": (openrouter, "openai", {"extra_body": {"provider": {"require_parameters": True}}}),
    "together": (together, "openai", {}),
    "ollama": (ollama, "openai", {}),
    "llama.cpp": (llama_cpp, "openai", {}),
    "gemini": (gemini, "openai", {}),
    "native gemini": (native_gemini, "gemini", {}),
}


def model_of(server: Server, provider: str = "openai", **settings: Any) -> Model:
    wanted: dict[str, Any] = {
        "name": "one",
        "model": "m",
        "base_url": server.url,
        "concurrency": 1,
        "key": "PERSONAX_TEST_KEY",
    }
    return Model(**wanted, provider=provider, **settings)


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSONAX_TEST_KEY", "sk-test-key")


@pytest.mark.parametrize("name", SPECIFIED)
def test_an_interface_as_specified_is_asked_in_its_way(name: str, server: Specified, tmp_path: Path) -> None:
    server.reply, provider, settings = SPECIFIED[name]
    model = model_of(server, provider, **settings)
    survey = Survey(PEOPLE, [model], Prompt())
    with ReplyJournal(tmp_path / "journal.sqlite") as journal:
        (summary,) = annotate(survey, journal)
        table = annotation_table(survey, journal)
        assert (summary.completed, summary.failed, summary.stop_reason) == (3, 0, None)
        assert table["score"].to_list() == [2.0] * 15
        assert all(number > 0 for number in table["tokens"].drop_nulls())
        refused = len(server.asked) - 3 - summary.repaired
        again = Survey([{**PEOPLE[0], "id": "q", "biography": "She sings."}], [model], Prompt())
        before = len(server.asked)
        annotate(again, journal)
        assert len(server.asked) == before + 1, "what is refused was kept in the journal"
    assert refused <= 2


def ask(server: Specified, provider: str, *replies: Replied, **settings: Any) -> Any:
    """Ask once; the server gives the replies one after another."""
    waiting = list(replies)
    server.reply = lambda path, headers, body: waiting.pop(0)

    async def once() -> Any:
        client = make_provider(model_of(server, provider, **settings), Prompt().schema())
        try:
            return await client.ask([{"role": "system", "content": "a"}, {"role": "user", "content": "b"}], "key")
        finally:
            await client.close()

    return asyncio.run(once())


def test_the_messages_api_counts_cached_tokens_and_leaves_thinking_out(server: Specified) -> None:
    blocks = [{"type": "thinking", "thinking": "{}", "signature": "x"}, {"type": "text", "text": "{}"}]
    found = ask(server, "anthropic", (200, {}, anthropic_message(blocks)))
    assert (found.reply.content, found.reply.finish, found.tokens_in, found.tokens_out) == ("{}", "stop", 50, 11)
    assert found.upstream == {"model": "claude-x-20260101", "id": "msg_01"}
    sent = server.asked[-1][2]
    assert sent["system"] == "a"
    assert sent["messages"] == [{"role": "user", "content": "b"}]
    assert sent["output_config"]["format"]["type"] == "json_schema"


def test_the_messages_api_falls_back_from_schema_to_tool_to_text(server: Specified) -> None:
    no_schema = anthropic_error(400, "invalid_request_error", "output_config.format: Extra inputs are not permitted")
    no_tool = anthropic_error(400, "invalid_request_error", "tool_choice: forced tool use is not supported here")
    called = [{"type": "text", "text": "Here:"}, {"type": "tool_use", "id": "t", "name": "x", "input": {"é": 1}}]
    found = ask(server, "anthropic", no_schema, (200, {}, anthropic_message(called, stop_reason="tool_use")))
    assert (found.reply.content, found.reply.finish) == ('{"é": 1}', "stop")
    assert server.asked[-1][2]["tool_choice"] == {"type": "tool", "name": "give_scores"}
    assert server.asked[-1][2]["tools"][0]["input_schema"]["type"] == "object"
    found = ask(server, "anthropic", no_schema, no_tool, (200, {}, anthropic_message()))
    assert not {"tools", "output_config"} & server.asked[-1][2].keys()
    no_sampling = anthropic_error(400, "invalid_request_error", "`temperature` is deprecated for this model.")
    ask(server, "anthropic", no_sampling, (200, {}, anthropic_message()))
    assert "temperature" not in server.asked[-1][2]
    assert "output_config" in server.asked[-1][2]


@pytest.mark.parametrize(
    ("provider", "reply", "finish"),
    [
        ("anthropic", anthropic_message(stop_reason="max_tokens"), "length"),
        ("anthropic", anthropic_message(stop_reason="model_context_window_exceeded"), "length"),
        ("anthropic", anthropic_message([], stop_reason="refusal"), "content_filter"),
        ("anthropic", anthropic_message(stop_reason={"a": 1}), None),
        ("gemini", {"promptFeedback": {"blockReason": "SAFETY"}}, "content_filter"),
        ("gemini", {"candidates": [{"finishReason": "PROHIBITED_CONTENT"}]}, "content_filter"),
        ("gemini", {"candidates": [{"finishReason": "MAX_TOKENS", "content": {}}]}, "length"),
        (
            "openai-responses",
            response([], status="incomplete", incomplete_details={"reason": "max_output_tokens"}),
            "length",
        ),
        (
            "openai-responses",
            response(status="incomplete", incomplete_details={"reason": "content_filter"}),
            "content_filter",
        ),
    ],
)
def test_why_a_model_stopped(server: Specified, provider: str, reply: Body, finish: str | None) -> None:
    assert ask(server, provider, (200, {}, reply)).reply.finish == finish


def test_a_refusal_of_the_responses_api_is_one(server: Specified) -> None:
    said = [{"type": "message", "content": [{"type": "refusal", "refusal": "I can't judge people."}]}]
    found = ask(server, "openai-responses", (200, {}, response(said)))
    assert (found.reply.content, found.reply.refusal, found.tokens_out) == (None, "I can't judge people.", 87)


LIMIT = {"type": "error", "error": {"type": "rate_limit_error", "message": "Slow down"}}
SPENT = {"type": "error", "error": {"type": "rate_limit_error", "message": "Spent",
                                    "details": {"error_code": "enforced_spend_limit_reached"}}}  # fmt: skip
QUOTA = [{"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "Quota exceeded",
                    "details": [{"@type": "google.rpc.RetryInfo", "retryDelay": "23s"}]}}]  # fmt: skip


@pytest.mark.parametrize(
    ("provider", "reply", "kind", "says"),
    [
        ("anthropic", anthropic_error(529, "overloaded_error", "Overloaded"), TransientError, "Overloaded"),
        ("anthropic", anthropic_error(500, "api_error", "Internal server error"), TransientError, "Internal"),
        ("anthropic", (429, {"retry-after": "7"}, LIMIT), TransientError, "Slow down"),
        ("anthropic", (429, {}, SPENT), ModelUnavailableError, "no money or quota"),
        ("anthropic", anthropic_error(400, "invalid_request_error", "Your credit balance is too low to access the API"),
         ModelUnavailableError, "no money or quota"),
        ("anthropic", anthropic_error(401, "authentication_error", "invalid"), ModelUnavailableError, "(401)"),
        ("anthropic", anthropic_error(413, "request_too_large", "too large"), InvalidRequestError, "too large"),
        ("anthropic", anthropic_error(404, "not_found_error", "model: m"), ModelUnavailableError, "knows no model"),
        ("anthropic", (200, {}, {"type": "error", "error": {"type": "overloaded_error", "message": "O"}}),
         TransientError, "529"),
        ("anthropic", (200, {}, anthropic_message("text")), TransientError, "no content"),
        ("anthropic", (200, {}, anthropic_message(stop_reason="pause_turn")), TransientError, "no content"),
        ("anthropic", (200, {}, [1]), TransientError, "no content"),
        ("openai-responses", (200, {}, response(status="failed", error={"code": "server_error", "message": "Oops"})),
         TransientError, "Oops"),
        ("openai-responses",
         (200, {}, response(status="failed", error={"code": "rate_limit_exceeded", "message": "slow"})),
         TransientError, "429"),
        ("openai-responses", (200, {}, response(status="failed", error={"code": "invalid_prompt", "message": "no"})),
         InvalidRequestError, "no"),
        ("openai-responses", (200, {}, response(status="queued")), TransientError, "not there yet"),
        ("openai-responses", (200, {}, {"choices": []}), TransientError, "no output"),
        ("azure", (404, {}, {"error": {"code": "DeploymentNotFound", "message": "The API deployment"}}),
         ModelUnavailableError, "The API deployment"),
        ("openai", (429, {}, QUOTA), TransientError, "Quota exceeded"),
        ("openai", (400, {}, {"error": {"message": "x", "failed_generation": {"a": 1}}}), None, ""),
        ("openai", (503, {}, {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}),
         TransientError, "Loading model"),
    ],
)  # fmt: skip
def test_errors_are_sorted_by_what_is_to_be_done(
    server: Specified, provider: str, reply: Replied, kind: type[Exception] | None, says: str
) -> None:
    if kind is None:
        assert ask(server, provider, reply).reply.content == "{'a': 1}"
        return
    with pytest.raises(kind) as error:
        ask(server, provider, reply)
    assert says in str(error.value)
    assert "sk-test-key" not in str(error.value)
    if "Quota" in says or "Slow" in says:
        assert isinstance(error.value, TransientError)
        assert error.value.retry_after == (23 if "Quota" in says else 7)
        assert error.value.rate_limited


def test_a_probe_tells_what_endpoints_take_and_the_run_does_not_ask_again(server: Specified, tmp_path: Path) -> None:
    server.reply = groq
    model = model_of(server, input_price=1, output_price=1)
    with ReplyJournal(tmp_path / "journal.sqlite") as journal:
        (found,) = probe_models([model], Prompt(), journal)
        assert (found.takes["structured"], found.readable, found.counts_tokens) == ("json", True, True)
        assert (found.answered_by, found.cost) == ("m-0613", 59e-6)
        assert "won" not in json.dumps(server.asked[-1][2]), "nobody's text leaves for a probe"
        annotate(Survey(PEOPLE[:1], [model], Prompt()), journal)
        assert len(server.asked) == 3, "a refusal and an answer for the probe, one answer for the person"
        server.reply = lambda path, headers, body: (401, {}, {})
        (found,) = probe_models([model], Prompt(), journal)
        assert "does not accept the key in PERSONAX_TEST_KEY" in str(found.reason)


def test_the_command_line_shows_a_probe(server: Specified, tmp_path: Path) -> None:
    server.reply = anthropic
    (tmp_path / "people.csv").write_text("id,name,biography\np0,Ann,She sings.\n")
    path = tmp_path / "study.yaml"
    path.write_text(
        "name: asked\ncollect: {source: table, path: people.csv}\nannotate:\n  source: llm\n  models:\n"
        f"    - {{name: one, model: m, base_url: {server.url}, key: PERSONAX_TEST_KEY, provider: anthropic}}\n"
    )
    done = CliRunner().invoke(app, ["annotate", str(path), "--probe"])
    assert done.exit_code == 0, done.output
    assert "readable" in done.output
    server.reply = lambda *asked: anthropic_error(401, "authentication_error", "invalid x-api-key")
    done = CliRunner().invoke(app, ["annotate", str(path), "--probe", "--json"])
    assert done.exit_code == 1
    assert "does not accept the key" in json.loads(done.stdout)[0]["reason"]
