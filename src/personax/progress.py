"""How a long computation tells that it is still alive."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Progress", "Silent"]


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
