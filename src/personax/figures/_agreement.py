"""How far humans agree with one another and with each LLM: a panel a trait, a dot with its interval a rater."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from personax.errors import InputError
from personax.figures._canvas import BLUE, INK, PALE, VERMILLION, Canvas, defaults, text_width, wrapped
from personax.figures._labels import cut
from personax.figures._ticks import around, nice, put

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["agreement_dots"]

PAD, WIDE, ROW, GAP, HEAD, FOOT, LINE = 0.14, 1.75, 0.235, 0.2, 0.26, 0.34, 0.16
"""Rim, width of a panel, height of a row, gap between panels, heights of heads, of numbers, of a caption's line."""

PLAIN, NAME = 8.0, 30


def agreement_dots(table: pl.DataFrame, *, first: str = "humans", caption: str = "") -> Figure:
    """Draw correlations with their intervals.

    Parameters
    ----------
    table
        One row a trait and rater: ``trait rater value low high``, null where there is none.
    first
        The rater whose interval is drawn in another colour and as a band: what there is to reach.
    caption
        Below the panels.

    Raises
    ------
    InputError
        A column that is absent, or no row.
    MissingExtraError
        When matplotlib is not installed.

    Examples
    --------
    >>> rows = {"trait": ["openness"] * 2, "rater": ["humans", "oak"], "value": [0.5, 0.4], "low": [0.4, 0.3]}
    >>> figure = agreement_dots(pl.DataFrame(rows | {"high": [0.6, 0.5]}))
    >>> [float(dots.get_offsets()[0, 0]) for dots in figure.axes[1].collections if len(dots.get_offsets()) == 1]
    [0.5, 0.4]
    """
    absent = {"trait", "rater", "value", "low", "high"} - set(table.columns)
    if absent or table.is_empty():
        raise InputError(f"agreement cannot be drawn: {'no column ' + min(absent) if absent else 'no rows'}")
    traits = table["trait"].unique(maintain_order=True).to_list()
    raters = table["rater"].unique(maintain_order=True).to_list()
    names = [cut(rater, NAME) for rater in raters]
    beside = PAD + max(text_width(name, PLAIN) for name in names) + 0.08
    width = beside + len(traits) * (WIDE + GAP) - GAP + PAD + 0.1
    lines = wrapped(caption, width - 2 * PAD, PLAIN) if caption else []
    top, high = PAD + HEAD, ROW * len(raters)
    known = [v for column in ("value", "low", "high") for v in table[column].drop_nulls()]
    ends = around([0.0, 1.0, *known], 0.04)
    with defaults():
        canvas = Canvas(width, top + high + FOOT + LINE * len(lines) + PAD)
        for at, name in enumerate(names):
            canvas.text(beside - 0.08, top + ROW * (at + 0.5), name, PLAIN, ha="right", va="center_baseline")
        for at, trait in enumerate(traits):
            x = beside + at * (WIDE + GAP)
            canvas.text(x, PAD + HEAD / 2 - 0.03, str(trait).capitalize(), PLAIN, va="center_baseline")
            axes = canvas.panel(x, top, WIDE, high)
            axes.set(xlim=ends, ylim=(len(raters) - 0.5, -0.5))
            put(axes.xaxis, nice(*ends, 5))
            _panel(axes, table.filter(pl.col("trait") == trait), raters, first)
        for line, text in enumerate(lines):
            canvas.text(PAD, top + high + FOOT + LINE * (line + 0.5), text, PLAIN, va="center_baseline")
    return canvas.figure


def _panel(axes: Axes, rows: pl.DataFrame, raters: list[str], first: str) -> None:
    axes.axvline(0, color=PALE, linewidth=0.6)
    for row in rows.iter_rows(named=True):
        at = raters.index(row["rater"])
        if row["value"] is None:
            place = axes.get_yaxis_transform()
            axes.text(0.02, at, "none", fontsize=6.5, color=PALE, va="center", transform=place)
            continue
        colour = VERMILLION if row["rater"] == first else BLUE
        if row["low"] is not None and row["high"] is not None:
            axes.plot([row["low"], row["high"]], [at, at], color=INK, linewidth=0.9, zorder=2)
            if row["rater"] == first:
                axes.axvspan(row["low"], row["high"], color="#d9d9d9", alpha=0.5, linewidth=0, zorder=0)
        axes.scatter([row["value"]], [at], s=18, color=colour, linewidths=0, zorder=3)
