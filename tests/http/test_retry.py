"""Retries: how many attempts, which waits, and Retry-After in both its forms; no test sleeps."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from personax.http import (
    RetryPolicy,
    TransientError,
    full_jitter,
    retry,
    retry_after,
    retry_after_of,
    wait_seconds,
)

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@given(st.integers(0, 40), st.integers(0, 2**32 - 1))
def test_jitter_is_full_and_bounded(attempt: int, seed: int) -> None:
    assert 0 <= full_jitter(attempt, 0.5, 7.0, np.random.default_rng(seed)) <= min(7.0, 0.5 * 2**attempt)


def test_jitter_spreads_over_the_whole_range() -> None:
    rng = np.random.default_rng(0)
    drawn = [full_jitter(2, 1.0, 60.0, rng) for _ in range(4000)]
    assert abs(np.mean(drawn) - 2.0) < 0.1
    assert min(drawn) < 0.05
    assert max(drawn) > 3.95


@given(st.integers(0, 10**6))
def test_a_wait_is_read_as_seconds_or_as_a_date(seconds: int) -> None:
    assert retry_after(f" {seconds} ", NOW) == seconds
    assert retry_after(format_datetime(NOW + timedelta(seconds=seconds), usegmt=True), NOW) == seconds


@given(st.text())
def test_any_other_wait_is_none(text: str) -> None:
    found = retry_after(text, datetime.now(UTC))
    assert found is None or found >= 0


def test_a_date_in_the_past_asks_for_no_wait_and_one_in_another_zone_is_converted() -> None:
    assert retry_after("Thu, 01 Jan 2026 00:00:00 GMT", NOW) == 0
    assert retry_after("Fri, 02 Jan 2026 04:05:05 +0100", NOW) == 60
    assert retry_after("Friday, 02-Jan-26 03:04:15 GMT", NOW) == 10  # RFC 850, which RFC 9110 still wants to be read


def test_headers_ask_in_milliseconds_before_seconds() -> None:
    assert retry_after_of({"retry-after-ms": "250", "retry-after": "9"}) == 0.25
    assert retry_after_of({"retry-after-ms": "x", "retry-after": "1.5"}) == 1.5
    assert retry_after_of({"retry-after": "Fri, 02 Jan 2026 03:05:34 GMT"}, NOW) == 89
    assert retry_after_of({"retry-after": "-1"}) is None
    assert retry_after_of({}) is None


def run(outcomes: Sequence[Any], policy: RetryPolicy) -> tuple[Any, list[float], list[str]]:
    """Retry a call with these outcomes: what came of it, the waits, the errors that were noted."""
    rest, waits, noted = list(outcomes), [], []

    async def call() -> Any:
        outcome = rest.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    try:
        found: Any = asyncio.run(
            retry(
                call, policy, np.random.default_rng(0), on_failure=lambda error: noted.append(str(error)), sleep=sleep
            )
        )
    except Exception as error:  # noqa: BLE001 - what it raises is what is tested
        found = error
    return found, waits, noted


def busy(retry_after: float | None = None, *, rate_limited: bool = False) -> TransientError:
    return TransientError("busy", retry_after, rate_limited=rate_limited)


def test_a_call_that_succeeds_in_the_end_gives_its_result() -> None:
    found, waits, noted = run([busy(), busy(), "page"], RetryPolicy(attempts=4, backoff=1.0))
    assert (found, noted, len(waits)) == ("page", ["busy", "busy"], 2)
    assert waits[0] <= 1
    assert waits[1] <= 2


def test_attempts_are_bounded_and_the_last_error_is_raised() -> None:
    last = busy()
    found, waits, noted = run([busy(), busy(), last, "page"], RetryPolicy(attempts=3))
    assert found is last
    assert (len(waits), len(noted)) == (2, 3)


def test_an_error_that_is_not_transient_is_raised_at_once() -> None:
    found, waits, noted = run([ValueError("no key"), "page"], RetryPolicy())
    assert isinstance(found, ValueError)
    assert (waits, noted) == ([], [])


def test_a_wait_that_the_server_asks_for_is_never_shortened() -> None:
    found, waits, _ = run([busy(7.5), busy(0.0), "page"], RetryPolicy(backoff=1000.0, max_backoff=1000.0))
    assert found == "page"
    assert 7.5 <= waits[0] <= 7.5 * 1.05 + 0.1
    assert 0 <= waits[1] <= 0.1


def test_a_wait_that_is_too_long_ends_the_attempts() -> None:
    found, waits, noted = run([busy(301.0), "page"], RetryPolicy(max_wait=300.0))
    assert (str(found), waits, noted) == ("busy", [], ["busy"])


def test_refusals_for_the_rate_are_counted_apart_where_they_have_a_bound() -> None:
    limited = [busy(rate_limited=True) for _ in range(8)]
    policy = RetryPolicy(attempts=2, rate_limited_attempts=9, backoff=1.0, max_backoff=1e9)
    found, waits, _ = run([*limited, busy(), "page"], policy)
    assert found == "page"
    assert max(waits) <= 2.0**5  # they double the wait five times at most
    assert isinstance(run([*limited, busy(rate_limited=True), "page"], policy)[0], TransientError)
    assert isinstance(run([busy(rate_limited=True), busy(), "page"], RetryPolicy(attempts=2))[0], TransientError)


def test_an_error_of_the_callback_ends_the_attempts() -> None:
    def give_up(error: TransientError) -> None:
        raise LookupError("given up")

    async def call() -> None:
        raise busy()

    with pytest.raises(LookupError):
        asyncio.run(retry(call, RetryPolicy(), np.random.default_rng(0), on_failure=give_up))


def test_a_cancelled_call_is_not_retried() -> None:
    calls = []

    async def call() -> None:
        calls.append(0)
        await asyncio.sleep(60)

    async def main() -> None:
        task = asyncio.create_task(retry(call, RetryPolicy(), np.random.default_rng(0)))
        await asyncio.sleep(0)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(main())
    assert calls == [0]


@given(st.floats(0, 1e4), st.integers(0, 2**32 - 1))
def test_those_who_were_turned_away_together_spread(asked: float, seed: int) -> None:
    assert asked <= wait_seconds(3, asked, RetryPolicy(), np.random.default_rng(seed)) <= asked * 1.05 + 0.1
