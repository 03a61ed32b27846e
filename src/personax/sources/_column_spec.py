"""What a study file says of one column of a table."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from personax.schema import Kind, Role
from personax.sources._dates import has_year
from personax.strict import Strict

__all__ = ["DEFAULT_SPEC", "ColumnSpec"]


class ColumnSpec(Strict):
    """One entry of ``collect.columns``; all of it may be left out.

    Attributes
    ----------
    source
        ``from`` in study.yaml: the header in the file, when it is not the column's own name.
    role, kind
        See `personax.schema.Column`; inferred when not given.
    unit
        What the file's numbers are in: lengths become cm, masses kg; any other word is kept as a label.
    format
        One or several strptime formats of a date, ``iso``, or ``excel`` for its days; this makes the column a date.
        Only birth_date may leave out the day or the month.
    values
        Code in the file -> label; other codes are bad cells.
    period
        Length of one turn of a cyclic column.
    missing
        Texts that mean missing in this column, instead of the table's own list.
    join
        Headers whose texts make up this column, with ``joint`` between them: first and last name.
    joint
        What stands between joined texts.
    parts
        Headers of the year, the month and the day that make up a date; the later ones may be left out.
    levels
        Answers in words, from low to high: they become 1, 2, 3 ... Other words are bad cells.
    years_from
        Years of two digits are of the hundred years that begin with this one.
    calendar
        Of the years of a date: ``buddhist`` ones are 543 ahead.
    """

    source: str | None = Field(default=None, alias="from")
    role: Role | None = None
    kind: Kind | None = None
    unit: str | None = None
    format: str | list[str] | None = None
    values: dict[str, str] | None = None
    period: float | None = Field(default=None, gt=0)
    missing: list[str] | None = None
    join: Annotated[list[str], Field(min_length=1)] | None = None
    joint: str = " "
    parts: Annotated[list[str], Field(min_length=1, max_length=3)] | None = None
    levels: Annotated[list[str], Field(min_length=2)] | None = None
    years_from: Annotated[int, Field(ge=1000, le=2100)] | None = None
    calendar: Literal["gregorian", "buddhist"] = "gregorian"

    @field_validator("missing", mode="before")
    @classmethod
    def _missing_are_text(cls, raw: object) -> object:
        """Let ``[99]`` stand for ``["99"]``."""
        return [str(one) if type(one) in (int, float) else one for one in raw] if isinstance(raw, list) else raw

    @field_validator("values", mode="before")
    @classmethod
    def _codes_are_text(cls, raw: object) -> object:
        """Let ``1: male`` stand for ``"1": male``; cells are compared as text."""
        if not isinstance(raw, dict):
            return raw
        return {str(code) if type(code) is int else code: label for code, label in raw.items()}

    @field_validator("format")
    @classmethod
    def _formats_have_years(cls, value: str | list[str] | None) -> str | list[str] | None:
        for pattern in [value] if isinstance(value, str) else value or []:
            if not has_year(pattern):
                raise PydanticCustomError("date_format", "a date format needs a year, as in %d/%m/%Y")
        return value

    @property
    def formats(self) -> list[str]:
        """The date formats as a list; empty when none is given and it is not composed of the parts of a date."""
        parts = ["iso", "%Y-%m", "%Y"] if self.parts else []
        return [self.format] if isinstance(self.format, str) else self.format or parts

    @property
    def headers(self) -> list[str]:
        """The headers of the file that make up this column, where it is composed; empty otherwise."""
        return self.join or self.parts or []

    @property
    def is_text(self) -> bool:
        """Its kind, at most, is described: nothing says how a cell is read."""
        return self.values is None and self.levels is None and not self.formats and self.unit is None


DEFAULT_SPEC = ColumnSpec()
