"""One request to the interface of a provider, whatever it speaks; failures by what is to be done about them."""

from __future__ import annotations

import json
import os
import re
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, ClassVar, Final

from personax.errors import InputError
from personax.files import parse_json
from personax.http import ApiClient, ApiError, TransientError, retry_after_of
from personax.traits.llms._profiles import SIMPLER, adapted_profile, profile_of
from personax.traits.llms._prompt import content_hash
from personax.traits.llms._provider import (
    SECRET_PATTERN,
    Completion,
    ContentFilteredError,
    InvalidRequestError,
    Model,
    ModelNotFoundError,
    ModelUnavailableError,
)
from personax.traits.llms._reply_parsing import Reply

__all__ = ["Endpoint", "as_object", "as_text", "as_tokens", "coded_message", "error_message", "upstream_of"]

MAX_TOKENS: Final = 10**9
"""Tokens that a provider may say one completion took."""

MAX_REASON: Final = 300
"""Characters of a provider's message that are kept."""

NO_MONEY: Final = ("insufficient_quota", "spend_limit", "credit balance is too low", "usage limits")
"""Words of a refusal that is about the account: OpenAI's, then Anthropic's (which says it with 400 or 429)."""

RETRY_DELAY: Final = re.compile(r'"retryDelay"\s*:\s*"(\d{1,6}(?:\.\d+)?)s"')
"""How Google says how long to wait."""


