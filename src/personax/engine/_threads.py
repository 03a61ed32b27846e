"""One item after the other in the caller's thread, or several threads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Final, TypeVar

from threadpoolctl import threadpool_limits

__all__ = ["AHEAD", "ThreadEngine"]

AHEAD: Final = 4
"""Items a worker that wait their turn: so many are held in memory."""

S = TypeVar("S")
T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class ThreadEngine:
    """Threads of this process; with one worker, none besides the caller's.

    Parameters
    ----------
    workers
        Number of threads.
    blas_threads
        Threads of linear algebra; None for as many as there are.

    Examples
    --------
    >>> list(ThreadEngine(1).map(divmod, [2, 3], shared=7))
    [(0, (3, 1)), (1, (2, 1))]
    """

    workers: int = 1
    blas_threads: int | None = 1

    def map(self, fn: Callable[[S, T], R], items: Iterable[T], *, shared: S) -> Iterator[tuple[int, R]]:
        """Yield ``(place, fn(shared, item))`` as items end; see `Engine`.

        When the caller stops, items that have begun are ended and no other begins.
        """
        # threads of linear algebra fight over the cores, and sums of several threads differ in their last bit
        with threadpool_limits(self.blas_threads):
            if self.workers == 1:
                for place, item in enumerate(items):
                    yield place, fn(shared, item)
            else:
                yield from self._threaded(fn, items, shared)

    def _threaded(self, fn: Callable[[S, T], R], items: Iterable[T], shared: S) -> Iterator[tuple[int, R]]:
        waiting: dict[Future[R], int] = {}
        pool = ThreadPoolExecutor(self.workers, thread_name_prefix="personax")
        try:
            for place, item in enumerate(items):
                waiting[pool.submit(fn, shared, item)] = place
                while len(waiting) >= AHEAD * self.workers:
                    yield from _ended(waiting)
            while waiting:
                yield from _ended(waiting)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _ended(waiting: dict[Future[R], int]) -> Iterator[tuple[int, R]]:
    """Wait for one item at least, and take those that have ended away."""
    done, _ = wait(waiting, return_when=FIRST_COMPLETED)
    for future in done:
        yield waiting.pop(future), future.result()
