"""A table -> people: units, dates and codes by the study's column mapping; what cannot be read is listed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl

from personax.columns import infer_columns
from personax.errors import InputError, TooManyBadCells
from personax.files import sha256
from personax.schema import Column, Provenance
from personax.sources.dates import parse_date
from personax.sources.people import BAD_CELLS, PeopleTable, check_ids, derive_birth, plain_notices
from personax.sources.read import read_text_table
from personax.sources.spec import ColumnSpec
from personax.sources.units import FACTORS, UNITS, parse_quantity
from personax.strict import nearest

__all__ = ["read_table"]

DEFAULT = ColumnSpec()

_BECOMES = {unit: becomes for unit, (becomes, _) in FACTORS.items()} | {"ft-in": "cm"}

Parse = Callable[[str], object]


def read_table(
    path: Path,
    columns: Mapping[str, ColumnSpec] | None = None,
    *,
    missing: Sequence[str] = ("",),
    max_bad_share: float = 0.05,
    keep_others: bool = True,
    encoding: str = "utf-8",
) -> PeopleTable:
    r"""Read people from a CSV, TSV, Parquet, JSON or JSONL file.

    Parameters
    ----------
    path
        The file; its ending tells the format.
    columns
        Our column name -> how to read it.
    missing
        Texts that mean missing; nothing else does, so that ``NA`` stays Namibia.
    max_bad_share
        Largest share of bad cells among the cells of a column that hold something.
    keep_others
        Keep columns of the file that ``columns`` does not name, under their own names.
    encoding
        Of a text file.

    Raises
    ------
    InputError
        What is wrong with the file, in one sentence; `TooManyBadCells` when a column is mostly unreadable.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "people.csv"
    ...     _ = file.write_text("who,Height,Country\na,6-5,NA\nb,5-11,FR\n")
    ...     height = ColumnSpec.model_validate({"from": "Height", "unit": "ft-in"})
    ...     table = read_table(file, {"id": ColumnSpec.model_validate({"from": "who"}), "height_cm": height})
    >>> table.people.rows()
    [('a', 195.58, 'NA'), ('b', 180.34, 'FR')]
    """
    raw = read_text_table(path, encoding=encoding)
    plan = _plan(path, raw, columns or {}, keep_others=keep_others)
    series, bad = [], []
    for name, (header, spec) in plan.items():
        parsed, wrong = _column(raw[header], name, spec, spec.missing if spec.missing is not None else missing)
        _limit(path, name, parsed, wrong, max_bad_share)
        series.append(parsed)
        bad.append(wrong)
    people = pl.DataFrame(series)
    if "id" not in people.columns:
        people = people.select(pl.int_range(1, people.height + 1).cast(pl.String).alias("id"), pl.all())
    people = people.select("id", pl.exclude("id"))
    check_ids(people["id"].to_list())
    described = _described(people, plan)
    people, described = derive_birth(people, described)
    bad_cells = pl.concat(bad) if bad else pl.DataFrame(schema=BAD_CELLS)
    provenance = Provenance("table", path.name, sha256(path), people.height)
    return PeopleTable(people, described, bad_cells, plain_notices(people, bad_cells), provenance)


def _plan(
    path: Path, raw: pl.DataFrame, columns: Mapping[str, ColumnSpec], *, keep_others: bool
) -> dict[str, tuple[str, ColumnSpec]]:
    """Return our name -> (header in the file, how to read it)."""
    plan = {}
    for name, spec in columns.items():
        header = spec.source or name
        if header not in raw.columns:
            raise InputError(f"{path} has no column {header} (for {name}); {nearest(header, raw.columns)}")
        plan[name] = (header, spec)
    if keep_others:
        taken = {header for header, _ in plan.values()}
        plan |= {header: (header, DEFAULT) for header in raw.columns if header not in taken and header not in plan}
    if not plan:
        raise InputError(f"{path}: no column is asked for; name some under columns, or set keep_others: true")
    return plan


def _column(raw: pl.Series, name: str, spec: ColumnSpec, missing: Sequence[str]) -> tuple[pl.Series, pl.DataFrame]:
    """Parse a column: each distinct text once. Return its values and its bad cells."""
    text = raw.alias(name)
    text = text.set(text.is_in(list(missing)) & text.is_not_null(), None) if missing else text
    parse = _parser(name, spec)
    if parse is None:
        return _natural(text, name), pl.DataFrame(schema=BAD_CELLS)
    values: dict[str, object] = {}
    reasons: dict[str, str] = {}
    for cell in text.drop_nulls().unique().to_list():
        try:
            values[cell] = parse(cell)
        except ValueError as error:
            reasons[cell] = str(error)
    dtype = _dtype(spec, name)
    parsed = (
        text.replace_strict(values, default=None, return_dtype=dtype) if values else text.clear(len(text)).cast(dtype)
    )
    return parsed.alias(name), _wrong(text, name, reasons)


def _wrong(text: pl.Series, name: str, reasons: Mapping[str, str]) -> pl.DataFrame:
    if not reasons:
        return pl.DataFrame(schema=BAD_CELLS)
    cells = pl.DataFrame({"row": pl.int_range(1, len(text) + 1, eager=True), "value": text})
    found = cells.filter(pl.col("value").is_in(list(reasons)))
    reason = pl.col("value").replace_strict(dict(reasons), return_dtype=pl.String).alias("reason")
    return found.select("row", pl.lit(name).alias("column"), "value", reason)


def _parser(name: str, spec: ColumnSpec) -> Parse | None:
    """Return what reads one cell, or None when the text is taken as it is."""
    if spec.values is not None:
        labels = spec.values
        return lambda cell: _label(cell, labels)
    if spec.format is not None or name == "birth_date":
        formats, today = spec.formats, date.today()
        return lambda cell: parse_date(cell, formats, today=today)
    unit = spec.unit
    if unit in UNITS:
        return lambda cell: parse_quantity(cell, unit)
    if spec.kind in ("continuous", "ordinal", "cyclic"):
        return _number
    return None


def _dtype(spec: ColumnSpec, name: str) -> pl.DataType | type[pl.DataType]:
    if spec.values is not None:
        return pl.String
    return pl.Date if spec.format is not None or name == "birth_date" else pl.Float64


def _label(cell: str, labels: Mapping[str, str]) -> str:
    if cell.strip() not in labels:
        raise ValueError(f"not one of the {len(labels)} codes in values")
    return labels[cell.strip()]


def _number(cell: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        raise ValueError("not a number") from None
    if value != value or value in (float("inf"), float("-inf")):
        raise ValueError("not a finite number")
    return value


def _natural(text: pl.Series, name: str) -> pl.Series:
    """Let a column that nobody described be numbers when every cell is one; an id stays text."""
    if name == "id" or text.null_count() == len(text):
        return text
    for dtype in (pl.Int64, pl.Float64):
        numbers = text.cast(dtype, strict=False)
        if numbers.null_count() == text.null_count() and (dtype == pl.Int64 or bool(numbers.is_finite().all())):
            return numbers
    return text


def _limit(path: Path, name: str, parsed: pl.Series, wrong: pl.DataFrame, share: float) -> None:
    held = len(parsed) - parsed.null_count() + wrong.height
    if held and wrong.height > share * held:
        first = wrong.row(0, named=True)
        text = (
            f"{path}, column {name}: {wrong.height} of {held} cells cannot be read, more than max_bad_share {share:g} "
            f"(row {first['row']}: {first['reason']}); check unit, format and values"
        )
        raise TooManyBadCells(text)


def _described(people: pl.DataFrame, plan: Mapping[str, tuple[str, ColumnSpec]]) -> list[Column]:
    """Return what the columns mean: as described, the rest inferred."""
    columns = []
    for column in infer_columns(people):
        spec = plan[column.name][1] if column.name in plan else DEFAULT
        said = spec.kind is not None
        columns.append(
            replace(
                column,
                role=spec.role or column.role,
                kind=spec.kind or column.kind,
                unit=_BECOMES.get(spec.unit, spec.unit) if spec.unit else None,
                period=spec.period or column.period,
                inferred=not said and column.inferred,
                why="" if said else column.why,
            )
        )
    return columns
