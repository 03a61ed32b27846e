"""Contingency tables, and the noise that they leave with; OpenDP draws it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.release.gaussian import discrete_noise
from personax.release.statistics.bins import Bins

__all__ = ["Pair", "count_tables", "draw_noise", "scale_of"]

Pair = tuple[str, str]
"""Feature and target."""

Counts = NDArray[np.int64]


def count_tables(frame: pl.DataFrame, bins: Mapping[str, Bins], pairs: Sequence[Pair]) -> list[Counts]:
    """Return the table of every pair, shape (bins of the feature, bins of the target).

    A person who lacks one of both values, or has one that was not stated, is in no cell.

    Examples
    --------
    >>> frame = pl.DataFrame({"x": [1.0, 2.0, 3.0, None], "y": ["a", "b", "b", "a"]})
    >>> bins = {"x": Bins("x", edges=(2.0,)), "y": Bins("y", names=("a", "b"))}
    >>> count_tables(frame, bins, [("x", "y")])[0].tolist()
    [[1, 0], [0, 2]]
    """
    codes = {name: bins[name].codes(frame[name]) for name in dict.fromkeys(name for pair in pairs for name in pair)}
    made = []
    for feature, target in pairs:
        shape = len(bins[feature]), len(bins[target])
        rows = (codes[feature] >= 0) & (codes[target] >= 0)
        cells = codes[feature][rows] * shape[1] + codes[target][rows]
        made.append(np.bincount(cells, minlength=shape[0] * shape[1]).reshape(shape).astype(np.int64))
    return made


def scale_of(rho: float, tables: int) -> float:
    """Return the scale of the noise of every cell.

    Somebody who is added or taken out moves one cell of each table by one, and so the vector of all cells by
    ``D = sqrt(tables)``; rho = D^2 / (2 s^2) gives s.

    Examples
    --------
    >>> scale_of(0.5, 4)
    2.0
    """
    return math.sqrt(tables / (2 * rho))


def draw_noise(tables: Sequence[Counts], rho: float) -> tuple[list[Counts], float]:
    """Return the tables with discrete Gaussian noise, and its scale.

    See `personax.release.gaussian.discrete_noise`.
    """
    scale = scale_of(rho, len(tables)) * (1 + 1e-12)
    whole = np.concatenate([table.ravel() for table in tables])
    made = discrete_noise(whole, scale, sensitivity=math.sqrt(len(tables)), rho=rho)
    parts = np.split(made, np.cumsum([table.size for table in tables])[:-1])
    return [part.reshape(table.shape) for part, table in zip(parts, tables, strict=True)], scale
