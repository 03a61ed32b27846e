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

MANY = 20
"""Text is taken to single people out only in a table of at least so many rows."""

# All patterns meet a name as `_words` writes it: "Birth Date", "birthDate" and "BIRTH_DATE" are birth_date.
_IDS = ("id", "person_id", "rownames")
_PRIVATE = re.compile(
    r"(^|_)((first|last|full|given|family|middle|nick|user|sur)?names?|birth_?(date|place)|date_of_birth|"
    r"place_of_birth|dob|e?_?mail|phone|mobile|address|url|link|website|biography|bio|text|photo|picture|portrait|"
    r"image|headshot)$"
)
_BIRTHDAY = re.compile(r"(^|_)birth_?day$")
_TRAIT = re.compile(r".+_[ocean]$|(.+_)?(openness|conscientiousness|extraversion|agreeableness|neuroticism)$")
_CODES = re.compile(r"(_idx|_index|_code|_id)$|^(type|league|gender|sex|country|nationality|occupation|position)$")
_PERIODS = {
    **dict.fromkeys(("month", "birthmonth", "birth_month"), 12.0),
    **dict.fromkeys(("day", "birthday", "birth_day"), 31.0),
    **dict.fromkeys(("day_index", "day_of_year"), 366.0),
    **dict.fromkeys(("weekday", "day_of_week"), 7.0),
    "hour": 24.0,
    **dict.fromkeys(("longitude", "lon"), 360.0),
}
_COMPONENT = re.compile(r"_(sin|cos)$")
_UNIT = re.compile(r"_(cm|mm|kg|lb)$")


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
    Roles: the first column called id is the id, another one is private; names such as ``name``, ``Birth Date``,
    ``email`` and ``biography``, dates, and text or codes that differ for nearly everybody, are private; numbers called
    ``final_o`` or ``<model>_o`` (o c e a n), or after a trait, are targets; vectors are embeddings; all others are
    features. Kinds: numbers called month, day, weekday, longitude and the like are cyclic if they fit in one turn; text
    and codes are nominal; numbers with at most 12 distinct values are ordinal; all other numbers are continuous.

    Examples
    --------
    >>> frame = pl.DataFrame({"Height(cm)": range(160, 180), "Gender_idx": [0, 1] * 10, "final_o": [1.0, 2.5] * 10})
    >>> [(column.role, column.kind) for column in infer_columns(frame)]
    [('feature', 'continuous'), ('feature', 'nominal'), ('target', 'ordinal')]
    """
    columns = dict(given or {})
    has_id = any(columns[name].role == "id" for name in frame.columns if name in columns)
    for series in frame:
        if series.name not in columns:
            columns[series.name] = _infer(series, has_id=has_id)
        has_id = has_id or columns[series.name].role == "id"
    return [columns[name] for name in frame.columns]


def _infer(series: pl.Series, *, has_id: bool) -> Column:
    role, because = _role(series, has_id=has_id)
    column = _kind(series)
    return replace(column, role=role, why=f"{column.why}; {because}" if because else column.why)


def _words(name: str) -> str:
    """Return a column name as lower-case words: ``Height(cm)`` is height_cm, ``birthDate`` is birth_date."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", "_", name.strip())
    return re.sub(r"[^0-9a-z]+", "_", apart.lower()).strip("_")


def _role(series: pl.Series, *, has_id: bool) -> tuple[Role, str]:
    """Return the role, and why where it is not plain."""
    name = _words(series.name)
    number = series.dtype.is_numeric()
    if name in _IDS:
        return ("private", "private: a second id") if has_id else ("id", "")
    if series.dtype.is_nested():
        return "embedding", ""
    if _PRIVATE.search(name) or (_BIRTHDAY.search(name) and not number):
        return "private", "private by its name"
    if series.dtype.is_temporal():
        return "private", "private: a date can single people out"
    if (not number or _holds_codes(name, series)) and _differs_for_everybody(series):
        return "private", "private: it differs for nearly everybody"
    is_trait = _TRAIT.fullmatch(name) and (number or series.null_count() == len(series))
    return ("target" if is_trait else "feature"), ""


def _holds_codes(name: str, numbers: pl.Series) -> bool:
    """Say whether these numbers are codes by their name; a body_mass_index of 22.5 is none."""
    whole = numbers.dtype.is_integer() or bool((numbers % 1 == 0).all())
    return name not in _PERIODS and _CODES.search(name) is not None and whole


def _differs_for_everybody(series: pl.Series) -> bool:
    """Say whether these texts or codes would single people out."""
    values = series.drop_nulls()
    return len(series) >= MANY and len(values) > 0 and values.n_unique() > 0.9 * len(values)


def _kind(series: pl.Series) -> Column:
    name = _words(series.name)
    unit = _UNIT.search(name)
    column = Column(series.name, "feature", "nominal", unit[1] if unit else None, inferred=True)
    if not series.dtype.is_numeric():
        return replace(column, why="text" if series.dtype == pl.String else "not a number")
    values = series.drop_nulls().cast(pl.Float64).drop_nans()
    if name in _PERIODS and _fits(values, _PERIODS[name]):
        turn = _PERIODS[name]
        return replace(column, kind="cyclic", period=turn, why=f"its name; one turn is {turn:g}")
    if _COMPONENT.search(name):
        return replace(column, kind="continuous", why="a component of a cyclic column")
    if _holds_codes(name, values):
        return replace(column, why="its name says that its numbers are codes")
    return _number(values, column)


def _fits(values: pl.Series, turn: float) -> bool:
    return len(values) == 0 or float(values.max()) - float(values.min()) <= turn  # type: ignore[arg-type]


def _number(values: pl.Series, column: Column) -> Column:
    distinct = values.n_unique()
    kind: Kind = "ordinal" if distinct <= FEW else "continuous"
    why = f"numbers with {distinct} distinct value{'s' if distinct != 1 else ''}"
    return replace(column, kind=kind, why=why)
