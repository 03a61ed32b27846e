"""One panel of a heatmap: groups and columns over it, the cells, a line around what was rejected, a colour bar."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from personax.figures.canvas import INK, PALE, Canvas, ink_on
from personax.figures.scales import Colour
from personax.figures.sheet import HEADER, PLAIN, ROW, Sheet
from personax.figures.table import Cell, Table, borders

__all__ = ["Ticked", "draw_panel"]

SHADES = 60
"""Boxes of a colour bar."""

BAR, LENGTH = 0.11, 1.6
"""Height and length of a colour bar."""


class Ticked(Protocol):
    """A scale of colours: places from 0 to 1."""

    def colour(self, place: float) -> Colour:
        """Return the colour at a place."""

    def ticks(self) -> Sequence[tuple[float, str]]:
        """Return places to mark, with what to write there."""


def draw_panel(
    canvas: Canvas, table: Table, sheet: Sheet, x: float, scale: Ticked, shown: Callable[[Cell], tuple[float, str]]
) -> None:
    """Draw a panel.

    Parameters
    ----------
    canvas, table, sheet
        What to draw on, what to draw and where.
    x
        Left border of the panel.
    scale
        Its colours.
    shown
        Returns a cell's place on the scale and what is written in it.
    """
    _heads(canvas, table, sheet, x)
    for i, feature in enumerate(table.features):
        for (group, target), left in zip(table.columns, sheet.lefts, strict=True):
            place = (x + left, sheet.top + ROW * i)
            _cell(canvas, place, sheet.step, table.cells.get((group, target, feature)), scale, shown)
    _outline(canvas, table, sheet, x)
    _bar(canvas, x, sheet.bottom + 0.17, scale)


def _heads(canvas: Canvas, table: Table, sheet: Sheet, x: float) -> None:
    for label, left in zip(sheet.labels, sheet.lefts, strict=True):
        middle = x + left + sheet.step / 2
        if sheet.upright:
            canvas.text(middle, sheet.top - 0.06, label, PLAIN, rotation=90, ha="center", va="bottom")
        else:
            canvas.text(middle, sheet.top - 0.05, label, PLAIN, ha="center", va="baseline")
    first = 0
    for group, targets in table.groups.items():
        left, right = x + sheet.lefts[first], x + sheet.lefts[first + len(targets) - 1] + sheet.step
        first += len(targets)
        lines = sheet.headers.get(group, ())
        for line, text in enumerate(reversed(lines)):
            y = sheet.bracket - 0.06 - HEADER * line
            canvas.text((left + right) / 2, y, text, PLAIN, ha="center", va="baseline")
        if lines:
            low = sheet.bracket + 0.045
            ends = [
                (left + 0.03, low),
                (left + 0.03, sheet.bracket),
                (right - 0.03, sheet.bracket),
                (right - 0.03, low),
            ]
            canvas.line(ends, edgecolor=PALE, linewidth=0.8)


def _cell(
    canvas: Canvas,
    place: tuple[float, float],
    width: float,
    cell: Cell | None,
    scale: Ticked,
    shown: Callable[[Cell], tuple[float, str]],
) -> None:
    x, y = place
    if cell is None:
        canvas.hatched(x, y, width, ROW)
        canvas.box(x, y, width, ROW, facecolor="none", edgecolor="white", linewidth=0.7)
        return
    value, text = shown(cell)
    colour = scale.colour(value)
    canvas.box(x, y, width, ROW, facecolor=colour, edgecolor="white", linewidth=0.7)
    # An asterisk hangs at the top of its line; written lower, it stands in the middle of the cell.
    down, size = (0.035, 8.5) if text.startswith("*") else (0.0, 7.0)
    canvas.text(x + width / 2, y + ROW / 2 + down, text, size, ha="center", va="center_baseline", color=ink_on(colour))


def _outline(canvas: Canvas, table: Table, sheet: Sheet, x: float) -> None:
    for i, j, side in borders(table):
        left, top = x + sheet.lefts[j], sheet.top + ROW * i
        right, bottom = left + sheet.step, top + ROW
        ends = {
            "top": [(left, top), (right, top)],
            "bottom": [(left, bottom), (right, bottom)],
            "left": [(left, top), (left, bottom)],
            "right": [(right, top), (right, bottom)],
        }
        canvas.line(ends[side], edgecolor=INK, linewidth=1.1, capstyle="projecting")


def _bar(canvas: Canvas, x: float, y: float, scale: Ticked) -> None:
    for shade in range(SHADES):
        # Each box lies a little under the next one, or a printer shows the paper between them.
        wide = LENGTH * (1.5 if shade < SHADES - 1 else 1) / SHADES
        colour = scale.colour((shade + 0.5) / SHADES)
        canvas.box(x + LENGTH * shade / SHADES, y, wide, BAR, facecolor=colour, linewidth=0)
    canvas.box(x, y, LENGTH, BAR, facecolor="none", edgecolor=PALE, linewidth=0.5)
    for place, text in scale.ticks():
        canvas.line(
            [(x + LENGTH * place, y + BAR), (x + LENGTH * place, y + BAR + 0.03)], edgecolor=PALE, linewidth=0.6
        )
        canvas.text(x + LENGTH * place, y + BAR + 0.1, text, 7, ha="center", va="center_baseline")
