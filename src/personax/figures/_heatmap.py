"""The dependency heatmap of a paper: corrected p-values on the left, effect sizes on the right, and a legend."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

import polars as pl

from personax.data.labels import display_test, two_decimals
from personax.figures._canvas import (
    BLACK,
    CAPTION_LINE,
    GREY,
    MARGIN,
    TEXT_SIZE,
    Canvas,
    contrasting,
    defaults,
    wrapped,
)
from personax.figures._colour_scales import Colour, EffectScale, PValueScale
from personax.figures._heatmap_layout import (
    HEADER_LINE,
    ROW_HEIGHT,
    HeatmapCell,
    HeatmapData,
    HeatmapLayout,
    borders,
    heatmap_layout,
    read_pvalues,
)
from personax.figures._legend import Legend, LegendEntry

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["heatmap"]


BAR_STEPS = 60
"""Boxes of a colour bar."""

BAR_HEIGHT, BAR_LENGTH = 0.11, 1.6
"""Height and length of a colour bar."""


class _ColourScale(Protocol):
    """A scale of colours: places from 0 to 1."""

    def colour(self, place: float) -> Colour:
        """Return the colour at a place."""

    def ticks(self) -> Sequence[tuple[float, str]]:
        """Return places to mark, with what to write there."""


def _draw_panel(
    canvas: Canvas,
    table: HeatmapData,
    layout: HeatmapLayout,
    x: float,
    scale: _ColourScale,
    shown: Callable[[HeatmapCell], tuple[float, str]],
) -> None:
    """Draw a panel.

    Parameters
    ----------
    canvas, table, layout
        What to draw on, what to draw and where.
    x
        Left border of the panel.
    scale
        Its colours.
    shown
        Returns a cell's place on the scale and what is written in it.
    """
    _draw_headings(canvas, table, layout, x)
    for i, feature in enumerate(table.features):
        for (group, target), left in zip(table.columns, layout.lefts, strict=True):
            place = (x + left, layout.top + ROW_HEIGHT * i)
            _draw_cell(canvas, place, layout.step, table.cells.get((group, target, feature)), scale, shown)
    _draw_outlines(canvas, table, layout, x)
    _draw_colour_bar(canvas, x, layout.bottom + 0.17, scale)


def _draw_headings(canvas: Canvas, table: HeatmapData, layout: HeatmapLayout, x: float) -> None:
    for label, left in zip(layout.labels, layout.lefts, strict=True):
        middle = x + left + layout.step / 2
        if layout.upright:
            canvas.text(middle, layout.top - 0.06, label, TEXT_SIZE, rotation=90, ha="center", va="bottom")
        else:
            canvas.text(middle, layout.top - 0.05, label, TEXT_SIZE, ha="center", va="baseline")
    first = 0
    for group, targets in table.groups.items():
        left, right = x + layout.lefts[first], x + layout.lefts[first + len(targets) - 1] + layout.step
        first += len(targets)
        lines = layout.headers.get(group, ())
        for line, text in enumerate(reversed(lines)):
            y = layout.bracket - 0.06 - HEADER_LINE * line
            canvas.text((left + right) / 2, y, text, TEXT_SIZE, ha="center", va="baseline")
        if lines:
            low = layout.bracket + 0.045
            ends = [
                (left + 0.03, low),
                (left + 0.03, layout.bracket),
                (right - 0.03, layout.bracket),
                (right - 0.03, low),
            ]
            canvas.line(ends, edgecolor=GREY, linewidth=0.8)


def _draw_cell(
    canvas: Canvas,
    place: tuple[float, float],
    width: float,
    cell: HeatmapCell | None,
    scale: _ColourScale,
    shown: Callable[[HeatmapCell], tuple[float, str]],
) -> None:
    x, y = place
    if cell is None:
        canvas.hatched(x, y, width, ROW_HEIGHT)
        canvas.box(x, y, width, ROW_HEIGHT, facecolor="none", edgecolor="white", linewidth=0.7)
        return
    value, text = shown(cell)
    colour = scale.colour(value)
    canvas.box(x, y, width, ROW_HEIGHT, facecolor=colour, edgecolor="white", linewidth=0.7)
    # An asterisk hangs at the top of its line; written lower, it stands in the middle of the cell.
    down, size = (0.035, 8.5) if text.startswith("*") else (0.0, 7.0)
    style = {"ha": "center", "va": "center_baseline", "color": contrasting(colour)}
    canvas.text(x + width / 2, y + ROW_HEIGHT / 2 + down, text, size, **style)


def _draw_outlines(canvas: Canvas, table: HeatmapData, layout: HeatmapLayout, x: float) -> None:
    for i, j, side in borders(table):
        left, top = x + layout.lefts[j], layout.top + ROW_HEIGHT * i
        right, bottom = left + layout.step, top + ROW_HEIGHT
        ends = {
            "top": [(left, top), (right, top)],
            "bottom": [(left, bottom), (right, bottom)],
            "left": [(left, top), (left, bottom)],
            "right": [(right, top), (right, bottom)],
        }
        canvas.line(ends[side], edgecolor=BLACK, linewidth=1.1, capstyle="projecting")


def _draw_colour_bar(canvas: Canvas, x: float, y: float, scale: _ColourScale) -> None:
    for shade in range(BAR_STEPS):
        # Each box lies a little under the next one, or a printer shows the paper between them.
        wide = BAR_LENGTH * (1.5 if shade < BAR_STEPS - 1 else 1) / BAR_STEPS
        colour = scale.colour((shade + 0.5) / BAR_STEPS)
        canvas.box(x + BAR_LENGTH * shade / BAR_STEPS, y, wide, BAR_HEIGHT, facecolor=colour, linewidth=0)
    canvas.box(x, y, BAR_LENGTH, BAR_HEIGHT, facecolor="none", edgecolor=GREY, linewidth=0.5)
    for place, text in scale.ticks():
        canvas.line(
            [(x + BAR_LENGTH * place, y + BAR_HEIGHT), (x + BAR_LENGTH * place, y + BAR_HEIGHT + 0.03)],
            edgecolor=GREY,
            linewidth=0.6,
        )
        canvas.text(x + BAR_LENGTH * place, y + BAR_HEIGHT + 0.1, text, 7, ha="center", va="center_baseline")


STARS = ((0.001, "***"), (0.01, "**"), (0.05, "*"))


def heatmap(pvalues: pl.DataFrame, test: str, *, alpha: float | None = None) -> Figure:
    """Draw one test of every feature against every target.

    Two panels: corrected p-values as colours with stars, effect sizes as colours with their values. A line is drawn
    around what was rejected; a pair without a p-value is hatched.

    Parameters
    ----------
    pvalues
        From `personax.independence.screen`, with or without a leading column ``group``: columns are grouped by it, the
        group ``final`` first. Without it, columns such as ``final_o`` are grouped by what stands before the letter. Of
        a table that was split by a column, the rows of all people are drawn.
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
    table = read_pvalues(pvalues, test, alpha)
    layout = heatmap_layout(table)
    legend = Legend(_legend(table), layout.width - 2 * MARGIN)
    caption = wrapped(_caption(table), layout.width - 2 * MARGIN, TEXT_SIZE)
    with defaults():
        canvas = Canvas(
            layout.width, layout.bottom + 0.62 + legend.height + 0.06 + CAPTION_LINE * len(caption) + MARGIN
        )
        _draw_panels(canvas, table, layout)
        _draw_names(canvas, layout)
        end = legend.draw(canvas, MARGIN, layout.bottom + 0.58)
        canvas.caption(MARGIN, end + 0.1, caption)
    return canvas.figure


