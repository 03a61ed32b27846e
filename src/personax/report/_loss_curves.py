"""The course of a fit: each term of the objective over the epochs, of every seed that is known."""

from __future__ import annotations

import math

import polars as pl
from markupsafe import Markup

from personax.data.labels import number
from personax.report._chart import chart

__all__ = ["loss_curves"]

MAX_POINTS = 120
"""Points of a curve that are drawn."""


def loss_curves(history: pl.DataFrame) -> list[tuple[str, str, Markup]]:
    """Draw each term of a history over its epochs.

    Parameters
    ----------
    history
        A column ``epoch`` and one column of numbers a term; a column ``seed`` where several are known.

    Returns
    -------
    list of (term, ``"first → last value"``, figure)
    """
    terms = [name for name, dtype in history.schema.items() if name not in ("epoch", "seed") and dtype.is_numeric()]
    return [found for term in terms if (found := _loss_curve(term, history)) is not None]


def _loss_curve(term: str, history: pl.DataFrame) -> tuple[str, str, Markup] | None:
    seeds = history["seed"].unique(maintain_order=True).to_list() if "seed" in history.columns else [None]
    curves = [_points(term, history if seed is None else history.filter(pl.col("seed") == seed)) for seed in seeds]
    if not any(len(points) > 1 for points in curves):
        return None
    rows = [
        {"series": term if seed is None else f"seed {seed}", "x": epoch, "y": value}
        for seed, points in zip(seeds, curves, strict=True)
        for epoch, value in points
    ]
    first, last = curves[-1][0][1], curves[-1][-1][1]
    return term, f"{number(first)} → {number(last)}", chart("lines", rows, f"{term} over the epochs", x="epoch")


def _points(term: str, history: pl.DataFrame) -> list[tuple[float, float]]:
    """Return the finite values of a term, thinned, the last one always among them."""
    epochs = history["epoch"] if "epoch" in history.columns else pl.Series(range(history.height))
    pairs = zip(epochs.cast(pl.Float64), history[term].cast(pl.Float64), strict=True)
    finite = [(epoch, value) for epoch, value in pairs if value is not None and math.isfinite(value)]
    thinned = finite[:: max(1, len(finite) // MAX_POINTS)]
    return thinned if not finite or thinned[-1] == finite[-1] else [*thinned, finite[-1]]
