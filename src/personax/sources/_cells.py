"""A column of text as values, as its description says; what cannot be read is listed, what is missing is counted."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Final

import polars as pl

from personax.data.cell_numbers import Mark, missing_word, read_numbers
from personax.sources._birth_dates import ask_placeholders, gregorian, read_birth_dates
from personax.sources._column_reading import (
    FreeColumn,
    ask_codes,
    bad_rows,
    counted,
    read_free,
    read_scale,
    silent_cells,
)
from personax.sources._column_spec import ColumnSpec
from personax.sources._dates import PartialDate, parse_partial_date
from personax.sources._ledger import ColumnReading, ReadingStatus
from personax.sources._people_table import BAD_CELLS
from personax.sources._units import UNITS, parse_quantity, plausible_limits

__all__ = ["birth_parts", "composed", "missing_cells", "read_column"]

Parse = Callable[[str], object]

EXAMPLES: Final = 3
"""So many bad cells are shown."""


def composed(cells: pl.DataFrame, spec: ColumnSpec) -> pl.Series:
    """Return the texts of a column that several of a file make up; null where none of them holds anything.

    Examples
    --------
    >>> names = pl.DataFrame({"first": ["Ana", None], "last": ["Ruiz", "Cy"]})
    >>> composed(names, ColumnSpec(join=["first", "last"])).to_list()
    ['Ana Ruiz', 'Cy']
    """
    texts = cells.select(pl.all().str.strip_chars()).with_columns(pl.when(pl.all().str.len_chars() > 0).then(pl.all()))
    if spec.parts is None:
        return (
            texts.select(pl.concat_str(pl.all(), separator=spec.joint, ignore_nulls=True)).to_series().replace("", None)
        )
    numbers = texts.select(pl.all().str.replace(r"\.0$", "").str.zfill(2))
    known: pl.Expr | pl.Series = pl.col(spec.parts[0])
    for part in spec.parts[1:]:
        whole = pl.concat_str([known, pl.lit("-"), pl.col(part)])
        known = pl.coalesce(whole, known)
    return numbers.select(known.alias("parts")).to_series()


def missing_cells(text: pl.Series, codes: Sequence[str], *, exact: bool) -> tuple[pl.Series, str]:
    """Return a column without the cells that mean missing; and a question where a code is kept.

    Parameters
    ----------
    text
        Cells.
    codes
        Texts that mean missing.
    exact
        They are said of this very column. Else ids keep theirs, and in a column of numbers a number is missing only
        where it does not lie among the others.

    Examples
    --------
    >>> missing_cells(pl.Series("age", ["44", "99", "18"]), ["99"], exact=False)[0].to_list()
    ['44', None, '18']
    >>> missing_cells(pl.Series("weight", ["98", "99", "100"]), ["99"], exact=False)[0].to_list()
    ['98', '99', '100']
    """
    said = [""] if text.name == "id" and not exact else list(codes)
    numbers = {code: value for code in said if (value := _as_number(code)) is not None}
    kept: list[str] = []
    if numbers and not exact:
        values = text.str.strip_chars().cast(pl.Float64, strict=False)
        rest = values.filter(~values.is_in(list(numbers.values()))).drop_nulls()
        if 2 * (len(values) - values.null_count()) > len(text) - text.null_count() and len(rest):
            low, high = float(rest.min()), float(rest.max())  # type: ignore[arg-type]
            kept = [code for code, value in numbers.items() if low <= value <= high and bool((values == value).any())]
            said += [cell for cell in text.unique().drop_nulls().to_list() if _as_number(cell) in numbers.values()]
    among = {_as_number(code) for code in kept}
    said = [code for code in said if not (kept and _as_number(code) in among)]
    named = ", ".join(kept)
    asked = (
        f"{named} lies among the values of this column and is kept, though it is said to mean missing" if kept else ""
    )
    return pl.select(pl.when(~text.is_in(said)).then(text)).to_series().alias(text.name) if said else text, asked


def _as_number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def read_column(text: pl.Series, header: str, spec: ColumnSpec, decimal: Mark | None) -> FreeColumn:
    """Read a column as its description says, or by its cells where there is none.

    Parameters
    ----------
    text
        Cells as they stand in the file, null where missing; the series has our column name.
    header
        In the file.
    spec
        What they are.
    decimal
        The decimal mark of the file.
    """
    filled = len(text) - text.null_count()
    plain = ColumnReading(text.name, header, status="given", filled=filled)
    none = pl.DataFrame(schema=BAD_CELLS)
    if text.name == "id":
        return FreeColumn(text, none, replace(plain, read_as="id", status="plain"))
    if spec.kind == "nominal" and spec.is_text:
        return FreeColumn(text, none, replace(plain, read_as="codes"))
    if spec.calendar == "buddhist":
        text = gregorian(text)
    if text.name == "birth_date" and spec.format is None and spec.parts is None:
        found = read_birth_dates(text, plain)
        if found is not None:
            return found
    if spec.kind in ("continuous", "ordinal", "cyclic") and spec.is_text:
        return _described_numbers(text, plain, spec, decimal)
    parse, dtype, read_as = _parser(text.name, spec)
    if parse is None:
        return read_free(text, header, decimal=decimal, missing_given=spec.missing is not None)
    found = _parsed(
        text, replace(plain, read_as=read_as), parse, dtype, words=spec.missing is None and read_as != "labels"
    )
    asked = ask_placeholders(found.values) if text.name == "birth_date" and spec.missing is None else ""
    if asked:
        sentence = "; ".join(filter(None, (found.reading.question, asked)))
        codes = ["", *text.filter(found.values.is_in([date.fromisoformat(asked[:10])])).unique().to_list()]
        answer = {**found.reading.answer, "missing": codes}
        found = replace(found, reading=replace(found.reading, status="question", question=sentence, answer=answer))
    return found


def _described_numbers(text: pl.Series, plain: ColumnReading, spec: ColumnSpec, decimal: Mark | None) -> FreeColumn:
    cells = read_numbers(text, decimal)
    if cells is None or (spec.missing is not None and cells.missing):
        scale = read_scale(text, plain) if spec.kind == "ordinal" else None
        words = spec.missing is None
        if scale is not None and scale.reading.status == "guess" and not (words and scale.reading.missing):
            return replace(scale, reading=replace(scale.reading, status="given"))
        return scale or _parsed(text, replace(plain, read_as="numbers"), _number, pl.Float64, words=words)
    bad = bad_rows(text, cells.odd, "not a number")
    why = [
        *([silent_cells(cells.missing)] if cells.missing else []),
        *cells.marks,
    ]
    asked = "; ".join(filter(None, (cells.guessed, ask_codes(cells.values) if spec.missing is None else "")))
    status: ReadingStatus = "question" if asked else "evidence" if why else "given"
    reading = replace(plain, read_as="numbers", status=status, why=", ".join(why), question=asked,
                      missing=cells.missing, bad=bad.height, filled=len(text) - cells.values.null_count())  # fmt: skip
    return FreeColumn(cells.values.cast(pl.Float64), bad, reading, None, cells.decimal, cells.ambiguous)


def _parsed(
    text: pl.Series, plain: ColumnReading, parse: Parse, dtype: type[pl.DataType], *, words: bool
) -> FreeColumn:
    """Parse each distinct text once: people share heights, dates and codes."""
    values: dict[str, object] = {}
    reasons: dict[str, str] = {}
    missing: dict[str, int] = {}
    for cell, times in text.drop_nulls().value_counts(sort=True).iter_rows():
        try:
            values[cell] = parse(cell)
        except ValueError as error:
            if words and missing_word(cell):
                missing[cell] = times
            else:
                reasons[cell] = str(error)
    bad = _bad_cells(text, reasons)
    read = (
        text.replace_strict(values, default=None, return_dtype=dtype)
        if values
        else pl.Series(text.name, [None] * len(text), dtype)
    )
    why = silent_cells(missing) if missing else ""
    held = len(read) - read.null_count()
    reading = replace(plain, why=why, missing=missing, bad=bad.height, filled=held,
                      status="evidence" if missing else plain.status)  # fmt: skip
    return FreeColumn(read, bad, _told(reading, bad, held) if bad.height else reading)


def _told(reading: ColumnReading, bad: pl.DataFrame, held: int) -> ColumnReading:
    """Ask about cells that cannot be read as the column is described, with examples."""
    some = "; ".join(f"row {row}: {value[:30]!r} is {why}" for row, _, value, why in bad.head(EXAMPLES).iter_rows())
    are = "is" if bad.height == 1 else "are"
    asked = f"{counted(bad.height, 'cell')} of {held + bad.height:,} cannot be read and {are} missing now ({some})"
    distinct = bad["value"].unique(maintain_order=True).to_list()
    answer = {"missing": ["", *distinct]} if len(distinct) <= EXAMPLES and bad.height <= held else {}
    return replace(reading, status="question", question=asked, answer=answer)


def _bad_cells(text: pl.Series, reasons: Mapping[str, str]) -> pl.DataFrame:
    if not reasons:
        return pl.DataFrame(schema=BAD_CELLS)
    found = bad_rows(text, text.is_in(list(reasons)), "")
    return found.with_columns(reason=pl.col("value").replace_strict(dict(reasons), return_dtype=pl.String))


def birth_parts(text: pl.Series, formats: Sequence[str]) -> pl.DataFrame:
    """Return birth_year, birth_month and birth_day; null where the text does not say them."""
    today = date.today()
    parts: dict[str, PartialDate] = {}
    for cell in text.drop_nulls().unique().to_list():
        try:
            parts[cell] = parse_partial_date(cell, formats, today=today)
        except ValueError:
            continue
    rows = [parts.get(cell, (None, None, None)) for cell in text]
    return pl.DataFrame(rows, schema=dict.fromkeys(("birth_year", "birth_month", "birth_day"), pl.Int64), orient="row")


def _parser(name: str, spec: ColumnSpec) -> tuple[Parse | None, type[pl.DataType], str]:
    """Return what reads one cell, or None when the cells say it themselves; the type of the values; what they are."""
    if spec.values is not None:
        labels = spec.values
        return (lambda cell: _label(cell, labels)), pl.String, "labels"
    if spec.levels is not None:
        levels = {word.casefold(): at for at, word in enumerate(spec.levels, 1)}
        return (lambda cell: _level(cell, levels)), pl.Int64, "ordered words"
    if spec.formats or name == "birth_date":
        today = date.today()
        return (
            (lambda cell: _whole_date(parse_partial_date(cell, spec.formats, today=today, years_from=spec.years_from))),
            pl.Date,
            "dates",
        )
    unit = spec.unit
    if unit in UNITS:
        bounds = plausible_limits(name, unit)
        return (lambda cell: parse_quantity(cell, unit, bounds=bounds)), pl.Float64, "sizes"
    return None, pl.String, "text"


def _whole_date(parts: PartialDate) -> date | None:
    """Return the date, or None when only a year or a month is known; `birth_parts` keeps those."""
    return None if parts.month is None or parts.day is None else date(parts.year, parts.month, parts.day)


def _label(cell: str, labels: Mapping[str, str]) -> str:
    if cell.strip() not in labels:
        raise ValueError(f"not one of the {len(labels)} codes in values")
    return labels[cell.strip()]


def _level(cell: str, levels: Mapping[str, int]) -> int:
    if cell.strip().casefold() not in levels:
        raise ValueError(f"not one of the {len(levels)} levels")
    return levels[cell.strip().casefold()]


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
