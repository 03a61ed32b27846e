"""Pages in the order they were asked for, some of them on their way while the first are read."""

from __future__ import annotations

import asyncio
import json
from collections import Counter, deque
from collections.abc import AsyncGenerator, Sequence

from personax.errors import SourceError
from personax.sources.web.pages import Fetch, Page, Request

__all__ = ["in_order"]

AHEAD = 64
"""Pages asked for before they are needed; how many travel at once is the fetcher's to say."""


async def in_order(fetch: Fetch, requests: Sequence[Request | None]) -> AsyncGenerator[Page | SourceError | None, None]:
    """Yield the page of each request in turn, asking for some ahead; equal requests are sent once."""
    keys = [None if request is None else _same(request) for request in requests]
    uses = Counter(keys)
    tasks: dict[str, asyncio.Task[Page]] = {}
    waiting: deque[str | None] = deque()
    try:
        for request, key in zip(requests, keys, strict=True):
            if request is not None and key is not None and key not in tasks:
                tasks[key] = asyncio.ensure_future(_fetched(fetch, request))
            waiting.append(key)
            if len(waiting) >= AHEAD:
                yield await _next(waiting.popleft(), tasks, uses)
        while waiting:
            yield await _next(waiting.popleft(), tasks, uses)
    finally:
        for task in tasks.values():
            task.cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)


async def _fetched(fetch: Fetch, request: Request) -> Page:
    return await fetch(request)


async def _next(
    key: str | None, tasks: dict[str, asyncio.Task[Page]], uses: Counter[str | None]
) -> Page | SourceError | None:
    if key is None:
        return None
    uses[key] -= 1
    task = tasks[key] if uses[key] else tasks.pop(key)
    try:
        return await task
    except SourceError as error:
        return error


def _same(request: Request) -> str:
    return json.dumps([request.url, request.body], sort_keys=True)
