"""How far humans agree with one another and with each LLM: a panel a trait, a dot with its interval a rater."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from personax.data.labels import shorten
from personax.errors import InputError
from personax.plots._style import BLACK, BLUE, GREY, VERMILLION, defaults, finish, limits, row_panels
from personax.registry import register
from personax.results import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["agreement_dots"]

NAME_LETTERS = 30


def agreement_dots(table: pl.DataFrame, *, first: str = "humans", caption: str = "") -> Figure:
    """Draw correlations with their intervals.

    Parameters
    ----------
    table
        One row a trait and rater: ``trait rater value low high``, null where there is none.
    first
        The rater whose interval is drawn in another colour and as a band: what there is to reach.
    caption
        Below the panels.

    Raises
    ------
    InputError
        A column that is absent, or no row.
    MissingExtraError
        When matplotlib is not installed.

    Examples
    --------
    >>> rows = {"trait": ["openness"] * 2, "rater": ["humans", "oak"], "value": [0.5, 0.4], "low": [0.4, 0.3]}
    >>> figure = agreement_dots(pl.DataFrame(rows | {"high": [0.6, 0.5]}))
    >>> [float(dots.get_offsets()[0, 0]) for dots in figure.axes[0].collections if len(dots.get_offsets()) == 1]
    [0.5, 0.4]
    """
    absent = {"trait", "rater", "value", "low", "high"} - set(table.columns)
    if absent or table.is_empty():
        raise InputError(f"agreement cannot be drawn: {'no column ' + min(absent) if absent else 'no rows'}")
    traits = table["trait"].unique(maintain_order=True).to_list()
    raters = table["rater"].unique(maintain_order=True).to_list()
    known = [v for column in ("value", "low", "high") for v in table[column].drop_nulls()]
    ends = limits([0.0, 1.0, *known], 0.04)
    with defaults():
        titles = [str(trait).capitalize() for trait in traits]
        figure, panels = row_panels([shorten(rater, NAME_LETTERS) for rater in raters], titles)
        for trait, axes in zip(traits, panels, strict=True):
            axes.set_xlim(*ends)
            _panel(axes, table.filter(pl.col("trait") == trait), raters, first)
        return finish(figure, caption=caption)


@register("plots", "corrected_effects", title="Corrected effects", help="an effect four ways, with its intervals")
def _draw_effects(effects: Result, *, caption: str = "The effect by each method, with 95 % intervals.") -> Figure:
    named = pl.lit("effect").alias("trait"), pl.col("method").alias("rater"), pl.col("estimate").alias("value")
    return agreement_dots(effects.to_frame().select(*named, "low", "high"), caption=caption)


@register("plots", "alt_test", title="Alternative annotator test", help="how often an LLM is nearer than each human")
def _draw_alt_test(
    result: Result, *, caption: str = "Share of people of whom the LLM is as near to the other humans as this human."
) -> Figure:
    none = pl.lit(None, pl.Float64)
    named = pl.lit("the LLM wins").alias("trait"), pl.format("human {}", "human").alias("rater")
    rows = result.to_frame().select(*named, pl.col("llm_wins").alias("value"), none.alias("low"), none.alias("high"))
    return agreement_dots(rows, caption=caption)


@register("plots", "test_result", title="Test of independence", help="the effect size of one test, with its p-value")
def _draw_test(result: Result, *, caption: str = "How strong the dependence is, from 0 to 1.") -> Figure:
    row = result.to_frame().row(0, named=True)
    told = f"p = {row['p_value']:.2g}, n = {row['n']:,}"
    effect = None if row["effect_size"] != row["effect_size"] else row["effect_size"]
    dot = {"trait": row["effect_name"] or "effect size", "rater": told, "value": effect, "low": effect, "high": effect}
    types = {"trait": pl.String, "rater": pl.String, "value": pl.Float64, "low": pl.Float64, "high": pl.Float64}
    return agreement_dots(pl.DataFrame([dot], schema=types), first="", caption=caption)


def _panel(axes: Axes, rows: pl.DataFrame, raters: list[str], first: str) -> None:
    axes.axvline(0, color=GREY, linewidth=0.6)
    for row in rows.iter_rows(named=True):
        at = raters.index(row["rater"])
        if row["value"] is None:
            place = axes.get_yaxis_transform()
            axes.text(0.02, at, "none", fontsize=6.5, color=GREY, va="center", transform=place)
            continue
        colour = VERMILLION if row["rater"] == first else BLUE
        if row["low"] is not None and row["high"] is not None:
            axes.plot([row["low"], row["high"]], [at, at], color=BLACK, linewidth=0.9, zorder=2)
            if row["rater"] == first:
                axes.axvspan(row["low"], row["high"], color="#d9d9d9", alpha=0.5, linewidth=0, zorder=0)
        axes.scatter([row["value"]], [at], s=18, color=colour, linewidths=0, zorder=3)
