"""One number of several, and how much of the ranking hangs on the weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import polars as pl

from personax.errors import InputError

__all__ = ["overall"]

DRAWS: Final = 10_000


def overall(
    scores: pl.DataFrame, weights: Mapping[str, float] | None = None, *, rng: np.random.Generator
) -> pl.DataFrame:
    """Return the overall score OS of every model: the weighted mean of its dimensions.

    Parameters
    ----------
    scores
        One row a model and dimension: ``model``, ``dimension``, ``score`` in [0, 1], null where there is none.
    weights
        Dimension -> weight; equal where nothing is given. A dimension that no model has is left out for all.
    rng
        For the sensitivity analysis: 10,000 weights drawn evenly from all that add up to 1 (Dirichlet).

    Returns
    -------
    polars.DataFrame
        ``model``, ``os``, ``rank`` with these weights; ``first_share``, the share of drawn weights for which it is
        first; ``rank_low`` and ``rank_high``, the middle 90 % of its ranks; ``worst_drop``, the dimension without which
        its rank would be worst, with ``rank_without``; ``reason`` where it lacks a dimension that others have: it has
        no OS then.

    Raises
    ------
    InputError
        An unknown dimension, a weight below 0, no weight above 0.

    References
    ----------
    Saisana, Saltelli, Tarantola 2005, doi:10.1111/j.1467-985X.2005.00350.x, for the sensitivity of a composite's ranks.

    Examples
    --------
    >>> rows = {"model": ["a", "a", "b", "b"], "dimension": ["x", "y"] * 2, "score": [1.0, 0.5, 0.5, 0.5]}
    >>> overall(pl.DataFrame(rows), rng=np.random.default_rng(0)).select("model", "os", "rank").rows()
    [('a', 0.75, 1), ('b', 0.5, 2)]
    """
    table = scores.pivot("dimension", index="model", values="score", maintain_order=True)
    known = [name for name in table.columns[1:] if table[name].null_count() < table.height]
    weight = _weights(weights, table.columns[1:], known)
    rows = [dict(zip(known, row, strict=True)) for row in table.select(known).iter_rows()]
    lacking = [", ".join(name for name, value in row.items() if value is None) for row in rows]
    whole = [place for place, reason in enumerate(lacking) if not reason]
    x = table.select(known).to_numpy()[whole].astype(float)
    draws = rng.dirichlet(np.ones(len(known)), DRAWS) if known else np.empty((DRAWS, 0))
    ranked = {place: _ranked(x, at, weight, known, draws) for at, place in enumerate(whole) if known}
    found = [
        {"model": model, **ranked.get(place, {}), "reason": f"no {lacking[place]}" if lacking[place] else None}
        for place, model in enumerate(table["model"])
    ]
    schema = {
        "model": pl.String, "os": pl.Float64, "rank": pl.Int64, "first_share": pl.Float64, "rank_low": pl.Int64,
        "rank_high": pl.Int64, "worst_drop": pl.String, "rank_without": pl.Int64, "reason": pl.String,
    }  # fmt: skip
    return pl.DataFrame(found, schema=schema).sort("os", descending=True, nulls_last=True, maintain_order=True)


def _weights(given: Mapping[str, float] | None, dimensions: list[str], known: list[str]) -> np.ndarray:
    for name, value in (given or {}).items():
        if name not in dimensions:
            raise InputError(f"there is no dimension {name} to weight; there are {', '.join(dimensions)}")
        if value < 0 or not np.isfinite(value):
            raise InputError(f"the weight of {name} is {value:g}; it must be 0 or more")
    weight = np.array([(given or {}).get(name, 0.0 if given else 1.0) for name in known])
    if known and weight.sum() <= 0:
        raise InputError("all weights are 0; weight at least one dimension that was measured")
    return np.asarray(weight / weight.sum()) if known else weight


def _ranked(
    x: np.ndarray, at: int, weight: np.ndarray, known: list[str], draws: np.ndarray
) -> dict[str, float | int | str | None]:
    """Return one model's row; equal scores share the better rank."""
    drawn = _ranks(draws @ x.T)[:, at]
    without = {}
    for place, name in enumerate(known):
        rest = np.delete(weight, place)
        if rest.sum() > 0:
            without[name] = int(_ranks((np.delete(x, place, axis=1) @ rest)[None, :])[0, at])
    worst = max(without, key=lambda name: without[name]) if without else None
    low, high = np.quantile(drawn, [0.05, 0.95], method="nearest")
    return {
        "os": float(x[at] @ weight),
        "rank": int(_ranks((x @ weight)[None, :])[0, at]),
        "first_share": float((drawn == 1).mean()),
        "rank_low": int(low),
        "rank_high": int(high),
        "worst_drop": worst,
        "rank_without": without.get(worst) if worst is not None else None,
    }


def _ranks(scores: np.ndarray) -> np.ndarray:
    """Return ranks along rows, 1 the largest."""
    rounded = np.round(scores, 12)
    return np.asarray(1 + (rounded[:, None, :] > rounded[:, :, None]).sum(axis=2))
