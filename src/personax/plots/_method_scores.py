"""Scores of methods: a dot a seed, the mean, and the floors that prove nothing behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from personax.data.labels import shorten
from personax.errors import InputError
from personax.plots._style import BLACK, BLUE, GREY, defaults, finish, key, limits, row_panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["scores_by_method"]

NAME_LETTERS = 40
"""Letters of a name that are shown."""

TITLES = {
    "mcc_pearson": "MCC (Pearson) →",
    "mcc_spearman": "MCC (Spearman) →",
    "mcc_monotone": "MCC (monotone) →",
    "r2": "R² →",
    "r2_blocks": "R² within blocks →",
    "shd": "← SHD",
    "shd_across": "← SHD between modalities",
}
"""The arrow points to where scores are better."""

STYLES: Sequence[Any] = ("-", (0, (4, 2)), (0, (1, 1.5)))
"""The line of each floor."""

METRICS = ("mcc_pearson", "mcc_spearman", "r2", "shd_across")

Values = Mapping[tuple[str, str], Sequence[float]]


def scores_by_method(
    scores: pl.DataFrame, *, methods: Sequence[str], floors: Sequence[str] = (), metrics: Sequence[str] = METRICS
) -> Figure:
    """Draw the scores of every method and seed: a row a method, a panel a metric.

    Parameters
    ----------
    scores
        One row a seed, method and metric: ``seed``, ``method``, ``metric``, ``value``, null where there is none.
    methods
        In the order of the rows.
    floors
        Up to three methods that are drawn as grey bands, from their smallest to their largest value over seeds, with a
        line at the mean.
    metrics
        In the order of the panels.

    Raises
    ------
    InputError
        A column that is absent, no methods or metrics, too many floors.
    MissingExtraError
        When matplotlib is not installed.

    Examples
    --------
    >>> rows = [{"seed": s, "method": "ours", "metric": "r2", "value": v} for s, v in enumerate([0.5, 0.9])]
    >>> figure = scores_by_method(pl.DataFrame(rows), methods=["ours"], metrics=["r2"])
    >>> [dots.get_offsets().tolist() for dots in figure.axes[0].collections]
    [[[0.5, 0.0], [0.9, 0.0]], [[0.7, 0.0]]]
    """
    absent = {"seed", "method", "metric", "value"} - set(scores.columns)
    if absent or not methods or not metrics or len(floors) > len(STYLES):
        why = (
            f"there is no column {', '.join(sorted(absent))}" if absent else "no methods, no metrics or too many floors"
        )
        raise InputError(f"the scores cannot be drawn: {why}")
    values = _values(scores)
    seeds = {str(m): n for m, n in scores.group_by("method").agg(pl.col("seed").n_unique()).iter_rows()}
    with defaults():
        names = [shorten(method, NAME_LETTERS) for method in methods]
        figure, panels = row_panels(names, [TITLES.get(metric, metric) for metric in metrics])
        for metric, axes in zip(metrics, panels, strict=True):
            _panel(axes, metric, values, methods, floors, seeds)
        dots = [key("one seed", linestyle="", marker="o", markerfacecolor="none", color=BLUE),
                key("mean", linestyle="", marker="|", markersize=9)]  # fmt: skip
        lines = [key(name, linestyle=style, color="#8c8c8c") for name, style in zip(floors, STYLES, strict=False)]
        return finish(figure, legend=[*dots, *lines], caption=_caption(values, methods, seeds, metrics))


def _values(scores: pl.DataFrame) -> Values:
    """Return (method, metric) -> values, seed by seed."""
    there = scores.drop_nulls("value").sort("seed", maintain_order=True)
    grouped = there.group_by("method", "metric", maintain_order=True).agg("value")
    return {(str(method), str(metric)): list(map(float, own)) for method, metric, own in grouped.iter_rows()}


def _panel(
    axes: Axes, metric: str, values: Values, methods: Sequence[str], floors: Sequence[str], seeds: Mapping[str, int]
) -> None:
    every = [v for method in (*methods, *floors) for v in values.get((method, metric), [])]
    # From nothing to all there is: a scale that fits the dots alone makes small differences look large.
    full = 1.0 if metric.startswith(("mcc", "r2")) else max(every, default=1.0) or 1.0
    low, high = limits([0.0, full, *every], 0.04)
    axes.set_xlim(low, high)
    for floor, style in zip(floors, STYLES, strict=False):
        own = values.get((floor, metric))
        if own:
            axes.axvspan(min(own), max(own), color="#d9d9d9", alpha=0.5, linewidth=0, zorder=0)
            axes.axvline(sum(own) / len(own), color="#8c8c8c", linestyle=style, linewidth=0.9, zorder=1)
    for at, method in enumerate(methods):
        if at:
            axes.axhline(at - 0.5, color="#e6e6e6", linewidth=0.5, zorder=0.5)
        own = values.get((method, metric), [])
        if own:
            axes.scatter(own, [at] * len(own), s=16, facecolors="none", edgecolors=BLUE, linewidths=0.9, zorder=3)
            axes.scatter([sum(own) / len(own)], [at], s=70, marker="|", color=BLACK, linewidths=1.6, zorder=4)
        missing = seeds.get(method, 0) - len(own)
        if not own or missing:
            counted = f"{len(own)} of {seeds.get(method, 0)}" if own else "none"
            x, ha = (0.98, "right") if _left(own, low, high) else (0.02, "left")
            place = axes.get_yaxis_transform()
            axes.text(x, at, counted, fontsize=6.5, color=GREY, va="center", ha=ha, transform=place)


def _left(own: Sequence[float], low: float, high: float) -> bool:
    """Say whether the dots are on the left, so that words have room on the right."""
    return bool(own) and sum(own) / len(own) < (low + high) / 2


def _caption(values: Values, methods: Sequence[str], seeds: Mapping[str, int], metrics: Sequence[str]) -> str:
    most = max((seeds.get(method, 0) for method in methods), default=0)
    parts = [f"{most} seed{'s' if most != 1 else ''}. People held out. An arrow points to better scores."]
    counts = {(m, k): len(values.get((m, k), [])) for m in methods for k in metrics}
    if any(0 < count < seeds.get(method, 0) for (method, _), count in counts.items()):
        parts.append("Beside a row: how many of its seeds have a value.")
    if not all(counts.values()):
        parts.append("none: the method failed, or gives nothing to score, as SHD without a graph.")
    return " ".join(parts)
