"""The output checker: which results may leave, and with how many digits.

The rules follow the practice of research data centres (principles-based output checking, as in ACRO): p-values and
effects over enough people are *safe statistics*; counts are rounded; nothing about fewer people than the least cell
leaves; minima, maxima and rows never do.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from personax.schema import Graph

__all__ = ["MIN_P", "OutputRules", "rounded_count", "rounded_p", "significant"]

MIN_P = 1e-6
"""Smaller p-values leave as this: no decision of Level I needs a smaller one, and their digits are the statistic's."""

ROUNDED_TO = 10
"""Counts leave as multiples of this, or of the least cell where that is larger."""

SHOWN = (
    "group", "subgroup", "feature", "target", "test", "method", "feature_kind", "target_kind", "given", "n", "p_value",
    "p_corrected", "effect_size", "effect_low", "effect_high", "effect_name", "rejected", "reason",
)  # fmt: skip
"""Columns of Level I that leave: the statistic and its details, which allow to work tables out, stay."""

MAX_EFFECT = 0.95
"""Larger effects leave as this: an effect of 1 would disclose one value of everybody by the other."""

NUMBERS = ("p_value", "p_corrected", "effect_size", "effect_low", "effect_high")

NOT_RUN = "the test cannot run on these columns"
"""In place of the test's own reason, which may quote numbers of people or values."""


def significant(value: float, digits: int = 3) -> float:
    """Return a number rounded to so many significant digits.

    Examples
    --------
    >>> significant(0.00123456), significant(0.0)
    (0.00123, 0.0)
    """
    return float(f"{value:.{digits - 1}e}") if math.isfinite(value) else value


def rounded_p(value: float | None) -> float | None:
    """Return a p-value as it leaves: three significant digits, at least `MIN_P`."""
    return None if value is None else max(significant(value), MIN_P)


def rounded_count(n: int, base: int = ROUNDED_TO) -> int:
    """Return a count rounded to the nearest multiple of ``base``.

    Examples
    --------
    >>> rounded_count(1494), rounded_count(1495), rounded_count(1495, 50)
    (1490, 1500, 1500)
    """
    return (n + base // 2) // base * base


@dataclass(frozen=True)
class OutputRules:
    """Rules that every output keeps.

    Parameters
    ----------
    least
        The fewest people that anything is about.
    """

    least: int = 10

    @property
    def sentences(self) -> list[str]:
        """The rules in words, as an answer states them."""
        return [
            f"Nothing is about fewer than {self.least} people; rarer values were joined with others beforehand.",
            f"Counts are rounded to multiples of {self._base}, p-values to 3 significant digits and not below "
            f"{MIN_P:g}, other numbers to 3 decimals; effects above {MAX_EFFECT:g} are not told apart.",
            f"A question whose people differ from those of an earlier answer to it by fewer than {self.least} is not "
            "answered again.",
            "No row, latent, exemplar, model, statistic or count of a cell leaves.",
        ]

    @property
    def _base(self) -> int:
        return max(ROUNDED_TO, self.least)

    def count(self, n: int) -> int:
        """Return a number of people as it leaves."""
        return rounded_count(n, self._base)

    def pvalues(self, table: pl.DataFrame) -> pl.DataFrame:
        """Return results of Level I as they leave; rows of too few people have no numbers and say why.

        A column ``suppressed`` holds further reasons for which a row leaves without numbers.
        """
        if "suppressed" not in table.columns:
            table = table.with_columns(pl.lit(None, pl.String).alias("suppressed"))
        shown = [name for name in SHOWN if name in table.columns]
        few = pl.when(pl.col("n") < self.least).then(pl.lit(f"fewer than {self.least} people have both values"))
        table = table.with_columns(pl.coalesce("suppressed", few).alias("suppressed"))
        kept = pl.col("suppressed").is_null()
        not_run = pl.when(kept & pl.col("reason").is_not_null()).then(pl.lit(NOT_RUN)).otherwise(pl.col("suppressed"))
        table = table.with_columns(
            not_run.alias("reason"),
            *(pl.when(kept).then(pl.col(name)).alias(name) for name in (*NUMBERS, "rejected") if name in shown),
            pl.when(kept).then(_whole(pl.col("n"), self._base)).alias("n"),
        )
        return table.select(shown).with_columns(
            *(_each(pl.col(name), rounded_p) for name in ("p_value", "p_corrected")),
            *(pl.col(name).clip(-MAX_EFFECT, MAX_EFFECT).round(3) for name in NUMBERS[2:] if name in shown),
        )

    def numbers(self, metrics: Mapping[str, Any]) -> dict[str, Any]:
        """Return nested metrics with their numbers rounded to three decimals, and nothing else but short words."""
        return {str(name): self._value(value) for name, value in metrics.items()}

    def _value(self, value: Any) -> Any:  # noqa: ANN401 - nested metrics
        if isinstance(value, Mapping):
            return self.numbers(value)
        if isinstance(value, bool) or value is None:
            return value
        if isinstance(value, float):
            return round(value, 3) if math.isfinite(value) else None
        return value if isinstance(value, int) else None

    def association(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Return an association of a latent with a column as it leaves."""
        effect = None if row["effect_size"] is None else round(row["effect_size"], 3)
        return {**row, "p_corrected": rounded_p(row["p_corrected"]), "effect_size": effect}

    def graph(self, graph: Graph, details: Sequence[str] = ()) -> Graph:
        """Return a graph as it leaves: weights rounded, of its details those that are named and no number of people."""
        edges = [replace(e, weight=None if e.weight is None else round(e.weight, 3), label="") for e in graph.edges]
        kept = {name: self._detail(name, graph.details[name]) for name in details if name in graph.details}
        return replace(graph, edges=edges, details=kept)

    def _detail(self, name: str, value: Any) -> Any:  # noqa: ANN401 - what details hold
        if name == "n" or name.startswith("rows"):
            return self.count(int(value))
        return value if isinstance(value, str) else self._value(value)


def _each(column: pl.Expr, function: Any) -> pl.Expr:  # noqa: ANN401 - a function of a number
    return column.map_elements(function, return_dtype=pl.Float64)


def _whole(column: pl.Expr, base: int) -> pl.Expr:
    return (column + base // 2) // base * base
