"""The dependency heatmap of a paper: corrected p-values on the left, effect sizes on the right."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import polars as pl

from personax.figures.canvas import Canvas, defaults, wrapped
from personax.figures.keys import Key, draw_keys, flow
from personax.figures.panel import draw_panel
from personax.figures.scales import Effects, PValues
from personax.figures.sheet import PAD, PLAIN, ROW, Sheet, lay_out
from personax.figures.table import Table, read
from personax.figures.words import number
from personax.registry import RegistryError, describe

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["heatmap"]

STARS = ((0.001, "***"), (0.01, "**"), (0.05, "*"))

LINE = 0.16
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
        canvas = Canvas(sheet.width, sheet.bottom + 0.62 + 0.18 * len(keys) + 0.06 + LINE * len(caption) + PAD)
        _draw_panels(canvas, table, sheet)
        _draw_names(canvas, sheet)
        end = draw_keys(canvas, PAD, sheet.bottom + 0.58, keys)
        for line, text in enumerate(caption):
            canvas.text(PAD, end + 0.1 + LINE * (line + 0.5), text, PLAIN, va="center_baseline")
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