def _draw_panels(canvas: Canvas, table: HeatmapData, layout: HeatmapLayout) -> None:
    cells = table.cells.values()
    p_values = PValueScale.spanning((cell.corrected for cell in cells), table.border)
    effects = EffectScale.spanning(cell.effect for cell in cells if cell.effect is not None)
    titles = ("corrected p-value", f"effect size: {table.effect_name}".rstrip(": "))
    for x, letter, title in zip(layout.panels, "ab", titles, strict=True):
        canvas.text(x, MARGIN + 0.08, letter, 10, weight="bold", va="center_baseline")
        canvas.text(x + 0.15, MARGIN + 0.08, title, 9, va="center_baseline")
    left, right = layout.panels
    _draw_panel(
        canvas, table, layout, left, p_values, lambda cell: (p_values.position(cell.corrected), _stars(cell.corrected))
    )
    _draw_panel(
        canvas,
        table,
        layout,
        right,
        effects,
        lambda cell: (effects.position(cell.effect or 0.0), two_decimals(cell.effect)),
    )


def _draw_names(canvas: Canvas, layout: HeatmapLayout) -> None:
    for i, name in enumerate(layout.names):
        y = layout.top + ROW_HEIGHT * (i + 0.5)
        canvas.text(layout.panels[0] - 0.07, y, name, TEXT_SIZE, ha="right", va="center_baseline")
        if layout.repeated:
            canvas.text(layout.panels[1] + layout.inner + 0.07, y, name, TEXT_SIZE, va="center_baseline")


def _stars(corrected: float) -> str:
    return next((stars for limit, stars in STARS if corrected < limit), "")


def _legend(table: HeatmapData) -> Iterator[LegendEntry]:
    yield LegendEntry(None, "corrected p:  * < .05   ** < .01   *** < .001")
    if any(cell.rejected for cell in table.cells.values()):
        yield LegendEntry("outlined", "independence rejected")
    if table.untested:
        yield LegendEntry("hatched", f"no p-value: not tested ({table.untested:,} of {table.pairs:,} pairs)")


def _caption(table: HeatmapData) -> str:
    sizes = [cell.n for cell in table.cells.values()]
    parts = [f"{display_test(table.test)}."]
    if sizes:
        low, high = min(sizes), max(sizes)
        parts += [f"n = {low:,}." if low == high else f"n = {low:,} to {high:,}.", _level(table)]
    if table.left_out:
        every = len(table.features) + table.left_out
        parts.append(f"The {len(table.features)} features of {every:,} with the smallest p-values are shown.")
    return " ".join([*parts, "A dependence, not a cause."])


def _level(table: HeatmapData) -> str:
    """Say at which level was rejected, as far as the rejections tell."""
    low, high = table.bounds
    if table.alpha is not None or len(table.levels) == 1:
        return f"Rejected where the corrected p-value is under {table.border:g}."
    if low == 0.0:
        return "Nothing was rejected after correction."
    if high == float("inf"):
        return "Every pair was rejected after correction."
    return f"Rejected up to a corrected p-value of {low:.2g}, kept from {high:.2g}."
