"""How many known pairs break a transform: people found against pairs, a line a transform, a panel a data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

from personax.data.labels import shorten
from personax.errors import InputError
from personax.figures._canvas import (
    CAPTION_LINE,
    LINE_COLOURS,
    MARGIN,
    TEXT_SIZE,
    Canvas,
    defaults,
    text_width,
    wrapped,
)
from personax.figures._legend import Legend, LegendEntry
from personax.figures._ticks import TICK_SIZE, set_ticks
from personax.registry import register

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["breaking_curves"]

PANEL_WIDTH, PANEL_HEIGHT, GAP, HEAD, FOOT = 2.1, 1.5, 0.25, 0.24, 0.44
"""Width and height of a panel, gap between panels, heights of a head and of numbers."""

SHARES = [(0.0, "0"), (0.5, "50 %"), (1.0, "100 %")]

Curve = Sequence[tuple[int, float, float, float]]
"""Known pairs, share found, and the ends of its interval."""


def breaking_curves(panels: Mapping[str, Mapping[str, Curve]], caption: str = "") -> Figure:
    """Draw the share of people that are found against the number of known pairs, on a logarithmic axis.

    Parameters
    ----------
    panels
        Data set -> transform -> (pairs, share, low, high), in order of the pairs.
    caption
        One sentence under the panels.

    Raises
    ------
    InputError
        Nothing to draw, pairs below one, shares outside 0 to 1.
    MissingExtraError
        When matplotlib is not installed.

    Examples
    --------
    >>> figure = breaking_curves({"faces": {"rotation": [(1, 0.0, 0.0, 0.1), (8, 1.0, 0.9, 1.0)]}})
    >>> [line.get_xydata().tolist() for line in figure.axes[1].lines[1:]]
    [[[1.0, 0.0], [8.0, 1.0]]]
    """
    points = [point for curves in panels.values() for curve in curves.values() for point in curve]
    if not points or any(pairs < 1 or not 0 <= low <= share <= high <= 1 for pairs, share, low, high in points):
        raise InputError("curves of known pairs need at least one point, pairs from 1, and shares between 0 and 1")
    names = list(dict.fromkeys(name for curves in panels.values() for name in curves))
    colour = {name: LINE_COLOURS[place % len(LINE_COLOURS)] for place, name in enumerate(names)}
    side = max(text_width(text, TICK_SIZE) for _, text in SHARES) + 0.08
    width = 2 * MARGIN + side + len(panels) * PANEL_WIDTH + (len(panels) - 1) * GAP
    legend = Legend([LegendEntry(shade, name) for name, shade in colour.items()], width - 2 * MARGIN)
    lines = wrapped(caption, width - 2 * MARGIN, TEXT_SIZE) if caption else []
    end = MARGIN + HEAD + PANEL_HEIGHT + FOOT
    most = max(pairs for pairs, *_ in points)
    with defaults():
        canvas = Canvas(width, end + 0.06 + legend.height + 0.06 + CAPTION_LINE * len(lines) + MARGIN)
        for place, (title, curves) in enumerate(panels.items()):
            x = MARGIN + side + place * (PANEL_WIDTH + GAP)
            canvas.text(x, MARGIN + HEAD / 2, shorten(title, 34), 9, va="center_baseline")
            axes = canvas.panel(x, MARGIN + HEAD, PANEL_WIDTH, PANEL_HEIGHT)
            axes.axhline(0.5, linewidth=0.5, color="#999999", linestyle=(0, (1, 2)))
            for name, curve in curves.items():
                _draw(axes, curve, colour[name])
            axes.set_xscale("log", base=2)
            axes.set(xlim=(0.8, 1.25 * most), ylim=(-0.03, 1.03))
            axes.minorticks_off()
            ticks = [2.0**k for k in range(0, int(np.log2(most)) + 1, 2)]
            set_ticks(axes.xaxis, [(tick, f"{tick:,.0f}") for tick in ticks])
            set_ticks(axes.yaxis, SHARES if place == 0 else [(tick, "") for tick, _ in SHARES])
            below = MARGIN + HEAD + PANEL_HEIGHT + 0.3
            canvas.text(x + PANEL_WIDTH / 2, below, "known pairs", TEXT_SIZE, ha="center", va="center_baseline")
        bottom = legend.draw(canvas, MARGIN, end + 0.06)
        canvas.caption(MARGIN, bottom + 0.06, lines)
    return canvas.figure


@register("plots", "audit", title="Audit of a release", help="people found against known pairs")
def _draw_audit(report: _HasCurve, *, name: str = "release") -> Figure:
    caption = "People found first by the best attack with so many known pairs; the shade is a 95 % interval."
    return breaking_curves({name: {"best attack": report.best_by_pairs()}}, caption)


class _HasCurve(Protocol):
    def best_by_pairs(self) -> Curve: ...


def _draw(axes: Axes, curve: Curve, colour: str) -> None:
    pairs, share, low, high = np.array(curve, dtype=float).T
    axes.fill_between(pairs, low, high, color=colour, alpha=0.15, linewidth=0)
    axes.plot(pairs, share, linewidth=1.1, color=colour, marker="o", markersize=2.5)
