"""The legend of a figure: marks with their words, in lines that fit the page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from personax.figures._canvas import BLACK, Canvas, text_width

__all__ = ["Legend", "LegendEntry"]

MARK_WIDTH, LINE_HEIGHT, LEGEND_SIZE = 0.17, 0.18, 7.5
"""Width of a mark and height of a line in inches, size of the words in points."""


@dataclass(frozen=True, slots=True)
class LegendEntry:
    """A mark and its words.

    Parameters
    ----------
    mark
        ``hatched``, ``outlined``, a colour, a colour with its opacity, the style of a box, or None.
    """

    mark: str | tuple[str, float] | Mapping[str, Any] | None
    words: str

    @property
    def width(self) -> float:
        """In inches, with the distance to the next entry."""
        return (MARK_WIDTH + 0.06 if self.mark else 0.0) + text_width(self.words, LEGEND_SIZE) + 0.16


class Legend:
    """Entries in lines.

    Parameters
    ----------
    entries
        In their order.
    width
        Of a line, in inches.
    """

    def __init__(self, entries: Iterable[LegendEntry], width: float) -> None:
        self._lines: list[list[LegendEntry]] = []
        room = 0.0
        for entry in entries:
            if not self._lines or entry.width > room:
                self._lines.append([])
                room = width
            self._lines[-1].append(entry)
            room -= entry.width

    @property
    def height(self) -> float:
        """In inches."""
        return LINE_HEIGHT * len(self._lines)

    def draw(self, canvas: Canvas, x: float, y: float) -> float:
        """Draw the lines from a place downwards; return where they end."""
        for line in self._lines:
            left = x
            for entry in line:
                _draw(canvas, left, y + LINE_HEIGHT / 2, entry)
                left += entry.width
            y += LINE_HEIGHT
        return y


def _draw(canvas: Canvas, x: float, y: float, entry: LegendEntry) -> None:
    top, high = y - 0.055, 0.11
    if entry.mark == "hatched":
        canvas.hatched(x, top, MARK_WIDTH, high)
    elif entry.mark == "outlined":
        canvas.box(x, top, MARK_WIDTH, high, facecolor="none", edgecolor=BLACK, linewidth=1.1)
    elif isinstance(entry.mark, Mapping):
        canvas.box(x, top, MARK_WIDTH, high, **entry.mark)
    elif entry.mark is not None:
        canvas.box(x, top, MARK_WIDTH, high, facecolor=entry.mark, edgecolor=BLACK, linewidth=0.5)
    words_at = x + (MARK_WIDTH + 0.06 if entry.mark else 0.0)
    canvas.text(words_at, y, entry.words, LEGEND_SIZE, va="center_baseline")
