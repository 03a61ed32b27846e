"""The machines of a Ray cluster."""

from __future__ import annotations

import logging
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Final, TypeVar

from threadpoolctl import threadpool_limits

from personax import __version__
from personax.engine._processes import call, portable
from personax.errors import ComputationError, InputError, require

__all__ = ["RayEngine"]

S = TypeVar("S")
T = TypeVar("T")
R = TypeVar("R")

ADDRESS: Final = "RAY_ADDRESS"
"""Environment variable of Ray itself."""

ANSWER_SECONDS: Final = 10.0
"""After which a cluster that does not answer is given up."""

JOIN_SECONDS: Final = 60.0
"""For joining one that answers: Ray waits up to 30 s for its own agent on slow machines."""

PROBE: Final = "import sys; from ray._raylet import GcsClient; GcsClient(address=sys.argv[1])"

START_SECONDS: Final = 180.0
"""For the first worker to begin: Ray waits 30 s for its own agent on slow machines."""

DEATHS: Final = 4
"""Workers that one item may take with it before it is given up."""


@dataclass
class RayEngine:
    """Actors of a Ray cluster, one a CPU, or one a GPU where it has any and ``gpu`` is asked for.

    An item whose worker, or whose worker's node, dies is given to another one; its result is taken once. Workers end
    with the loop, and with the process that began it.

    Parameters
    ----------
    address
        ``HOST:PORT`` of the cluster; the environment variable RAY_ADDRESS by default.
    workers
        At most so many; as many as the cluster has CPUs by default.
    gpu
        A worker takes a GPU where the cluster has any.

    Raises
    ------
    MissingExtraError
        Ray is not installed.
    InputError
        No address, no cluster there, a cluster of another version, or one that asks for a token.

    Notes
    -----
    Token authentication is Ray's own: ``RAY_AUTH_MODE=token`` and ``RAY_AUTH_TOKEN`` or ``RAY_AUTH_TOKEN_PATH``, on
    every node and here. Ray's daemons take about 540 MB of memory a node.
    """

    address: str | None = None
    workers: int = 0
    gpu: bool = False

    def __init__(self, address: str | None = None, *, workers: int | None = None, gpu: bool = False) -> None:
        self.ray = require("ray", extra="ray")
        self.address = address or os.environ.get(ADDRESS)
        self.gpu = gpu
        _connect(self.ray, self.address)
        there = self.ray.cluster_resources()
        self.gpu = gpu and there.get("GPU", 0) >= 1
        capacity = max(1, int(there.get("GPU" if self.gpu else "CPU", 1)))
        self.workers = capacity if workers is None else min(workers, capacity)

    def map(self, fn: Callable[[S, T], R], items: Iterable[T], *, shared: S) -> Iterator[tuple[int, R]]:
        """Yield ``(place, fn(shared, item))`` as items end; see `Engine`."""
        try:
            parcel = self.ray.put((fn, shared))
        except TypeError as error:
            text = f"the work cannot be sent to a cluster ({str(error).splitlines()[0]}); use a function of a module"
            raise InputError(text) from None
        loop = _Loop(self, parcel, enumerate(items))
        try:
            yield from loop.results()
        finally:
            loop.end()


def _connect(ray: ModuleType, address: str | None) -> None:
    """Join a cluster, or say in one sentence why not."""
    if ray.is_initialized():
        return
    if not address:
        text = f"no Ray cluster is named: set {ADDRESS}, or give --engine ray=HOST:PORT (docs/cluster.md says how)"
        raise InputError(text)
    _reach(address)
    _ask(address)
    logging.getLogger("ray").setLevel(logging.ERROR)
    found: list[BaseException | None] = []

    def join() -> None:
        try:
            ray.init(address=address, log_to_driver=False, configure_logging=False, namespace="personax")
            found.append(None)
        except BaseException as error:  # noqa: BLE001 - told below, in the thread that waits
            found.append(error)

    # in a thread, which can be left behind, and where Ray sets no handlers of signals
    thread = threading.Thread(target=join, daemon=True)
    thread.start()
    thread.join(JOIN_SECONDS)
    if not found:
        raise InputError(f"{address} did not let this process join within {JOIN_SECONDS:.0f} s; {_CHECK}")
    if found[0] is not None:
        raise InputError(_reason(address, str(found[0]))) from None
    # Ray tells of workers that died on stdout, where results go; their items are done again
    if hasattr(ray._private.worker, "print_to_stdstream"):
        ray._private.worker.print_to_stdstream = lambda *_, **__: None


