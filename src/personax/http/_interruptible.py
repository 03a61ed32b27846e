"""Running a coroutine so that a signal ends it in good order: an exception in the midst of the event loop cannot."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Awaitable, Callable, Coroutine
from types import FrameType
from typing import Any, TypeVar

__all__ = ["run_until_signal"]

T = TypeVar("T")


def run_until_signal(main: Coroutine[Any, Any, T], *, first: Callable[[], Awaitable[None]] | None = None) -> T:
    """Run a coroutine to its end; where a signal would raise within it, cancel it, and let the signal raise then.

    A handler that raises does so wherever the loop is at that moment: the exception then ends one task, whose group
    is never told, and Python prints what nobody has fetched. So the handlers of SIGINT and SIGTERM, where there are
    any, are called once the loop has ended.

    Parameters
    ----------
    main
        What is run.
    first
        Awaited before ``main`` is cancelled, while that goes on.

    Examples
    --------
    >>> async def answer() -> int:
    ...     return 42
    >>> run_until_signal(answer())
    42
    """
    if threading.current_thread() is not threading.main_thread():
        return asyncio.run(main)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    received: list[signal.Signals] = []
    try:
        return asyncio.run(_run(main, received, handlers, first))
    except asyncio.CancelledError:
        if not received:
            raise
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        if received and callable(handler := handlers[received[0]]):
            handler(received[0], None)
    raise KeyboardInterrupt  # of a handler that lets go on; what was cancelled has no result


async def _run(
    main: Coroutine[Any, Any, T],
    received: list[signal.Signals],
    handlers: dict[signal.Signals, Any],
    first: Callable[[], Awaitable[None]] | None,
) -> T:
    """Await a coroutine, with handlers that only tell the loop."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    waiting: list[asyncio.Task[None]] = []

    async def end() -> None:
        try:
            if first is not None:
                await first()
        finally:
            task.cancel()

    def note(number: int, _: FrameType | None) -> None:
        if not received:
            received.append(signal.Signals(number))
            loop.call_soon_threadsafe(lambda: waiting.append(loop.create_task(end())))

    for number, handler in handlers.items():
        if callable(handler):  # what is ignored or ends the process at once stays as it is
            signal.signal(number, note)
    return await main
