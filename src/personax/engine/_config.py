"""What an engine is, and which one a loop takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final, Literal, Protocol, TypeVar, get_args

from personax.engine._processes import ProcessEngine
from personax.engine._ray import RayEngine
from personax.engine._threads import ThreadEngine
from personax.errors import InputError

__all__ = ["ENGINES", "Engine", "EngineName", "find_engine", "ordered", "parallel_config"]

EngineName = Literal["local", "threads", "processes", "ray"]
"""``local`` is threads or processes, whichever suits a loop."""

ENGINES: Final[tuple[str, ...]] = get_args(EngineName)

S = TypeVar("S")
T = TypeVar("T")
R = TypeVar("R")


class Engine(Protocol):
    """Runs a function over many items.

    Results do not depend on the engine, its number of workers or the order in which items end: a function takes its
    randomness from its item, and linear algebra has one thread everywhere.
    """

    @property
    def workers(self) -> int:
        """How many items are worked on at the same time."""
        ...

    def map(self, fn: Callable[[S, T], R], items: Iterable[T], *, shared: S) -> Iterator[tuple[int, R]]:
        """Yield ``(place, fn(shared, item))`` as items end; ``place`` counts the items from 0.

        Parameters
        ----------
        fn
            A function of a module, or a `functools.partial` of one: other engines than threads pickle it.
        items
            Taken one by one as workers become free, so that they may be made late.
        shared
            What every item needs; a worker gets it once. Its arrays are not to be changed.

        Raises
        ------
        InputError
            What cannot be sent to workers.
        ComputationError
            A worker that dies, for example for want of memory.
        """
        ...


def ordered(found: Iterable[tuple[int, R]]) -> Iterator[R]:
    """Yield the results of `Engine.map` in the order of their items; those that end early wait.

    Examples
    --------
    >>> list(ordered([(1, "b"), (0, "a"), (2, "c")]))
    ['a', 'b', 'c']
    """
    waiting: dict[int, R] = {}
    place = 0
    for at, result in found:
        waiting[at] = result
        while place in waiting:
            yield waiting.pop(place)
            place += 1


_configured: ContextVar[tuple[str | Engine, int | None]] = ContextVar("engine", default=("local", None))


@contextmanager
def parallel_config(engine: str | Engine | None = None, jobs: int | None = None) -> Iterator[None]:
    """Choose the engine of all loops within the block that are not told otherwise, as joblib's function of this name.

    Parameters
    ----------
    engine
        One of `ENGINES`, ``ray=HOST:PORT``, or an engine; as before by default.
    jobs
        Workers; as before by default, at first one. Of ``ray``: at most so many, all CPUs of the cluster by default.

    Raises
    ------
    InputError
        An engine that there is not, less than one job.

    Examples
    --------
    >>> with parallel_config(jobs=3):
    ...     find_engine("threads").workers
    3
    """
    name, before = _configured.get()
    chosen = name if engine is None else engine
    check_engine(chosen)
    if jobs is not None and jobs < 1:
        raise InputError(f"{jobs} jobs cannot work; give at least 1")
    token = _configured.set((chosen, before if jobs is None else jobs))
    try:
        yield
    finally:
        _configured.reset(token)


def check_engine(engine: str | Engine) -> None:
    """Refuse an engine that there is not."""
    if isinstance(engine, str) and engine not in ENGINES and not engine.startswith("ray="):
        raise InputError(f"there is no engine {engine[:40]!r}; choose one of {', '.join(ENGINES)}, or ray=HOST:PORT")


def find_engine(
    suits: Literal["threads", "processes"],
    jobs: int | None = None,
    *,
    threads_do: bool = True,
    blas_threads: int | None = 1,
    gpu: bool = False,
) -> Engine:
    """Return the engine of a loop.

    Parameters
    ----------
    suits
        What ``local`` means for this loop: threads where most of the work releases the interpreter, else processes.
    jobs
        Workers, where the loop itself was told; else those of `parallel_config`, else one.
    threads_do
        Whether threads can run this loop at all; processes are taken where they cannot.
    blas_threads
        Threads of linear algebra in each worker. More than one may change the last bit of a sum; None for as many as
        there are cores, shared by the workers.
    gpu
        A worker of a cluster takes a GPU where it has any.

    Raises
    ------
    InputError
        Less than one job; a cluster that cannot be used.
    MissingExtraError
        Ray is chosen and not installed.
    """
    if jobs is not None and jobs < 1:
        raise InputError(f"{jobs} jobs cannot work; give at least 1")
    chosen, configured = _configured.get()
    many = configured if jobs is None else jobs
    if not isinstance(chosen, str):
        return chosen
    name, _, address = chosen.partition("=")
    if name == "ray":
        return RayEngine(address or None, workers=many, gpu=gpu)
    kind = suits if name == "local" else name
    if (many or 1) == 1 or (kind == "threads" and threads_do):
        return ThreadEngine(many or 1, blas_threads=blas_threads)
    return ProcessEngine(many or 1, blas_threads=blas_threads)
