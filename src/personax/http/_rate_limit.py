"""Rate limits: how many requests a host gets at once and how often, backoff, Retry-After, and when it is left alone."""

from __future__ import annotations

import asyncio
import email.utils
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import numpy as np
from pydantic import Field

from personax.errors import FetchError
from personax.strict import Strict

__all__ = ["Host", "Limits", "full_jitter", "retry_after"]


class Limits(Strict):
    """Limits that hold for every host on its own.

    Parameters
    ----------
    per_second
        Requests that begin in a second; None for no limit. A longer crawl-delay of robots.txt wins.
    at_once
        Requests under way together.
    tries
        Of one page: a refusal (403, 429), a failing server (5xx), a lost connection and a cut body are tried again.
    connect_seconds, read_seconds, total_seconds
        Until there is a connection; between two pieces of a reply; from sending to the last byte.
    most_bytes
        Of a page, after decompression.
    redirects
        In a row.
    backoff, longest_backoff
        The wait before try n is drawn evenly from 0 to ``backoff * 2**n`` seconds, at most ``longest_backoff``.
    longest_wait
        A site that asks for more seconds than this (Retry-After) is left alone for this run.
    failures
        Pages lost in a row after which a site is left alone for this run.
    most_pages
        Of one source in one run; a list without end is cut off here.
    """

    per_second: float | None = Field(default=1.0, gt=0)
    at_once: int = Field(default=2, ge=1)
    tries: int = Field(default=4, ge=1, le=20)
    connect_seconds: float = Field(default=10.0, gt=0)
    read_seconds: float = Field(default=20.0, gt=0)
    total_seconds: float = Field(default=60.0, gt=0)
    most_bytes: int = Field(default=32 * 2**20, ge=1)
    redirects: int = Field(default=5, ge=0, le=20)
    backoff: float = Field(default=1.0, ge=0)
    longest_backoff: float = Field(default=60.0, ge=0)
    longest_wait: float = Field(default=300.0, ge=0)
    failures: int = Field(default=5, ge=1)
    most_pages: int = Field(default=20_000, ge=1)


def full_jitter(attempt: int, limits: Limits, rng: np.random.Generator) -> float:
    """Return seconds to wait after failed try ``attempt``, counted from 0.

    References
    ----------
    Brooker (2015), Exponential Backoff and Jitter: evenly from nothing to the bound spreads clients best.

    Examples
    --------
    >>> 0 <= full_jitter(2, Limits(backoff=1.0), np.random.default_rng(0)) <= 4
    True
    """
    return float(rng.uniform(0.0, min(limits.longest_backoff, limits.backoff * 2.0 ** min(attempt, 60))))


def retry_after(text: str | None, now: datetime) -> float | None:
    """Return the seconds that a Retry-After header asks for, as a number or a date; None when it cannot be read.

    Examples
    --------
    >>> retry_after("Wed, 21 Oct 2026 07:28:30 GMT", datetime(2026, 10, 21, 7, 28, tzinfo=UTC))
    30.0
    >>> retry_after("120", datetime.now(UTC)), retry_after("soon", datetime.now(UTC))
    (120.0, None)
    """
    if text is None:
        return None
    text = text.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        then = email.utils.parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    then = then if then.tzinfo is not None else then.replace(tzinfo=UTC)
    return max(0.0, (then - now).total_seconds())


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
