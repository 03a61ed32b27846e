"""Many pairs at once, in threads: the work is in numpy and BLAS, which let go of Python's lock."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

from threadpoolctl import threadpool_limits

__all__ = ["mapped"]

AHEAD = 4
"""Jobs a thread that wait their turn; so many columns are held in memory."""


T = TypeVar("T")
R = TypeVar("R")


def mapped(run: Callable[[T], R], items: Iterable[T], jobs: int, told: Callable[[int], None]) -> Iterator[R]:
    """Yield the results as they come; ``told`` hears how many there are.

    BLAS has one thread meanwhile: pairs are many and their matrices small, and more would fight over the cores.
    """
    with threadpool_limits(1, user_api="blas"):
        for done, result in enumerate(_threaded(run, items, jobs) if jobs > 1 else map(run, items), 1):
            yield result
            told(done)


def _threaded(run: Callable[[T], R], items: Iterable[T], jobs: int) -> Iterator[R]:
    waiting: set[Future[R]] = set()
    with ThreadPoolExecutor(jobs) as pool:
        for item in items:
            waiting.add(pool.submit(run, item))
            while len(waiting) >= AHEAD * jobs:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)
        yield from (future.result() for future in waiting)
