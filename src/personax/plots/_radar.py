"""Several scores of several things, as one closed line each: better is further out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from personax.errors import InputError
from personax.plots._style import BLACK, GREY, LINE_COLOURS, defaults, panels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["radar"]

STYLES = ("-", (0, (5, 2)), (0, (1, 1.5)))
"""Lines of the first seven, of the next, and so on."""

MAX_LINES = 21
"""More lines are not told apart."""


def radar(scores: pl.DataFrame, *, rows: str = "model", axes: str = "dimension") -> Figure:
    """Draw every row's scores around a circle; where a score is missing its line is open.

    Parameters
    ----------
    scores
        One row a thing and axis: the columns named, and ``score`` in [0, 1], null where there is none.
    rows, axes
        Names of those columns.

    Raises
    ------
    InputError
        Fewer than three axes, or more than 21 rows.
    MissingExtraError
        When matplotlib is not installed.
    """
    names = scores[rows].unique(maintain_order=True).to_list()
    around = scores[axes].unique(maintain_order=True).to_list()
    if len(around) < 3 or not 1 <= len(names) <= MAX_LINES:
        raise InputError(
            f"a radar takes 3 axes or more and 1 to {MAX_LINES} lines, here {len(around)} and {len(names)}"
        )
    with defaults():
        figure, (panel,) = panels(1, 3.2, 3.2, projection="polar")
        angles = np.linspace(0, 2 * np.pi, len(around), endpoint=False)
        for place, name in enumerate(names):
            own = scores.filter(pl.col(rows) == name).select(axes, "score").iter_rows()
            known = {axis: np.nan if score is None else float(score) for axis, score in own}
            values = [known.get(axis, np.nan) for axis in around]
            panel.plot(
                [*angles, angles[0]], [*values, values[0]], color=LINE_COLOURS[place % 7], linestyle=STYLES[place // 7],
                linewidth=1.4, marker="o", markersize=2.6, label=name, clip_on=False,
            )  # fmt: skip
        panel.set_ylim(0, 1)
        panel.set_theta_offset(np.pi / 2)  # type: ignore[attr-defined]
        panel.set_theta_direction(-1)  # type: ignore[attr-defined]
        panel.set_xticks(angles, [""] * len(around))
        for angle, name in zip(angles, around, strict=True):
            side = np.sin(angle)
            where = "center" if abs(side) < 0.01 else "left" if side > 0 else "right"
            panel.text(angle, 1.08, name, color=BLACK, ha=where, va="center")
        panel.set_yticks([0.25, 0.5, 0.75, 1.0], ["", "0.5", "", "1"], color=BLACK, fontsize=7)
        panel.grid(color=GREY, linewidth=0.6)
        panel.spines["polar"].set_color(GREY)
        panel.legend(loc="center left", bbox_to_anchor=(1.24, 0.5), frameon=False, fontsize=8)
    return figure
