"""How a long computation tells that it is still alive."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

__all__ = ["PATIENCE", "Progress", "Silent", "now_at", "step_begins", "telling"]

PATIENCE = 2.0
"""Seconds that a step takes before it tells what it is at."""

_listeners: list[Callable[[str], None]] = []  # of this process: whoever works in a thread of it is heard too
_step = threading.local()


class Progress(Protocol):
    """Receives steps; the command line draws them, a notebook may ignore them."""

    def stage(self, name: str) -> None:
        """Begin a stage."""

    def step(self, done: int, total: int, note: str = "") -> None:
        """Say that ``done`` of ``total`` steps of the current stage are done; 0 is a total that nobody knows."""

    def message(self, text: str) -> None:
        """Say one line."""


class Silent:
    """Progress that nobody watches."""

    def stage(self, name: str) -> None:
        """Begin a stage silently."""

    def step(self, done: int, total: int, note: str = "") -> None:
        """Say nothing."""

    def message(self, text: str) -> None:
        """Say nothing."""


@contextmanager
def telling(tell: Callable[[str], None]) -> Iterator[None]:
    """While the block runs, be told what a step of more than two seconds is at, such as one test of many rows.

    Examples
    --------
    >>> with telling(print):
    ...     step_begins()
    ...     now_at("too early to be told")
    """
    _listeners.append(tell)
    try:
        yield
    finally:
        _listeners.remove(tell)


def step_begins() -> None:
    """Say that a step that may take long begins, in this thread."""
    _step.began = time.monotonic()


def now_at(what: str) -> None:
    """Say what the step of this thread is at."""
    if _listeners and time.monotonic() - getattr(_step, "began", time.monotonic()) >= PATIENCE:
        for tell in tuple(_listeners):
            tell(what)
