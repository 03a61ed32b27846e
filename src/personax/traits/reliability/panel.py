"""All scores of a study as one array: raters, traits, people, repeats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from personax.schema import TRAITS
from personax.traits.ratings import Floats, known_mean

__all__ = ["Panel"]


@dataclass(frozen=True)
class Panel:
    """Scores with status ``ok``.

    Parameters
    ----------
    scores
        Shape (raters, traits, people, repeats), NaN where there is none.
    raters, people
        Names and ids.
    """

    scores: Floats
    raters: tuple[str, ...]
    people: tuple[str, ...]

    @classmethod
    def of(cls, annotations: pl.DataFrame, people: Sequence[str] | None = None) -> Panel:
        """Read annotations; people are those of the annotations unless named."""
        raters = annotations["model"].unique(maintain_order=True).to_list()
        known = list(people) if people is not None else annotations["person"].unique(maintain_order=True).to_list()
        if "repeat" not in annotations.columns:
            annotations = annotations.with_columns(pl.lit(0).alias("repeat"))
        repeats = annotations["repeat"].unique().sort().to_list()
        scores = np.full((len(raters), len(TRAITS), len(known), max(len(repeats), 1)), np.nan)
        order = {"model": raters, "trait": TRAITS, "person": known, "repeat": repeats}
        rows = annotations.filter(pl.col("status") == "ok").select(*(_place(*one) for one in order.items()), "score")
        rows = rows.filter(pl.col("person").is_not_null())
        at = tuple(rows[name].to_numpy() for name in order)
        scores[at] = rows["score"].cast(pl.Float64).to_numpy()
        return cls(scores, tuple(raters), tuple(known))

    @cached_property
    def means(self) -> Floats:
        """Mean over repeats, shape (raters, traits, people)."""
        return known_mean(self.scores, axis=3)

    def trait(self, trait: str) -> Floats:
        """Return one trait's means, shape (raters, people)."""
        return np.asarray(self.means[:, TRAITS.index(trait)])


def _place(column: str, known: Sequence[object]) -> pl.Expr:
    return pl.col(column).replace_strict(list(known), list(range(len(known))), default=None, return_dtype=pl.Int64)
