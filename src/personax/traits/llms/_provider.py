"""A model as a study names it, what comes back of it, and what kinds of failure there are."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Protocol, Self

from pydantic import Field, SerializerFunctionWrapHandler, field_validator, model_serializer, model_validator
from pydantic_core import PydanticCustomError

from personax import registry
from personax.http import is_loopback
from personax.registry import part_name
from personax.strict import Count, EnvName, OutsidePath, Strict, Url
from personax.traits.llms._reply_parsing import Reply

__all__ = [
    "SECRET_PATTERN",
    "Completion",
    "ContentFilteredError",
    "InvalidRequestError",
    "Model",
    "ModelNotFoundError",
    "ModelUnavailableError",
    "Provider",
    "make_provider",
]

SECRET_PATTERN: Final = re.compile(r"\b(sk|key|AIza|gsk|xai|Bearer )[-_\w*]{6,}")


MOST_TOO_FEW: Final = 10
"""Times that our estimate of a prompt's tokens may be the provider's number."""

MOST_CHARACTERS: Final = 40
"""Characters of an answer for each token that the provider says it took."""


class Model(Strict):
    """A model, where it is asked, and how.

    What is excluded from a dump changes no answer, so that a stage is not stale when it changes.

    Parameters
    ----------
    name
        What tables call it.
    model, base_url
        What the provider calls it, and the endpoint; none for a model that runs in this process.
    weights
        Folder of the weights of a model that runs in this process, its whole path.
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
        The registered client that speaks to the endpoint: ``openai`` (chat completions, which most servers speak),
        ``openai-responses``, ``azure``, ``anthropic``, ``transformers`` (in this process), or one of another package.
    api_version
        Of the endpoint's interface, where it wants one: Azure's ``2024-10-21``, Anthropic's ``2023-06-01``.
    logprobs
        Whether probabilities of tokens are asked for, of which scores between the levels are made; see docs/traits.md.
    cutoff
        The model's knowledge cut-off as its provider tells it: a day, month or year; None where it is not known.
    extra_body, headers
        What else goes into a request: parameters of the endpoint's own, such as ``reasoning_effort`` or ``seed`` (null
        takes one of ours away), and headers that hold no key.
    """

    name: Annotated[str, Field(min_length=1)]
    model: Annotated[str, Field(min_length=1)]
    base_url: Url = ""
    weights: OutsidePath | None = None
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
    api_version: str | None = Field(default=None, exclude=True, pattern=r"^[A-Za-z0-9.-]{1,40}$")
    logprobs: bool = Field(default=False, exclude=True)
    cutoff: str | None = Field(default=None, pattern=r"^[12]\d{3}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?$")

    @field_validator("cutoff", mode="before")
    @classmethod
    def _as_text(cls, given: object) -> object:
        return str(given) if isinstance(given, int | date) and not isinstance(given, bool) else given

    @model_serializer(mode="wrap")
    def _without_what_is_usual(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out what every study had before there was a choice: it makes no stage stale."""
        settings: dict[str, Any] = dump(self)
        if settings.get("provider") == "openai":
            del settings["provider"]
        for name in ("weights", "cutoff"):
            if settings.get(name) is None:
                settings.pop(name, None)
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

    @field_validator("weights")
    @classmethod
    def _is_a_whole_path(cls, weights: str | None) -> str | None:
        if weights is not None and not Path(weights).is_absolute():
            text = "weights is the whole path of a folder, from / on; {given} would depend on where personax is started"
            raise PydanticCustomError("no_path", text, {"given": weights})
        return weights

    @field_validator("base_url")
    @classmethod
    def _is_an_address(cls, url: str) -> str:
        if url and not re.fullmatch(r"https?://[^\s@?#]+", url):
            raise PydanticCustomError("not_a_url", "base_url is an http(s) address without a password or key in it")
        if url.startswith("http:") and not is_loopback(url.split("/")[2]):
            text = "people's texts go by plain http to this machine only; use https, or a tunnel to 127.0.0.1"
            raise PydanticCustomError("not_a_url", text)
        return url

    @model_validator(mode="after")
    def _is_somewhere(self) -> Self:
        if self.provider not in registry.names("providers"):
            return self  # of a package that is not installed; whoever asks says so
        here = bool(registry.describe("providers", self.provider).facts.get("in_process"))
        if here and (self.weights is None or self.base_url):
            text = "the provider {name} runs in this process: give weights, a folder, in place of base_url"
            raise PydanticCustomError("no_weights", text, {"name": self.provider})
        if not here and (self.weights is not None or not self.base_url):
            text = "the provider {name} asks an endpoint: give its base_url, and no weights"
            raise PydanticCustomError("no_url", text, {"name": self.provider})
        return self

    def settings(self) -> list[Any]:
        """Return what of this changes an answer."""
        known = [self.model, self.base_url.rstrip("/"), self.structured, self.temperature, self.max_tokens]
        known += [] if self.provider == "openai" else [self.provider]
        known += [] if self.weights is None else [self.weights]
        return [*known, self.extra_body] if self.extra_body else known

    def cost(self, tokens_in: int | None, tokens_out: int | None, *, batched: bool = False) -> float | None:
        """Return the price of tokens, by batch or not; None where the price or a number is not known."""
        if self.input_price == self.output_price == 0:
            return 0.0
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

    def believable(self, sent: int) -> Completion:
        """Return it without numbers of tokens that cannot be: gateways count nothing as 0 beside a full answer.

        Parameters
        ----------
        sent
            Tokens of what was asked, about.
        """
        few_in = self.tokens_in is not None and MOST_TOO_FEW * self.tokens_in < sent
        few_out = self.tokens_out is not None and MOST_CHARACTERS * self.tokens_out < len(self.reply.content or "")
        if not few_in and not few_out:
            return self
        return replace(
            self, tokens_in=None if few_in else self.tokens_in, tokens_out=None if few_out else self.tokens_out
        )


class InvalidRequestError(Exception):
    """One request is refused as it is, be it for what it says: sending it again would be the same.

    Attributes
    ----------
    failed_generation
        What the model said, where a server refuses its own model's answer because it is not the JSON asked for.
    """

    failed_generation: str | None = None


class ContentFilteredError(InvalidRequestError):
    """The provider's filter withheld the prompt or the answer: an outcome of this row, and no fault of the request."""


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


def make_provider(model: Model, schema: Mapping[str, Any] | None) -> Provider:
    """Return the client that a model names: ours, or a registered one of another package with the same methods."""
    client: Provider = registry.get("providers", model.provider)(model, schema)
    return client
