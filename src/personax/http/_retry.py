"""Retries, for sources and LLM providers alike: exponential backoff with full jitter, Retry-After in both its forms."""

from __future__ import annotations

import asyncio
import email.utils
import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Final, TypeVar

import numpy as np
from pydantic import Field
from tenacity import AsyncRetrying, retry_if_exception_type

from personax.strict import Strict

__all__ = ["RetryPolicy", "TransientError", "full_jitter", "retry", "retry_after", "retry_after_of", "wait_seconds"]

T = TypeVar("T")

_SECONDS: Final = re.compile(r"[0-9]{1,9}(\.[0-9]*)?")

_RATE_LIMITED_EXPONENT: Final = 5
"""Attempts that were refused for the rate alone double the wait at most this often."""


class TransientError(Exception):
    """A failure after which another attempt may succeed: busy, too slow, cut off. `retry` catches nothing else.

    Parameters
    ----------
    reason
        For messages and logs; never a private value.
    retry_after
        Seconds that the server asks to wait; None where it does not say.
    rate_limited
        Whether the request was refused for its rate alone (status 429), so that the server itself is well.
    """

    def __init__(self, reason: str, retry_after: float | None = None, *, rate_limited: bool = False) -> None:
        super().__init__(reason)
        self.retry_after, self.rate_limited = retry_after, rate_limited


class RetryPolicy(Strict):
    """How often and after which waits a request is sent again.

    Parameters
    ----------
    attempts
        Of one request, the first included.
    rate_limited_attempts
        Bound on the attempts that fail for the rate alone, which are counted apart; None counts them with the others.
    backoff, max_backoff
        Seconds; see `full_jitter`.
    max_wait
        A server that asks for more seconds than this is not waited for: the error is raised at once.
    """

    attempts: int = Field(default=4, ge=1)
    rate_limited_attempts: int | None = Field(default=None, ge=1)
    backoff: float = Field(default=1.0, ge=0)
    max_backoff: float = Field(default=60.0, ge=0)
    max_wait: float = Field(default=3600.0, ge=0)


def full_jitter(attempt: int, backoff: float, longest: float, rng: np.random.Generator) -> float:
    r"""Draw the wait in seconds after failed attempt ``attempt``, counted from 0.

    It is uniform on :math:`[0, \min(\mathrm{longest}, \mathrm{backoff} \cdot 2^{\mathrm{attempt}})]`.

    References
    ----------
    Brooker (2015), Exponential Backoff and Jitter: of the usual jitters this one spreads clients best.

    Examples
    --------
    >>> 0 <= full_jitter(2, 1.0, 60.0, np.random.default_rng(0)) <= 4
    True
    """
    return float(rng.uniform(0.0, min(longest, backoff * 2.0 ** min(attempt, 60))))


def retry_after(value: str | None, now: datetime | None = None) -> float | None:
    """Return the seconds that the value of a Retry-After header asks for: a number or an HTTP date (RFC 9110, 10.2.3).

    Parameters
    ----------
    value
        Of the header; None where there is none.
    now
        Against which a date is taken, with a time zone; the present by default.

    Returns
    -------
    Seconds, not negative; None when the value cannot be read.

    Examples
    --------
    >>> now = datetime(2026, 10, 21, 7, 28, tzinfo=UTC)
    >>> retry_after("Wed, 21 Oct 2026 07:28:30 GMT", now), retry_after("120", now), retry_after("soon", now)
    (30.0, 120.0, None)
    """
    if value is None:
        return None
    value = value.strip()
    if _SECONDS.fullmatch(value):
        return float(value)
    try:
        then = email.utils.parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    then = then if then.tzinfo is not None else then.replace(tzinfo=UTC)
    return max(0.0, (then - (now or datetime.now(UTC))).total_seconds())


