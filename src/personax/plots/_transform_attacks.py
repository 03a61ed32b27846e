"""How many known pairs break a transform: people found against pairs, a line a transform, a panel a data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

from personax.data.labels import shorten
from personax.errors import InputError
from personax.plots._style import LINE_COLOURS, defaults, finish, key
from personax.plots._style import panels as panels_of
from personax.registry import register

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["breaking_curves"]

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
    >>> [line.get_xydata().tolist() for line in figure.axes[0].lines[1:]]
    [[[1.0, 0.0], [8.0, 1.0]]]
    """
    points = [point for curves in panels.values() for curve in curves.values() for point in curve]
    if not points or any(pairs < 1 or not 0 <= low <= share <= high <= 1 for pairs, share, low, high in points):
        raise InputError("curves of known pairs need at least one point, pairs from 1, and shares between 0 and 1")
    names = list(dict.fromkeys(name for curves in panels.values() for name in curves))
    colour = {name: LINE_COLOURS[place % len(LINE_COLOURS)] for place, name in enumerate(names)}
    most = max(pairs for pairs, *_ in points)
    with defaults():
        figure, every = panels_of(len(panels), 2.1, 1.5, gap=(0.25, 0))
        for axes, (title, curves) in zip(every, panels.items(), strict=True):
            axes.axhline(0.5, linewidth=0.5, color="#999999", linestyle=(0, (1, 2)))
            for name, curve in curves.items():
                _draw(axes, curve, colour[name])
            axes.set_xscale("log", base=2)
            axes.set(title=shorten(title, 34), xlabel="known pairs", xlim=(0.8, 1.25 * most), ylim=(-0.03, 1.03))
            ticks = [2**k for k in range(0, int(np.log2(most)) + 1, 2)]
            axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
            axes.set_yticks([0, 0.5, 1], ["0", "50 %", "100 %"] if axes is every[0] else ["", "", ""])
        legend = [key(name, color=shade, linewidth=2.5) for name, shade in colour.items()]
        return finish(figure, legend=legend, caption=caption)


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
