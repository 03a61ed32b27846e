"""What humans say beside what LLMs say: agreement as dots with intervals, corrected effects as rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
from markupsafe import Markup

from personax.data.labels import number
from personax.registry import register
from personax.report._chart import chart, interval
from personax.report._data import Validity
from personax.report._sections import SectionInput

__all__ = ["ValidityView"]

SPAN, GUIDES = (-0.4, 1.0), (0.0, 0.5, 1.0)
"""Ends of the scale of agreement, and its numbers."""

METHODS = ("llm", "humans", "ppi", "dsl")
MAX_EFFECTS = 12


def agreement_intervals(rows: Sequence[Mapping[str, Any]], label: str) -> Markup:
    """Draw one line a rater: a dot with its interval."""
    drawn = [interval(row["rater"], row) for row in rows]
    return chart("intervals", drawn, label, span=SPAN, guides=GUIDES, meaning="agreement")


class ValidityView:
    """Figures, tables and sentences of the section."""

    def __init__(self, found: Validity) -> None:
        table = found.agreement
        traits = table["trait"].unique(maintain_order=True).to_list()
        known = table.filter((pl.col("measure") == "left_out") & pl.col("value").is_not_null())
        self.leave_one_out = not known.is_empty()
        measure = "left_out" if self.leave_one_out else "pearson"
        shown = table.filter(pl.col("measure") == measure)
        self.agreement = [
            (trait, agreement_intervals(rows, f"Agreement with humans, {trait}"))
            for trait in traits
            if (rows := shown.filter(pl.col("trait") == trait).to_dicts())
        ]
        alphas = table.filter(pl.col("measure") == "alpha")
        self.alphas = [
            (trait, *(number(_value(alphas, trait, rater), 2) for rater in ("humans", "LLMs together")))
            for trait in traits
        ]
        self.alt_test = [
            (trait, rater, number(one["winning_rate"], 2), number(one["advantage"], 2), one["reason"] or "")
            for trait, raters in found.alt_test.items()
            for rater, one in raters.items()
        ]
        self.effects = _effects(found.effects)
        self.notices = [str(notice) for notice in found.summary.get("notices", [])]


def _value(table: pl.DataFrame, trait: str, rater: str) -> float | None:
    rows = table.filter((pl.col("trait") == trait) & (pl.col("rater") == rater))
    return None if rows.is_empty() else rows["value"][0]


def _effects(table: pl.DataFrame) -> list[tuple[str, str, str, list[str]]]:
    """Return trait, feature, effect and each method's estimate: those where the LLMs alone are furthest off."""
    keys = ["trait", "feature", "effect", "level"]
    wide = table.with_columns(pl.col("level").fill_null("")).pivot(
        "method", index=keys, values=["estimate", "low", "high"]
    )
    if not {f"estimate_{method}" for method in METHODS} <= set(wide.columns):
        return []
    wide = wide.filter(pl.col("estimate_dsl").is_not_null())
    gap = (pl.col("estimate_llm") - pl.col("estimate_dsl")).abs() / (pl.col("high_dsl") - pl.col("low_dsl"))
    ranked = wide.sort(gap, descending=True, nulls_last=True, maintain_order=True).head(MAX_EFFECTS)
    return [
        (
            row["trait"], row["feature"], f"{row['effect']} {row['level']}".strip(),
            [_estimate(row, method) for method in METHODS],
        )
        for row in ranked.iter_rows(named=True)
    ]  # fmt: skip


def _estimate(row: Mapping[str, Any], method: str) -> str:
    value, low, high = (row[f"{part}_{method}"] for part in ("estimate", "low", "high"))
    return "none" if value is None else f"{number(value, 2)} ({number(low, 2)} to {number(high, 2)})"


@register("report_sections", "validity", title="Humans", help="LLM scores beside those of humans", order=55)
def _validity(study: SectionInput) -> Markup | None:
    found = study.data.validity
    return study.render("validity.html.j2", validity=ValidityView(found)) if found else None
