"""Whether a dependence is equally strong in all subgroups."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from scipy.special import chdtrc

from personax.data.pvalues import EVERYBODY

__all__ = ["heterogeneity"]

SCHEMA = {
    "feature": pl.String,
    "target": pl.String,
    "test": pl.String,
    "subgroups": pl.Int64,
    "rejected_in": pl.Int64,
    "effect_min": pl.Float64,
    "effect_max": pl.Float64,
    "q": pl.Float64,
    "dof": pl.Int64,
    "p_heterogeneity": pl.Float64,
    "i_squared": pl.Float64,
}

REACH = 2 * 1.959963984540054
"""A 95 % interval is so many standard errors long."""

EDGE = 0.9999
"""Fisher's transform ends at 1."""


def heterogeneity(pvalues: pl.DataFrame) -> pl.DataFrame:
    """Compare the effect sizes of each pair between subgroups.

    Parameters
    ----------
    pvalues
        From `personax.independence.screen` with ``by``.

    Returns
    -------
    polars.DataFrame
        One row a feature, target and test: in how many subgroups it ran and rejected, the smallest and largest effect
        size, Cochran's Q of the Fisher-transformed effect sizes with its p-value, and I squared, the share of their
        spread that is more than chance. Null where fewer than two subgroups have an interval.

    Notes
    -----
    Standard errors come from the intervals. An effect size of this package has no sign: opposite dependences of equal
    strength are not told apart, and effects near 0 are cut off there, so that Q is cautious for weak ones.

    References
    ----------
    Cochran 1954, doi:10.2307/3001666; Higgins, Thompson 2002, doi:10.1002/sim.1186.

    Examples
    --------
    >>> rows = {"subgroup": ["a", "b"], "feature": "x", "target": "y", "test": "kci", "rejected": [True, False],
    ...         "effect_size": [0.6, 0.1], "effect_low": [0.5, 0.0], "effect_high": [0.7, 0.2], "reason": None}
    >>> heterogeneity(pl.DataFrame(rows))["p_heterogeneity"][0] < 1e-6
    True
    """
    run = pvalues.filter((pl.col("subgroup") != EVERYBODY) & pl.col("reason").is_null())
    pairs = run.group_by("feature", "target", "test", maintain_order=True)
    rows = [dict(zip(("feature", "target", "test"), pair, strict=True)) | _compared(part) for pair, part in pairs]
    return pl.DataFrame(rows, schema=SCHEMA)


def _compared(part: pl.DataFrame) -> dict[str, Any]:
    effects = part["effect_size"]
    row = {
        "subgroups": part.height,
        "rejected_in": int(part["rejected"].sum()),
        "effect_min": effects.min(),
        "effect_max": effects.max(),
    }
    known = part.drop_nulls(["effect_low", "effect_high"])
    middle, low, high = (
        np.arctanh(known[name].to_numpy().clip(0, EDGE)) for name in ("effect_size", "effect_low", "effect_high")
    )
    error = (high - low) / REACH
    if (error > 0).sum() < 2:
        return row
    weight = 1 / np.square(error[error > 0])
    middle = middle[error > 0]
    q = float((weight * np.square(middle - np.average(middle, weights=weight))).sum())
    dof = len(middle) - 1
    share = max(0.0, 1 - dof / q) if q > 0 else 0.0
    return row | {"q": q, "dof": dof, "p_heterogeneity": float(chdtrc(dof, q)), "i_squared": share}
