"""Whether a dependence is equally strong in all subgroups, and goes the same way."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import chdtrc

from personax.data.pvalues import EVERYBODY
from personax.errors import InputError
from personax.independence._corrections import Correction, correct
from personax.strict import check_alpha

__all__ = ["heterogeneity", "told_apart"]

SCHEMA = {
    "feature": pl.String,
    "target": pl.String,
    "test": pl.String,
    "subgroups": pl.Int64,
    "rejected_in": pl.Int64,
    "effect_min": pl.Float64,
    "effect_max": pl.Float64,
    "trend_min": pl.Float64,
    "trend_max": pl.Float64,
    "compared": pl.String,
    "q": pl.Float64,
    "dof": pl.Int64,
    "p_heterogeneity": pl.Float64,
    "p_corrected": pl.Float64,
    "i_squared": pl.Float64,
    "differs": pl.Boolean,
}

REACH = 2 * 1.959963984540054
"""A 95 % interval is so many standard errors long."""

EDGE = 0.9999
"""Fisher's transform ends at 1."""

ORIENTED = ("rank correlation", "partial rank correlation", "difference of shares")
"""Trends whose sign means the same in every subgroup."""

OPPOSITE = ({"rises", "falls"}, {"U", "peak"}, {"together", "apart"})


def heterogeneity(pvalues: pl.DataFrame, *, alpha: float = 0.05, correction: Correction = "fdr_bh") -> pl.DataFrame:
    """Compare each pair between subgroups: how strong the dependence is, and which way it goes.

    Parameters
    ----------
    pvalues
        From `personax.independence.screen` with ``by``.
    alpha, correction
        ``differs`` is p_corrected < alpha; p-values are corrected within each test, over the pairs.

    Returns
    -------
    polars.DataFrame
        One row a feature, target and test: in how many subgroups it ran and rejected, the smallest and largest effect
        size and signed trend, Cochran's Q with its p-value, and I squared, the share of the spread that is more than
        chance. Two things are compared, the signed trends and the effect sizes; ``compared`` says which of the two
        differs more surely, and the p-value is twice the smaller one. Null where fewer than two subgroups have an
        interval.

    Notes
    -----
    Both are compared on Fisher's scale, with standard errors from the intervals. The effect sizes alone have no sign:
    opposite dependences of equal strength are told apart by their trends. Effects near 0 are cut off there, so that
    their Q is cautious. Of more than two groups trends are compared where the same two differ most in every subgroup.

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
    check_alpha(alpha)
    if "subgroup" not in pvalues.columns:
        raise InputError("the table has no subgroups to compare; run screen with by")
    run = pvalues.filter((pl.col("subgroup") != EVERYBODY) & pl.col("reason").is_null())
    pairs = run.group_by("feature", "target", "test", maintain_order=True)
    rows = [dict(zip(("feature", "target", "test"), pair, strict=True)) | _compared(part) for pair, part in pairs]
    table = pl.DataFrame(rows, schema=SCHEMA)
    corrected, tests = table["p_heterogeneity"].fill_null(np.nan).to_numpy(writable=True), table["test"].to_numpy()
    for test in table["test"].unique():
        corrected[tests == test] = correct(corrected[tests == test], correction)
    column = pl.Series("p_corrected", corrected, dtype=pl.Float64).fill_nan(None)
    return table.with_columns(column, (column < alpha).alias("differs"))


class _Cochran(NamedTuple):
    compared: str
    q: float
    dof: int
    p_value: float


def _compared(part: pl.DataFrame) -> dict[str, Any]:
    effects, trends = part["effect_size"], _trends(part)
    row = {
        "subgroups": part.height,
        "rejected_in": int(part["rejected"].sum()),
        "effect_min": effects.min(),
        "effect_max": effects.max(),
        "trend_min": None if trends is None else trends["middle"].min(),
        "trend_max": None if trends is None else trends["middle"].max(),
    }
    sizes = part.select(middle="effect_size", low="effect_low", high="effect_high")
    asked = [("trend", trends), ("effect size", sizes)]
    found = [one for name, table in asked if table is not None and (one := _cochran(name, table)) is not None]
    if not found:
        return row
    best = min(found, key=lambda one: one.p_value)
    share = max(0.0, 1 - best.dof / best.q) if best.q > 0 else 0.0
    numbers = {"compared": best.compared, "q": best.q, "dof": best.dof, "i_squared": share}
    return row | numbers | {"p_heterogeneity": min(1.0, len(found) * best.p_value)}


def _trends(part: pl.DataFrame) -> pl.DataFrame | None:
    """Return the trends with signs that can be compared; None where there are none."""
    if "trend_name" not in part.columns:
        return None
    known = part.drop_nulls(["trend", "trend_low", "trend_high"])
    names = set(known["trend_name"])
    levels = {frozenset(pair) for pair in known.select("level_high", "level_low").iter_rows()}
    if len(names) != 1:
        return None
    if names <= {*ORIENTED[:2]} and not known["feature_kind"].is_in(["nominal"]).any():
        return known.select(middle="trend", low="trend_low", high="trend_high")
    if len(levels) != 1:
        return None
    if names <= {*ORIENTED}:
        return known.select(middle="trend", low="trend_low", high="trend_high")
    sign = pl.when(pl.col("level_high") > pl.col("level_low")).then(1.0).otherwise(-1.0)
    ends = (sign * pl.col(name) for name in ("trend_low", "trend_high"))
    middle, (low, high) = sign * pl.col("trend"), tuple(ends)
    return known.select(middle=middle, low=pl.min_horizontal(low, high), high=pl.max_horizontal(low, high))


def _cochran(name: str, table: pl.DataFrame) -> _Cochran | None:
    known = table.drop_nulls()
    bounds = (-EDGE, EDGE) if name == "trend" else (0.0, EDGE)
    middle, low, high = (_fisher(known[column], bounds) for column in ("middle", "low", "high"))
    error = (high - low) / REACH
    if (error > 0).sum() < 2:
        return None
    weight = 1 / np.square(error[error > 0])
    middle = middle[error > 0]
    q = float((weight * np.square(middle - np.average(middle, weights=weight))).sum())
    return _Cochran(name, q, len(middle) - 1, float(chdtrc(len(middle) - 1, q)))


def _fisher(values: pl.Series, bounds: tuple[float, float]) -> NDArray[np.float64]:
    return np.asarray(np.arctanh(values.cast(pl.Float64).to_numpy().clip(*bounds)))


def told_apart(results: pl.DataFrame, by: str, alpha: float, correction: Correction) -> pl.DataFrame:
    """Say of everybody that a direction ``differs`` where it does between subgroups.

    It does where trends of both signs differ by more than chance, corrected over the pairs, or where two subgroups
    have opposite directions, each with its own error rate.
    """
    found = heterogeneity(results, alpha=alpha, correction=correction)
    both_signs = found.filter(pl.col("differs") & (pl.col("trend_min") < 0) & (pl.col("trend_max") > 0))
    crossing = set(both_signs.select("feature", "target").iter_rows())
    parts = results.filter(pl.col("subgroup") != EVERYBODY).unique(["subgroup", "feature", "target"], keep="first")
    said: dict[tuple[str, str], dict[str, str | None]] = {}
    for row in parts.sort("subgroup").iter_rows(named=True):
        word = row["direction"] or (None if row["trend"] is None else f"trend {row['trend']:.2f}")
        said.setdefault((row["feature"], row["target"]), {})[row["subgroup"]] = word
    texts = {
        pair: _sentence(pair, by, words)
        for pair, words in said.items()
        if pair in crossing or any(pairs <= set(words.values()) for pairs in OPPOSITE)
    }
    if not texts:
        return results
    of_all = pl.struct("feature", "target").map_elements(
        lambda row: texts.get((row["feature"], row["target"])), return_dtype=pl.String, skip_nulls=False
    )
    told = pl.when((pl.col("subgroup") == EVERYBODY) & pl.col("reason").is_null()).then(of_all)
    return results.with_columns(told.alias("told")).with_columns(
        pl.when(pl.col("told").is_null()).then("direction").otherwise(pl.lit("differs")).alias("direction"),
        pl.coalesce("told", "direction_text").alias("direction_text"),
    ).drop("told")  # fmt: skip


def _sentence(pair: tuple[str, str], by: str, words: dict[str, str | None]) -> str:
    told = ", ".join(f"{word} where {by} is {value}" for value, word in words.items() if word)
    return f"{pair[1]} with {pair[0]} differs between groups: {told}"
