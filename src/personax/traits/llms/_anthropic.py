"""Anthropic's Messages API."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from personax.http import TransientError
from personax.registry import register
from personax.traits.llms._endpoint import Endpoint, as_object, as_text, as_tokens, upstream_of
from personax.traits.llms._profiles import allowed_schema
from personax.traits.llms._provider import Completion
from personax.traits.llms._reply_parsing import Reply

__all__ = ["AnthropicProvider"]

VERSION: Final = "2023-06-01"
TOOL: Final = "give_scores"

FINISH: Final = {
    "end_turn": "stop", "stop_sequence": "stop", "tool_use": "stop", "max_tokens": "length",
    "model_context_window_exceeded": "length", "refusal": "content_filter",
}  # fmt: skip
"""Why the model stopped -> the same in the words of chat completions."""


@register("providers", "anthropic", title="Anthropic Messages", help="Anthropic's own interface", order=3)
class AnthropicProvider(Endpoint):
    """Asks one model over ``/messages``; ``base_url`` is ``https://api.anthropic.com/v1``. See `Endpoint`.

    An answer is asked for by its schema (``output_config``), or as the input of a tool where that is refused.

    References
    ----------
    Anthropic, "Messages", "Structured outputs", "Errors"; read in November 2026.
    """

    path = "/messages"
    key_header = "x-api-key"
    simpler = MappingProxyType({"schema": "tool", "object": "tool", "json": "none", "tool": "none"})

    def headers(self) -> dict[str, str]:
        """Return the headers of the protocol."""
        return {"anthropic-version": self.model.api_version or VERSION}

    def body(self, messages: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Return what is sent for messages; system texts stand apart, and a limit of tokens is required."""
        system = "\n\n".join(str(one["content"]) for one in messages if one["role"] == "system")
        given: dict[str, Any] = {
            "model": self.model.model,
            "max_tokens": self.model.max_tokens,
            "messages": [_message(one) for one in messages if one["role"] != "system"],
        }
        if system:
            given["system"] = system
        if self.model.temperature is not None and self.profile.temperature:
            given["temperature"] = self.model.temperature
        return {
            name: value
            for name, value in {**given, **self._structured(), **self.model.extra_body}.items()
            if value is not None
        }

    def _structured(self) -> dict[str, Any]:
        if self.schema is None or self.profile.structured in ("json", "none"):
            return {}
        allowed = allowed_schema(self.profile, self.schema)
        if self.profile.structured == "tool":
            tool = {"name": TOOL, "description": "Takes the answer.", "input_schema": allowed}
            return {"tools": [tool], "tool_choice": {"type": "tool", "name": TOOL}}
        return {"output_config": {"format": {"type": "json_schema", "schema": allowed}}}

    def parse(self, body: object, latency: float) -> Completion:
        """Return the answer in what came back.

        Raises
        ------
        TransientError
            When there is none in it.
        """
        found = as_object(body)
        if found.get("type") == "error" or found.get("error"):
            raise self.classify_error(found.get("error"))
        blocks, reason = found.get("content"), found.get("stop_reason")
        if not isinstance(blocks, list) or reason == "pause_turn":
            raise TransientError(f"the reply has no content: {self.redact(json.dumps(body))}")
        usage = as_object(found.get("usage"))
        tokens_in = as_tokens(
            *(usage.get(name) for name in ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"))
        )
        finish = FINISH.get(reason, as_text(reason)) if isinstance(reason, str) else None
        reply = Reply(_content(blocks), None, finish)
        return Completion(reply, upstream_of(found), latency, tokens_in, as_tokens(usage.get("output_tokens")))

    def batch_row(self, key: str, messages: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Return a request as one of those of a message batch."""
        return {"custom_id": key, "params": self.body(messages)}

    def parse_row(self, row: Mapping[str, Any], duration: float) -> Completion:
        """Return the answer in a line of a message batch's results."""
        result = as_object(row.get("result"))
        if result.get("type") == "succeeded":
            return self.parse(result.get("message"), duration)
        if result.get("type") == "errored":
            error = as_object(result.get("error"))
            raise self.classify_error(error.get("error") or error)
        raise TransientError(f"the row is {self.redact(str(result.get('type')))}")


def _content(blocks: Sequence[object]) -> str | None:
    """Return the text of a reply, or the input of the tool; thinking is no part of it."""
    known = [as_object(block) for block in blocks]
    called = [block.get("input") for block in known if block.get("type") == "tool_use"]
    if called:
        return as_text(json.dumps(called[0], ensure_ascii=False))
    texts = [as_text(block.get("text")) or "" for block in known if block.get("type") == "text"]
    return "".join(texts) if texts else None


def _message(message: Mapping[str, Any]) -> dict[str, Any]:
    """Return a message as this interface takes it: pictures have other names, and no content may be empty."""
    content = message["content"]
    if isinstance(content, str):
        return {"role": message["role"], "content": content or "(nothing)"}
    return {"role": message["role"], "content": [_part(part) for part in content]}


def _part(part: Mapping[str, Any]) -> dict[str, Any]:
    if part["type"] != "image_url":
        return dict(part)
    kind, _, data = str(part["image_url"]["url"]).removeprefix("data:").partition(";base64,")
    return {"type": "image", "source": {"type": "base64", "media_type": kind, "data": data}}
