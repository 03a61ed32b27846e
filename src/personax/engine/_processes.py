"""Processes of this machine that end with the one that began them, however it ends."""

from __future__ import annotations

import ctypes
import mmap
import os
import pickle
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from multiprocessing import connection, get_context, parent_process, reduction
from multiprocessing.connection import Connection
from typing import IO, Any, Final, TypeVar, cast

from threadpoolctl import threadpool_limits

from personax.errors import ComputationError, InputError

__all__ = ["ProcessEngine", "call", "portable"]

S = TypeVar("S")
T = TypeVar("T")
R = TypeVar("R")

PR_SET_PDEATHSIG: Final = 1
"""Of Linux's prctl(2): the signal that a process gets when the thread that began it ends."""


@dataclass(frozen=True)
class ProcessEngine:
    """Processes of this machine.

    They are spawned, not forked: a fork copies the locks of other libraries' threads without the threads, and waits
    forever. A worker ends with the process that began it, also where that one is killed: the kernel is asked to end it
    (Linux), and it watches a pipe whose other end only its parent holds (everywhere).

    Parameters
    ----------
    workers
        Number of processes. A script that asks for more than one needs the line ``if __name__ == "__main__":``, as
        always in Python.
    blas_threads
        Threads of linear algebra in each; None for as many as there are cores, shared by the workers.
    """

    workers: int
    blas_threads: int | None = 1

    def map(self, fn: Callable[[S, T], R], items: Iterable[T], *, shared: S) -> Iterator[tuple[int, R]]:
        """Yield ``(place, fn(shared, item))`` as items end; see `Engine`.

        When the caller stops, the workers are ended at once.
        """
        todo = enumerate(items)
        item, workers = next(todo, None), list[_Worker]()
        parcel = Parcel.of((fn, shared), f"{self.workers} processes")
        try:
            while True:
                while item is not None and (free := self._free(workers, parcel)) is not None:
                    free.give(*item)
                    item = next(todo, None)
                busy = {worker.channel: worker for worker in workers if worker.busy}
                if not busy:
                    return
                for ready in connection.wait(list(busy)):
                    yield busy[cast(Connection, ready)].result(self.workers)
        finally:
            for worker in workers:
                worker.end()
            parcel.close()

    def _free(self, workers: list[_Worker], parcel: Parcel) -> _Worker | None:
        """Return a worker that has nothing to do, a new one where there may be more."""
        for worker in workers:
            if not worker.busy:
                return worker
        if len(workers) == self.workers:
            return None
        workers.append(_Worker(parcel, self.blas_threads or max(1, (os.cpu_count() or 1) // self.workers)))
        return workers[-1]


class Parcel:
    """A pickled object in a file without a name, which all workers map into memory: arrays are not copied for each.

    The name is gone from the disk before anything is written: nothing of it can be left behind.
    """

    def __init__(self, parts: list[Any]) -> None:
        self.sizes = [len(part) for part in parts]
        self.inline = [bytes(part) for part in parts] if os.name == "nt" else []  # no file without a name there
        self.file: IO[bytes] | None = None
        if not self.inline:
            self.file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the parcel
            for part in parts:
                self.file.seek(_aligned(self.file.tell()))
                self.file.write(part)
            self.file.flush()

    @classmethod
    def of(cls, value: object, whom: str) -> Parcel:
        """Pickle a value, its arrays apart.

        Raises
        ------
        InputError
            What cannot be pickled.
        """
        buffers: list[pickle.PickleBuffer] = []
        try:
            head = pickle.dumps(value, protocol=5, buffer_callback=buffers.append)
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            text = f"the work cannot be sent to {whom} ({error}); use jobs=1, or a function of a module"
            raise InputError(text) from None
        return cls([head, *(buffer.raw() for buffer in buffers)])

    def __getstate__(self) -> tuple[Any, ...]:
        # within a spawn: the child gets a copy of the descriptor
        return self.sizes, self.inline, None if self.file is None else reduction.DupFd(self.file.fileno())

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.sizes, self.inline, copy = state
        self.file = None if copy is None else os.fdopen(copy.detach(), "rb")

    def open(self) -> Any:  # noqa: ANN401 - whatever was pickled
        """Return the value; its arrays are views of the file, and a change of one is seen by this worker alone."""
        parts: list[Any] = list(self.inline)
        if self.file is not None:
            whole = memoryview(mmap.mmap(self.file.fileno(), 0, access=mmap.ACCESS_COPY))
            start = 0
            for size in self.sizes:
                start = _aligned(start)
                parts.append(whole[start : start + size])
                start += size
        return pickle.loads(parts[0], buffers=parts[1:])

    def close(self) -> None:
        """Let go of the file."""
        if self.file is not None:
            self.file.close()


def _aligned(position: int) -> int:
    """Return the next place where an array of any kind may begin."""
    return -(-position // 64) * 64


class _Worker:
    """A process that has one item, or none."""

    def __init__(self, parcel: Parcel, threads: int) -> None:
        context = get_context("spawn")
        self.channel, theirs = context.Pipe()
        # the kernel's signal comes when the thread that began a process ends, so it is asked for by the main one only
        bound = threading.current_thread() is threading.main_thread()
        self.process = context.Process(target=_serve, args=(parcel, theirs, os.getpid(), bound, threads), daemon=True)
        self.busy = False
        self.process.start()
        theirs.close()

    def give(self, place: int, item: object) -> None:
        """Send an item."""
        self.busy = True
        try:
            self.channel.send((place, item))
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise InputError(f"an item cannot be sent to a process ({error}); use jobs=1") from None
        except (BrokenPipeError, ConnectionResetError):  # it is dead, which `result` will tell
            pass

    def result(self, workers: int) -> tuple[int, Any]:
        """Return a place and its result, or raise what was raised."""
        try:
            place, value, error = self.channel.recv()
        except (EOFError, ConnectionResetError):
            text = f"one of {workers} processes died while it worked, perhaps for want of memory; use fewer jobs"
            raise ComputationError(text) from None
        if error is not None:
            raise error
        self.busy = False
        return place, value

    def end(self) -> None:
        """End the process now."""
        self.process.kill()
        self.process.join()
        self.channel.close()


def call(fn: Callable[[S, T], R], shared: S, item: T) -> tuple[R | None, BaseException | None]:
    """Return the result, or the exception, of one item; both can be pickled."""
    try:
        return fn(shared, item), None
    except Exception as error:  # noqa: BLE001 - raised where the results are read
        return None, portable(error)


def portable(error: Exception) -> Exception:
    """Return an exception as it can be sent to another process; what cannot is a sentence."""
    try:
        same = type(pickle.loads(pickle.dumps(error))) is type(error)
    except Exception:  # noqa: BLE001 - an exception of anybody may refuse in any way
        same = False
    return error if same else ComputationError(f"{type(error).__name__}: {error}")


def _serve(parcel: Parcel, channel: Connection, parent: int, bound: bool, threads: int) -> None:
    """Work until the parent ends this process, or ends itself."""
    _end_with(parent, bound=bound)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's; it then takes the work away
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.environ["OMP_NUM_THREADS"] = str(threads)  # of libraries that are not loaded yet
    fault: BaseException | None = None
    try:
        fn, shared = parcel.open()
    except Exception as error:  # noqa: BLE001 - told for every item
        fault = portable(error)
    with threadpool_limits(threads):
        while True:
            try:
                place, item = channel.recv()
            except EOFError:
                return
            value, raised = (None, fault) if fault is not None else call(fn, shared, item)
            try:
                channel.send((place, value, raised))
            except (pickle.PicklingError, AttributeError, TypeError) as unsent:
                channel.send((place, None, InputError(f"a result cannot be sent back ({unsent}); use jobs=1")))


def _end_with(parent: int, *, bound: bool) -> None:
    """End this process when its parent does."""
    if sys.platform == "linux" and bound:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.name != "nt" and os.getppid() != parent:  # it ended before it could be watched
        os._exit(1)
    watched = parent_process()
    if watched is not None:
        threading.Thread(target=_watch, args=(watched.sentinel,), daemon=True).start()


def _watch(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)
