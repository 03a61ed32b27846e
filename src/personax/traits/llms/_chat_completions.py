"""Chat completions: the protocol that OpenAI made common, and Azure's way to it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from personax.files import parse_json
from personax.http import TransientError
from personax.registry import register
from personax.traits.llms._endpoint import Endpoint, as_object, as_text, as_tokens, upstream_of
from personax.traits.llms._profiles import sampling_parameters
from personax.traits.llms._provider import Completion, InvalidRequestError
from personax.traits.llms._reply_parsing import Reply
from personax.traits.llms._token_probabilities import expected_scores

__all__ = ["AzureProvider", "OpenAIProvider"]


@register("providers", "openai", title="OpenAI-compatible", help="chat completions, which most servers speak", order=0)
class OpenAIProvider(Endpoint):
    """Asks one model over the protocol that OpenAI made common; see `Endpoint`."""

    path = "/chat/completions"

    def body(self, messages: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Return what is sent for messages."""
        sampling = sampling_parameters(
            self.profile, temperature=self.model.temperature, max_tokens=self.model.max_tokens, schema=self.schema,
            schema_name=self.schema_name, extra_body=self.model.extra_body, logprobs=self.model.logprobs,
        )  # fmt: skip
        return {"model": self.model.model, "messages": list(messages), **sampling}

    async def post(self, messages: Sequence[Mapping[str, Any]], key: str) -> bytes:
        """Send one request for a completion; what a server could not make JSON of is the model's answer."""
        try:
            return await super().post(messages, key)
        except InvalidRequestError as error:
            text = getattr(error, "failed_generation", None)
            if text is None:
                raise
            return json.dumps({"choices": [{"message": {"content": text}, "finish_reason": "stop"}]}).encode()

    def classify_status(self, status: int, whole: str, message: str, after: float | None = None) -> Exception:
        """Return the error that says what is to be done; it may hold what the model said (Groq's way)."""
        error = super().classify_status(status, whole, message, after)
        if "failed_generation" in whole and isinstance(error, InvalidRequestError):
            error.failed_generation = _failed_generation(whole)
        return error

    def parse(self, body: object, latency: float) -> Completion:
        """Return the answer in what came back.

        Raises
        ------
        TransientError
            When there is none in it.
        """
        choices = body.get("choices") if isinstance(body, dict) else None
        if not isinstance(body, dict) or not isinstance(choices, list) or not choices:
            raise TransientError(f"the reply has no choices: {self.redact(json.dumps(body))}")
        choice = as_object(choices[0])
        if choice.get("error"):  # routers answer 200 and put the upstream's failure here
            raise self.classify_error(choice["error"])
        message, usage = as_object(choice.get("message")), as_object(body.get("usage"))
        reply = Reply(_content(message), as_text(message.get("refusal")), _finish(choice))
        upstream = upstream_of(body) | {"choices": len(choices)}
        expected = expected_scores(as_object(choice.get("logprobs")).get("content"))
        if expected:
            upstream["expected"] = expected
        return Completion(
            reply, upstream, latency, as_tokens(usage.get("prompt_tokens")), as_tokens(usage.get("completion_tokens"))
        )


@register("providers", "azure", title="Azure OpenAI", help="a deployment of Azure's, by its api-key", order=2)
class AzureProvider(OpenAIProvider):
    """Asks a deployment of Azure's; ``base_url`` ends with ``/openai/v1`` or ``/openai/deployments/NAME``."""

    key_header = "api-key"

    def parameters(self) -> dict[str, Any]:
        """Return the version of the interface, which addresses of deployments need."""
        return {"params": {"api-version": self.model.api_version}} if self.model.api_version else {}


def _content(message: Mapping[str, Any]) -> str | None:
    """Return a message's text; without one, what it calls a function with: some models answer by a tool."""
    text = as_text(message.get("content"))
    if text and text.strip():
        return text
    calls = message.get("tool_calls")
    called = [as_object(as_object(one).get("function")) for one in calls] if isinstance(calls, list) else []
    arguments = [as_text(one.get("arguments")) for one in [*called, as_object(message.get("function_call"))]]
    return "\n".join(one for one in arguments if one) or text


def _failed_generation(whole: str) -> str | None:
    try:
        error = as_object(as_object(parse_json(whole)).get("error"))
    except ValueError:
        return None
    return as_text(error.get("failed_generation"))


def _finish(choice: Mapping[str, Any]) -> str | None:
    """Return why the model stopped; None where a server says something else than a word."""
    reason = choice.get("finish_reason")
    return as_text(reason) if isinstance(reason, str) else None
