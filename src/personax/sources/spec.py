"""How a person describes a column of their table in study.yaml."""

from __future__ import annotations

from pydantic import Field

from personax.schema import Kind, Role
from personax.strict import Strict

__all__ = ["ColumnSpec"]


class ColumnSpec(Strict):
    """One entry of ``collect.columns``; all of it may be left out.

    Parameters
    ----------
    source
        ``from`` in study.yaml: the header in the file, when it is not the column's own name.
    role, kind
        See `personax.schema.Column`; inferred when not given.
    unit
        What the file's numbers are in: lengths become cm, masses kg; any other word is kept as a label.
    format
        One or several strptime formats of a date, or ``iso``; this makes the column a date.
    values
        Code in the file -> label; other codes are bad cells.
    period
        Length of one turn of a cyclic column.
    missing
        Texts that mean missing in this column, instead of the table's own list.
    """

    source: str | None = Field(default=None, alias="from")
    role: Role | None = None
    kind: Kind | None = None
    unit: str | None = None
    format: str | list[str] | None = None
    values: dict[str, str] | None = None
    period: float | None = Field(default=None, gt=0)
    missing: list[str] | None = None

    @property
    def formats(self) -> list[str]:
        """The date formats as a list; empty for ISO 8601."""
        given = [self.format] if isinstance(self.format, str) else self.format or []
        return [pattern for pattern in given if pattern != "iso"]
