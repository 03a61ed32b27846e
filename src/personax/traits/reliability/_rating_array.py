"""All scores of a study as one array, and intervals by resampling people."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.schema import TRAITS
from personax.traits._ratings import Floats, nan_mean

__all__ = ["Bootstrap", "RatingArray", "rounded"]


@dataclass(frozen=True)
class RatingArray:
    """Scores with status ``ok``.

    Parameters
    ----------
    scores
        Shape (raters, traits, people, repeats), NaN where there is none.
    raters, people, traits
        Names and ids.
    """

    scores: Floats
    raters: tuple[str, ...]
    people: tuple[str, ...]
    traits: tuple[str, ...] = TRAITS

    @classmethod
    def from_annotations(
        cls, annotations: pl.DataFrame, people: Sequence[str] | None = None, traits: Sequence[str] = TRAITS
    ) -> RatingArray:
        """Read annotations; people are those of the annotations unless named."""
        raters = annotations["model"].unique(maintain_order=True).to_list()
        known = list(people) if people is not None else annotations["person"].unique(maintain_order=True).to_list()
        if "repeat" not in annotations.columns:
            annotations = annotations.with_columns(pl.lit(0).alias("repeat"))
        repeats = annotations["repeat"].unique().sort().to_list()
        scores = np.full((len(raters), len(traits), len(known), max(len(repeats), 1)), np.nan)
        order = {"model": raters, "trait": list(traits), "person": known, "repeat": repeats}
        rows = annotations.filter(pl.col("status") == "ok").select(*(_place(*one) for one in order.items()), "score")
        rows = rows.filter(pl.col("person").is_not_null())
        at = tuple(rows[name].to_numpy() for name in order)
        scores[at] = rows["score"].cast(pl.Float64).to_numpy()
        return cls(scores, tuple(raters), tuple(known), tuple(traits))

    @cached_property
    def means(self) -> Floats:
        """Mean over repeats, shape (raters, traits, people)."""
        return nan_mean(self.scores, axis=3)

    def trait(self, trait: str) -> Floats:
        """Return one trait's means, shape (raters, people)."""
        return np.asarray(self.means[:, self.traits.index(trait)])


def _place(column: str, known: Sequence[object]) -> pl.Expr:
    return pl.col(column).replace_strict(list(known), list(range(len(known))), default=None, return_dtype=pl.Int64)


Indices = NDArray[np.intp]

QUANTILES: Final = (0.025, 0.975)


class Bootstrap:
    """Percentile intervals of statistics over people.

    Parameters
    ----------
    rng
        Random numbers; the same seed draws the same people.
    n_resamples
        How many.

    References
    ----------
    Efron 1979, doi:10.1214/aos/1176344552.
    """

    def __init__(self, rng: np.random.Generator, n_resamples: int = 200) -> None:
        self.rng, self.n_resamples = rng, n_resamples

    def interval(self, statistic: Callable[[Indices], float], n: int, *, reason: str = "") -> dict[str, Any]:
        """Return ``value``, ``low``, ``high``, ``n`` and, without a value, the ``reason``.

        Parameters
        ----------
        statistic
            Indices of people -> a number; NaN where those people do not have one.
        n
            How many people.
        reason
            What to say where there is no number.
        """
        return self.intervals(lambda index: [statistic(index)], n, reason=reason)[0]

    def intervals(
        self, statistics: Callable[[Indices], Sequence[float]], n: int, *, reason: str = ""
    ) -> list[dict[str, Any]]:
        """Return the same for several numbers that the same people give."""
        if n == 0:
            return [_missing(n, reason)]
        values = np.asarray(statistics(np.arange(n)), dtype=float)
        if np.isnan(values).all():
            return [_missing(n, reason)] * len(values)
        drawn = np.array([statistics(self.rng.integers(n, size=n)) for _ in range(self.n_resamples)], dtype=float)
        return [
            _missing(n, reason)
            if np.isnan(value)
            else {"value": rounded(value), **_quantiles(some), "n": n, "reason": None}
            for value, some in zip(values, drawn.T, strict=True)
        ]


def _missing(n: int, reason: str) -> dict[str, Any]:
    return {"value": None, "low": None, "high": None, "n": n, "reason": reason or "too few people have scores"}


def _quantiles(drawn: NDArray[np.float64]) -> dict[str, float | None]:
    known = drawn[~np.isnan(drawn)]
    low, high = np.quantile(known, QUANTILES) if len(known) else (np.nan, np.nan)
    return {"low": rounded(low), "high": rounded(high)}


def rounded(value: float | None) -> float | None:
    """Return a number as JSON files hold it; None for none."""
    return None if value is None or not np.isfinite(value) else round(float(value), 6)
