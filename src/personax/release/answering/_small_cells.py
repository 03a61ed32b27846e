"""Values of few people: joined with others before anything is computed, so that no answer is about a handful."""

from __future__ import annotations

from dataclasses import dataclass, replace

import polars as pl

from personax.data.table import Table
from personax.data.values import FEW
from personax.release.disclosure import join_rare_levels, merge_rare
from personax.schema import Column

__all__ = ["SmallCellRecoding", "join_small_cells"]


@dataclass(frozen=True, slots=True)
class SmallCellRecoding:
    """What was done to a column: ``how`` in one phrase; ``left_out`` where nothing of it can be answered."""

    column: str
    how: str
    left_out: bool = False


def join_small_cells(table: Table, least: int) -> tuple[Table, list[SmallCellRecoding]]:
    """Join every value that fewer than ``least`` people have with others.

    Parameters
    ----------
    table
        The people of an answer; their ids stay as they are.
    least
        The fewest people that a value may have.

    Returns
    -------
    Table
        Columns that have one value or none left are taken out, and so are those that hardly anybody has.
    list of Joined
        What was done; never which values, nor how many people.

    Notes
    -----
    Nominal: the rare become ``other``, or are missing where all rare ones together are too few
    (`personax.release.disclosure.merge_rare`). Numbers of at most 12 distinct
    values: a rare level joins its next neighbour, which at the ends is top and bottom coding. Of other numbers the
    ``least`` smallest and the ``least`` greatest become one value each: correlations and kernels of standardised
    numbers are decided by a single person who is far from all others. Numbers on a circle have no ends and stay.

    References
    ----------
    Hundepool et al. 2012, Statistical Disclosure Control, doi:10.1002/9781118348239, sections 3.3 and 5.2.

    Examples
    --------
    >>> levels = Table(pl.DataFrame({"level": [1] * 20 + [2] * 20 + [5] * 3}), [Column("level", "feature", "ordinal")])
    >>> join_small_cells(levels, 10)[0].frame["level"].unique().sort().to_list()
    [1.0, 2.0]
    """
    recodings, frame = [], table.frame
    for column in table.columns:
        if column.role == "id":
            continue
        known = _known(frame[column.name])
        before = known.drop_nulls().n_unique()
        made = _joined(frame.with_columns(known), column, least)
        after = made.drop_nulls().n_unique()
        if made.count() < least or after < 2:
            recodings.append(
                SmallCellRecoding(column.name, "too few people have one of its values, or any", left_out=True)
            )
            continue
        if after < before:
            recodings.append(SmallCellRecoding(column.name, _how(column, before, least)))
        frame = frame.with_columns(made)
    return replace(table, frame=frame).drop({one.column for one in recodings if one.left_out}), recodings


def _known(series: pl.Series) -> pl.Series:
    return series.fill_nan(None) if series.dtype.is_float() else series


def _how(column: Column, before: int, least: int) -> str:
    if column.kind != "nominal" and before > FEW:
        return f"its {least} smallest and {least} greatest numbers count as one number each"
    joined = "other, or as missing" if column.kind == "nominal" else "the next level"
    return f"values of fewer than {least} people count as {joined}"


def _joined(frame: pl.DataFrame, column: Column, least: int) -> pl.Series:
    series = frame[column.name]
    if column.kind == "nominal" or not series.dtype.is_numeric():
        texts = frame.select(pl.col(column.name).cast(pl.String))
        return merge_rare(texts, [column.name], least)[0][column.name] if _has_rare(series, least) else series
    if column.kind != "cyclic" and series.drop_nulls().n_unique() > FEW:
        series = _ends_joined(series, least)
    return series if series.drop_nulls().n_unique() > FEW else join_rare_levels(series, least)


def _ends_joined(series: pl.Series, least: int) -> pl.Series:
    """Top and bottom coding; all missing where both ends would be all there is.

    Examples
    --------
    >>> _ends_joined(pl.Series([1, 2, 3, 4, 5, 900]), 2).to_list()
    [2, 2, 3, 4, 5, 5]
    """
    values = series.drop_nulls().sort()
    if len(values) < 2 * least:
        return pl.Series(series.name, [None] * len(series), dtype=series.dtype)
    return series.clip(values[least - 1], values[len(values) - least])


def _has_rare(series: pl.Series, least: int) -> bool:
    return bool((series.drop_nulls().value_counts()["count"] < least).any())
