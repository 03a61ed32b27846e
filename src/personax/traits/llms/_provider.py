"""One chat completion of one model, over OpenAI's protocol; failures classified by what is to be done about them."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, Protocol

from pydantic import Field, SerializerFunctionWrapHandler, field_validator, model_serializer
from pydantic_core import PydanticCustomError

from personax import registry
from personax.errors import InputError
from personax.files import parse_json
from personax.http import ApiClient, ApiError, TransientError, is_loopback, retry_after_of
from personax.registry import part_name, register
from personax.strict import Count, EnvName, Strict, Url
from personax.traits.llms._profiles import Profile, adapted_profile, profile_of, sampling_parameters
from personax.traits.llms._prompt import content_hash
from personax.traits.llms._reply_parsing import Reply

__all__ = [
    "Completion",
    "InvalidRequestError",
    "Model",
    "ModelNotFoundError",
    "ModelUnavailableError",
    "OpenAIProvider",
    "Provider",
    "make_provider",
]

SECRET_PATTERN: Final = re.compile(r"\b(sk|key|AIza|gsk|xai|Bearer )[-_\w*]{6,}")
MAX_TOKENS: Final = 10**9
"""Tokens that a provider may say one completion took."""

MAX_REASON: Final = 300
"""Characters of a provider's message that are kept."""


