"""Rate limits and circuit breakers on a clock of their own; no test sleeps."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personax.http import CircuitBreaker, RateLimiter


class Clock:
    """Time that goes on only by waiting."""

    def __init__(self) -> None:
        self.now = 100.0
        self.waits: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


def limiter(clock: Clock, per_second: float | None, **settings: Any) -> RateLimiter:
    return RateLimiter(per_second, clock=clock, sleep=clock.sleep, **settings)


def begins(clock: Clock, limit: RateLimiter, number: int, tokens: float = 1.0) -> list[float]:
    """Return when so many requests begin, from now on."""
    start = clock.now

    async def main() -> list[float]:
        found = []
        for _ in range(number):
            await limit.acquire(tokens)
            found.append(clock.now - start)
        return found

    return asyncio.run(main())


def test_requests_keep_their_distance() -> None:
    clock = Clock()
    assert begins(clock, limiter(clock, 4.0), 4) == pytest.approx([0.0, 0.25, 0.5, 0.75])


def test_without_a_rate_nothing_waits() -> None:
    clock = Clock()
    assert begins(clock, limiter(clock, None), 50) == [0.0] * 50


def test_a_burst_may_begin_together_and_an_idle_time_gives_no_larger_one() -> None:
    clock = Clock()
    limit = limiter(clock, 2.0, burst=3.0)
    assert begins(clock, limit, 4) == pytest.approx([0.0, 0.0, 0.0, 0.5])
    clock.now += 1000
    assert begins(clock, limit, 4) == pytest.approx([0.0, 0.0, 0.0, 0.5])


def test_more_tokens_than_the_burst_are_a_debt_of_later_requests() -> None:
    clock = Clock()
    assert begins(clock, limiter(clock, 10.0, burst=10.0), 3, tokens=30.0) == pytest.approx([0.0, 3.0, 6.0])


@given(st.lists(st.floats(0.01, 50), min_size=2, max_size=30), st.floats(0.1, 100), st.floats(1, 20))
def test_no_window_passes_more_than_the_rate_and_the_burst(tokens: list[float], rate: float, burst: float) -> None:
    clock = Clock()
    limit, passed = limiter(clock, rate, burst=burst), []

    async def main() -> None:
        for number in tokens:
            await limit.acquire(number)
            passed.append((clock.now, number))

    asyncio.run(main())
    for first in range(len(passed)):
        for last in range(first, len(passed)):
            # the last one's tokens beyond the burst are its debt, and are not yet due
            held = sum(number for _, number in passed[first:last]) + min(passed[last][1], burst)
            assert held <= burst + rate * (passed[last][0] - passed[first][0]) + 1e-6 * (1 + held)


def test_requests_pass_in_the_order_in_which_they_came() -> None:
    clock = Clock()
    limit, order = limiter(clock, 1.0), []

    async def one(number: int) -> None:
        await limit.acquire()
        order.append(number)

    async def main() -> None:
        await asyncio.gather(*map(one, range(6)))

    asyncio.run(main())
    assert order == list(range(6))


def test_so_many_are_under_way_together() -> None:
    clock = Clock()
    limit, under_way, most = limiter(clock, None, concurrency=3), [0], [0]

    async def one() -> None:
        async with limit.slot():
            under_way[0] += 1
            most[0] = max(most[0], under_way[0])
            await asyncio.sleep(0)
            under_way[0] -= 1

    async def main() -> None:
        await asyncio.gather(*(one() for _ in range(12)))

    asyncio.run(main())
    assert most == [3]


def test_a_pause_holds_all_requests_and_the_longest_counts() -> None:
    clock = Clock()
    limit = limiter(clock, None)
    limit.pause(5.0)
    limit.pause(2.0)
    assert begins(clock, limit, 2) == [5.0, 5.0]


def test_a_pause_that_begins_meanwhile_is_kept() -> None:
    clock = Clock()
    limit = limiter(clock, 1.0)

    async def main() -> None:
        await limit.acquire()
        waiting = asyncio.create_task(limit.acquire())
        await asyncio.sleep(0)
        limit.pause(30.0)
        await waiting

    asyncio.run(main())
    assert clock.now == 131.0


def test_a_crawl_delay_slows_down_and_never_speeds_up() -> None:
    clock = Clock()
    limit = limiter(clock, 1.0)
    limit.slow_down(0.1)
    assert limit.rate == 1.0
    limit.slow_down(4.0)
    assert [after - before for before, after in pairwise(begins(clock, limit, 3))] == pytest.approx([4.0, 4.0])
    unlimited = limiter(clock, None)
    unlimited.slow_down(0.0)
    assert unlimited.rate is None
    unlimited.slow_down(2.0)
    assert unlimited.rate == 0.5


def test_a_refusal_for_the_rate_halves_it_and_successes_bring_it_back() -> None:
    limit = limiter(Clock(), 8.0)
    limit.rate_limited()
    assert limit.rate == 4.0
    for _ in range(9):
        limit.rate_limited()
    assert limit.rate == 1.0
    for _ in range(20):
        limit.succeeded()
    assert limit.rate == 8.0


def test_a_check_that_fails_takes_no_turn() -> None:
    clock = Clock()
    limit = limiter(clock, 1.0)

    def refuse() -> None:
        raise LookupError

    async def main() -> None:
        with pytest.raises(LookupError):
            async with limit.slot(check=refuse):
                pass

    asyncio.run(main())
    assert begins(clock, limit, 1) == [0.0]


def breaker(clock: Clock, failures: int, **settings: Any) -> CircuitBreaker:
    return CircuitBreaker(failures, clock=clock, sleep=clock.sleep, **settings)


def fail(found: CircuitBreaker, times: int) -> None:
    for _ in range(times):
        found.failed("status 500")


def test_a_breaker_opens_after_failures_in_a_row() -> None:
    found = breaker(Clock(), 3)
    fail(found, 2)
    found.succeeded()
    fail(found, 2)
    assert not found.reason
    fail(found, 1)
    assert str(found.reason) == "3 requests in a row failed, the last one because status 500"
    found.open("another reason")
    assert "3 requests" in str(found.reason)


def test_a_breaker_pauses_ever_longer_before_it_opens_for_good() -> None:
    clock = Clock()
    found, pauses = breaker(clock, 2, pause=15.0, pauses=3), []
    for _ in range(4):
        fail(found, 2)
        before = clock.now
        asyncio.run(run(found.wait))
        pauses.append(clock.now - before)
    assert pauses == [15.0, 30.0, 60.0, 0.0]
    assert found.reason == "8 requests in a row failed, the last one because status 500"


def test_a_success_makes_the_next_pause_the_first() -> None:
    clock = Clock()
    found = breaker(clock, 1, pause=15.0, pauses=1)
    for _ in range(5):
        fail(found, 1)
        asyncio.run(run(found.wait))
        found.succeeded()
    assert found.reason is None
    assert clock.waits == [15.0] * 5


async def run(call: Callable[[], Awaitable[None]]) -> None:
    await call()
