"""Conditions on columns of people, as the form of a page sends them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from personax.errors import InputError
from personax.strict import nearest

__all__ = ["OPERATORS", "PeopleCondition", "conditions"]

OPERATORS = ("is", "is not", "contains", "at least", "at most", "missing", "present")

MAX_CONDITIONS = 8


@dataclass(frozen=True, slots=True)
class PeopleCondition:
    """One condition.

    Parameters
    ----------
    column, operator, value
        ``value`` is text as it was typed; ``missing`` and ``present`` need none.

    Examples
    --------
    >>> frame = pl.DataFrame({"height": [1.5, None, 2.0], "job": ["Actor", "singer", None]})
    >>> frame.filter(PeopleCondition("height", "at least", "1.8").expression(pl.Float64()))["height"].to_list()
    [2.0]
    >>> frame.filter(PeopleCondition("job", "contains", "ACT").expression(pl.String()))["job"].to_list()
    ['Actor']
    """

    column: str
    operator: str
    value: str

    def expression(self, dtype: pl.DataType) -> pl.Expr:
        """Return the condition for a column of this type.

        Raises
        ------
        InputError
            A number is needed and the value is none.
        """
        column = pl.col(self.column)
        absent = column.is_null() | column.is_nan() if dtype.is_float() else column.is_null()
        match self.operator:
            case "missing":
                return absent
            case "present":
                return ~absent
            case "at least":
                return ~absent & (column >= self._bound(dtype))
            case "at most":
                return ~absent & (column <= self._bound(dtype))
            case "contains":
                text = column.cast(pl.String).str.to_lowercase()
                return text.str.contains(self.value.lower(), literal=True)
        same = column == self._bound(dtype) if dtype.is_numeric() else column.cast(pl.String) == self.value
        return same if self.operator == "is" else ~absent & ~same

    def _bound(self, dtype: pl.DataType) -> pl.Expr:
        if not dtype.is_numeric():
            return pl.lit(self.value).cast(dtype)
        try:
            return pl.lit(float(self.value))
        except ValueError:
            raise InputError(f"{self.column} holds numbers, and {self.value!r} is none; type a number") from None


def conditions(
    columns: Sequence[str], operators: Sequence[str], values: Sequence[str], known: Mapping[str, pl.DataType]
) -> list[PeopleCondition]:
    """Return the conditions of a form; a line without a column is none.

    Parameters
    ----------
    columns, operators, values
        One each a line of the form.
    known
        The columns that may be asked about, and their types.

    Raises
    ------
    InputError
        There is no such column or operator, or there are too many conditions.

    Examples
    --------
    >>> conditions(["job", ""], ["is", "is"], ["Actor", ""], {"job": pl.String()})
    [PeopleCondition(column='job', operator='is', value='Actor')]
    """
    lines = [line for line in zip(columns, operators, values, strict=False) if line[0]]
    if len(lines) > MAX_CONDITIONS:
        raise InputError(f"{len(lines)} conditions are too many; {MAX_CONDITIONS} at most")
    for column, operator, _ in lines:
        if column not in known:
            raise InputError(f"no column {column} is shown; {nearest(column, list(known))}")
        if operator not in OPERATORS:
            raise InputError(f"there is no condition {operator!r}; choose from {', '.join(OPERATORS)}")
    return [PeopleCondition(*line) for line in lines]