def retry_after_of(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Return the seconds that the headers of a reply ask to wait: ``retry-after-ms``, or else ``retry-after``.

    Parameters
    ----------
    headers
        By name in lower case, or a mapping that ignores case.
    now
        See `retry_after`.

    Examples
    --------
    >>> retry_after_of({"retry-after-ms": "1500", "retry-after": "2"}), retry_after_of({})
    (1.5, None)
    """
    milliseconds = (headers.get("retry-after-ms") or "").strip()
    if _SECONDS.fullmatch(milliseconds):
        return float(milliseconds) / 1000
    return retry_after(headers.get("retry-after"), now)


def wait_seconds(attempt: int, server_wait: float | None, policy: RetryPolicy, rng: np.random.Generator) -> float:
    """Return the seconds to wait after failed attempt ``attempt``, counted from 0.

    Parameters
    ----------
    server_wait
        Seconds that the server asks for: never less is waited, and up to 5 % and 0.1 s more, so that all who were
        turned away together do not come back together. None: `full_jitter`.

    Examples
    --------
    >>> 7.5 <= wait_seconds(0, 7.5, RetryPolicy(), np.random.default_rng(0)) <= 7.975
    True
    """
    if server_wait is None:
        return full_jitter(attempt, policy.backoff, policy.max_backoff, rng)
    return server_wait + float(rng.uniform(0.0, 0.1 + server_wait / 20))


async def retry(
    call: Callable[[], Awaitable[T]],
    policy: RetryPolicy,
    rng: np.random.Generator,
    *,
    on_failure: Callable[[TransientError], None] | None = None,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> T:
    """Await ``call()`` until it returns, and return what it returns.

    Parameters
    ----------
    call
        One attempt. A `TransientError` of it is followed by another attempt, any other error is raised as it is.
    policy
        Attempts and waits.
    rng
        Draws the jitter.
    on_failure
        Called with the error of every attempt, the last included; an error that it raises ends the attempts.
    sleep
        Waits; tests give one that does not.

    Raises
    ------
    TransientError
        Of the last attempt, or of one after which the server asks for a wait longer than ``policy.max_wait``.

    Examples
    --------
    >>> replies = [TransientError("busy", 0.01), "done"]
    >>> async def call():
    ...     reply = replies.pop(0)
    ...     if isinstance(reply, Exception):
    ...         raise reply
    ...     return reply
    >>> asyncio.run(retry(call, RetryPolicy(attempts=2), np.random.default_rng(0)))
    'done'
    """
    failures = _Failures(policy, rng)

    async def attempt() -> T:
        try:
            return await call()
        except TransientError as error:
            failures.add(error)
            if on_failure is not None:
                on_failure(error)
            raise

    try:
        return await attempt()  # nearly all return; the loop costs a third of a millisecond
    except TransientError:
        if failures.are_enough():
            raise
    await sleep(failures.wait())
    attempts = AsyncRetrying(
        retry=retry_if_exception_type(TransientError), stop=lambda _: failures.are_enough(),
        wait=lambda _: failures.wait(), sleep=sleep, reraise=True,
    )  # fmt: skip
    return await attempts(attempt)


class _Failures:
    """Failed attempts of one request, those for the rate alone counted apart where the policy bounds them apart."""

    def __init__(self, policy: RetryPolicy, rng: np.random.Generator) -> None:
        self._policy, self._rng = policy, rng
        self._others = self._rate_limited = 0
        self._asked: float | None = None

    def add(self, error: TransientError) -> None:
        apart = error.rate_limited and self._policy.rate_limited_attempts is not None
        self._rate_limited += apart
        self._others += not apart
        self._asked = error.retry_after

    def are_enough(self) -> bool:
        too_long = self._asked is not None and self._asked > self._policy.max_wait
        limit = self._policy.rate_limited_attempts
        return too_long or self._others >= self._policy.attempts or (limit is not None and self._rate_limited >= limit)

    def wait(self) -> float:
        attempt = self._others + min(self._rate_limited, _RATE_LIMITED_EXPONENT) - 1
        return wait_seconds(attempt, self._asked, self._policy, self._rng)
