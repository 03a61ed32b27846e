"""Conditions on columns of people, as the form of a page sends them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

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
            A number or a date is needed and the value is none, or the column holds lists.
        """
        column = pl.col(self.column)
        absent = column.is_null() | column.is_nan() if dtype.is_float() else column.is_null()
        if self.operator in ("missing", "present"):
            return absent if self.operator == "missing" else ~absent
        if dtype.is_nested() or dtype == pl.Binary:
            raise InputError(f"{self.column} holds lists or bytes; ask whether it is missing or present")
        text = column.cast(pl.String)
        if self.operator == "contains":
            return text.str.to_lowercase().str.contains(self.value.lower(), literal=True)
        compared, bound = (column, self._number()) if dtype.is_numeric() else (text, self._text(dtype))
        match self.operator:
            case "at least":
                return ~absent & (compared >= bound)
            case "at most":
                return ~absent & (compared <= bound)
            case "is not":
                return ~absent & (compared != bound)
        return compared == bound

    def _number(self) -> float:
        try:
            return float(self.value)
        except ValueError:
            raise InputError(f"{self.column} holds numbers, and {self.value!r} is none; type a number") from None

    def _text(self, dtype: pl.DataType) -> str:
        """Return what texts are compared with; dates written as ISO 8601 says have the order of their texts."""
        if dtype in (pl.Date, pl.Datetime):
            try:
                datetime.fromisoformat(self.value)
            except ValueError:
                told = f"{self.column} holds dates, and {self.value!r} is none; type one as 1985-05-09"
                raise InputError(told) from None
        return self.value


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