class Endpoint(ABC):
    """Asks one model over one protocol; what differs between protocols is in its subclasses.

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

    path: str
    batch_key: ClassVar[str] = "custom_id"
    key_header: ClassVar[str] = "authorization"
    simpler: ClassVar[Mapping[str, str]] = MappingProxyType(SIMPLER)

    def __init__(self, model: Model, schema: Mapping[str, Any] | None) -> None:
        secret = os.environ.get(model.key, "").strip() if model.key else "none"
        if not secret:
            raise InputError(f"{model.name}: no key; put it into the environment variable {model.key}")
        self.model, self._secret, self.schema = model, secret, schema
        self.profile = replace(profile_of(model.base_url, model.model), structured=model.structured)
        self.client = ApiClient(model.base_url, secret, timeout=model.timeout, key_header=self.key_header)

    async def close(self) -> None:
        """Close connections."""
        await self.client.close()

    async def ask(self, messages: Sequence[Mapping[str, Any]], key: str) -> Completion:
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
        except ContentFilteredError as error:
            return _withheld(error, time.perf_counter() - began)
        except InvalidRequestError as error:
            adapted = adapted_profile(asked, str(error), self.simpler)
            if adapted is None:
                raise
            self.profile = adapted
            return await self.ask(messages, key)  # a profile loses one thing at a time and has few, so that this ends
        try:
            body = parse_json(raw)
        except ValueError:
            raise TransientError("the reply was cut off, or is not JSON") from None
        try:
            return self.parse(body, time.perf_counter() - began)
        except ContentFilteredError as error:
            return _withheld(error, time.perf_counter() - began)

    async def post(self, messages: Sequence[Mapping[str, Any]], key: str) -> bytes:
        """Send one request for a completion."""
        headers = {**self.headers(), **self.model.headers, "Idempotency-Key": key}
        return await self.send("POST", self.path, json=self.body(messages), headers=headers, **self.parameters())

    def headers(self) -> dict[str, str]:
        """Return the headers of the protocol."""
        return {}

    def parameters(self) -> dict[str, Any]:
        """Return what goes into the address."""
        return {}

    @abstractmethod
    def body(self, messages: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Return what is sent for messages."""

    @abstractmethod
    def parse(self, body: object, latency: float) -> Completion:
        """Return the answer in what came back.

        Raises
        ------
        TransientError
            When there is none in it.
        """

    def batch_row(self, key: str, messages: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Return a request as a line of a batch file; ``batch_key`` names the field with the key."""
        return {"custom_id": key, "method": "POST", "url": f"/v1{self.path}", "body": self.body(messages)}

    def batch_answer(self, row: Mapping[str, Any], duration: float) -> Completion:
        """Return the answer in a line of a batch's results.

        Raises
        ------
        TransientError, InvalidRequestError, ModelUnavailableError
            By what is to be done.
        """
        try:
            return self.parse_row(row, duration)
        except ContentFilteredError as error:
            return _withheld(error, duration)

    def parse_row(self, row: Mapping[str, Any], duration: float) -> Completion:
        """Return the answer in a line of a batch's results, in the form of the protocol."""
        response = row.get("response")
        if not isinstance(response, dict):
            raise TransientError(self.redact(coded_message(row.get("error")) or "the row has no response"))
        status, body = response.get("status_code"), response.get("body")
        if status == 200:
            return self.parse(body, duration)
        whole = json.dumps(body)
        message = coded_message(as_object(body).get("error")) or whole
        raise self.classify_status(status if type(status) is int else 0, whole, message)

    @property
    def schema_name(self) -> str:
        """What the schema is called."""
        return "traits_" + content_hash(self.schema)[:8]

    def client_below(self, part: str) -> ApiClient:
        """Return a client of the same host and key, with a part before the path: Google's files are there."""
        host, slash, path = self.model.base_url.partition("://")[2].partition("/")
        base = f"{self.model.base_url.partition('://')[0]}://{host}/{part}{slash}{path}"
        return ApiClient(base, self._secret, timeout=self.model.timeout, key_header=self.key_header)

    async def send(
        self,
        method: str,
        path: str,
        *,
        client: ApiClient | None = None,
        **content: Any,
    ) -> bytes:
        """Return the body of a reply of the endpoint, or of another client of it; an error says what is to be done."""
        try:
            return await (client or self.client).send(method, path, **content)
        except ApiError as error:
            if error.is_redirect:
                name, url = self.model.name, self.model.base_url
                text = f"{name}: {url} redirects ({error.status}), and nothing is sent on; correct base_url"
                raise ModelUnavailableError(text) from None
            whole = error.body.decode("utf-8", "replace")
            after = retry_after_of(error.headers)
            raise self.classify_status(error.status, whole, error_message(whole), after) from None

    def classify_status(self, status: int, whole: str, message: str, after: float | None = None) -> Exception:
        """Return the error that says what is to be done about a status and the words that came with it."""
        name, url = self.model.name, self.model.base_url
        if status in (400, 403, 422, 451) and _is_filtered(whole, message):
            return ContentFilteredError(f"status {status}: {self.redact(message)}")
        if status == 401:
            where = f"the key in {self.model.key}" if self.model.key else "asking without a key"
            return ModelUnavailableError(f"{name}: {url} does not accept {where} (401)")
        if status == 402:
            return ModelUnavailableError(f"{name}: {url} wants payment (402): {self.redact(message)}")
        if status == 404:
            text = f"{name}: {url} knows no model {self.model.model} (404): {self.redact(message)}"
            return ModelNotFoundError(text)
        if status in (400, 429) and any(words in whole for words in NO_MONEY):
            return ModelUnavailableError(f"{name}: the account at {url} has no money or quota left ({status})")
        reason = f"status {status or None}: {self.redact(message)}"
        if status in (408, 409, 429) or status >= 500:
            waited = RETRY_DELAY.search(whole)
            after = float(waited[1]) if after is None and waited else after
            return TransientError(reason, after, rate_limited=status == 429)
        return InvalidRequestError(reason)

    def classify_error(self, error: object) -> Exception:
        """Return the same for an error within a reply of status 200, by the number or the word that it gives."""
        given, whole = as_object(error), json.dumps(error)
        code = given.get("code") or given.get("type")
        status = code if isinstance(code, int) and 400 <= code < 600 else ERROR_CODES.get(str(code), 502)
        if str(code).lower() in FILTER_CODES:
            status = 400
        return self.classify_status(status, whole, error_message(whole))

    def redact(self, text: str) -> str:
        """Return the start of a provider's message without anything that looks like a key."""
        return SECRET_PATTERN.sub("***", text.replace(self._secret, "***"))[:MAX_REASON]


FILTER_CODES: Final = frozenset({
    "content_filter", "content_policy_violation", "responsibleaipolicyviolation", "moderation_blocked",
    "data_inspection_failed", "datainspectionfailed", "1301",
})  # fmt: skip
"""How providers say that their filter stopped a prompt: Azure, OpenAI for pictures, DashScope, Zhipu."""

FILTER_WORDS: Final = re.compile(
    r"content management policy|content[ -]filter(ing)? policy|potentially violating our usage policy"
    r"|content exists risk|requires moderation on|blocked by content filter",
    re.IGNORECASE,
)
"""The same in sentences: Azure, Anthropic, OpenAI, DeepSeek, OpenRouter."""


def _is_filtered(whole: str, message: str) -> bool:
    """Say whether a refusal is the filter's; only an error's codes and message are read, which hold no biography."""
    try:
        body = parse_json(whole)
    except ValueError:
        return False
    error = as_object(as_object(body).get("error")) or as_object(body)
    inner = as_object(error.get("inner_error")) or as_object(error.get("innererror"))
    codes = {str(one).lower() for one in (error.get("code"), error.get("type"), inner.get("code"))}
    return bool(codes & FILTER_CODES) or FILTER_WORDS.search(message[:MAX_REASON]) is not None


def _withheld(error: ContentFilteredError, latency: float) -> Completion:
    """Return a filtered prompt as a reply: no answer was written, and its prompt may have been paid for."""
    return Completion(Reply(None, str(error), "content_filter"), {}, latency, None, 0)


ERROR_CODES: Final[Mapping[str, int]] = {
    "rate_limit_exceeded": 429, "rate_limit_error": 429, "server_error": 500, "api_error": 500,
    "overloaded_error": 529, "timeout_error": 504, "invalid_prompt": 400, "invalid_request_error": 400,
    "authentication_error": 401, "billing_error": 402, "permission_error": 403, "not_found_error": 404,
    "request_too_large": 413, "insufficient_quota": 402, "3": 400, "4": 504, "5": 404, "7": 403, "8": 429, "13": 500,
    "14": 503,
}  # fmt: skip
"""Words for errors, and the numbers of gRPC -> the status that says the same."""


def error_message(whole: str) -> str:
    """Return what an error reply says: the message in its JSON, or else its text."""
    try:
        body = parse_json(whole)
    except ValueError:
        return whole
    if isinstance(body, list) and len(body) == 1:  # Google's
        body = body[0]
    error = body.get("error", body) if isinstance(body, dict) else body
    return str((error.get("message") if isinstance(error, dict) else error) or whole)


def coded_message(error: object) -> str:
    """Return the code and message of an error within JSON."""
    known = as_object(error)
    return ": ".join(str(known[name]) for name in ("code", "message") if known.get(name))


def as_text(value: object) -> str | None:
    """Return a message's text; some providers send it in parts. Halves of characters are marked: no file takes them."""
    if isinstance(value, list):
        value = "".join(str(part.get("text", "")) for part in value if isinstance(part, dict))
    return None if value is None else str(value).encode("utf-8", "replace").decode()


def as_object(value: object) -> dict[str, Any]:
    """Return an object; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def as_tokens(*values: object) -> int | None:
    """Return a sum of numbers of tokens, those that are not given left out; None for what no completion has."""
    known = [value for value in values if value is not None]
    total = 0
    for value in known:
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_TOKENS:
            return None
        total += value
    return total if known else None


def upstream_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return who answered, as far as a reply says."""
    named = {name: body.get(name) for name in ("model", "provider", "system_fingerprint", "id")}
    return {name: as_text(one) for name, one in named.items() if one and isinstance(one, str)}
