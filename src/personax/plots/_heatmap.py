"""The dependency heatmap of a paper: corrected p-values on the left, effect sizes on the right."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.data.labels import display_test, shorten, split_trait, two_decimals
from personax.data.pvalues import everybody, typed_pvalues
from personax.errors import InputError, require
from personax.plots._style import BLACK, GREY, defaults, finish, panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from matplotlib.figure import Figure

__all__ = ["heatmap"]

MAX_FEATURES = 60
"""More rows are not readable on a page."""

LEVELS = (0.05, 0.01, 0.1, 0.001, 0.005)
"""Levels that people test at, the usual one first."""

STARS = ((0.001, "***"), (0.01, "**"), (0.05, "*"))

SMALLEST = 1e-300
"""A p-value too small for a double is drawn as this one."""

ROW_HEIGHT, COLUMN_WIDTH = 0.215, 0.36
FEATURE_LETTERS, TARGET_LETTERS = 28, 24
"""Letters of a feature and of a column that are shown."""

Array = NDArray[np.float64]


def heatmap(pvalues: pl.DataFrame, test: str, *, alpha: float | None = None) -> Figure:
    """Draw one test of every feature against every target.

    Two panels: corrected p-values as colours with stars, blue where independence was rejected and grey where not;
    effect sizes as colours with their values, bold where it was rejected. A pair without a p-value is hatched.

    Parameters
    ----------
    pvalues
        From `personax.independence.screen`, with or without a leading column ``group``: columns are grouped by it, the
        group ``final`` first. Without it, columns such as ``final_o`` are grouped by what stands before the letter. Of
        a table that was split by a column, the rows of all people are drawn.
    test
        Which test of the table to draw. Of more than 60 features those with the smallest p-values are drawn, and the
        caption says so.
    alpha
        The level that ``rejected`` was decided at. Where it is not given, the caption names it if the table leaves no
        doubt, and otherwise says between which p-values it lies.

    Raises
    ------
    InputError
        When a column is absent, the table holds no row of the test, or ``alpha`` cannot have decided ``rejected``.
    MissingExtraError
        When matplotlib is not installed.

    Examples
    --------
    >>> from personax.independence import screen
    >>> frame = pl.DataFrame({"team": ["a", "b", "c"] * 20, "final_o": [1, 2, 3] * 20})
    >>> pvalues = screen(frame, ["team"], ["final_o"], kinds={"team": "nominal", "final_o": "ordinal"})
    >>> print(heatmap(pvalues, "chisq").texts[-1].get_text().splitlines()[0])
    Chi-square. n = 60. Every pair was rejected after
    """
    table = read_pvalues(pvalues, test, alpha)
    with defaults():
        size = max(COLUMN_WIDTH * len(table.columns), 0.8), ROW_HEIGHT * len(table.features)
        figure, (left, right) = panels(2, *size, gap=(0.95, 0))
        _draw_p_values(left, table)
        _draw_effects(right, table)
        for axes, title in ((left, "corrected p-value"), (right, f"effect size: {table.effect_name}".rstrip(": "))):
            axes.set_title(title, fontsize=9)
        left.set_yticks(
            np.arange(len(table.features)) + 0.5, [shorten(name, FEATURE_LETTERS) for name in table.features]
        )
        return finish(figure, caption=_caption(table))


@dataclass(frozen=True)
class HeatmapTable:
    """What a heatmap shows: one row a feature, one column a target of a group, the group ``final`` first.

    Parameters
    ----------
    test, effect_name
        As the table names them.
    features, columns
        Names of the rows; (group, target) from left to right.
    corrected, effects, sizes, rejected
        One number a cell; where there is no p-value ``corrected`` is NaN.
    bounds
        The level of the test is above the first and at most the second; 0 and infinity where no pair says it.
    left_out
        Number of features that are not shown.
    alpha
        The level of the test, where it is known.
    """

    test: str
    effect_name: str
    features: Sequence[str]
    columns: Sequence[tuple[str, str]]
    corrected: Array
    effects: Array
    sizes: Array
    rejected: NDArray[np.bool_]
    bounds: tuple[float, float]
    left_out: int
    alpha: float | None = None

    @property
    def levels(self) -> Sequence[float]:
        """The usual levels that fit what was rejected and what was kept, the most usual first."""
        low, high = self.bounds
        return [level for level in LEVELS if low < level <= high]

    @property
    def border(self) -> float:
        """A level between what was rejected and what was kept."""
        low, high = self.bounds
        if self.alpha is not None:
            return self.alpha
        return self.levels[0] if self.levels else (high if math.isfinite(high) else math.nextafter(low, 1.0))


def read_pvalues(pvalues: pl.DataFrame, test: str, alpha: float | None = None) -> HeatmapTable:
    """Return one test of a tidy table of p-values; see `heatmap`."""
    pvalues = typed_pvalues(everybody(pvalues))
    tested = pvalues.filter(pl.col("test") == test)
    if tested.is_empty():
        known = ", ".join(map(str, pvalues["test"].unique(maintain_order=True))) or "none"
        raise InputError(f"the table of p-values has no test {test}; it has: {known}")
    low, high = bounds = _bounds(pvalues)
    if alpha is not None and not low < alpha <= high:
        raise InputError(
            f"alpha {alpha:g} did not decide this table: it rejects up to {low:.2g} and keeps from {high:.2g}"
        )
    features = _strongest(tested)
    rows = tested.filter(pl.col("feature").is_in(features)).to_dicts()
    pairs = list(dict.fromkeys((_group(row), row["target"]) for row in rows))
    groups = list(dict.fromkeys(group for group, _ in pairs))
    columns = sorted(pairs, key=lambda pair: (pair[0] != "final", groups.index(pair[0])))
    places = {(feature, *pair): (i, j) for i, feature in enumerate(features) for j, pair in enumerate(columns)}
    found = {name: np.full((len(features), len(columns)), np.nan) for name in ("p_corrected", "effect_size", "n")}
    rejected = np.zeros((len(features), len(columns)), dtype=bool)
    for row in rows:
        place = places[row["feature"], _group(row), row["target"]]
        if not _missing(row["p_value"]) and not _missing(row["p_corrected"]):
            rejected[place] = bool(row["rejected"])
            for name, values in found.items():
                values[place] = np.nan if row[name] is None else row[name]
    names = pl.DataFrame(rows)["effect_name"].drop_nulls().unique(maintain_order=True)
    return HeatmapTable(test, " or ".join(names), features, columns, found["p_corrected"], found["effect_size"],
                        found["n"], rejected, bounds, tested["feature"].n_unique() - len(features), alpha)  # fmt: skip


def _bounds(pvalues: pl.DataFrame) -> tuple[float, float]:
    """Return the largest p-value that was rejected and the smallest that was kept; all tests share one level."""
    known = pvalues.filter(pl.col("p_corrected").is_not_nan())
    low = known.filter(pl.col("rejected"))["p_corrected"].max()
    high = known.filter(~pl.col("rejected"))["p_corrected"].min()
    return 0.0 if low is None else float(low), math.inf if high is None else float(high)  # type: ignore[arg-type]


def _strongest(tested: pl.DataFrame) -> list[str]:
    """Return the features to show, in the order of the table."""
    smallest = tested.group_by("feature", maintain_order=True).agg(pl.col("p_value").fill_nan(None).min())
    # The sort is stable: of equal p-values the earlier feature is kept, on every machine.
    best = smallest.with_row_index("place").sort("p_value", "place", nulls_last=True).head(MAX_FEATURES)
    return best.sort("place")["feature"].to_list()


def _group(row: Mapping[str, Any]) -> str:
    if "group" in row:
        return str(row["group"] or "")
    trait = split_trait(row["target"])
    return trait[0] if trait else ""


def _missing(value: float | None) -> bool:
    return value is None or math.isnan(value)


def _draw_p_values(axes: Axes, table: HeatmapTable) -> None:
    """Draw minus the logarithm: grey up to the level, then blue, darker as p-values fall."""
    colours = require("matplotlib.colors", extra="figures")
    maps = require("matplotlib", extra="figures").colormaps
    shades = np.vstack([maps["Greys"](np.linspace(0.06, 0.24, 128)), maps["Blues"](np.linspace(0.34, 1.0, 128))])
    digits = -np.log10(np.clip(table.corrected, SMALLEST, 1.0))
    level = -math.log10(table.border)
    least = max(level, 1e-9)
    # Exactly on the level is kept; what was rejected is never grey, however near it comes.
    shown = np.where(table.rejected, np.maximum(digits, least), np.minimum(digits, least - 1e-9))
    most = min(max(math.ceil(np.nanmax(np.append(shown, 0.0))), math.ceil(level) + 2, 4), 30)
    norm = colours.TwoSlopeNorm(least, 0.0, most)
    words = [[next((s for top, s in STARS if p < top), "") for p in row] for row in table.corrected]
    image = _matrix(axes, table, shown, words, {"cmap": colours.ListedColormap(shades), "norm": norm})
    ticks = [0.0, level, round((most + level) / 2), most]
    _colour_bar(axes, image, ticks, ["1", f"{table.border:.2g}", f"1e-{ticks[2]}", f"≤1e-{most}"])


def _draw_effects(axes: Axes, table: HeatmapTable) -> None:
    sizes = np.where(np.isnan(table.effects), 0.0, np.abs(table.effects))
    top = next((top for top in (0.1, 0.2, 0.5) if sizes.max() <= top), 1.0) if np.isfinite(table.effects).any() else 1.0
    words = [[two_decimals(effect) for effect in row] for row in table.effects]
    shown = np.where(np.isnan(table.corrected), np.nan, sizes)
    image = _matrix(axes, table, shown, words, {"cmap": "YlOrBr", "vmin": 0, "vmax": top / 0.85})
    axes.set_yticks([])
    _colour_bar(axes, image, [0, top / 2, top], ["0", f"{top / 2:g}", f"{top:g}"], top)


def _matrix(
    axes: Axes, table: HeatmapTable, shown: Array, words: Sequence[Sequence[str]], style: Mapping[str, Any]
) -> ScalarMappable:
    image = axes.pcolormesh(np.ma.masked_invalid(shown), edgecolors="white", linewidth=0.7, **style)
    if np.isnan(shown).any():
        axes.patch.set(facecolor="#f2f2f2", edgecolor="#a6a6a6", hatch="//////")
    rows, columns = shown.shape
    axes.set(xlim=(0, columns), ylim=(rows, 0))
    colours = image.to_rgba(np.ma.masked_invalid(shown))
    for (i, j), value in np.ndenumerate(shown):
        if np.isfinite(value) and words[i][j]:
            # An asterisk hangs at the top of its line; written lower, it stands in the middle of the cell.
            down = 0.16 if words[i][j].startswith("*") else 0.0
            red, green, blue, _ = colours[i, j]
            dark = 0.2126 * red**2.2 + 0.7152 * green**2.2 + 0.0722 * blue**2.2 < 0.2
            axes.text(j + 0.5, i + 0.5 + down, words[i][j], ha="center", va="center_baseline", fontsize=7,
                      color="white" if dark else BLACK, weight="bold" if table.rejected[i, j] else "normal",
                      in_layout=False)  # fmt: skip
    _label_columns(axes, table)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    return image


def _label_columns(axes: Axes, table: HeatmapTable) -> None:
    labels = [_column_label(group, target) for group, target in table.columns]
    turned = max(map(len, labels)) > 2
    axes.set_xticks(np.arange(len(labels)) + 0.5, labels, rotation=90 if turned else 0, fontsize=8)
    axes.tick_params(labeltop=True, labelbottom=False)
    groups = list(dict.fromkeys(group for group, _ in table.columns))
    if groups == [""]:
        return
    first = [next(j for j, (own, _) in enumerate(table.columns) if own == group) for group in groups]
    for group, start, end in zip(groups, first, [*first[1:], len(labels)], strict=True):
        name, middle = shorten(group, FEATURE_LETTERS), ((start + end) / 2, -0.1 / len(table.features))
        style = {"ha": "center"} if len(name) < 5 * (end - start) else {"ha": "left", "rotation": -20}
        axes.text(*middle, name, transform=axes.get_xaxis_transform(), va="top", rotation_mode="anchor", **style)
        if start:
            axes.axvline(start, color="white", linewidth=4)


def _column_label(group: str, target: str) -> str:
    trait = split_trait(target)
    return trait[1][0].upper() if trait and trait[0] == group else shorten(target, TARGET_LETTERS)


def _colour_bar(
    axes: Axes, image: ScalarMappable, places: Sequence[float], words: Sequence[str], top: float | None = None
) -> None:
    width, height = axes.bbox.width / axes.figure.dpi, axes.bbox.height / axes.figure.dpi
    inset = axes.inset_axes((1 + 0.08 / width, 1 - 1.2 / height, 0.1 / width, 1.2 / height))
    bar = axes.figure.colorbar(image, cax=inset)
    bar.set_ticks(places, labels=words)
    bar.outline.set(edgecolor=GREY, linewidth=0.5)
    if top is not None:
        inset.set_ylim(0, top)


def _caption(table: HeatmapTable) -> str:
    sizes = table.sizes[np.isfinite(table.sizes)]
    parts = [f"{display_test(table.test)}."]
    if len(sizes):
        low, high = int(sizes.min()), int(sizes.max())
        parts += [f"n = {low:,}." if low == high else f"n = {low:,} to {high:,}.", _level(table)]
    if table.left_out:
        every = len(table.features) + table.left_out
        parts.append(f"The {len(table.features)} features of {every:,} with the smallest p-values are shown.")
    keys = ["Corrected p: * < .05, ** < .01, *** < .001"]
    if table.rejected.any():
        keys.append("blue and bold: independence rejected")
    if untested := int(np.isnan(table.corrected).sum()):
        keys.append(f"hatched: no p-value, not tested ({untested:,} of {table.corrected.size:,} pairs)")
    return " ".join([*parts, "A dependence, not a cause."]) + "\n" + "; ".join(keys) + "."


def _level(table: HeatmapTable) -> str:
    """Say at which level was rejected, as far as the rejections tell."""
    low, high = table.bounds
    if table.alpha is not None or len(table.levels) == 1:
        return f"Rejected where the corrected p-value is under {table.border:g}."
    if low == 0.0:
        return "Nothing was rejected after correction."
    if high == float("inf"):
        return "Every pair was rejected after correction."
    return f"Rejected up to a corrected p-value of {low:.2g}, kept from {high:.2g}."
