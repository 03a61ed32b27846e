"""Bins of a column, stated independently of the data: edges, or categories."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.errors import InputError

__all__ = ["MAX_BINS", "Bins"]

MAX_BINS = 100
"""Of one column."""


@dataclass(frozen=True)
class Bins:
    """The bins of a column.

    Parameters
    ----------
    name
        Of the column.
    edges
        Inner edges of numbers, increasing: a value on an edge belongs to the bin above. Bins at the ends are open.
    names
        Categories; values that are none of them are in no table.

    Raises
    ------
    InputError
        Neither or both, edges that do not increase, a category twice, fewer than two bins or too many.

    Examples
    --------
    >>> Bins("height_cm", edges=(170.0, 190.0)).labels
    ('below 170', '170 to 190', '190 and above')
    """

    name: str
    edges: tuple[float, ...] = ()
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if bool(self.edges) == bool(self.names):
            raise InputError(f"{self.name} needs edges of bins, or categories; state one of both")
        if not all(math.isfinite(edge) for edge in self.edges) or list(self.edges) != sorted(set(self.edges)):
            raise InputError(f"the edges of {self.name} do not increase; state them from the smallest to the largest")
        if len(set(self.names)) < len(self.names):
            raise InputError(f"{self.name} has a category twice; state each once")
        if not 2 <= len(self) <= MAX_BINS:
            raise InputError(f"{self.name} has {len(self)} bins; state 2 to {MAX_BINS}")

    def __len__(self) -> int:
        return len(self.names) or len(self.edges) + 1

    @property
    def labels(self) -> tuple[str, ...]:
        """What each bin holds, in words."""
        if self.names:
            return self.names
        inner = (f"{low:g} to {high:g}" for low, high in zip(self.edges, self.edges[1:], strict=False))
        return f"below {self.edges[0]:g}", *inner, f"{self.edges[-1]:g} and above"

    @classmethod
    def parse(cls, name: str, values: Sequence[float] | Sequence[str]) -> Bins:
        """Return the bins of a list of numbers, or of texts."""
        texts = [one for one in values if isinstance(one, str)]
        if texts and len(texts) < len(values):
            raise InputError(f"{name} has edges and categories mixed; state one of both")
        return cls(name, names=tuple(texts)) if texts else cls(name, edges=tuple(float(one) for one in values))

    def codes(self, series: pl.Series) -> NDArray[np.intp]:
        """Return the bin of each value, -1 where it is missing or no stated category.

        Raises
        ------
        InputError
            Texts where edges are stated.
        """
        if self.names:
            places = {name: place for place, name in enumerate(self.names)}
            texts = series.cast(pl.String).to_list()
            return np.array([places.get(text, -1) for text in texts], dtype=np.intp)
        if not series.dtype.is_numeric():
            raise InputError(f"{self.name} holds {series.dtype}, no numbers; state its categories")
        values = series.cast(pl.Float64).fill_null(math.nan).to_numpy()
        return np.where(np.isnan(values), -1, np.searchsorted(self.edges, values, side="right")).astype(np.intp)