def _ask(address: str) -> None:
    """Say why a cluster does not answer, if so; in a process of its own, for Ray's library tells it to stderr alone."""
    if not address.rpartition(":")[2].isdigit():
        return
    with tempfile.TemporaryFile() as told:
        command = [sys.executable, "-c", PROBE, address]
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=told, stderr=told) as process:
            try:
                code = process.wait(ANSWER_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                code = None
        told.seek(0)
        text = told.read().decode(errors="replace")
    if code != 0 and _TOKEN.search(text):
        raise InputError(_reason(address, text))
    if code is None:
        raise InputError(f"{address} does not answer as a Ray cluster within {ANSWER_SECONDS:.0f} s; {_CHECK}")


_TOKEN: Final = re.compile(r"unauthenticated|authentication|auth token|RAY_AUTH", re.IGNORECASE)

_CHECK: Final = "`ray status` on its head node tells whether it runs"


def _reach(address: str) -> None:
    """Say at once where nothing listens."""
    if address in ("auto", "local"):
        return
    host, _, port = address.rpartition(":")
    if not port.isdigit() or "/" in host:
        raise InputError(f"{address[:60]!r} is no address of a Ray cluster; give HOST:PORT, such as 10.0.0.1:6379")
    try:
        socket.create_connection((host or "127.0.0.1", int(port)), timeout=5).close()
    except (OSError, OverflowError) as error:
        text = f"no Ray cluster answers at {address} ({getattr(error, 'strerror', None) or error})"
        raise InputError(f"{text}; {_CHECK}, and `ray start --head` begins one") from None


def _reason(address: str, told: str) -> str:
    """Return why a cluster cannot be joined, as a sentence."""
    text = " ".join(told.split())
    if "ersion mismatch" in text:
        there = ", ".join(re.findall(r"(?:Ray|Python): [\w.]+", text)[:2])
        return (
            f"the Ray cluster at {address} has other versions ({there}); install the same Ray and Python on all nodes"
        )
    if _TOKEN.search(text):
        words = "set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN_PATH (or RAY_AUTH_TOKEN) to that of its head node"
        return f"the Ray cluster at {address} asks for a token; {words}"
    return f"the Ray cluster at {address} cannot be joined ({text[:200]}); {_CHECK}"


class _Actor:
    """What runs in a worker of the cluster."""

    def __init__(self, version: str) -> None:
        os.environ["OMP_NUM_THREADS"] = "1"
        self.fault: Exception | None = None
        if version != __version__:
            self.fault = InputError(
                f"a node of the cluster has personax {__version__}, this is {version}; install one version everywhere"
            )

    def begin(self, parcel: list[Any]) -> None:
        """Take what all items share."""
        import ray

        self.limit = threadpool_limits(1)
        try:
            self.fn, self.shared = ray.get(parcel[0])
        except Exception as error:  # noqa: BLE001 - told for every item
            self.fault = self.fault or _unusable(error)

    def run(self, place: int, item: list[Any]) -> tuple[int, Any, BaseException | None]:
        """Work on one item; it comes in a list, so that Ray sends it as it is."""
        if self.fault is not None:
            return place, None, self.fault
        return place, *call(self.fn, self.shared, item[0])


def _unusable(error: Exception) -> Exception:
    """Return why a worker cannot begin; what is not installed there is named."""
    lacking = re.search(r"No module named '([\w.]+)'", str(error))
    if lacking is None:
        return portable(error)
    return InputError(f"the nodes of the cluster lack the module {lacking[1]}; install the same packages on all nodes")


@dataclass
class _Seat:
    """An actor, what it works on (place and item), and the reference of what it will answer; it begins with nothing."""

    actor: Any
    answer: Any
    given: tuple[int, Any] | None = None
    began: bool = False


class _Loop:
    """One map: which worker has which item, and what becomes of those whose worker died."""

    def __init__(self, engine: RayEngine, parcel: Any, todo: Iterator[tuple[int, Any]]) -> None:  # noqa: ANN401 - what ray.put returned
        self.ray, self.engine, self.parcel, self.todo = engine.ray, engine, parcel, todo
        resources = {"num_gpus": 1} if engine.gpu else {}
        self.actor = engine.ray.remote(num_cpus=1, max_restarts=0, **resources)(_Actor)
        self.seats: list[_Seat] = []
        self.waiting: list[tuple[int, Any]] = []
        self.lost: list[tuple[int, Any]] = []
        self.deaths: Counter[int] = Counter()
        self.more = True

    def results(self) -> Iterator[tuple[int, Any]]:
        """Yield places and results until all items have one."""
        waited = time.monotonic()
        while self._assign():
            done, _ = self.ray.wait([seat.answer for seat in self.seats if seat.answer is not None], timeout=5)
            for seat in [seat for seat in self.seats if seat.answer in done]:
                yield from self._take(seat)
            if any(seat.began for seat in self.seats):
                waited = time.monotonic()
            elif time.monotonic() - waited > START_SECONDS:
                text = f"no worker of the cluster began within {START_SECONDS:.0f} s: it has no free CPU"
                raise ComputationError(f"{text}; `ray status` tells who has them")

    def _assign(self) -> bool:
        """Give items to workers that have none, and begin workers for more; False when all is done."""
        for seat in self.seats:
            if seat.began and seat.given is None and self._peek():
                seat.given = place, item = self.waiting.pop(0)
                seat.answer = seat.actor.run.remote(place, [item])
        beginning = sum(not seat.began for seat in self.seats)
        while len(self.seats) < self.engine.workers and self._peek(beginning + 1):
            actor = self.actor.remote(__version__)
            self.seats.append(_Seat(actor, actor.begin.remote([self.parcel])))
            beginning += 1
        return bool(self.waiting) or bool(self.lost) or any(seat.given is not None for seat in self.seats)

    def _peek(self, number: int = 1) -> bool:
        """Say whether so many items wait for a worker."""
        while self.more and len(self.waiting) < number:
            item = next(self.todo, None)
            if item is None:
                self.more = False
            else:
                self.waiting.append(item)
        if not self.more:  # what was lost comes last: whoever kills workers must not meet the same item again and again
            self.waiting += self.lost
            self.lost.clear()
        return len(self.waiting) >= number

    def _take(self, seat: _Seat) -> Iterator[tuple[int, Any]]:
        """Take an answer: a worker has begun, an item has its result, or the worker died."""
        try:
            found = self.ray.get(seat.answer)
        except (self.ray.exceptions.RayActorError, self.ray.exceptions.ObjectLostError) as error:
            self._lost(seat, error)
            return
        except self.ray.exceptions.RayError as error:
            raise _unusable(error) from None
        seat.answer, seat.given = None, None
        if not seat.began:
            seat.began = True
            self.deaths[-1] = 0
            return
        place, value, raised = found
        if raised is not None:
            raise _unusable(raised) if isinstance(raised, ImportError) else raised
        yield place, value

    def _lost(self, seat: _Seat, error: Exception) -> None:
        """Give the item of a dead worker to another one, unless it seems to kill whom it meets."""
        self.seats.remove(seat)
        self.ray.kill(seat.actor)  # where it lives and only its answer was lost
        lacking = _unusable(error)
        if isinstance(lacking, InputError):
            raise lacking from None
        if seat.given is not None:
            self.lost.append(seat.given)
        self.deaths[-1 if seat.given is None else seat.given[0]] += 1
        if max(self.deaths.values()) >= DEATHS:
            text = f"{DEATHS} workers of the cluster died over the same item, perhaps for want of memory"
            raise ComputationError(f"{text}; give workers more memory, or use fewer jobs") from None

    def end(self) -> None:
        """End all workers, also those that never began."""
        for seat in self.seats:
            self.ray.kill(seat.actor)