class Model(Strict):
    """A model, where it is asked, and how.

    What is excluded from a dump changes no answer, so that a stage is not stale when it changes.

    Parameters
    ----------
    name
        What tables call it.
    model, base_url
        What the provider calls it, and the endpoint.
    key
        Name of the environment variable that holds the key; None for servers that want none.
    structured
        What the endpoint can be asked for: an answer by JSON ``schema``; by schema in the older way, as an ``object``
        that has one (llama-cpp-python, Together); any ``json`` object; or ``none``.
    temperature, max_tokens
        Sampling; a temperature of None leaves it to the provider (some models refuse any other).
    concurrency, requests_per_minute, tokens_per_minute, timeout
        Limits; the timeout is in seconds.
    input_price, output_price
        Of a million tokens; None where it is not known.
    batch, batch_discount
        Whether it is asked by files of the provider's batch API; which share of the price is not charged then.
    provider
        The registered client that speaks to the endpoint.
    extra_body, headers
        What else goes into a request: parameters of the endpoint's own, such as ``reasoning_effort`` or ``seed`` (null
        takes one of ours away), and headers that hold no key.
    """

    name: Annotated[str, Field(min_length=1)]
    model: Annotated[str, Field(min_length=1)]
    base_url: Url
    key: EnvName | None = Field(default=None, exclude=True)
    structured: Literal["schema", "object", "json", "none"] = "schema"
    temperature: float | None = 0.0
    max_tokens: Count = 600
    concurrency: int = Field(default=8, ge=1, exclude=True)
    requests_per_minute: float | None = Field(default=None, gt=0, exclude=True)
    tokens_per_minute: float | None = Field(default=None, gt=0, exclude=True)
    timeout: float = Field(default=120.0, gt=0, exclude=True)
    input_price: float | None = Field(default=None, ge=0, exclude=True)
    output_price: float | None = Field(default=None, ge=0, exclude=True)
    batch: bool = Field(default=False, exclude=True)
    batch_discount: float = Field(default=0.5, ge=0, le=1, exclude=True)
    provider: Annotated[str, part_name("providers")] = "openai"
    extra_body: dict[str, Any] = {}
    headers: dict[str, str] = Field(default={}, exclude=True)

    @model_serializer(mode="wrap")
    def _without_what_is_usual(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out what every study had before there was a choice: it makes no stage stale."""
        settings: dict[str, Any] = dump(self)
        if settings.get("provider") == "openai":
            del settings["provider"]
        if not settings.get("extra_body"):
            settings.pop("extra_body", None)
        return settings

    @field_validator("extra_body")
    @classmethod
    def _takes_nothing_over(cls, given: dict[str, Any]) -> dict[str, Any]:
        ours = sorted({"model", "messages", "stream", "n"} & given.keys())
        if ours:
            raise PydanticCustomError("ours", "extra_body: {name} is set by personax; leave it out", {"name": ours[0]})
        return given

    @field_validator("headers")
    @classmethod
    def _holds_no_key(cls, headers: dict[str, str]) -> dict[str, str]:
        for name, value in headers.items():
            if name.lower() in ("authorization", "x-api-key", "api-key", "cookie") or SECRET_PATTERN.search(value):
                text = "headers: {name} would hold a key; put it into an environment variable and name that under key"
                raise PydanticCustomError("a_key", text, {"name": name})
            if name.lower() in ("host", "content-length", "content-type", "transfer-encoding", "connection"):
                raise PydanticCustomError("ours", "headers: {name} is set by personax; leave it out", {"name": name})
            if not re.fullmatch(r"[A-Za-z0-9-]{1,64}", name) or not re.fullmatch(r"[\x20-\x7e]{0,500}", value):
                raise PydanticCustomError("no_header", "headers: {name} is no header", {"name": name})
        return headers

    @field_validator("key")
    @classmethod
    def _is_the_name_of_a_variable(cls, name: str | None) -> str | None:
        if name is not None and not re.fullmatch(r"[A-Z_][A-Z0-9_]*", name):
            # the value is not repeated: it may be the key itself
            raise PydanticCustomError(
                "not_a_name", "key is the name of an environment variable, such as OPENAI_API_KEY"
            )
        return name

    @field_validator("base_url")
    @classmethod
    def _is_an_address(cls, url: str) -> str:
        if not re.fullmatch(r"https?://[^\s@?#]+", url):
            raise PydanticCustomError("not_a_url", "base_url is an http(s) address without a password or key in it")
        if url.startswith("http:") and not is_loopback(url.split("/")[2]):
            text = "people's texts go by plain http to this machine only; use https, or a tunnel to 127.0.0.1"
            raise PydanticCustomError("not_a_url", text)
        return url

    def settings(self) -> list[Any]:
        """Return what of this changes an answer."""
        known = [self.model, self.base_url.rstrip("/"), self.structured, self.temperature, self.max_tokens]
        known += [] if self.provider == "openai" else [self.provider]
        return [*known, self.extra_body] if self.extra_body else known

    def cost(self, tokens_in: int | None, tokens_out: int | None, *, batched: bool = False) -> float | None:
        """Return the price of tokens, by batch or not; None where the price or a number is not known."""
        if self.input_price is None or self.output_price is None or tokens_in is None or tokens_out is None:
            return None
        share = 1 - self.batch_discount if batched else 1
        return (tokens_in * self.input_price + tokens_out * self.output_price) / 1e6 * share


@dataclass(frozen=True, slots=True)
class Completion:
    """What came back, and what it took.

    Parameters
    ----------
    reply
        The first choice.
    upstream
        Who answered: the model and host that the provider names, the number of choices. Routers swap hosts.
    latency
        Seconds.
    tokens_in, tokens_out
        As the provider counts; None where it does not.
    """

    reply: Reply
    upstream: dict[str, Any]
    latency: float
    tokens_in: int | None
    tokens_out: int | None


class InvalidRequestError(Exception):
    """One request is refused as it is, be it for what it says: sending it again would be the same."""


class ModelUnavailableError(Exception):
    """Nothing can be asked of this model: no permission, no such model, no money left."""


class ModelNotFoundError(ModelUnavailableError):
    """The endpoint knows no such model, or no such path."""


class Provider(Protocol):
    """A client that asks one model; registered as ``(model, schema) -> Provider``.

    ``schema`` is the JSON schema of an answer, None for free text. See `personax.testing.check_provider`.
    """

    async def ask(self, messages: Sequence[Mapping[str, str]], key: str) -> Completion:
        """Ask once; the key tells a provider that can tell that it has answered this already.

        Raises
        ------
        TransientError, InvalidRequestError, ModelUnavailableError
            By what is to be done; `personax.http.TransientError` is followed by another attempt.
        """

    async def close(self) -> None:
        """Close connections; calling it twice is no error."""


@register("providers", "openai", title="OpenAI-compatible", order=0)
class OpenAIProvider:
    """Asks one model over the protocol that OpenAI made common.

    Parameters
    ----------
    model
        Which, and how.
    schema
        The JSON schema of an answer; None for free text.

    Raises
    ------
    InputError
        When the environment variable for the key is empty.
    MissingExtraError
        Without the package httpx2.
    """

    def __init__(self, model: Model, schema: Mapping[str, Any] | None) -> None:
        secret = os.environ.get(model.key, "").strip() if model.key else "none"
        if not secret:
            raise InputError(f"{model.name}: no key; put it into the environment variable {model.key}")
        self.model, self._secret, self._schema = model, secret, schema
        self.profile = profile_of(model.base_url, model.model)
        self.client = ApiClient(model.base_url, secret, timeout=model.timeout)

    async def close(self) -> None:
        """Close connections."""
        await self.client.close()

    async def ask(self, messages: Sequence[Mapping[str, str]], key: str) -> Completion:
        """Ask once; the key tells a provider that can tell that it has answered this already.

        Raises
        ------
        TransientError, InvalidRequestError, ModelUnavailableError
            By what is to be done.
        """
        began = time.perf_counter()
        asked = self.profile
        try:
            raw = await self.post(messages, key)
        except InvalidRequestError as error:
            adapted = adapted_profile(asked, str(error))
            if adapted is None:
                raise
            self.profile = adapted
            return await self.ask(messages, key)  # a profile loses one thing at a time and has four, so that this ends
        try:
            body = parse_json(raw)
        except ValueError:
            raise TransientError("the reply was cut off, or is not JSON") from None
        return self.parse(body, time.perf_counter() - began)

    async def post(self, messages: Sequence[Mapping[str, str]], key: str) -> bytes:
        """Send one request for a completion."""
        headers = {**self.model.headers, "Idempotency-Key": key}
        return await self.send("POST", "/chat/completions", json=self.body(messages), headers=headers)

    async def send(self, method: str, path: str, **content: Any) -> bytes:  # noqa: ANN401 - as ApiClient takes it
        """Return the body of a reply of the endpoint; an error says what is to be done."""
        try:
            return await self.client.send(method, path, **content)
        except ApiError as error:
            if error.is_redirect:
                name, url = self.model.name, self.model.base_url
                text = f"{name}: {url} redirects ({error.status}), and nothing is sent on; correct base_url"
                raise ModelUnavailableError(text) from None
            whole = error.body.decode("utf-8", "replace")
            after = retry_after_of(error.headers)
            raise self.classify_status(error.status, whole, _error_message(whole), after) from None

    def body(self, messages: Sequence[Mapping[str, str]]) -> dict[str, Any]:
        """Return what is sent for messages."""
        sampling = _sampling(self.model, self._schema, self.profile)
        return {"model": self.model.model, "messages": list(messages), **sampling}

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
        choice = choices[0] if isinstance(choices[0], dict) else {}
        if choice.get("error"):  # routers answer 200 and put the upstream's failure here
            error = _object(choice["error"])
            code, whole = error.get("code"), json.dumps(choice["error"])
            status = code if isinstance(code, int) and 400 <= code < 600 else 502
            raise self.classify_status(status, whole, _error_message(whole))
        message, usage = _object(choice.get("message")), _object(body.get("usage"))
        named = {name: body.get(name) for name in ("model", "provider", "system_fingerprint", "id")}
        upstream: dict[str, Any] = {name: _text(one) for name, one in named.items() if one and isinstance(one, str)}
        reply = Reply(_text(message.get("content")), _text(message.get("refusal")), _finish(choice))
        return Completion(
            reply, upstream | {"choices": len(choices)}, latency, _number(usage.get("prompt_tokens")),
            _number(usage.get("completion_tokens")),
        )  # fmt: skip

    def classify_status(self, status: int, whole: str, message: str, after: float | None = None) -> Exception:
        """Return the error that says what is to be done about a status and the words that came with it."""
        name, url = self.model.name, self.model.base_url
        if status == 401:
            where = f"the key in {self.model.key}" if self.model.key else "asking without a key"
            return ModelUnavailableError(f"{name}: {url} does not accept {where} (401)")
        if status == 402:
            return ModelUnavailableError(f"{name}: {url} wants payment (402): {self.redact(message)}")
        if status == 404:
            text = f"{name}: {url} knows no model {self.model.model} (404): {self.redact(message)}"
            return ModelNotFoundError(text)
        if status == 429 and "insufficient_quota" in whole:
            return ModelUnavailableError(f"{name}: the account at {url} has no money or quota left (429)")
        reason = f"status {status or None}: {self.redact(message)}"
        if status in (408, 409, 429) or status >= 500:
            return TransientError(reason, after, rate_limited=status == 429)
        return InvalidRequestError(reason)

    def redact(self, text: str) -> str:
        """Return the start of a provider's message without anything that looks like a key."""
        return SECRET_PATTERN.sub("***", text.replace(self._secret, "***"))[:MAX_REASON]


def make_provider(model: Model, schema: Mapping[str, Any] | None) -> Provider:
    """Return the client that a model names: ours, or a registered one of another package with the same methods."""
    client: Provider = registry.get("providers", model.provider)(model, schema)
    return client


def _sampling(model: Model, schema: Mapping[str, Any] | None, profile: Profile) -> dict[str, Any]:
    return sampling_parameters(
        profile, temperature=model.temperature, max_tokens=model.max_tokens, structured=model.structured, schema=schema,
        schema_name="traits_" + content_hash(schema)[:8], extra_body=model.extra_body,
    )  # fmt: skip


def _error_message(whole: str) -> str:
    """Return what an error reply says: the message in its JSON, or else its text."""
    try:
        body = parse_json(whole)
    except ValueError:
        return whole
    error = body.get("error", body) if isinstance(body, dict) else body
    return str((error.get("message") if isinstance(error, dict) else error) or whole)


def _text(value: object) -> str | None:
    """Return a message's text; some providers send it in parts. Halves of characters are marked: no file takes them."""
    if isinstance(value, list):
        value = "".join(str(part.get("text", "")) for part in value if isinstance(part, dict))
    return None if value is None else str(value).encode("utf-8", "replace").decode()


def _finish(choice: Mapping[str, Any]) -> str | None:
    """Return why the model stopped; None where a server says something else than a word."""
    reason = choice.get("finish_reason")
    return _text(reason) if isinstance(reason, str) else None


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _number(value: object) -> int | None:
    """Return a number of tokens; None for what no completion has."""
    known = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_TOKENS
    return value if isinstance(value, int) and known else None
