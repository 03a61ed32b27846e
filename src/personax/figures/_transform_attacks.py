"""How many known pairs break a transform: people found against pairs, a line a transform, a panel a data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from personax.errors import InputError
from personax.figures._canvas import SEVEN, Canvas, defaults, text_width, wrapped
from personax.figures._heatmap import LINE, Key, draw_keys, flow
from personax.figures._labels import cut
from personax.figures._ticks import SIZE, put

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["breaking_curves"]

PAD, WIDE, HIGH, GAP, HEAD, FOOT, CAPTION = 0.14, 2.1, 1.5, 0.25, 0.24, 0.44, 0.16
"""Rim of the page, size of a panel, gap between panels, heights of a head, of numbers, of a caption's line."""

PLAIN = 8.0
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
    colour = {name: SEVEN[place % len(SEVEN)] for place, name in enumerate(names)}
    side = max(text_width(text, SIZE) for _, text in SHARES) + 0.08
    width = 2 * PAD + side + len(panels) * WIDE + (len(panels) - 1) * GAP
    keys = flow([Key(shade, name) for name, shade in colour.items()], width - 2 * PAD)
    lines = wrapped(caption, width - 2 * PAD, PLAIN) if caption else []
    end = PAD + HEAD + HIGH + FOOT
    most = max(pairs for pairs, *_ in points)
    with defaults():
        canvas = Canvas(width, end + 0.06 + LINE * len(keys) + 0.06 + CAPTION * len(lines) + PAD)
        for place, (title, curves) in enumerate(panels.items()):
            x = PAD + side + place * (WIDE + GAP)
            canvas.text(x, PAD + HEAD / 2, cut(title, 34), 9, va="center_baseline")
            axes = canvas.panel(x, PAD + HEAD, WIDE, HIGH)
            axes.axhline(0.5, linewidth=0.5, color="#999999", linestyle=(0, (1, 2)))
            for name, curve in curves.items():
                _draw(axes, curve, colour[name])
            axes.set_xscale("log", base=2)
            axes.set(xlim=(0.8, 1.25 * most), ylim=(-0.03, 1.03))
            axes.minorticks_off()
            ticks = [2.0**k for k in range(0, int(np.log2(most)) + 1, 2)]
            put(axes.xaxis, [(tick, f"{tick:,.0f}") for tick in ticks])
            put(axes.yaxis, SHARES if place == 0 else [(tick, "") for tick, _ in SHARES])
            canvas.text(x + WIDE / 2, PAD + HEAD + HIGH + 0.3, "known pairs", PLAIN, ha="center", va="center_baseline")
        below = draw_keys(canvas, PAD, end + 0.06, keys)
        for line, text in enumerate(lines):
            canvas.text(PAD, below + 0.06 + CAPTION * (line + 0.5), text, PLAIN, va="center_baseline")
    return canvas.figure


def _draw(axes: Axes, curve: Curve, colour: str) -> None:
    pairs, share, low, high = np.array(curve, dtype=float).T
    axes.fill_between(pairs, low, high, color=colour, alpha=0.15, linewidth=0)
    axes.plot(pairs, share, linewidth=1.1, color=colour, marker="o", markersize=2.5)
