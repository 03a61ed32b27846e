"""Ctrl-C and SIGTERM: the first drops the unit in hand, says what was kept and ends; the second ends at once."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

__all__ = [
    "NOTHING_KEPT",
    "Interrupted",
    "check_signal",
    "kept_units",
    "kept_when_stopped",
    "signals_raise",
    "stop_code",
]

NOTHING_KEPT = "nothing was written, and what lay in the folder of results stays; the same command begins anew"
"""Of a command whose results appear all at once."""


class Interrupted(KeyboardInterrupt):
    """A signal asked the program to end.

    Parameters
    ----------
    number
        Of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class _Received:
    """The signal that came first, if any; what was kept and how to go on, as far as the command said it."""

    first: Interrupted | None = None
    kept: str = ""


def _raise(number: int, _: FrameType | None) -> None:
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, signal.SIG_DFL)
    _Received.first = Interrupted(number)
    raise _Received.first


def check_signal() -> None:
    """Raise again what a library swallowed, as a callback of its may; called at the boundary of units."""
    if _Received.first is not None:
        raise _Received.first


@contextmanager
def signals_raise() -> Iterator[None]:
    """Raise `Interrupted` in the main thread at the first SIGINT or SIGTERM within the block.

    Workers are no children left behind: they end with this process, however it ends.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _Received.first, _Received.kept = None, ""
    before: dict[int, Any] = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        if before[number] != signal.SIG_IGN:  # as nohup and background jobs of shells ask for
            signal.signal(number, _raise)
    watch, written = socket.socketpair()
    written.setblocking(False)
    wakeup = signal.set_wakeup_fd(written.fileno(), warn_on_full_buffer=False)
    threading.Thread(target=_end_at_second, args=(watch,), daemon=True).start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(wakeup)
        written.close()
        for number, handler in before.items():
            signal.signal(number, handler)


def _end_at_second(watch: socket.socket) -> None:
    """End the process at a second signal although a long call of a library keeps Python from handling the first."""
    count = 0
    with suppress(OSError), watch:
        while received := watch.recv(1):
            count += received[0] in (signal.SIGINT, signal.SIGTERM)
            if count == 2:
                os._exit(128 + received[0])


@contextmanager
def kept_when_stopped(says: Callable[[], str]) -> Iterator[None]:
    """Where the block is stopped, remember what was kept of its work and how to go on."""
    try:
        yield
    except KeyboardInterrupt:
        _Received.kept = _Received.kept or says()
        raise


def kept_units(folder: Path, units: str, done: str, begun: str = "") -> str:
    """Say whether a command that was stopped has kept units of its work in a folder, and what the same command does.

    Parameters
    ----------
    units
        What one of them is, in the plural.
    done, begun
        Patterns of the files of one that has ended, and of one that goes on within.
    """
    if any(folder.glob(done)):
        return f"finished {units} are in {folder}, and the same command goes on from there"
    if begun and any(folder.glob(begun)):
        return f"none of the {units} had ended; what was done is in {folder}, and the same command goes on from there"
    return f"none of the {units} had ended, so nothing was kept; the same command begins anew"


def stop_code(kept_by_default: str) -> tuple[int, str]:
    """Return the exit code of a program that was stopped, and its last sentence."""
    first = _Received.first
    number = signal.SIGINT if first is None else first.number
    name = "Ctrl-C" if number == signal.SIGINT else signal.Signals(number).name
    return 128 + number, f"stopped by {name}: {_Received.kept or kept_by_default}"
