"""A table -> people: units, dates and codes by the study's column mapping; what cannot be read is listed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Literal

import polars as pl
from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from personax.data.columns import infer_columns
from personax.data.table import Table
from personax.errors import InputError
from personax.files import sha256
from personax.registry import register
from personax.schema import Kind, Notice, Provenance, Role
from personax.sources._dates import PartialDate, has_year, is_partial, parse_partial_date
from personax.sources._people_table import (
    BAD_CELLS,
    PeopleTable,
    check_bad_share,
    check_ids,
    derive_birth_parts,
    table_notices,
)
from personax.sources._read_file import read_text_table
from personax.sources._source import FileSource
from personax.sources._units import FACTORS, UNITS, parse_quantity, plausible_limits
from personax.strict import Strict, nearest

__all__ = [
    "CollectTable",
    "ColumnSpec",
    "null_missing",
    "numbers_or_text",
    "read_birth_parts",
    "read_cells",
    "read_table",
]


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
        One or several strptime formats of a date, or ``iso``; this makes the column a date. Only birth_date may leave
        out the day or the month.
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
        """The date formats as a list; empty when none is given."""
        return [self.format] if isinstance(self.format, str) else self.format or []


Parse = Callable[[str], object]


def null_missing(header: str, missing: Sequence[str]) -> pl.Expr:
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
        return pl.Series(text.name, [None] * len(text), dtype), _bad_cell_rows(text, reasons)
    return text.replace_strict(values, default=None, return_dtype=dtype), _bad_cell_rows(text, reasons)


def read_birth_parts(text: pl.Series, spec: ColumnSpec) -> pl.DataFrame:
    """Return birth_year, birth_month and birth_day; null where the text does not say them."""
    today = date.today()
    parts, _ = _read_distinct(text, lambda cell: parse_partial_date(cell, spec.formats, today=today))
    rows = [parts.get(cell, (None, None, None)) for cell in text]
    return pl.DataFrame(rows, schema=dict.fromkeys(("birth_year", "birth_month", "birth_day"), pl.Int64), orient="row")


def numbers_or_text(text: pl.Series) -> pl.Series:
    """Let a column without a description be numbers when every cell is one; codes such as 007 stay text."""
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


def _bad_cell_rows(text: pl.Series, reasons: Mapping[str, str]) -> pl.DataFrame:
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
        return (lambda cell: _whole_date(parse_partial_date(cell, spec.formats, today=today))), pl.Date
    unit = spec.unit
    if unit in UNITS:
        bounds = plausible_limits(name, unit)
        return (lambda cell: parse_quantity(cell, unit, bounds=bounds)), pl.Float64
    if spec.kind in ("continuous", "ordinal", "cyclic"):
        return _number, pl.Float64
    return None, pl.String


def _whole_date(parts: PartialDate) -> date | None:
    """Return the date, or None when only a year or a month is known; `read_birth_parts` keeps those."""
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


DEFAULT_SPEC = ColumnSpec()

_CANONICAL_UNIT = {unit: becomes for unit, (becomes, _) in FACTORS.items()} | {"ft-in": "cm"}

ColumnMapping = Mapping[str, tuple[str, ColumnSpec]]
"""Our column name -> (header in the file, how to read it)."""


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
    mapping = _column_mapping(path, raw, columns or {}, keep_others=keep_others)
    texts = raw.select(
        null_missing(header, missing if spec.missing is None else spec.missing).alias(name)
        for name, (header, spec) in mapping.items()
    )
    series, bad = [], []
    for name, (_, spec) in mapping.items():
        values, wrong = read_cells(texts[name], spec)
        check_bad_share(str(path), values, wrong, max_bad_share)
        series.append(values)
        bad.append(wrong)
    described = _codes_as_text(_described(path, _with_ids(pl.DataFrame(series)), mapping), texts)
    parts = read_birth_parts(texts["birth_date"], mapping["birth_date"][1]) if _born_in_part(mapping) else None
    described = derive_birth_parts(described, parts)
    bad_cells = pl.concat(bad)
    notices = [*_partial(described.frame, parts), *table_notices(described.frame, bad_cells)]
    origin = Provenance("table", path.name, sha256(path), described.height)
    return PeopleTable(replace(described, provenance=origin), bad_cells, notices)


def _column_mapping(
    path: Path, raw: pl.DataFrame, columns: Mapping[str, ColumnSpec], *, keep_others: bool
) -> ColumnMapping:
    """Return how to read every column, described ones first."""
    headers = set(raw.columns)
    mapping = {}
    for name, spec in columns.items():
        header = spec.source or name
        if header not in headers:
            raise InputError(f"{path} has no column {header} (for {name}); {nearest(header, raw.columns)}")
        fault = _contradiction(name, spec)
        if fault:
            raise InputError(f"columns.{name}: {fault}")
        mapping[name] = (header, spec)
    if keep_others:
        taken = {header for header, _ in mapping.values()}
        mapping |= {
            header: (header, DEFAULT_SPEC) for header in raw.columns if header not in taken and header not in mapping
        }
    if not mapping:
        raise InputError(f"{path}: no column is selected; name some under columns, or set keep_others: true")
    return mapping


def _contradiction(name: str, spec: ColumnSpec) -> str | None:
    """Say what in a description cannot be."""
    if spec.role == "id" and name != "id":
        return f"the id column is called id; write id: {{from: {spec.source or name}}}"
    if name != "birth_date" and any(map(is_partial, spec.formats)):
        return "only birth_date may be a year or a month alone; for years use kind: continuous and no format"
    if spec.values is not None and spec.kind not in (None, "nominal"):
        return f"labels are nominal, not {spec.kind}; drop values to keep the numbers, or drop kind"
    return None


def _with_ids(people: pl.DataFrame) -> pl.DataFrame:
    """Put the ids first; rows are numbered where there are none."""
    if "id" not in people.columns:
        people = people.with_columns(pl.int_range(1, people.height + 1).cast(pl.String).alias("id"))
    check_ids(people["id"].to_list())
    return people.select("id", pl.exclude("id"))


def _described(path: Path, people: pl.DataFrame, mapping: ColumnMapping) -> Table:
    """Return the people and what their columns mean: as described, the rest inferred."""
    columns = []
    roles = {name: spec.role for name, (_, spec) in mapping.items() if spec.role is not None}
    described = {c.name: replace(c, role=roles[c.name], identity="") for c in infer_columns(people) if c.name in roles}
    # what follows a column that is declared private is private too
    for column in infer_columns(people, described):
        spec = mapping[column.name][1] if column.name in mapping else DEFAULT_SPEC
        if spec.kind is not None:
            column = replace(column, kind=spec.kind, inferred=False, why="")
        unit = _CANONICAL_UNIT.get(spec.unit, spec.unit) if spec.unit else column.unit
        period = (spec.period or column.period) if column.kind == "cyclic" else None
        if column.kind == "cyclic" and period is None:
            text = f"{path}, column {column.name}: a cyclic column needs its period, such as period: 12 for months"
            raise InputError(text)
        columns.append(replace(column, unit=unit, period=period))
    return Table(people, columns)


def _codes_as_text(table: Table, texts: pl.DataFrame) -> Table:
    """Give nominal columns that read as numbers their text back, so that codes are not taken for quantities."""
    people = table.frame.with_columns(
        texts[column.name]
        for column in table.columns
        if column.kind == "nominal" and column.name in texts.columns and table.frame[column.name].dtype.is_numeric()
    )
    return replace(table, frame=people)


def _born_in_part(mapping: ColumnMapping) -> bool:
    return "birth_date" in mapping and any(map(is_partial, mapping["birth_date"][1].formats))


def _partial(people: pl.DataFrame, parts: pl.DataFrame | None) -> list[Notice]:
    if parts is None:
        return []
    open_dates = int((parts["birth_year"].is_not_null() & people["birth_date"].is_null()).sum())
    text = "Birth dates that give no day are missing; their year, and month if given, is kept."
    return [Notice(text, open_dates)] if open_dates else []


@register("sources", "table", title="Table", reads="file", order=1)
class CollectTable(FileSource):
    """People from a CSV, TSV, Parquet, JSON or JSONL file."""

    source: Literal["table"]
    columns: dict[str, ColumnSpec] = {}
    missing: list[str] = [""]
    max_bad_share: float = Field(default=0.05, ge=0, le=1)
    keep_others: bool = True
    encoding: str = "utf-8"

    def read(self, root: Path) -> PeopleTable:
        """Read the people; see `read_table`."""
        return read_table(
            root / self.path, self.columns, missing=self.missing, max_bad_share=self.max_bad_share,
            keep_others=self.keep_others, encoding=self.encoding,
        )  # fmt: skip
