"""Client of a provider's batch API: upload a file of requests, create a batch, download files of results and errors.

The protocol is OpenAI's (https://platform.openai.com/docs/guides/batch); others speak it too. What comes back is text
from elsewhere: ids are only compared or quoted into an address, each line is read alone.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final
from urllib.parse import quote

from personax.files import parse_json
from personax.http import TransientError
from personax.traits.llms._endpoint import Endpoint, coded_message
from personax.traits.llms._provider import (
    Completion,
    InvalidRequestError,
    ModelNotFoundError,
    ModelUnavailableError,
)
from personax.traits.llms._requests import ChatRequest

__all__ = [
    "FILE_SECONDS",
    "MAX_FILE_BYTES",
    "BatchAPI",
    "BatchGoneError",
    "BatchNotFoundError",
    "BatchResults",
    "BatchStatus",
]

FINAL_STATUSES: Final = frozenset({"completed", "failed", "expired", "cancelled"})
PAGE_SIZE: Final = 100
FILE_SECONDS: Final = 1800.0
"""For a file to be sent or fetched whole."""
MAX_FILE_BYTES: Final = 2**30
"""Of a file of answers: 50,000 of them with 20,000 bytes each."""


@dataclass(frozen=True, slots=True)
class BatchStatus:
    """Status of a batch at the provider.

    Parameters
    ----------
    batch, status
        Its name there; completed, failed, expired and cancelled are the last.
    files
        Of answers, then of errors.
    completed
        Requests that are done.
    reason
        What it says of a batch that failed.
    duration
        From its beginning to its end; None before, and where the provider does not say.
    """

    batch: str
    status: str
    files: tuple[str, ...] = ()
    completed: int = 0
    reason: str = ""
    duration: float | None = None

    @property
    def is_final(self) -> bool:
        """Whether it has ended."""
        return self.status in FINAL_STATUSES


@dataclass
class BatchResults:
    """Results of a batch by request.

    Parameters
    ----------
    completions, retryable, rejected
        By key; with the reason: not answered this time, and refused as it is.
    unmatched, unreadable
        Lines about other requests; lines that are no such row.
    stop_reason
        Why nothing can be asked of the model.
    """

    completions: dict[str, Completion] = field(default_factory=dict)
    retryable: dict[str, str] = field(default_factory=dict)
    rejected: dict[str, str] = field(default_factory=dict)
    unmatched: int = 0
    unreadable: int = 0
    stop_reason: str | None = None

    @property
    def seen(self) -> set[str]:
        """Keys of requests with a row."""
        return {*self.completions, *self.retryable, *self.rejected}


class BatchNotFoundError(ModelUnavailableError):
    """The provider does not know a batch or file that it named before."""


class BatchGoneError(Exception):
    """What a batch was to be made of is gone with the process that held it; the requests go into another."""


class BatchAPI:
    """The batch endpoints of one provider for one model, in OpenAI's form.

    All methods raise TransientError, InvalidRequestError or ModelUnavailableError, by what is to be done.
    """

    names_batches: ClassVar[bool] = True
    """Whether a batch at the provider tells, by a name or a file, that it is ours."""

    def __init__(self, provider: Endpoint) -> None:
        self.provider, self.model = provider, provider.model

    async def close(self) -> None:
        """Close connections."""
        await self.provider.close()

    def line(self, request: ChatRequest) -> bytes:
        """Return a request's line in a file."""
        row = self.provider.batch_row(request.key, request.messages)
        return json.dumps(row, ensure_ascii=False).encode("utf-8", "replace") + b"\n"

    async def upload(self, name: str, data: bytes) -> str:
        """Upload a file and return its id at the provider."""
        files = {"file": (f"{name}.jsonl", data, "application/jsonl")}
        sent = await self._json("POST", "/files", data={"purpose": "batch"}, files=files, timeout=FILE_SECONDS)
        return self._name(sent, "id")

    async def create(self, name: str, file: str) -> BatchStatus:
        """Create a batch of an uploaded file; ``name`` is our id, kept in its metadata."""
        body = {
            "input_file_id": file,
            "endpoint": f"/v1{self.provider.path}",
            "completion_window": "24h",
            "metadata": {"personax": name},
        }
        return self._state(await self._json("POST", "/batches", json=body, headers={"Idempotency-Key": name}))

    async def find(self, name: str, file: str, keys: Collection[str], known: Collection[str]) -> BatchStatus | None:
        """Return the account's batch with our id or input file; None where there is none.

        Parameters
        ----------
        name, file
            Our id, and what was uploaded.
        keys, known
            Its requests, and batches that are known to be others; for providers that keep no name of ours.
        """
        after: str | None = None
        while True:
            rows, more = await self._page({"limit": PAGE_SIZE} | ({"after": after} if after else {}))
            for row in rows:
                metadata = row.get("metadata")
                if row.get("input_file_id") == file or (
                    isinstance(metadata, dict) and metadata.get("personax") == name
                ):
                    return self._state(row)
            if any(row.get("input_file_id") is None and row.get("metadata") is None for row in rows):
                raise ModelUnavailableError(
                    f"{self.model.name}: {self.model.base_url} does not say which file a batch was made of, so that "
                    "one might be paid for twice; set batch: false"
                )
            last = rows[-1].get("id") if rows else None
            if not more or not isinstance(last, str) or last == after:
                return None
            after = last

    async def check_listing(self) -> None:
        """Check that batches can be listed: otherwise one whose creation was not confirmed could be created twice."""
        await self._page({"limit": 1})

    async def _page(self, params: dict[str, Any]) -> tuple[list[dict[str, Any]], bool]:
        return self._rows(await self._json("GET", "/batches", params=params), "data")

    def _rows(self, page: dict[str, Any], field: str, *, empty: bool = False) -> tuple[list[dict[str, Any]], bool]:
        """Return the batches of a page, and whether there are more; ``empty``: a list of none may be left out."""
        rows = page.get(field, [] if empty else None)
        if not isinstance(rows, list):
            raise ModelUnavailableError(
                f"{self.model.name}: {self.model.base_url} cannot list its batches; set batch: false"
            )
        return [row for row in rows if isinstance(row, dict)], bool(page.get("has_more"))

    async def status(self, batch: str) -> BatchStatus:
        """Return the status of a batch."""
        return self._state(await self._json("GET", f"/batches/{quote(batch, safe='')}", there=batch))

    async def results(self, state: BatchStatus, keys: Collection[str], duration: float) -> BatchResults:
        """Return a batch's results; files that lack some requests are fetched once more."""
        rows = BatchResults()
        for _ in range(2):
            rows = self.read([await self._file(name) for name in state.files], keys, duration)
            if len(rows.seen) == len(keys) or not state.files:
                break
        return rows

    def read(self, files: Iterable[bytes], keys: Collection[str], duration: float) -> BatchResults:
        """Read files line by line; of two rows about one request the first counts."""
        rows, seen = BatchResults(), set()
        for line in (line for data in files for line in data.split(b"\n") if line.strip()):
            try:
                row = parse_json(line)
            except ValueError:
                row = None
            key = row.get(self.provider.batch_key) if isinstance(row, dict) else None
            if not isinstance(key, str):
                rows.unreadable += 1
            elif key not in keys:
                rows.unmatched += 1
            elif key not in seen:
                seen.add(key)
                self._sort(key, row, rows, duration)
        return rows

    def _sort(self, key: str, row: dict[str, Any], rows: BatchResults, duration: float) -> None:
        try:
            rows.completions[key] = self.provider.batch_answer(row, duration)
        except InvalidRequestError as error:
            rows.rejected[key] = str(error)
        except TransientError as error:
            rows.retryable[key] = str(error)
        except ModelUnavailableError as error:
            rows.retryable[key] = rows.stop_reason = str(error)

    async def _file(self, name: str) -> bytes:
        path = f"/files/{quote(name, safe='')}/content"
        return await self._bytes("GET", path, there=name, timeout=FILE_SECONDS, max_bytes=MAX_FILE_BYTES)

    async def _json(self, method: str, path: str, **content: Any) -> dict[str, Any]:
        raw = await self._bytes(method, path, **content)
        try:
            value = parse_json(raw)
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise TransientError("the reply was cut off, or is not JSON")
        return value

    async def _bytes(self, method: str, path: str, *, there: str = "", **content: Any) -> bytes:
        """Return what a request gives; ``there``: what the provider has named before."""
        headers = {**self.provider.headers(), **self.model.headers, **content.pop("headers", {})}
        try:
            return await self.provider.send(method, path, headers=headers, **content)
        except ModelNotFoundError:
            where = f"{self.model.name}: {self.model.base_url}"
            if there:
                message = f"{where} does not have {there} (404); ask with the key that it was made with"
                raise BatchNotFoundError(message) from None
            raise ModelUnavailableError(f"{where} offers no batches (404); set batch: false") from None

    def _name(self, body: dict[str, Any], field: str) -> str:
        name = body.get(field)
        if not isinstance(name, str) or not name or name.strip(".") == "":
            raise TransientError("the reply names no file or batch")
        return name

    def _state(self, body: dict[str, Any]) -> BatchStatus:
        files = tuple(
            name for name in (body.get("output_file_id"), body.get("error_file_id")) if isinstance(name, str) and name
        )
        counts, errors = body.get("request_counts"), body.get("errors")
        done = [counts.get(name) for name in ("completed", "failed")] if isinstance(counts, dict) else []
        message = errors.get("data") if isinstance(errors, dict) else None
        reason = "; ".join(coded_message(one) for one in message[:3]) if isinstance(message, list) else ""
        ends = [body.get(f"{status}_at") for status in FINAL_STATUSES]
        end, began = next((one for one in ends if _is_time(one)), None), body.get("created_at")
        return BatchStatus(
            self._name(body, "id"), str(body.get("status")), files,
            sum(number for number in done if type(number) is int),
            self.provider.redact(reason), float(end - began) if end is not None and _is_time(began) else None,
        )  # fmt: skip


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e11
