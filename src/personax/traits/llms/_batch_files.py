"""Requests as files for batches elsewhere, and the replies that come back: each provider's own form, split by quota.

The form is OpenAI's (``vllm run-batch`` and Ray Data read it, too), Anthropic's or Google's, by the model's provider. A
file of replies is text from elsewhere: only lines about requests of the study count, each request's once.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import IO, Final

from personax.errors import InputError
from personax.files import parse_json
from personax.http import TransientError
from personax.traits.llms._endpoint import Endpoint
from personax.traits.llms._journal import JournalEntry, ReplyJournal
from personax.traits.llms._provider import Completion, InvalidRequestError, Model, ModelUnavailableError, make_provider
from personax.traits.llms._requests import (
    EXPECTED_OUTPUT_TOKENS,
    ChatRequest,
    Question,
    Survey,
    booked_cost,
    chunked,
    iter_requests,
    longer_request,
    repair_request,
    was_cut_off,
)
from personax.traits.llms._responses import stored_reply

__all__ = ["BatchQuota", "ImportSummary", "export_requests", "import_replies"]

MAX_LINE: Final = 16 * 2**20
"""Bytes of a line of replies; longer ones are not read."""

CHUNK: Final = 1000
"""Lines that are in memory at once."""


@dataclass(frozen=True)
class BatchQuota:
    """What one file may hold at most.

    Parameters
    ----------
    requests, bytes
        OpenAI takes 50,000 and 200 MB, Anthropic 100,000 and 256 MB, Google 2 GB.
    tokens
        Of what is sent and of an answer, about: the tokens that may wait at a provider; None for no limit.
    """

    requests: int = 50_000
    bytes: int = 200_000_000
    tokens: int | None = None


def export_requests(
    survey: Survey[Question], model: Model, journal: ReplyJournal, quota: BatchQuota | None = None
) -> Iterator[tuple[int, bytes]]:
    """Yield a line of JSON for each request to a model that has no reply yet, with the number of its file, from 1.

    Replies of the wrong shape, or that were cut off, are asked for once more.

    Raises
    ------
    InputError
        The model's provider knows no form of batches, or one request is more than a file may hold.
    """
    limit, provider = quota or BatchQuota(), _endpoint(model, survey)
    number, held = 1, [0, 0, 0]
    for request, _ in _open_requests(survey, model, journal):
        row = provider.batch_row(request.key, request.messages)
        line = json.dumps(row, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
        one = [1, len(line), request.tokens + EXPECTED_OUTPUT_TOKENS]
        most = [limit.requests, limit.bytes, limit.tokens or float("inf")]
        if any(part > whole for part, whole in zip(one, most, strict=True)):
            raise InputError(f"{model.name}: one request is more than a batch file may hold; raise the quota")
        if any(sum(parts) > whole for *parts, whole in zip(held, one, most, strict=True)):
            number, held = number + 1, [0, 0, 0]
        held = [before + part for before, part in zip(held, one, strict=True)]
        yield number, line


def _open_requests(
    survey: Survey[Question], model: Model, journal: ReplyJournal, *, answered: bool = False
) -> Iterator[tuple[ChatRequest, int]]:
    """Yield requests and repairs without a reply, and their turn; with ``answered`` all of them."""
    for requests in chunked(iter_requests(survey, model)):
        known = journal.answered([request.key for request in requests])
        for request in requests:
            if answered or request.key not in known:
                yield request, 0
            if request.key in known:
                again = _again(survey, request, journal)
                if again is not None and (answered or not journal.answered([again.key])):
                    yield again, 1


def _again(survey: Survey[Question], request: ChatRequest, journal: ReplyJournal) -> ChatRequest | None:
    """Return the request that asks once more for a reply that cannot be used."""
    entry = journal.get(request.key)
    if entry is None:
        return None
    reply = stored_reply(entry)
    if survey.prompt.schema() is not None and was_cut_off(reply):
        return longer_request(request)
    problem = survey.prompt.problem(reply)
    return None if problem is None else repair_request(request, survey.prompt, reply.content or "", problem)


@dataclass(frozen=True)
class ImportSummary:
    """What came back: replies that are new in the journal, those it had, failures, lines of nothing that was asked."""

    new: int
    known: int
    failed: int
    unmatched: int


def import_replies(
    survey: Survey[Question], journal: ReplyJournal, files: Iterable[bytes | Path], *, latency: float = 0.0
) -> ImportSummary:
    """Write the replies of a batch run into a journal, each request's once; a second import changes nothing.

    Parameters
    ----------
    survey
        What was asked, of all models.
    journal
        Where they go.
    files
        What ``vllm run-batch -o`` or a provider's batches have written, or where that lies; read line by line.
    latency
        Seconds of a request, where that is known.
    """
    asked = {
        request.key: (model, request, turn)
        for model in survey.models
        for request, turn in _open_requests(survey, model, journal, answered=True)
    }
    providers = {model.name: _endpoint(model, survey) for model in survey.models}
    fields = {provider.batch_key for provider in providers.values()}
    new = known = failed = unmatched = 0
    for lines in _chunks(files):
        rows = [(key, row) for key, row in (_keyed(line, fields) for line in lines) if key in asked]
        unmatched += len(lines) - len(rows)
        before, entries = journal.answered([key for key, _ in rows]), dict[str, JournalEntry]()
        known += len(before)
        for key, row in rows:
            if key in before or key in entries:
                continue
            model, request, turn = asked[key]
            try:
                completion = providers[model.name].batch_answer(row, latency)
            except (TransientError, InvalidRequestError, ModelUnavailableError) as error:
                journal.fail(key, model.name, request.person, str(error))
                failed += 1
            else:
                entries[key] = _entry(survey, model, request, turn, completion)
        journal.add(entries.values())
        new += len(entries)
    return ImportSummary(new, known, failed, unmatched)


def _keyed(line: bytes, fields: Iterable[str]) -> tuple[str | None, dict[str, object]]:
    """Return which request a line is about, and what it says; None for a line that cannot be read."""
    try:
        row = parse_json(line)
    except ValueError:
        return None, {}
    if not isinstance(row, dict):
        return None, {}
    key = next((row[name] for name in fields if isinstance(row.get(name), str)), None)
    return key, row


def _chunks(files: Iterable[bytes | Path]) -> Iterator[Sequence[bytes]]:
    for file in files:
        with BytesIO(file) if isinstance(file, bytes) else file.open("rb") as stream:
            lines = _lines(stream)
            while chunk := list(islice(lines, CHUNK)):
                yield chunk


def _lines(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield lines that hold something; of one that is too long, its beginning, which nobody can read."""
    while line := stream.readline(MAX_LINE):
        whole = line
        while len(line) == MAX_LINE and not line.endswith(b"\n"):
            line = stream.readline(MAX_LINE)
        if whole.strip():
            yield whole


def _entry(survey: Survey[Question], model: Model, request: ChatRequest, turn: int, one: Completion) -> JournalEntry:
    reply = asdict(one.reply) | {"upstream": one.upstream}
    one = one.believable(request.tokens)
    cost = booked_cost(model, request.tokens, one, batched=model.batch)
    return JournalEntry(request.key, model.name, survey.prompt.name, request.person, request.repeat, turn, reply,
                        one.latency, one.tokens_in, one.tokens_out, cost, request.messages)  # fmt: skip


def _endpoint(model: Model, survey: Survey[Question]) -> Endpoint:
    """Return a client that writes and reads lines of batches; nothing is sent from here, and no key is needed."""
    provider = make_provider(model.replaced(key=None), survey.prompt.schema())
    asyncio.run(provider.close())
    if not isinstance(provider, Endpoint):
        raise InputError(f"{model.name}: the provider {model.provider} knows no form of batch files; ask it directly")
    return provider
