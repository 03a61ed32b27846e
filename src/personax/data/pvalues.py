"""The table of p-values that `personax.independence.screen` returns, as figures, the report and stages read it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

from personax.errors import InputError

__all__ = ["EVERYBODY", "everybody", "typed_pvalues"]

EVERYBODY: Final = "all"
"""The subgroup of all people, in a table that was split by a column."""

_TYPES: Final[Mapping[str, type[pl.DataType]]] = {
    "feature": pl.String,
    "target": pl.String,
    "test": pl.String,
    "n": pl.Int64,
    "p_value": pl.Float64,
    "p_corrected": pl.Float64,
    "effect_size": pl.Float64,
    "effect_name": pl.String,
    "rejected": pl.Boolean,
}


def everybody(pvalues: pl.DataFrame) -> pl.DataFrame:
    """Return the rows that are about all people, without the column ``subgroup``; a table without one as it is.

    Examples
    --------
    >>> everybody(pl.DataFrame({"subgroup": ["all", "a"], "p_value": [0.1, 0.2]}))["p_value"].to_list()
    [0.1]
    """
    if "subgroup" not in pvalues.columns:
        return pvalues
    return pvalues.filter(pl.col("subgroup") == EVERYBODY).drop("subgroup")


def typed_pvalues(pvalues: pl.DataFrame) -> pl.DataFrame:
    """Return the table with the types that `screen` gives: a column of nulls only may have lost its own.

    Raises
    ------
    InputError
        When a column is absent.
    """
    if absent := [name for name in _TYPES if name not in pvalues.columns]:
        raise InputError(f"the table of p-values has no column {absent[0]}; it is not one that screen returns")
    return pvalues.cast(dict(_TYPES))  # type: ignore[arg-type]
