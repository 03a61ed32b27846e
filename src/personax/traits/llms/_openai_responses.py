"""OpenAI's Responses API, which replaces chat completions for its newer models."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from personax.http import TransientError
from personax.registry import register
from personax.traits.llms._endpoint import Endpoint, as_object, as_text, as_tokens, upstream_of
from personax.traits.llms._profiles import allowed_schema
from personax.traits.llms._provider import Completion
from personax.traits.llms._reply_parsing import Reply

__all__ = ["OpenAIResponsesProvider"]


@register("providers", "openai-responses", title="OpenAI Responses", help="OpenAI's Responses API", order=1)
class OpenAIResponsesProvider(Endpoint):
    """Asks one model over ``/responses``; nothing is stored there (``store: false``). See `Endpoint`."""

    path = "/responses"

    def body(self, messages: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Return what is sent for messages."""
        given: dict[str, Any] = {
            "model": self.model.model, "input": [_input(one) for one in messages], "store": False,
            "max_output_tokens": self.model.max_tokens,
        }  # fmt: skip
        if self.model.temperature is not None and self.profile.temperature:
            given["temperature"] = self.model.temperature
        if self.schema is not None and self.profile.structured in ("schema", "object"):
            allowed = allowed_schema(self.profile, self.schema)
            wanted = {"name": self.schema_name, "strict": self.profile.strict, "schema": allowed}
            given["text"] = {"format": {"type": "json_schema", **wanted}}
        elif self.schema is not None and self.profile.structured == "json":
            given["text"] = {"format": {"type": "json_object"}}
        return {name: value for name, value in {**given, **self.model.extra_body}.items() if value is not None}

    def parse(self, body: object, latency: float) -> Completion:
        """Return the answer in what came back.

        Raises
        ------
        TransientError
            When there is none in it.
        """
        output = body.get("output") if isinstance(body, dict) else None
        if not isinstance(body, dict) or not isinstance(output, list):
            raise TransientError(f"the reply has no output: {self.redact(json.dumps(body))}")
        if body.get("error") or body.get("status") in ("failed", "cancelled"):
            raise self.classify_error(body.get("error") or {"message": f"the response is {body.get('status')}"})
        if body.get("status") in ("queued", "in_progress"):
            raise TransientError("the response is not there yet; leave background out of extra_body")
        parts = list(_parts(output))
        texts = [as_text(part.get("text")) or "" for part in parts if part.get("type") == "output_text"]
        refusals = [as_text(part.get("refusal")) or "" for part in parts if part.get("type") == "refusal"]
        usage = as_object(body.get("usage"))
        called = [as_text(as_object(one).get("arguments")) or "" for one in output if _is_call(one)]
        texts = texts if "".join(texts).strip() else [*texts, "\n".join(called)] if called else texts
        reply = Reply("".join(texts) if texts else None, "".join(refusals) or None, _finish(body))
        return Completion(
            reply, upstream_of(body), latency, as_tokens(usage.get("input_tokens")),
            as_tokens(usage.get("output_tokens")),
        )  # fmt: skip


def _input(message: Mapping[str, Any]) -> dict[str, Any]:
    """Return a message as this interface takes it: parts of texts and pictures have other names."""
    content = message["content"]
    if isinstance(content, str):
        return {"role": message["role"], "content": content}
    parts = [
        {"type": "input_image", "image_url": part["image_url"]["url"]}
        if part["type"] == "image_url"
        else {"type": "input_text", "text": part["text"]}
        for part in content
    ]
    return {"role": message["role"], "content": parts}


def _parts(output: Sequence[object]) -> Iterator[dict[str, Any]]:
    """Yield the parts of the messages in an output; reasoning stands beside them and is no answer."""
    for item in map(as_object, output):
        if item.get("type") == "message" and isinstance(item.get("content"), list):
            yield from map(as_object, item["content"])


def _is_call(item: object) -> bool:
    return as_object(item).get("type") == "function_call"


def _finish(body: Mapping[str, Any]) -> str:
    reason = as_object(body.get("incomplete_details")).get("reason")
    if body.get("status") != "incomplete":
        return "stop"
    return "length" if reason == "max_output_tokens" else str(as_text(reason) or "incomplete")
