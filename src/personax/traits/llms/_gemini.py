"""Google's own interface to Gemini, which its batches speak."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Final
from urllib.parse import quote

from personax.http import TransientError
from personax.registry import register
from personax.traits.llms._endpoint import Endpoint, as_object, as_text, as_tokens
from personax.traits.llms._profiles import allowed_schema
from personax.traits.llms._provider import Completion, Model
from personax.traits.llms._reply_parsing import Reply

__all__ = ["GeminiProvider"]

FINISH: Final = {"STOP": "stop", "MAX_TOKENS": "length"}
WITHHELD: Final = {"SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY"}
"""Words of Google's for answers that its filter stopped."""


@register("providers", "gemini", title="Gemini", help="Google's own interface, and its batches", order=4)
class GeminiProvider(Endpoint):
    """Asks one model over ``:generateContent``; ``base_url`` ends with ``/v1beta``. See `Endpoint`.

    References
    ----------
    Google, "Generating content", "Structured output", "Batch API" of the Gemini API; read in November 2026.
    """

    key_header = "x-goog-api-key"
    batch_key: ClassVar[str] = "key"

    def __init__(self, model: Model, schema: Mapping[str, Any] | None) -> None:
        super().__init__(model, schema)
        self.profile = replace(self.profile, integer_enum=False)
        self.path = f"/models/{quote(model.model.removeprefix('models/'), safe='')}:generateContent"

    def body(self, messages: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Return what is sent for messages; system texts stand apart, and the assistant is called model."""
        wanted: dict[str, Any] = {"maxOutputTokens": self.model.max_tokens}
        if self.model.temperature is not None and self.profile.temperature:
            wanted["temperature"] = self.model.temperature
        if self.schema is not None and self.profile.structured != "none":
            wanted["responseMimeType"] = "application/json"
        if self.schema is not None and self.profile.structured in ("schema", "object"):
            wanted["responseJsonSchema"] = allowed_schema(self.profile, self.schema)
        given: dict[str, Any] = {
            "contents": [
                {"role": "model" if one["role"] == "assistant" else "user", "parts": _parts(one["content"])}
                for one in messages
                if one["role"] != "system"
            ],
            "generationConfig": wanted,
        }
        system = [part for one in messages if one["role"] == "system" for part in _parts(one["content"])]
        if system:
            given["systemInstruction"] = {"parts": system}
        return {name: value for name, value in {**given, **self.model.extra_body}.items() if value is not None}

    def parse(self, body: object, latency: float) -> Completion:
        """Return the answer in what came back.

        Raises
        ------
        TransientError
            When there is none in it.
        """
        found = as_object(body)
        if found.get("error"):
            raise self.classify_error(found["error"])
        usage = as_object(found.get("usageMetadata"))
        tokens_in = as_tokens(usage.get("promptTokenCount"))
        tokens_out = as_tokens(usage.get("candidatesTokenCount"), usage.get("thoughtsTokenCount"))
        named = {"model": found.get("modelVersion"), "id": found.get("responseId")}
        upstream: dict[str, Any] = {name: as_text(one) for name, one in named.items() if one and isinstance(one, str)}
        if as_object(found.get("promptFeedback")).get("blockReason"):
            return Completion(Reply(None, None, "content_filter"), upstream, latency, tokens_in, tokens_out or 0)
        candidates = found.get("candidates")
        if not isinstance(candidates, list) or not candidates:
            raise TransientError(f"the reply has no candidates: {self.redact(json.dumps(body))}")
        candidate = as_object(candidates[0])
        parts = as_object(candidate.get("content")).get("parts")
        known = [as_object(part) for part in parts] if isinstance(parts, list) else []
        texts = [as_text(part.get("text")) or "" for part in known if not part.get("thought")]
        called = [as_object(part.get("functionCall")).get("args") for part in known]
        texts = texts if "".join(texts).strip() else [json.dumps(one, ensure_ascii=False) for one in called if one]
        reply = Reply("".join(texts) if texts else None, None, _finish(candidate.get("finishReason")))
        return Completion(reply, upstream, latency, tokens_in, tokens_out)

    def batch_row(self, key: str, messages: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Return a request as a line of a batch file."""
        return {"key": key, "request": self.body(messages)}

    def parse_row(self, row: Mapping[str, Any], duration: float) -> Completion:
        """Return the answer in a line of a batch's results."""
        if not isinstance(row.get("response"), dict):
            raise self.classify_error(row.get("error") or {"message": "the row has no response"})
        return self.parse(row["response"], duration)


def _finish(reason: object) -> str | None:
    if not isinstance(reason, str):
        return None
    return "content_filter" if reason in WITHHELD else FINISH.get(reason, as_text(reason))


def _parts(content: object) -> list[dict[str, Any]]:
    """Return a message's content as this interface takes it."""
    if not isinstance(content, list):
        return [{"text": str(content)}]
    return [_part(part) for part in content]


def _part(part: Mapping[str, Any]) -> dict[str, Any]:
    if part["type"] != "image_url":
        return {"text": part["text"]}
    kind, _, data = str(part["image_url"]["url"]).removeprefix("data:").partition(";base64,")
    return {"inlineData": {"mimeType": kind, "data": data}}
