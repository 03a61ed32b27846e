"""The line under a heatmap that explains its marks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from personax.figures.canvas import INK, Canvas, text_width

__all__ = ["LINE", "Key", "draw_keys", "flow"]

BOX, LINE, SIZE = 0.17, 0.18, 7.5
"""Width of a mark in inches, height of a line in inches, size of the words in points."""


@dataclass(frozen=True, slots=True)
class Key:
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
        """In inches, with the distance to the next key."""
        return (BOX + 0.06 if self.mark else 0.0) + text_width(self.words, SIZE) + 0.16


def flow(keys: Sequence[Key], width: float) -> list[list[Key]]:
    """Return the keys in lines that fit a width."""
    lines: list[list[Key]] = []
    room = 0.0
    for key in keys:
        if not lines or key.width > room:
            lines.append([])
            room = width
        lines[-1].append(key)
        room -= key.width
    return lines


def draw_keys(canvas: Canvas, x: float, y: float, lines: Sequence[Sequence[Key]]) -> float:
    """Draw lines of keys from a place downwards; return where they end."""
    for line in lines:
        left = x
        for key in line:
            _draw(canvas, left, y + LINE / 2, key)
            left += key.width
        y += LINE
    return y


def _draw(canvas: Canvas, x: float, y: float, key: Key) -> None:
    top, high = y - 0.055, 0.11
    if key.mark == "hatched":
        canvas.hatched(x, top, BOX, high)
    elif key.mark == "outlined":
        canvas.box(x, top, BOX, high, facecolor="none", edgecolor=INK, linewidth=1.1)
    elif isinstance(key.mark, Mapping):
        canvas.box(x, top, BOX, high, **key.mark)
    elif key.mark is not None:
        canvas.box(x, top, BOX, high, facecolor=key.mark, edgecolor=INK, linewidth=0.5)
    canvas.text(x + (BOX + 0.06 if key.mark else 0.0), y, key.words, SIZE, va="center_baseline")
