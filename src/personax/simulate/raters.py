"""Three raters who say what they see of a trait: one steady, one lenient, one who often refuses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

__all__ = ["RATERS", "Rater", "rate"]


@dataclass(frozen=True, slots=True)
class Rater:
    """How a rater rates: bias and noise in standard deviations of the trait, shares of answers without a score."""

    name: str
    bias: float
    noise: float
    insufficient: float
    refused: float


RATERS = (
    Rater("steady", bias=0.0, noise=0.4, insufficient=0.05, refused=0.0),
    Rater("lenient", bias=0.5, noise=0.6, insufficient=0.02, refused=0.0),
    Rater("reticent", bias=0.0, noise=0.5, insufficient=0.10, refused=0.12),
)

CUTS = (-0.6, 0.6)
"""A perceived trait below the first is scored 1, above the second 3."""


def rate(traits: Mapping[str, NDArray[np.float64]], people: list[str], *, rng: np.random.Generator) -> pl.DataFrame:
    """Let every rater score every trait of every person on 1 to 3.

    Parameters
    ----------
    traits
        True trait -> value, shape (n,), in standard deviations of the model.
    people
        Ids, length n.

    Returns
    -------
    polars.DataFrame
        The rows of annotations.parquet. Without information or on refusal the score is null, never a number.
    """
    return pl.concat(
        _answers(rater, trait, values, people, rng) for rater in RATERS for trait, values in traits.items()
    )


def _answers(
    rater: Rater, trait: str, values: NDArray[np.float64], people: list[str], rng: np.random.Generator
) -> pl.DataFrame:
    seen = values + rater.bias + rater.noise * rng.standard_normal(len(values))
    fate = rng.random(len(values))
    refused = fate < rater.refused
    silent = ~refused & (fate < rater.refused + rater.insufficient)
    status = np.where(refused, "refused", np.where(silent, "insufficient", "ok"))
    score = pl.Series(1.0 + np.digitize(seen, CUTS)).set(pl.Series(refused | silent), None)
    n = len(values)
    return pl.DataFrame(
        {
            "person": people,
            "model": [rater.name] * n,
            "prompt": ["simulated"] * n,
            "repeat": pl.Series([0] * n, dtype=pl.Int64),
            "trait": [trait] * n,
            "score": score.cast(pl.Float64),
            "text": [""] * n,
            "status": status.tolist(),
            "latency": pl.Series([None] * n, dtype=pl.Float64),
            "tokens": pl.Series([None] * n, dtype=pl.Int64),
            "cost": pl.Series([None] * n, dtype=pl.Float64),
        }
    )
