"""Batches in the forms of Anthropic and Google: how one is sent, named and fetched is not as OpenAI has it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from personax.errors import InputError
from personax.files import parse_json
from personax.traits.llms._anthropic import AnthropicProvider
from personax.traits.llms._batch_api import FILE_SECONDS, MAX_FILE_BYTES, BatchAPI, BatchGoneError, BatchStatus
from personax.traits.llms._chat_completions import AzureProvider, OpenAIProvider
from personax.traits.llms._endpoint import Endpoint, as_object, as_text, coded_message
from personax.traits.llms._gemini import GeminiProvider
from personax.traits.llms._openai_responses import OpenAIResponsesProvider
from personax.traits.llms._provider import Model, Provider

__all__ = ["AnthropicBatches", "GeminiBatches", "batch_api"]


def batch_api(model: Model, provider: Provider) -> BatchAPI:
    """Return the client of a provider's batches.

    Raises
    ------
    InputError
        When it has none.
    """
    if isinstance(provider, AnthropicProvider):
        return AnthropicBatches(provider)
    if isinstance(provider, GeminiProvider):
        return GeminiBatches(provider)
    if isinstance(provider, OpenAIProvider | OpenAIResponsesProvider) and not isinstance(provider, AzureProvider):
        return BatchAPI(provider)
    known = "openai, openai-responses, anthropic or gemini"
    raise InputError(f"{model.name}: batches need the provider {known}; set batch: false")


class AnthropicBatches(BatchAPI):
    """Message Batches: a batch is its requests, at most 100,000 and 256 MB, and has no name of ours.

    After a creation that was not confirmed, a batch of as many requests is taken for ours if it is under way, and if it
    has ended by the ids in its results; what was wrongly taken is seen when its results are there.

    References
    ----------
    Anthropic, "Batch processing", "Create a Message Batch", "List Message Batches", "Retrieve Message Batch results" of
    the Claude API; read in November 2026.
    """

    names_batches = False

    def __init__(self, provider: Endpoint) -> None:
        super().__init__(provider)
        self._unsent: dict[str, bytes] = {}

    async def upload(self, name: str, data: bytes) -> str:
        """Keep the requests until the batch is created: there are no files."""
        self._unsent = {name: data}
        return "requests"

    async def create(self, name: str, file: str) -> BatchStatus:
        """Create a batch.

        Raises
        ------
        BatchGoneError
            When its requests were held by a process that has ended.
        """
        data = self._unsent.get(name)
        if data is None:
            raise BatchGoneError
        requests = [parse_json(line) for line in data.splitlines()]
        status = self._state(
            await self._json("POST", "/messages/batches", json={"requests": requests}, timeout=FILE_SECONDS)
        )
        del self._unsent[name]
        return status

    async def find(self, name: str, file: str, keys: Collection[str], known: Collection[str]) -> BatchStatus | None:
        """Return the batch that has our requests, or one under way that may have; None where there is none."""
        after: str | None = None
        maybe: BatchStatus | None = None
        while True:
            params = {"limit": 100} | ({"after_id": after} if after else {})
            rows, more = await self._page(params)
            for row in rows:
                counts = as_object(row.get("request_counts")).values()
                if sum(one for one in counts if type(one) is int) != len(keys):
                    continue
                status = self._state(row)
                if status.files and self.read([await self._file(status.files[0])], keys, 0.0).seen:
                    return status
                if not status.is_final and status.batch not in known:
                    maybe = status
            last = rows[-1].get("id") if rows else None
            if not more or not isinstance(last, str) or last == after:
                return maybe
            after = last

    async def status(self, batch: str) -> BatchStatus:
        """Return the status of a batch."""
        return self._state(await self._json("GET", f"/messages/batches/{quote(batch, safe='')}", there=batch))

    async def _page(self, params: dict[str, Any]) -> tuple[list[dict[str, Any]], bool]:
        return self._rows(await self._json("GET", "/messages/batches", params=params), "data")

    async def _file(self, name: str) -> bytes:
        # the address of the results that the reply names is not asked: it may be anybody's
        path = f"/messages/batches/{quote(name, safe='')}/results"
        return await self._bytes("GET", path, there=name, timeout=FILE_SECONDS, max_bytes=MAX_FILE_BYTES)

    def _state(self, body: dict[str, Any]) -> BatchStatus:
        name, counts = self._name(body, "id"), as_object(body.get("request_counts"))
        ended = body.get("processing_status") == "ended"
        done = sum(number for kind, number in counts.items() if kind != "processing" and type(number) is int)
        return BatchStatus(
            name, "completed" if ended else str(body.get("processing_status")), (name,) if ended else (), done,
            duration=_seconds(body.get("created_at"), body.get("ended_at")),
        )  # fmt: skip


class GeminiBatches(BatchAPI):
    """Batches of Gemini: a file of requests, at most 2 GB, and an operation whose display name is ours.

    References
    ----------
    Google, "Batch API", "Files API", ``models.batchGenerateContent`` and ``batches`` of the Gemini API; read in
    November 2026.
    """

    STATES: Final = {"succeeded": "completed", "failed": "failed", "cancelled": "cancelled", "expired": "expired"}

    def __init__(self, provider: Endpoint) -> None:
        super().__init__(provider)
        self._elsewhere = [provider.client_below(part) for part in ("upload", "download")]

    async def close(self) -> None:
        """Close connections."""
        await super().close()
        for client in self._elsewhere:
            await client.close()

    async def upload(self, name: str, data: bytes) -> str:
        """Upload a file in one request, and return its name there."""
        boundary = uuid.uuid4().hex
        told = json.dumps({"file": {"displayName": name, "mimeType": "application/jsonl"}})
        head = f"--{boundary}\r\nContent-Type: application/json; charset=utf-8\r\n\r\n{told}\r\n"
        whole = f"{head}--{boundary}\r\nContent-Type: application/jsonl\r\n\r\n".encode() + data
        headers = {"content-type": f"multipart/related; boundary={boundary}", "x-goog-upload-protocol": "multipart"}
        sent = await self._json(
            "POST", "/files", content=whole + f"\r\n--{boundary}--\r\n".encode(), headers=headers,
            timeout=FILE_SECONDS, client=self._elsewhere[0],
        )  # fmt: skip
        return self._name(as_object(sent.get("file")), "name")

    async def create(self, name: str, file: str) -> BatchStatus:
        """Create a batch of an uploaded file; ``name`` is our id, which it shows in lists."""
        body = {"batch": {"displayName": name, "inputConfig": {"fileName": file}}}
        path = self.provider.path.replace(":generateContent", ":batchGenerateContent")
        return self._state(await self._json("POST", path, json=body))

    async def find(self, name: str, file: str, keys: Collection[str], known: Collection[str]) -> BatchStatus | None:
        """Return the batch with our id or file; None where there is none."""
        token = ""
        while True:
            page = await self._json(
                "GET", "/batches", params={"pageSize": 100} | ({"pageToken": token} if token else {})
            )
            for row in self._rows(page, "operations", empty=True)[0]:
                told = as_object(row.get("metadata"))
                if told.get("displayName") == name or as_object(told.get("inputConfig")).get("fileName") == file:
                    return self._state(row)
            before, token = token, as_text(page.get("nextPageToken")) or ""
            if not token or token == before:
                return None

    async def status(self, batch: str) -> BatchStatus:
        """Return the status of a batch."""
        return self._state(await self._json("GET", f"/{quote(batch, safe='/')}", there=batch))

    async def _page(self, params: dict[str, Any]) -> tuple[list[dict[str, Any]], bool]:
        return self._rows(await self._json("GET", "/batches", params={"pageSize": 1}), "operations", empty=True)

    async def _file(self, name: str) -> bytes:
        return await self._bytes(
            "GET", f"/{quote(name, safe='/')}:download", there=name, params={"alt": "media"}, timeout=FILE_SECONDS,
            max_bytes=MAX_FILE_BYTES, client=self._elsewhere[1],
        )  # fmt: skip

    def _state(self, body: dict[str, Any]) -> BatchStatus:
        told, response = as_object(body.get("metadata")), as_object(body.get("response"))
        output = as_object(told.get("output")) or as_object(told.get("dest"))
        files = [one.get("responsesFile") for one in (response, output, as_object(response.get("output")))]
        state = str(told.get("state") or "").rpartition("STATE_")[2].lower()
        status = self.STATES.get(state, state or "pending")
        if body.get("done") and status not in self.STATES.values():
            status = "failed" if body.get("error") else "completed"
        stats = as_object(told.get("batchStats"))
        done = [stats.get(kind) for kind in ("successfulRequestCount", "failedRequestCount")]
        return BatchStatus(
            self._name(body, "name"), status, tuple([one for one in files if isinstance(one, str) and one][:1]),
            sum(int(one) for one in map(str, done) if one.isascii() and one.isdigit()),
            self.provider.redact(coded_message(body.get("error"))),
            _seconds(told.get("createTime"), told.get("endTime")),
        )  # fmt: skip


def _seconds(began: object, ended: object) -> float | None:
    """Return the seconds between two times as RFC 3339 has them; None where one is missing."""
    try:
        first, last = (datetime.fromisoformat(str(one).replace("Z", "+00:00")) for one in (began, ended))
        return max(0.0, (last - first).total_seconds())
    except (ValueError, TypeError):
        return None
