"""What humans say beside what LLMs say: agreement as dots with intervals, corrected effects as rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
from markupsafe import Markup

from personax.report._charts import element, figure
from personax.report._data import Validity
from personax.report._labels import number
from personax.schema import LETTERS

__all__ = ["ValidityView", "dots"]

ROW, LOW = 26.0, -0.4
GUIDES = (0.0, 0.5, 1.0)
METHODS = ("llm", "humans", "ppi", "dsl")
EFFECTS = 12


def dots(rows: Sequence[Mapping[str, Any]], label: str) -> Markup:
    """Draw one line a rater: a dot with its interval, from -0.4 to 1."""
    bottom = ROW * len(rows)
    guides = [
        part
        for value in GUIDES
        for part in (
            element("line", x1=_across(value), x2=_across(value), y1=0, y2=bottom, class_="guide"),
            element("text", number(value), x=_across(value), y=bottom + 16, class_="tick"),
        )
    ]
    lines = [_line(row, ROW * (place + 0.5)) for place, row in enumerate(rows)]
    return figure(*guides, *lines, height=bottom + 24, label=label, class_="alphas")


def _across(value: float) -> str:
    return f"{33 + 64 * (min(max(value, LOW), 1.0) - LOW) / (1 - LOW):.2f}%"


def _line(row: Mapping[str, Any], y: float) -> Markup:
    name = element("svg", element("text", row["rater"], x=0, y=y + 4), width="31%", height=y + ROW, class_="clip")
    if row["value"] is None:
        none = element("text", "none", x="33%", y=y + 4, class_="muted")
        return element("g", name, none, data_tip=f"{row['rater']}\n{row['reason'] or 'no value'}")
    parts = [element("rect", x=0, y=y - ROW / 2, width="100%", height=ROW, class_="hit"), name]
    tip = f"{row['rater']}\n{number(row['value'])}"
    if row["low"] is not None and row["high"] is not None:
        parts.append(element("line", x1=_across(row["low"]), x2=_across(row["high"]), y1=y, y2=y, class_="whisker"))
        tip += f", 95% interval {number(row['low'])} to {number(row['high'])}"
    parts.append(element("circle", cx=_across(row["value"]), cy=y, r=5.5, class_="dot"))
    return element("g", *parts, data_tip=f"{tip}\n{row['n']} people")


class ValidityView:
    """Figures, tables and sentences of the section."""

    def __init__(self, found: Validity) -> None:
        table = found.agreement
        known = table.filter((pl.col("measure") == "left_out") & pl.col("value").is_not_null())
        self.left_out = not known.is_empty()
        measure = "left_out" if self.left_out else "pearson"
        shown = table.filter(pl.col("measure") == measure)
        self.figures = [
            (trait, dots(rows, f"Agreement with humans, {trait}"))
            for trait in LETTERS
            if (rows := shown.filter(pl.col("trait") == trait).to_dicts())
        ]
        alphas = table.filter(pl.col("measure") == "alpha")
        self.alphas = [
            (trait, *(number(_value(alphas, trait, rater), 2) for rater in ("humans", "LLMs together")))
            for trait in LETTERS
        ]
        self.tested = [
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
    ranked = wide.sort(gap, descending=True, nulls_last=True, maintain_order=True).head(EFFECTS)
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
