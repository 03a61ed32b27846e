"""One host's turn: how many requests at once, how long between two, when to leave it alone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from personax.errors import FetchError
from personax.sources.web.limits import Limits

__all__ = ["Host"]


class Host:
    """What is known of a host in this run.

    Parameters
    ----------
    name
        Host, and port where it has one.
    limits
        That hold for it.

    Attributes
    ----------
    given_up
        Why it is left alone for the rest of the run; None while it is not.
    """

    def __init__(self, name: str, limits: Limits) -> None:
        self.name = name
        self.given_up: str | None = None
        self._limits = limits
        self._between = 0.0 if limits.per_second is None else 1.0 / limits.per_second
        self._next = 0.0
        self._open = asyncio.Semaphore(limits.at_once)
        self._lost = 0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn, and hold it while the block runs.

        Raises
        ------
        FetchError
            When the host was given up meanwhile.
        """
        async with self._open:
            while (left := self._next - time.monotonic()) > 0:
                self.check()
                await asyncio.sleep(left)
            self.check()
            # no other task runs between looking at the clock and here, so that no two take one turn
            self._next = time.monotonic() + self._between
            yield

    def check(self) -> None:
        """Refuse when the host has been given up.

        Raises
        ------
        FetchError
            With the reason.
        """
        if self.given_up is not None:
            raise FetchError(f"{self.name} is left alone in this run: {self.given_up}; run again later")

    def slow_down(self, between: float | None) -> None:
        """Keep at least so many seconds between two requests (crawl-delay)."""
        if between is not None and between > self._limits.longest_wait:
            self.given_up = f"its robots.txt asks for {between:.0f} s between two requests"
        elif between is not None:
            self._between = max(self._between, between)

    def pause(self, seconds: float) -> None:
        """Send nothing for so long; a wait that is too long gives the host up."""
        if seconds > self._limits.longest_wait:
            self.given_up = f"it asks for a wait of {seconds:.0f} s"
        self._next = max(self._next, time.monotonic() + min(seconds, self._limits.longest_wait))

    def answered(self) -> None:
        """Note that a page came: all is well."""
        self._lost = 0

    def lost(self, reason: str) -> None:
        """Note that a page was lost after all tries."""
        self._lost += 1
        if self._lost >= self._limits.failures and self.given_up is None:
            self.given_up = f"{self._lost} pages in a row were lost, the last one because {reason}"
