"""One column of text -> its values; every cell that cannot be read is listed with a reason."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import date

import polars as pl

from personax.sources.dates import Parts, parse_parts
from personax.sources.people import BAD_CELLS
from personax.sources.spec import ColumnSpec
from personax.sources.units import UNITS, limits, parse_quantity

__all__ = ["blank", "numbers_or_text", "read_cells", "read_parts"]

Parse = Callable[[str], object]


def blank(header: str, missing: Sequence[str]) -> pl.Expr:
    """Return the text of a column, null where it is exactly one of the texts that mean missing."""
    cell = pl.col(header)
    return pl.when(cell.is_in(list(missing)).not_()).then(cell) if missing else cell


def read_cells(text: pl.Series, spec: ColumnSpec) -> tuple[pl.Series, pl.DataFrame]:
    """Read a column as its description says.

    Parameters
    ----------
    text
        Cells as they stand in the file, null where missing; the series has our column name.
    spec
        What they are.

    Returns
    -------
    values, bad_cells
        The values, null where a cell is missing or bad; and the bad cells, see `BAD_CELLS`.
    """
    parse, dtype = _parser(text.name, spec)
    if parse is None:
        described_as_text = spec.kind == "nominal" or text.name == "id"
        return (text if described_as_text else numbers_or_text(text)), pl.DataFrame(schema=BAD_CELLS)
    values, reasons = _read_distinct(text, parse)
    if not values:
        return pl.Series(text.name, [None] * len(text), dtype), _listed(text, reasons)
    return text.replace_strict(values, default=None, return_dtype=dtype), _listed(text, reasons)


def read_parts(text: pl.Series, spec: ColumnSpec) -> pl.DataFrame:
    """Return birth_year, birth_month and birth_day; null where the text does not say them."""
    today = date.today()
    parts, _ = _read_distinct(text, lambda cell: parse_parts(cell, spec.formats, today=today))
    rows = [parts.get(cell, (None, None, None)) for cell in text]
    return pl.DataFrame(rows, schema=dict.fromkeys(("birth_year", "birth_month", "birth_day"), pl.Int64), orient="row")


def numbers_or_text(text: pl.Series) -> pl.Series:
    """Let a column that nobody described be numbers when every cell is one; codes such as 007 stay text."""
    stripped = text.str.strip_chars()
    if text.null_count() == len(text) or stripped.str.contains(r"^[+-]?0\d\d").any():
        return text
    for dtype in (pl.Int64, pl.Float64):
        numbers = stripped.cast(dtype, strict=False)
        if numbers.null_count() == text.null_count() and (dtype == pl.Int64 or bool(numbers.is_finite().all())):
            return numbers
    return text


def _read_distinct(text: pl.Series, parse: Parse) -> tuple[dict[str, object], dict[str, str]]:
    """Parse each distinct text once: people share heights, dates and codes. Return values and reasons."""
    values: dict[str, object] = {}
    reasons: dict[str, str] = {}
    for cell in text.drop_nulls().unique(maintain_order=True).to_list():
        try:
            values[cell] = parse(cell)
        except ValueError as error:
            reasons[cell] = str(error)
    return values, reasons


def _listed(text: pl.Series, reasons: Mapping[str, str]) -> pl.DataFrame:
    if not reasons:
        return pl.DataFrame(schema=BAD_CELLS)
    cells = pl.DataFrame({"row": pl.int_range(1, len(text) + 1, eager=True), "value": text})
    found = cells.filter(pl.col("value").is_in(list(reasons)))
    reason = pl.col("value").replace_strict(dict(reasons), return_dtype=pl.String).alias("reason")
    return found.select("row", pl.lit(text.name).alias("column"), "value", reason)


def _parser(name: str, spec: ColumnSpec) -> tuple[Parse | None, type[pl.DataType]]:
    """Return what reads one cell, or None when the text is taken as it is; and the type of the values."""
    if spec.values is not None:
        labels = spec.values
        return (lambda cell: _label(cell, labels)), pl.String
    if spec.format is not None or name == "birth_date":
        today = date.today()
        return (lambda cell: _whole_date(parse_parts(cell, spec.formats, today=today))), pl.Date
    unit = spec.unit
    if unit in UNITS:
        within = limits(name, unit)
        return (lambda cell: parse_quantity(cell, unit, within=within)), pl.Float64
    if spec.kind in ("continuous", "ordinal", "cyclic"):
        return _number, pl.Float64
    return None, pl.String


def _whole_date(parts: Parts) -> date | None:
    """Return the date, or None when only a year or a month is known; `read_parts` keeps those."""
    return None if parts.month is None or parts.day is None else date(parts.year, parts.month, parts.day)


def _label(cell: str, labels: Mapping[str, str]) -> str:
    if cell.strip() not in labels:
        raise ValueError(f"not one of the {len(labels)} codes in values")
    return labels[cell.strip()]


def _number(cell: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        raise ValueError("not a number") from None
    if "_" in cell:  # Python reads 1_000; no table means that
        raise ValueError("not a number")
    if not math.isfinite(value):
        raise ValueError("not a finite number")
    return value
