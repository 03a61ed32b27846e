"""What the command line shows: progress and logs on stderr, results on stdout."""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.table import Table
from rich.text import Text

from personax.cli.lazy import verbosity
from personax.cli.signals import check_signal
from personax.progress import PATIENCE, Progress, Silent, telling

__all__ = ["as_json", "emit", "fail", "remark", "say", "showing_progress", "table"]

_out = Console(highlight=False, soft_wrap=True)
_err = Console(stderr=True, highlight=False, soft_wrap=True)

_PLAIN_EVERY = 5.0
"""Seconds between two plain lines of one stage when stderr is not a terminal."""


_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def printable(text: str) -> str:
    r"""Return text without signs that steer a terminal or turn the reading direction: it may be somebody else's.

    Examples
    --------
    >>> printable("a\x1b[2Jb")
    'a?[2Jb'
    """
    return _CONTROL.sub("?", text)


def say(text: str) -> None:
    """Print one line of result; markup in it stays text."""
    _out.print(Text(printable(text)))


def emit(result: object) -> None:
    """Print a machine-readable summary: what is no number is null, a date its text."""
    _out.print(Text(json.dumps(as_json(result), indent=1, ensure_ascii=False, allow_nan=False)))


def as_json(value: object) -> object:
    """Return a value as JSON can hold it.

    Examples
    --------
    >>> as_json({"p": float("nan"), "names": ("a", 1)})
    {'p': None, 'names': ['a', 1]}
    """
    if isinstance(value, Mapping):
        return {str(key): as_json(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [as_json(one) for one in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, str | int | bool) else str(value)


def fail(message: str) -> None:
    """Print an error, one sentence a line, without a traceback."""
    for line in printable(message).splitlines():
        _err.print(Text.assemble(("error: ", "bold red"), line))


def remark(text: str) -> None:
    """Print what is to be known beside a result, on stderr, so that a summary on stdout stays readable to programs."""
    if verbosity() >= 0:
        _err.print(Text(f"note: {printable(text)}"))


def table(title: str, header: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    """Print a small table; where no terminal is, each row on one line however long, so that no word is broken."""
    names, cells = list(header), [[printable(cell) for cell in row] for row in rows]
    if not _out.is_terminal:
        _print_lines(title, names, cells)
        return
    grid = Table(title=title or None, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for name in names:
        grid.add_column(name, overflow="fold")
    for row in cells:
        grid.add_row(*(Text(cell) for cell in row))
    _out.print(grid)


def _print_lines(title: str, names: list[str], cells: list[list[str]]) -> None:
    flat = [[" ".join(cell.split()) for cell in row] for row in ([names] if any(names) else []) + cells]
    widths = [max(cell_len(cell) for cell in column) for column in zip(*flat, strict=True)]
    lines = ["  ".join(cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True))
             for row in flat]  # fmt: skip
    for line in ([title] if title else []) + lines:
        _out.print(Text(line.rstrip()))


class _Terminal:
    """A live bar on a terminal."""

    def __init__(self, bar: Bar) -> None:
        self._bar = bar
        self._task: TaskID | None = None

    def stage(self, name: str) -> None:
        if self._task is not None:
            self._bar.stop_task(self._task)
        self._task = self._bar.add_task(name, total=None, note="")

    def step(self, done: int, total: int, note: str = "") -> None:
        check_signal()
        if self._task is not None:
            self._bar.update(self._task, completed=done, total=total or None, note=note)

    def note(self, text: str) -> None:
        if self._task is not None:
            self._bar.update(self._task, note=text)

    def message(self, text: str) -> None:
        self._bar.console.print(Text(text))


class _Lines:
    """Plain lines where there is no terminal: one when a stage begins, then one every few seconds."""

    def __init__(self) -> None:
        self._name, self._began, self._last = "", 0.0, 0.0

    def stage(self, name: str) -> None:
        self._name = name
        self._began = self._last = time.monotonic()
        _err.print(Text(f"{name} ..."))

    def step(self, done: int, total: int, note: str = "") -> None:
        check_signal()
        if time.monotonic() - self._last >= _PLAIN_EVERY or verbosity() > 0:
            self._last = time.monotonic()
            reached = f"{done}/{total}" if total else str(done)
            left = (self._last - self._began) * (total - done) / done if total and done else 0.0
            ahead = f"about {left:.0f} s left" if left >= 1 else ""
            _err.print(Text(" ".join(part for part in (self._name, reached, ahead, note) if part)))

    def note(self, text: str) -> None:
        if time.monotonic() - self._last >= PATIENCE:
            self._last = time.monotonic()
            _err.print(Text(f"{self._name}: {text}"))

    def message(self, text: str) -> None:
        _err.print(Text(text))


class _Unseen(Silent):
    """Nothing is shown; a signal ends the work all the same."""

    def step(self, done: int, total: int, note: str = "") -> None:
        check_signal()


@contextmanager
def showing_progress() -> Iterator[Progress]:
    """Show progress on stderr while the block runs; none where --quiet was asked for."""
    if verbosity() < 0:
        yield _Unseen()
        return
    if not _err.is_terminal:
        lines = _Lines()
        with telling(lines.note):
            yield lines
        return
    columns = (
        TextColumn("{task.description:>12}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Bar(*columns, console=_err) as bar:
        shown = _Terminal(bar)
        with telling(shown.note):
            yield shown
