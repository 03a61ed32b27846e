"""What a column is for and what its values mean, inferred from its name and its values where nobody has said so."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

import polars as pl

from personax.schema import Column, Kind, Role

__all__ = ["FEW", "infer_columns"]

FEW = 12
"""Whole numbers with at most so many distinct values are levels of a scale."""

_PRIVATE = re.compile(
    r"(^|_)(name|names|surname|birth_?date|date_of_birth|dob|birthplace|email|e_mail|phone|address|url|link|"
    r"biography|bio|text|photo|image|headshot)$"
)
_TRAIT = re.compile(r"^(?P<model>.+)_[oceanOCEAN]$")
_CODES = re.compile(r"(_idx|_index|_code|_id)$|^(type|league|gender|sex|country|nationality|occupation|position)$")
_PERIODS = {"month": 12.0, "birthmonth": 12.0, "birth_month": 12.0, "weekday": 7.0, "day_of_week": 7.0, "hour": 24.0,
            "longitude": 360.0, "lon": 360.0}  # fmt: skip
_COMPONENT = re.compile(r"_(sin|cos)$")


def infer_columns(frame: pl.DataFrame, given: Mapping[str, Column] | None = None) -> list[Column]:
    """Say for every column what it is for and what its values mean.

    Parameters
    ----------
    frame
        The table.
    given
        Columns that somebody has described; taken as they are.

    Returns
    -------
    list of Column
        In the table's order; ``inferred`` is True and ``why`` says by which rule, where the column was not given.

    Notes
    -----
    Roles: a column called id is the id; names such as ``name``, ``birth_date``, ``email`` and ``biography``, dates, and
    text that differs for nearly everybody, are private; ``final_o`` or ``<model>_o`` (o c e a n) are targets; vectors
    are embeddings; all others are features. Kinds: months and the like are cyclic; text and codes are nominal; whole
    numbers with at most 12 distinct values are ordinal; all other numbers are continuous.

    Examples
    --------
    >>> frame = pl.DataFrame({"Height(cm)": range(160, 180), "Gender_idx": [0, 1] * 10, "final_o": [1.0, 2.5] * 10})
    >>> [(column.role, column.kind) for column in infer_columns(frame)]
    [('feature', 'continuous'), ('feature', 'nominal'), ('target', 'ordinal')]
    """
    given = given or {}
    return [given[series.name] if series.name in given else _infer(series) for series in frame]


def _infer(series: pl.Series) -> Column:
    role = _role(series)
    column = _kind(series)
    return replace(column, role=role)


def _role(series: pl.Series) -> Role:
    name = series.name.strip().lower()
    if name in ("id", "person_id", "rownames"):
        return "id"
    if series.dtype.is_nested():
        return "embedding"
    if _PRIVATE.search(name) or series.dtype.is_temporal() or _differs_for_everybody(series):
        return "private"
    return "target" if _TRAIT.match(series.name) else "feature"


def _differs_for_everybody(series: pl.Series) -> bool:
    """Say whether this is text that would single people out."""
    if series.dtype != pl.String or len(series) < 20:
        return False
    values = series.drop_nulls()
    return len(values) > 0 and values.n_unique() > 0.9 * len(values)


def _kind(series: pl.Series) -> Column:
    name = series.name.strip().lower()
    column = Column(series.name, "feature", "nominal", inferred=True)
    if name in _PERIODS and series.dtype.is_numeric():
        turn = _PERIODS[name]
        return replace(column, kind="cyclic", period=turn, why=f"its name; one turn is {turn:g}")
    if not series.dtype.is_numeric():
        return replace(column, why="text" if series.dtype == pl.String else "not a number")
    if _COMPONENT.search(name):
        return replace(column, kind="continuous", why="a component of a cyclic column")
    if _CODES.search(name):
        return replace(column, why="its name says that its numbers are codes")
    return _number(series, column)


def _number(series: pl.Series, column: Column) -> Column:
    values = series.drop_nulls().cast(pl.Float64).drop_nans()
    distinct = values.n_unique()
    kind: Kind = "ordinal" if distinct <= FEW else "continuous"
    why = f"numbers with {distinct} distinct value{'s' if distinct != 1 else ''}"
    return replace(column, kind=kind, why=why)
