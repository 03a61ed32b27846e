"""Training curves: the objective over epochs, a line a seed, a panel a method."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

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
from personax.figures._ticks import TICK_SIZE, nice_ticks, padded_limits, set_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["training_curves"]

PANEL_WIDTH, PANEL_HEIGHT, GAP = 1.9, 1.15, 0.22
"""Width and height of a panel, gap between panels."""

ABREAST = 3
"""Panels side by side."""

HEAD, FOOT = 0.24, 0.42
"""Heights of a panel's name and of its numbers with the word under them."""


History = Mapping[str, NDArray[Any]]


def training_curves(histories: Mapping[str, Mapping[int, Mapping[str, ArrayLike]]]) -> Figure:
    """Draw the objective of each method over epochs, on the people trained on and on the validation people.

    Every method has a scale of its own: objectives of different methods are different quantities.

    Parameters
    ----------
    histories
        Method -> seed -> column -> one number an epoch. Columns are ``epoch``, ``validation`` and, where it is known,
        ``training``; others are not drawn. The best epoch has the least ``validation``.

    Raises
    ------
    InputError
        Nothing to draw, a column that is absent, of other length, or not finite.
    MissingExtraError
        When matplotlib is not installed.

    Examples
    --------
    >>> figure = training_curves({"ours": {0: {"epoch": [1, 2, 3], "validation": [3.0, 1.0, 2.0]}}})
    >>> [line.get_xydata().tolist() for line in figure.axes[1].lines]
    [[[1.0, 3.0], [2.0, 1.0], [3.0, 2.0]], [[2.0, 1.0]]]
    """
    runs = {
        method: {seed: _columns(method, seed, found) for seed, found in seeds.items()}
        for method, seeds in histories.items()
        if seeds
    }
    if not runs:
        raise InputError("there is no training history to draw; give at least one method with one seed")
    limits = {method: padded_limits(y for run in seeds.values() for y in _drawn(run)) for method, seeds in runs.items()}
    ticks = {method: nice_ticks(*limit) for method, limit in limits.items()}
    side = max(text_width(text, TICK_SIZE) for marks in ticks.values() for _, text in marks) + 0.08
    colour = {
        seed: LINE_COLOURS[at % len(LINE_COLOURS)]
        for at, seed in enumerate(sorted({s for own in runs.values() for s in own}))
    }
    across = min(ABREAST, len(runs))
    width = max(2 * MARGIN + across * (side + PANEL_WIDTH) + (across - 1) * GAP, 4.0)
    legend = Legend(_legend(colour), width - 2 * MARGIN)
    caption = wrapped(_caption(runs), width - 2 * MARGIN, TEXT_SIZE)
    step = HEAD + PANEL_HEIGHT + FOOT
    end = MARGIN + step * -(-len(runs) // ABREAST)
    with defaults():
        canvas = Canvas(width, end + 0.06 + legend.height + 0.06 + CAPTION_LINE * len(caption) + MARGIN)
        for at, (method, seeds) in enumerate(runs.items()):
            x = MARGIN + side + (at % ABREAST) * (side + PANEL_WIDTH + GAP)
            y = MARGIN + step * (at // ABREAST) + HEAD
            canvas.text(x, y - HEAD / 2, shorten(method, 30), 9, va="center_baseline")
            axes = canvas.panel(x, y, PANEL_WIDTH, PANEL_HEIGHT)
            for seed, run in seeds.items():
                _draw(axes, run, colour[seed])
            first, last = (f(run["epoch"][at] for run in seeds.values()) for f, at in ((min, 0), (max, -1)))
            axes.set(xlim=padded_limits([first, last], 0.03), ylim=limits[method])
            set_ticks(axes.xaxis, _epochs(float(first), float(last)))
            set_ticks(axes.yaxis, ticks[method])
            canvas.text(
                x + PANEL_WIDTH / 2, y + PANEL_HEIGHT + 0.28, "epoch", TEXT_SIZE, ha="center", va="center_baseline"
            )
        bottom = legend.draw(canvas, MARGIN, end + 0.06)
        canvas.caption(MARGIN, bottom + 0.06, caption)
    return canvas.figure


def _columns(method: str, seed: int, found: Mapping[str, ArrayLike]) -> History:
    """Return the columns that are drawn, as arrays."""
    run = {
        name: np.asarray(found[name], dtype=np.float64) for name in ("epoch", "validation", "training") if name in found
    }
    if "epoch" not in run or "validation" not in run:
        raise InputError(f"the history of {method}, seed {seed}, has no epoch or no validation; give both")
    length = len(run["epoch"])
    if not length or any(x.shape != (length,) or not np.isfinite(x).all() for x in run.values()):
        raise InputError(f"the history of {method}, seed {seed}, is not one finite number an epoch in every column")
    return run


def _drawn(run: History) -> Iterator[float]:
    for name in ("validation", "training"):
        yield from map(float, run.get(name, []))


def _draw(axes: Axes, run: History, colour: str) -> None:
    if "training" in run:
        axes.plot(run["epoch"], run["training"], linestyle=(0, (2, 1.5)), linewidth=0.9, color=colour)
    axes.plot(run["epoch"], run["validation"], linewidth=1.1, color=colour)
    best = int(np.argmin(run["validation"]))
    axes.plot(run["epoch"][[best]], run["validation"][[best]], "o", markersize=4, color=colour, markeredgecolor="white",
              markeredgewidth=0.5)  # fmt: skip


def _epochs(first: float, last: float) -> list[tuple[float, str]]:
    """Return whole epochs."""
    marks = nice_ticks(first, last, 5) if last > first else [(first, f"{first:g}")]
    return [(place, f"{place:,.0f}") for place, _ in marks if place == round(place)]


def _legend(colour: Mapping[int, str]) -> list[LegendEntry]:
    keys = [LegendEntry(None, "—— validation"), LegendEntry(None, "- - - training"), LegendEntry(None, "● best epoch")]
    if len(colour) > len(LINE_COLOURS):
        return [*keys, LegendEntry(None, f"{len(colour)} seeds, colours repeat")]
    return keys + [LegendEntry(shown, f"seed {seed}") for seed, shown in colour.items()]


def _caption(runs: Mapping[str, Mapping[int, History]]) -> str:
    text = "Each method's own objective, smaller is better; not comparable between methods."
    silent = [method for method, seeds in runs.items() if not any("training" in run for run in seeds.values())]
    return f"{text} Of {', '.join(silent)} only validation is noted." if silent else text
