"""How fast one provider may be asked, how long to wait after a failure, and when to give it up."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Final

import numpy as np

__all__ = ["CircuitBreaker", "TokenBucket", "backoff"]

LONGEST: Final = 60.0
"""Seconds between two tries at most, unless the provider asks for more."""


def backoff(attempt: int, after: float | None, rng: np.random.Generator) -> float:
    """Return seconds to wait before the next try: what the provider asked for, or 1, 2, 4 ... with half of it random.

    Examples
    --------
    >>> 2.0 <= backoff(2, None, np.random.default_rng(0)) <= 4.0
    True
    >>> backoff(0, 7.5, np.random.default_rng(0)) >= 7.5
    True
    """
    if after is not None:
        return after + float(rng.uniform(0, 0.1 + after / 20))
    return min(LONGEST, 2.0**attempt) * float(rng.uniform(0.5, 1.0))


class TokenBucket:
    """Lets so many a minute through, in order, and no burst beyond what a second allows.

    Parameters
    ----------
    per_minute
        Requests or tokens; None for no limit.
    """

    def __init__(self, per_minute: float | None) -> None:
        self.rate = None if per_minute is None else per_minute / 60
        self.level = self.burst = max(1.0, self.rate or 1.0)
        self.seen = time.monotonic()
        self.turn = asyncio.Lock()

    async def take(self, number: float = 1.0) -> None:
        """Wait until a number may pass; a number above the burst goes into debt, which later ones wait for."""
        if self.rate is None:
            return
        async with self.turn:
            self._refill()
            wanted = min(number, self.burst)
            while self.level < wanted:
                await asyncio.sleep((wanted - self.level) / self.rate)
                self._refill()
            self.level -= number

    def _refill(self) -> None:
        assert self.rate is not None
        now = time.monotonic()
        self.level = min(self.burst, self.level + (now - self.seen) * self.rate)
        self.seen = now


@dataclass
class CircuitBreaker:
    """Stops asking a provider that fails every time.

    Parameters
    ----------
    most
        Failures in a row, over all requests, after which it pauses.
    pause
        Seconds of the first pause; each further one is twice as long.
    pauses
        Pauses without an answer between, after which the provider counts as dead.
    """

    most: int = 10
    pause: float = 15.0
    pauses: int = 3
    failures: int = 0
    paused: int = 0
    until: float = 0.0

    def answered(self) -> None:
        """Note an answer: all is well again."""
        self.failures = self.paused = 0

    def failed(self) -> bool:
        """Note a failure, and return whether the provider counts as dead."""
        self.failures += 1
        if self.failures < self.most:
            return False
        self.failures = 0
        self.paused += 1
        self.until = time.monotonic() + self.pause * 2.0 ** (self.paused - 1)
        return self.paused > self.pauses

    async def closed(self) -> None:
        """Wait until a pause is over."""
        while (left := self.until - time.monotonic()) > 0:
            await asyncio.sleep(left)
