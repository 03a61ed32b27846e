"""Rate limits and circuit breakers, one of each for a host or a provider."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, nullcontext
from typing import Final

__all__ = ["CircuitBreaker", "RateLimiter"]

_SLOWEST: Final = 8.0
"""A rate falls to this part of itself at most, however often the server refuses requests for their rate."""

_RECOVERY: Final = 0.9
"""By this factor a slowed rate recovers with every success: 20 of them undo the slowest."""

_TOLERANCE: Final = 1e-9


class RateLimiter:
    """A token bucket, with a bound on the requests under way and a pause that the server may ask for.

    Parameters
    ----------
    per_second
        Requests, or tokens of an LLM, that begin in a second; None for no limit.
    burst
        That may begin together after an idle time; 1 keeps ``1 / per_second`` seconds between any two.
    concurrency
        Requests under way together, see `slot`; None for no limit.
    clock, sleep
        Seconds that never go back; waits. Tests give others.

    Examples
    --------
    >>> limiter = RateLimiter(per_second=100.0, concurrency=2)
    >>> async def ask():
    ...     async with limiter.slot():
    ...         return "reply"
    >>> asyncio.run(ask())
    'reply'
    """

    def __init__(
        self,
        per_second: float | None,
        *,
        burst: float = 1.0,
        concurrency: int | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._rate, self._burst, self._clock, self._sleep = per_second, burst, clock, sleep
        self._level, self._seen, self._until = burst, clock(), float("-inf")
        self._slowed = 1.0
        self._order = asyncio.Lock()
        self._slots = None if concurrency is None else asyncio.Semaphore(concurrency)

    @property
    def rate(self) -> float | None:
        """Requests a second at present; None without a limit."""
        return None if self._rate is None else self._rate / self._slowed

    @asynccontextmanager
    async def slot(self, tokens: float = 1.0, check: Callable[[], None] | None = None) -> AsyncIterator[None]:
        """Wait until a request may begin, and count it as under way while the block runs; see `acquire`."""
        async with self._slots or nullcontext():
            await self.acquire(tokens, check)
            yield

    async def acquire(self, tokens: float = 1.0, check: Callable[[], None] | None = None) -> None:
        """Wait, in the order of calls, until ``tokens`` may pass.

        Parameters
        ----------
        tokens
            More than the burst go into debt, which later calls wait for.
        check
            Called before every wait and before the tokens are taken; an error that it raises takes none.
        """
        async with self._order:
            while (seconds := self._wait(tokens, check)) > 0:
                await self._sleep(seconds)
            if self._rate is not None:
                self._level -= tokens

    def pause(self, seconds: float) -> None:
        """Let nothing pass for so long."""
        self._until = max(self._until, self._clock() + seconds)

    def slow_down(self, interval: float) -> None:
        """Keep at least ``interval`` seconds between two requests from now on (crawl-delay); never speeds up."""
        self._refill()
        if interval > 0:
            self._rate = min(self._rate or float("inf"), 1.0 / interval)

    def rate_limited(self) -> None:
        """Note that a request was refused for its rate (429): the rate is halved, down to an eighth of itself."""
        self._refill()
        self._slowed = min(_SLOWEST, self._slowed * 2)

    def succeeded(self) -> None:
        """Note a reply: a rate that was halved recovers step by step."""
        self._refill()
        self._slowed = max(1.0, self._slowed * _RECOVERY)

    def _wait(self, tokens: float, check: Callable[[], None] | None) -> float:
        if check is not None:
            check()
        self._refill()
        paused = self._until - self._seen
        lacking = min(tokens, self._burst) - self._level
        rate = self.rate
        return paused if rate is None or lacking <= _TOLERANCE else max(paused, lacking / rate)

    def _refill(self) -> None:
        now, rate = self._clock(), self.rate
        if rate is not None:
            self._level = min(self._burst, self._level + (now - self._seen) * rate)
        self._seen = now


class CircuitBreaker:
    """Stops asking a host or provider that fails every time.

    After ``failures`` in a row it pauses: `wait` returns only when the pause is over. After ``pauses`` without a
    success between them it opens for good, and ``reason`` says why; the caller checks it.

    Parameters
    ----------
    failures
        In a row.
    pause
        Seconds of the first pause; each further one is twice as long.
    pauses
        0 opens for good at the first.
    clock, sleep
        Seconds that never go back; waits. Tests give others.

    Attributes
    ----------
    reason
        Why it is open for good; None while it is not.

    References
    ----------
    Nygard (2018), Release It!, 2nd edition, chapter 5.

    Examples
    --------
    >>> breaker = CircuitBreaker(failures=2)
    >>> breaker.failed("status 500")
    >>> breaker.failed("status 503")
    >>> breaker.reason
    '2 requests in a row failed, the last one because status 503'
    """

    def __init__(
        self,
        failures: int,
        *,
        pause: float = 0.0,
        pauses: int = 0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.reason: str | None = None
        self._failures, self._pause, self._pauses, self._clock, self._sleep = failures, pause, pauses, clock, sleep
        self._in_a_row = self._paused = self._since_success = 0
        self._until = float("-inf")

    def succeeded(self) -> None:
        """Note a success: failures are counted anew, and the next pause is the first."""
        self._in_a_row = self._paused = self._since_success = 0

    def failed(self, reason: str) -> None:
        """Note a failure, which may begin a pause or open for good."""
        self._in_a_row += 1
        self._since_success += 1
        if self._in_a_row < self._failures:
            return
        if self._paused >= self._pauses:
            self.open(f"{self._since_success} requests in a row failed, the last one because {reason}")
            return
        self._in_a_row = 0
        self._until = self._clock() + self._pause * 2.0**self._paused
        self._paused += 1

    def open(self, reason: str) -> None:
        """Open for good; the first reason stays."""
        self.reason = self.reason or reason

    async def wait(self) -> None:
        """Return when no pause is under way, or it is open for good."""
        while self.reason is None and (left := self._until - self._clock()) > 0:
            await self._sleep(left)
