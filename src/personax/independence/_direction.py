"""The direction of a dependence: rises, falls, turns, which groups differ, which cells are too full; with error rates.

A test says that two columns depend on one another. How is another question, answered by estimates with intervals of
their own: nothing is said of a pair whose interval holds 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.errors import UntestableError
from personax.independence._corrections import Correction, correct
from personax.independence._counts import MAX_CATEGORIES, Counted, join, table
from personax.independence._group_order import excess, most_different
from personax.independence._pair import ColumnPair, Sample
from personax.independence._trend import (
    LEVEL,
    Cells,
    Trend,
    cells,
    cycle,
    middle_ranks,
    rank_trend,
    signed_trend,
    thirds,
    turn,
)
from personax.results import Result

__all__ = ["DIRECTION_SCHEMA", "Direction", "decided", "direction_of", "sentence"]

DIRECTION_SCHEMA: Final = {
    "direction": pl.String,
    "trend": pl.Float64,
    "trend_low": pl.Float64,
    "trend_high": pl.Float64,
    "trend_name": pl.String,
    "p_trend": pl.Float64,
    "p_turn": pl.Float64,
    "level_high": pl.String,
    "mean_high": pl.Float64,
    "n_high": pl.Int64,
    "level_low": pl.String,
    "mean_low": pl.Float64,
    "n_low": pl.Int64,
    "direction_text": pl.String,
}
"""Columns of the tidy table; see `Direction`."""

TREND_NAMES: Final = {
    "rises": "rank correlation",
    "falls": "rank correlation",
    "groups": "Cliff's delta",
    "together": "difference of shares",
    "apart": "difference of shares",
    "cycle": "multiple correlation",
}

MOST_COLUMNS = 0.1
"""Given z, pairs of levels that are compared at most, as a share of the people."""

FEW_CLUSTERS = 10
"""Fewer clusters do not tell how much they differ."""

CIRCLE_LEVELS = 40
"""Values of a cyclic column, at most, that are taken as groups."""


@dataclass(frozen=True, slots=True)
class Direction(Result):
    """How y moves with x, before anything is decided.

    Parameters
    ----------
    shape
        What the trend would be called: ``rises``, ``falls``, ``groups`` (two groups differ), ``together`` or ``apart``
        (two levels of a table), ``cycle``.
    turn
        ``U`` or ``peak``, what a turn would be called; empty where none is looked for.
    trend, trend_low, trend_high, trend_name
        A signed effect, its 95 % interval and what it is. ``rises``, ``falls``: Spearman's rank correlation, given z
        that of the residuals. ``groups``: how often a member of the higher group exceeds one of the lower, less the
        reverse (Cliff's delta). ``together``, ``apart``: difference of two shares. ``cycle``: the multiple correlation,
        without an interval.
    p_trend, p_turn
        P-values of "there is no trend" and "there is no turn", corrected for the levels, cells and places looked at.
    level_high, mean_high, n_high, level_low, mean_low, n_low
        Of numbers: thirds of x (its values, where it has three at most) in which the mean of y is highest and lowest.
        ``groups``: the two groups and their means. ``together``, ``apart``: the levels of x and of y, the share of the
        latter there, and of all others.
    """

    shape: str
    turn: str = ""
    trend: float | None = None
    trend_low: float | None = None
    trend_high: float | None = None
    trend_name: str | None = None
    p_trend: float | None = None
    p_turn: float | None = None
    level_high: str | None = None
    mean_high: float | None = None
    n_high: int | None = None
    level_low: str | None = None
    mean_low: float | None = None
    n_low: int | None = None

    def row(self) -> dict[str, Any]:
        """Return the columns of the tidy table; ``direction`` holds both candidates until `decided` takes one."""
        numbers = {
            name: getattr(self, name) for name in DIRECTION_SCHEMA if name not in ("direction", "direction_text")
        }
        return {"direction": f"{self.shape}/{self.turn}", **numbers}

    def to_frame(self) -> pl.DataFrame:
        """Return one row: both candidates and the columns of the tidy table."""
        return pl.DataFrame(self.row(), schema=DIRECTION_SCHEMA)

    def with_trend(self, trend: Trend, p_value: float | None = None) -> Direction:
        """Return the direction with its numbers."""
        p = trend.p_value if p_value is None else p_value
        return replace(
            self, trend=trend.estimate, trend_low=trend.low, trend_high=trend.high, p_trend=p, trend_name=self._name()
        )

    def _name(self) -> str:
        return TREND_NAMES[self.shape]


def direction_of(
    pair: ColumnPair,
    period: tuple[float | None, float | None] = (None, None),
    design: tuple[NDArray[np.float64], NDArray[np.intp], NDArray[np.intp]] | None = None,
) -> Direction | None:
    """Return how y moves with x, or None where there is nothing to be said: vectors, names, too few people.

    Parameters
    ----------
    pair
        The columns over the rows that have both.
    period
        Length of a turn of x and of y, where they are cyclic.
    design
        Weight, cluster and stratum of each row: ranks are less their means within strata, standard errors are those of
        clusters (Liang, Zeger 1986, doi:10.1093/biomet/73.1.13).
    """
    if design is not None:
        return _designed(pair.x, pair.y, *design)
    found = _direction_of(pair, period)
    if found is None or not (pair.y.dates if _kind(pair.y, pair.x) == "ordered" else pair.x.dates):
        return found
    return replace(found, mean_high=None, mean_low=None)  # a mean number of days says nothing to a reader


def _direction_of(pair: ColumnPair, period: tuple[float | None, float | None]) -> Direction | None:
    x, y = pair.x, pair.y
    if pair.z is not None:
        return _given(x, y, pair.z)
    kinds = _kind(x, y), _kind(y, x)
    match kinds:
        case "ordered", "ordered":
            return _curve(x, y)
        case "groups", "ordered":
            return _groups(x, y)
        case "ordered", "groups":
            return _groups(y, x)
        case "groups", "groups":
            return _table(x, y)
        case "circle", "ordered":
            return _wave(x, y, period[0])
        case "ordered", "circle":
            return _wave(y, x, period[1])
    return None


def _kind(sample: Sample, other: Sample) -> str:
    counted = sample.counted
    if counted.values is None:
        return "groups" if counted.size <= MAX_CATEGORIES else ""
    if counted.circle:
        plain = other.counted.values is None and counted.size <= CIRCLE_LEVELS
        return "groups" if plain else "circle"
    return "ordered" if counted.columns == 1 else ""


def _together(x: Counted, y: Counted) -> Cells:
    return cells(x.codes, y.codes, x.weights, (x.size, y.size))


def _numbers(variable: Counted) -> NDArray[np.float64]:
    assert variable.values is not None
    return variable.values[:, 0]


def _curve(x: Sample, y: Sample) -> Direction:
    both = _together(x.counted, y.counted)
    found = rank_trend(both)
    p_turn, left = turn(both)
    shape, turned = "rises" if found.estimate > 0 else "falls", {-1.0: "U", 1.0: "peak"}.get(left, "")
    return _with_thirds(Direction(shape, turned, p_turn=min(1.0, p_turn)).with_trend(found), x, y, both)


def _with_thirds(made: Direction, x: Sample, y: Sample, both: Cells) -> Direction:
    """Tell the thirds of x with the highest and the lowest mean of y."""
    counts = x.counted.counts
    third = np.arange(x.counted.size)
    if x.counted.size > 3:
        third = thirds(counts.astype(float))
    people = np.bincount(third, counts)
    used = np.flatnonzero(people)
    sums = np.bincount(third[both.x], both.people * _numbers(y.counted)[both.y], minlength=len(people))
    means = sums[used] / people[used]
    high, low = int(means.argmax()), int(means.argmin())
    names = [_range(x, np.flatnonzero(third == k)) for k in (used[high], used[low])]
    if made.turn and (low, high)[made.turn == "peak"] != 1:
        made = replace(made, turn="", p_turn=1.0)  # means and ranks of y disagree on where it is
    return replace(
        made, level_high=names[0], mean_high=float(means[high]), n_high=int(people[used[high]]),
        level_low=names[1], mean_low=float(means[low]), n_low=int(people[used[low]]),
    )  # fmt: skip


def _range(x: Sample, codes: NDArray[np.intp]) -> str:
    first, last = int(codes[0]), int(codes[-1])
    if first == last:
        return x.level(first)
    if first == 0:
        return f"up to {x.level(last)}"
    return f"from {x.level(first)}" if last == x.counted.size - 1 else f"{x.level(first)} to {x.level(last)}"


def _groups(group: Sample, number: Sample) -> Direction | None:
    counts, values = table(group.counted, number.counted).astype(float), _numbers(number.counted)
    found = most_different(counts, values)
    if found is None:
        return None
    means, people = counts @ values / counts.sum(axis=1), counts.sum(axis=1)
    high, low = found.high, found.low
    made = Direction(
        "groups", level_high=group.level(high), mean_high=float(means[high]), n_high=int(people[high]),
        level_low=group.level(low), mean_low=float(means[low]), n_low=int(people[low]),
    )  # fmt: skip
    return made.with_trend(found.trend, found.p_value)


def _table(x: Sample, y: Sample) -> Direction | None:
    counts = table(x.counted, y.counted).astype(float)
    found = excess(counts)
    if found is None:
        return None
    shape, row = "together" if found.trend.estimate > 0 else "apart", int(counts[found.row].sum())
    made = Direction(
        shape, level_high=x.level(found.row), mean_high=found.share, n_high=row,
        level_low=y.level(found.column), mean_low=found.share_of_others, n_low=x.counted.n - row,
    )  # fmt: skip
    return made.with_trend(found.trend, found.p_value)


def _wave(circle: Sample, number: Sample, period: float | None) -> Direction:
    assert circle.counted.values is not None
    p, place, size = cycle(circle.counted.values, _together(circle.counted, number.counted))
    where = None if period is None else f"{place * period:.3g}"
    return Direction("cycle", trend=size, trend_name=TREND_NAMES["cycle"], p_trend=p, level_high=where)


def _given(x: Sample, y: Sample, z: Sample) -> Direction | None:
    """Return what is left once z is regressed out of ranks and of levels: the largest of the correlations."""
    sides = [_scores(one, other) for one, other in ((x, y), (y, x))]
    if any(scores is None for scores in sides):
        return None
    scores = [side for side in sides if side is not None]
    number = scores[0].shape[1] * scores[1].shape[1]
    if number > MOST_COLUMNS * x.counted.n:
        return None
    try:
        left = [z.regression.residual(s, one.counted) for s, one in zip(scores, (x, y), strict=True)]
    except UntestableError:
        return None
    both, first = join(left[0].of, left[1].of)
    r, s = (side.rows[side.of.codes[first]] for side in left)
    made = _strongest(x, y, (r, s), both.counts.astype(float))
    return replace(made, trend_name="partial rank correlation")


def _designed(
    x: Sample, y: Sample, weights: NDArray[np.float64], clusters: NDArray[np.intp], strata: NDArray[np.intp]
) -> Direction | None:
    """Return the largest correlation, within strata, of ranks and of levels, by the spread between clusters."""
    scores = [_scores(one, other) for one, other in ((x, y), (y, x))]
    if scores[0] is None or scores[1] is None or len(np.unique(clusters)) < FEW_CLUSTERS:
        return None
    people = np.bincount(strata, weights).clip(1e-300)
    r, s = (
        rows - np.stack([np.bincount(strata, weights * one) / people for one in rows.T], axis=1)[strata]
        for rows in (scores[0][x.counted.codes], scores[1][y.counted.codes])
    )
    return _strongest(x, y, (r, s), weights, clusters)


def _strongest(
    x: Sample,
    y: Sample,
    sides: tuple[NDArray[np.float64], NDArray[np.float64]],
    people: NDArray[np.float64],
    clusters: NDArray[np.intp] | None = None,
) -> Direction:
    """Return the direction of the two columns of residuals or scores that are correlated most surely."""
    (r, s), number = sides, sides[0].shape[1] * sides[1].shape[1]
    share = 1 - (1 - LEVEL) / number
    found = {
        (i, j): signed_trend(r[:, i], s[:, j], people, clusters, share=share)
        for i in range(r.shape[1])
        for j in range(s.shape[1])
    }
    (i, j), best = min(found.items(), key=lambda item: item[1].p_value)
    made = _named(x, y, (i, j), best).with_trend(*_told(x, y, best, number))
    return replace(made, trend_name="rank correlation")


def _scores(sample: Sample, other: Sample) -> NDArray[np.float64] | None:
    """Return middle ranks, or a column a level (of two levels the second), of the distinct values; None of vectors."""
    kind, size = _kind(sample, other), sample.counted.size
    if kind == "ordered":
        return middle_ranks(sample.counted.counts / sample.counted.n)[:, None]
    if kind != "groups":
        return None
    levels = np.eye(size)
    return levels[:, 1:] if size == 2 else levels


def _named(x: Sample, y: Sample, columns: tuple[int, int], best: Trend) -> Direction:
    kinds = _kind(x, y), _kind(y, x)
    if kinds == ("ordered", "ordered"):
        return Direction("rises" if best.estimate > 0 else "falls")
    names = [
        _level_and_others(sample, column) if kind == "groups" else ("", "")
        for sample, kind, column in zip((x, y), kinds, columns, strict=True)
    ]
    if kinds == ("groups", "groups"):
        shape = "together" if best.estimate > 0 else "apart"
        return Direction(shape, level_high=names[0][0], level_low=names[1][0])
    high, low = names[0] if kinds[0] == "groups" else names[1]
    return Direction("groups", level_high=high, level_low=low) if best.estimate > 0 else Direction(
        "groups", level_high=low, level_low=high)  # fmt: skip


def _level_and_others(sample: Sample, column: int) -> tuple[str, str]:
    if sample.counted.size == 2:
        return sample.level(1), sample.level(0)
    return sample.level(column), "others"


def _told(x: Sample, y: Sample, best: Trend, number: int) -> tuple[Trend, float]:
    """Return the trend, that of groups against numbers as that of the higher side, and its corrected p-value."""
    p = min(1.0, number * best.p_value)
    if best.estimate < 0 and {_kind(x, y), _kind(y, x)} == {"groups", "ordered"}:
        best = Trend(-best.estimate, -best.high, -best.low, best.p_value)
    return best, p


def decided(results: pl.DataFrame, alpha: float, correction: Correction) -> pl.DataFrame:
    """Take one of the two candidates of each pair, or neither, and write its sentence.

    P-values of trends and of turns are corrected over the pairs, each family for itself. A turn is told where its
    p-value holds, else a trend where its p-value holds and its interval leaves out 0. So of the pairs of which anything
    is said, as few are said wrongly as the correction promises of tests.
    """
    pairs = results.select("feature", "target", "p_trend", "p_turn").filter(pl.col("p_trend").is_not_null())
    pairs = pairs.unique(["feature", "target"], maintain_order=True)
    held = {
        name: pl.Series(name, correct(pairs[name].fill_null(float("nan")).to_numpy(), correction)) < alpha
        for name in ("p_trend", "p_turn")
    }
    known = pairs.select("feature", "target", trend_holds=held["p_trend"], turn_holds=held["p_turn"])
    apart = (pl.col("trend_low").is_null() & pl.col("trend").is_not_null()) | (
        (pl.col("trend_low") > 0) | (pl.col("trend_high") < 0)
    )
    candidates = pl.col("direction").str.split_exact("/", 1)
    chosen = (
        pl.when(pl.col("turn_holds"))
        .then(candidates.struct.field("field_1"))
        .when(pl.col("trend_holds") & apart)
        .then(candidates.struct.field("field_0"))
    )
    joined = results.join(known, on=["feature", "target"], how="left", maintain_order="left")
    told = joined.with_columns(chosen.alias("direction")).drop("trend_holds", "turn_holds")
    sentences = [sentence(row) for row in told.iter_rows(named=True)]
    return told.with_columns(pl.Series("direction_text", sentences, dtype=pl.String))


def sentence(row: Mapping[str, Any]) -> str | None:
    """Return the direction of a row of the tidy table in words.

    Examples
    --------
    >>> row = {"feature": "height", "target": "openness", "direction": "rises", "trend": 0.2, "given": "age",
    ...        "level_high": "from 186", "mean_high": 3.5, "level_low": "up to 172", "mean_low": 3.25}
    >>> sentence(row)
    'openness rises with height, given age: mean 3.5 at height from 186, 3.25 up to 172'
    """
    shape, x, y = row["direction"], row["feature"], row["target"]
    if shape is None:
        return None
    given = f", given {row['given']}" if row["given"] else ""
    means = None if row["mean_high"] is None else (f"{row['mean_high']:.3g}", f"{row['mean_low']:.3g}")
    high, low = row["level_high"], row["level_low"]
    ends = "" if means is None else f": mean {means[0]} at {x} {high}, {means[1]} {low}"
    match shape:
        case "rises" | "falls":
            return f"{y} {shape} with {x}{given}{ends}"
        case "U":
            return f"{y} falls and then rises again as {x} grows{ends}"
        case "peak":
            return f"{y} rises and then falls again as {x} grows{ends}"
        case "cycle":
            return f"{y} goes up and down with {x}" + (f", highest near {high}" if high else "")
        case "groups":
            group, number = (x, y) if row["feature_kind"] in ("nominal", "cyclic") else (y, x)
            group, number = (x, y) if row["target_kind"] not in ("nominal", "cyclic") else (group, number)
            told = f"{number} is higher where {group} is {high} than where it is {low}{given}"
            return told if means is None else (
                f"{told}: mean {means[0]} (n {row['n_high']:,}) against {means[1]} (n {row['n_low']:,})")  # fmt: skip
    often = "more" if shape == "together" else "less"
    told = f"{y} {low} is {often} frequent where {x} is {high}{given}"
    if means is None:
        return told
    here, there = (f"{row[share]:.0%} of {row[n]:,}" for share, n in (("mean_high", "n_high"), ("mean_low", "n_low")))
    return f"{told}: {here} against {there} others"
