"""The dependency heatmap of a paper: corrected p-values on the left, effect sizes on the right, and a legend."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import polars as pl

from personax.figures._canvas import INK, PALE, Canvas, defaults, ink_on, text_width, wrapped
from personax.figures._colour_scales import Colour, Effects, PValues
from personax.figures._heatmap_layout import HEADER, PAD, PLAIN, ROW, Cell, Sheet, Table, borders, lay_out, read
from personax.figures._labels import number
from personax.registry import RegistryError, describe

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["LINE", "Key", "Ticked", "draw_keys", "draw_panel", "flow", "heatmap"]


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


STARS = ((0.001, "***"), (0.01, "**"), (0.05, "*"))

FRAME_WIDTH = 0.16
"""Height of a line of the caption."""


def heatmap(pvalues: pl.DataFrame, test: str, *, alpha: float | None = None) -> Figure:
    """Draw one test of every feature against every target.

    Two panels: corrected p-values as colours with stars, effect sizes as colours with their values. A line is drawn
    around what was rejected; a pair without a p-value is hatched.

    Parameters
    ----------
    pvalues
        From `personax.independence.screen`, with or without a leading column ``group``: columns are grouped by it, the
        group ``final`` first. Without it, columns such as ``final_o`` are grouped by what stands before the letter.
    test
        Which test of the table to draw. Of more than 60 features those with the smallest p-values are drawn, and the
        caption says so.
    alpha
        The level that ``rejected`` was decided at. Where it is not given, the caption names it if the table leaves no
        doubt, and otherwise says between which p-values it lies.

    Raises
    ------
    InputError
        When a column is absent, the table holds no row of the test, or ``alpha`` cannot have decided ``rejected``.
    MissingExtraError
        When matplotlib is not installed.

    Examples
    --------
    >>> from personax.independence import screen
    >>> frame = pl.DataFrame({"team": ["a", "b", "c"] * 20, "final_o": [1, 2, 3] * 20})
    >>> pvalues = screen(frame, ["team"], ["final_o"], kinds={"team": "nominal", "final_o": "ordinal"})
    >>> figure = heatmap(pvalues, "chisq")
    >>> figure.axes[0].texts[-1].get_text()
    'Chi-square. n = 60. Every pair was rejected after correction. A dependence, not a cause.'
    """
    table = read(pvalues, test, alpha)
    sheet = lay_out(table)
    keys = flow(list(_keys(table)), sheet.width - 2 * PAD)
    caption = wrapped(_caption(table), sheet.width - 2 * PAD, PLAIN)
    with defaults():
        canvas = Canvas(sheet.width, sheet.bottom + 0.62 + 0.18 * len(keys) + 0.06 + FRAME_WIDTH * len(caption) + PAD)
        _draw_panels(canvas, table, sheet)
        _draw_names(canvas, sheet)
        end = draw_keys(canvas, PAD, sheet.bottom + 0.58, keys)
        for line, text in enumerate(caption):
            canvas.text(PAD, end + 0.1 + FRAME_WIDTH * (line + 0.5), text, PLAIN, va="center_baseline")
    return canvas.figure


def _draw_panels(canvas: Canvas, table: Table, sheet: Sheet) -> None:
    cells = table.cells.values()
    p_values = PValues.over((cell.corrected for cell in cells), table.border)
    effects = Effects.over(cell.effect for cell in cells if cell.effect is not None)
    titles = ("corrected p-value", f"effect size: {table.effect_name}".rstrip(": "))
    for x, letter, title in zip(sheet.panels, "ab", titles, strict=True):
        canvas.text(x, PAD + 0.08, letter, 10, weight="bold", va="center_baseline")
        canvas.text(x + 0.15, PAD + 0.08, title, 9, va="center_baseline")
    left, right = sheet.panels
    draw_panel(
        canvas, table, sheet, left, p_values, lambda cell: (p_values.place(cell.corrected), _stars(cell.corrected))
    )
    draw_panel(
        canvas, table, sheet, right, effects, lambda cell: (effects.place(cell.effect or 0.0), _size(cell.effect))
    )


def _draw_names(canvas: Canvas, sheet: Sheet) -> None:
    for i, name in enumerate(sheet.names):
        y = sheet.top + ROW * (i + 0.5)
        canvas.text(sheet.panels[0] - 0.07, y, name, PLAIN, ha="right", va="center_baseline")
        if sheet.repeated:
            canvas.text(sheet.panels[1] + sheet.inner + 0.07, y, name, PLAIN, va="center_baseline")


def _stars(corrected: float) -> str:
    return next((stars for limit, stars in STARS if corrected < limit), "")


def _size(effect: float | None) -> str:
    return "–" if effect is None else number(effect)


def _keys(table: Table) -> Iterator[Key]:
    yield Key(None, "corrected p:  * < .05   ** < .01   *** < .001")
    if any(cell.rejected for cell in table.cells.values()):
        yield Key("outlined", "independence rejected")
    if table.untested:
        yield Key("hatched", f"no p-value: not tested ({table.untested:,} of {table.pairs:,} pairs)")


def _caption(table: Table) -> str:
    sizes = [cell.n for cell in table.cells.values()]
    parts = [f"{_title(table.test)}."]
    if sizes:
        low, high = min(sizes), max(sizes)
        parts += [f"n = {low:,}." if low == high else f"n = {low:,} to {high:,}.", _level(table)]
    if table.left_out:
        every = len(table.features) + table.left_out
        parts.append(f"The {len(table.features)} features of {every:,} with the smallest p-values are shown.")
    return " ".join([*parts, "A dependence, not a cause."])


def _title(test: str) -> str:
    try:
        return describe("tests", test).title
    except RegistryError:
        return test


def _level(table: Table) -> str:
    """Say at which level was rejected, as far as the rejections tell."""
    low, high = table.bounds
    if table.alpha is not None or len(table.levels) == 1:
        return f"Rejected where the corrected p-value is under {table.border:g}."
    if low == 0.0:
        return "Nothing was rejected after correction."
    if high == float("inf"):
        return "Every pair was rejected after correction."
    return f"Rejected up to a corrected p-value of {low:.2g}, kept from {high:.2g}."
