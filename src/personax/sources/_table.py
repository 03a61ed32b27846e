"""A table -> people: units, dates and codes by the study's column mapping, the rest by its cells."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

import polars as pl
from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from personax.data.cell_numbers import Mark
from personax.data.columns import infer_columns
from personax.data.hub_files import hub_file, local_path
from personax.data.table import Table
from personax.errors import InputError
from personax.files import sha256
from personax.registry import register
from personax.schema import Notice, Provenance
from personax.sources._cells import birth_parts, composed, missing_cells, read_column
from personax.sources._column_reading import FreeColumn, file_decimal
from personax.sources._column_spec import DEFAULT_SPEC, ColumnSpec
from personax.sources._dates import is_partial
from personax.sources._known_tables import known_columns, known_table
from personax.sources._ledger import ColumnReading, FileFact, FileReading, ReadingLedger
from personax.sources._people_table import (
    BAD_CELLS,
    PeopleTable,
    check_bad_share,
    check_ids,
    derive_birth_parts,
    table_notices,
)
from personax.sources._raw_table import RawTable
from personax.sources._read_file import read_raw_table
from personax.sources._rows_of_nobody import LeaveOut, rows_in_question, without_rows
from personax.sources._source import FileSource
from personax.sources._statistics_files import labelled
from personax.sources._units import FACTORS
from personax.strict import nearest

__all__ = ["CollectTable", "read_table"]

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
    encoding: str | None = None,
    separator: str | None = None,
    decimal: Mark | None = None,
    table: str | None = None,
    header_rows: int | None = None,
    strict: bool = False,
    preset: str | None = None,
    leave_out: LeaveOut | None = None,
) -> PeopleTable:
    r"""Read people from a table file of any format of `personax.sources._read_file.FORMATS`.

    Parameters
    ----------
    path
        The file; its ending tells the format.
    columns
        Our column name -> how to read it.
    missing
        Texts that mean missing, ids aside; a number only where it does not lie among the others of its column. In a
        column of numbers, sizes or dates words such as NA are missing too, and that is told; else NA stays Namibia.
    max_bad_share
        Largest share of bad cells among the cells of a column that hold something.
    keep_others
        Keep columns of the file that ``columns`` does not name, under their own names.
    encoding, separator, decimal, table, header_rows
        Of the file, and which sheet or table of it; by evidence where they are not given.
    preset
        A known table (lahman, qualtrics ...): its columns are described by it where ``columns`` does not name them.
    leave_out
        Header -> texts: rows that hold one of them there are no people, such as a total below the table.
    strict
        Refuse what was guessed and what only a person can say; `personax.sources.ReadingLedger.check_strict`.

    Returns
    -------
    PeopleTable
        Its ``reading`` says how the file and every column was read.

    Raises
    ------
    InputError
        What is wrong with the file, in one sentence; `TooManyBadCells` when a column is mostly unreadable,
        `GuessedReading` where ``strict`` forbids a guess.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "people.csv"
    ...     _ = file.write_text("who;Height;Country;score\na;6-5;NA;1,5\nb;5-11;FR;NA\n")
    ...     height = ColumnSpec.model_validate({"from": "Height", "unit": "ft-in"})
    ...     table = read_table(file, {"id": ColumnSpec.model_validate({"from": "who"}), "height_cm": height})
    >>> table.people.rows()
    [('a', 195.58, 'NA', 1.5), ('b', 180.34, 'FR', None)]
    """
    path = hub_file(path)
    raw = read_raw_table(path, encoding=encoding, separator=separator, table=table, header_rows=header_rows)
    raw = without_rows(path, raw, leave_out or {})
    raw = replace(raw, facts=(*raw.facts, *rows_in_question(raw, leave_out or {})))
    if preset is not None:
        known = known_table(preset)
        theirs = known_columns(known, raw.frame.columns).items()
        columns = {name: ColumnSpec.model_validate(dict(keys)) for name, keys in theirs} | dict(columns or {})
        missing = [*missing, *known.missing]
    mapping = _column_mapping(path, raw.frame, columns or {}, keep_others=keep_others)
    texts, asked = _texts(raw, mapping, missing)
    read, mark = _columns(path, raw, mapping, texts, decimal)
    if max_bad_share < 1:
        _check_birth_dates(path, read)
    for column in read.values():
        check_bad_share(str(path), column.values, column.bad, max_bad_share)
    reading = _reading(path, raw, mapping, read, asked, mark if decimal is None else None)
    if strict:
        ReadingLedger([reading]).check_strict()
    people = _with_ids(pl.DataFrame([column.values for column in read.values()]))
    described = _codes_as_text(_described(path, people, mapping, read), texts)
    parts = birth_parts(texts["birth_date"], mapping["birth_date"][1].formats) if _born_in_part(mapping) else None
    described = derive_birth_parts(described, parts)
    bad_cells = pl.concat([column.bad for column in read.values()])
    told = ReadingLedger([reading]).notices()
    notices = [*_partial(described.frame, parts), *table_notices(described.frame, bad_cells), *told]
    origin = Provenance("table", path.name, sha256(path), described.height)
    return PeopleTable(replace(described, provenance=origin), bad_cells, notices, reading)


def _check_birth_dates(path: Path, read: Mapping[str, FreeColumn]) -> None:
    """Refuse dates of birth of which none is read until somebody says how they are written."""
    born = read["birth_date"].reading if "birth_date" in read else None
    if born is not None and born.read_as == "dates" and born.question and not born.filled and born.answer:
        said = json.dumps(dict(born.answer), ensure_ascii=False)
        why = born.question.partition("; no date of birth")[0]
        raise InputError(f"{path}, column birth_date: {why}; say it under columns.birth_date, such as {said}")


def _texts(raw: RawTable, mapping: ColumnMapping, missing: Sequence[str]) -> tuple[pl.DataFrame, dict[str, str]]:
    """Return the text of every column without the cells that mean missing, and what is to be asked of these."""
    texts: list[pl.Series] = []
    asked: dict[str, str] = {}
    for name, (header, spec) in mapping.items():
        text = composed(raw.frame.select(spec.headers), spec) if spec.headers else raw.frame[header]
        declared = raw.missing.get(header, ()) if spec.missing is None else ()
        codes = [*(missing if spec.missing is None else spec.missing)]
        found, question = missing_cells(text.alias(name), codes, exact=spec.missing is not None)
        if declared:
            found, _ = missing_cells(found, list(declared), exact=True)
        texts.append(found)
        asked |= {name: question} if question else {}
    return pl.DataFrame(texts), asked


def _columns(
    path: Path, raw: RawTable, mapping: ColumnMapping, texts: pl.DataFrame, decimal: Mark | None
) -> tuple[dict[str, FreeColumn], Mark | None]:
    """Return every column, and the decimal mark of the file: one column may prove it for another."""
    read = {
        name: _labelled(texts[name], header, spec, raw) or _column(path, texts[name], header, spec, decimal)
        for name, (header, spec) in mapping.items()
    }
    mark = decimal or file_decimal(texts.get_columns(), read)
    if mark is not None and decimal is None:
        for name, (header, spec) in mapping.items():
            open_points = mark == "," and read[name].decimal is None and read[name].values.dtype.is_float()
            if read[name].ambiguous or open_points:
                read[name] = _column(path, texts[name], header, spec, mark)
    if mark is None and raw.has_decimal_points:
        for name, (header, spec) in mapping.items():
            if read[name].ambiguous and bool(texts[name].str.contains(r"\d\.\d{3}\D*$").drop_nulls().all()):
                read[name] = _column(path, texts[name], header, spec, ".")
    return read, mark


def _column(path: Path, text: pl.Series, header: str, spec: ColumnSpec, mark: Mark | None) -> FreeColumn:
    try:
        return read_column(text, header, spec, mark)
    except InputError as error:
        raise InputError(f"{path}, {error}") from None


def _labelled(text: pl.Series, header: str, spec: ColumnSpec, raw: RawTable) -> FreeColumn | None:
    """Read a column by the labels that the file itself gives its codes; None where it has none, or others are said."""
    codes = raw.value_labels.get(header)
    if not codes or spec != DEFAULT_SPEC.model_copy(update={"source": spec.source}) or text.name == "id":
        return None
    labels = labelled(codes, [str(code) for code in text.drop_nulls().unique().to_list()])
    if labels is None:
        return read_column(text, header, spec.model_copy(update={"missing": [""]}), None)
    values = text.replace_strict(labels, default=None, return_dtype=pl.String)
    reading = ColumnReading(text.name, header, "labels", "evidence", "the file's own labels of its codes",
                            filled=len(values) - values.null_count())  # fmt: skip
    return FreeColumn(values, pl.DataFrame(schema=BAD_CELLS), reading)


def _reading(
    path: Path,
    raw: RawTable,
    mapping: ColumnMapping,
    read: Mapping[str, FreeColumn],
    asked: Mapping[str, str],
    mark: Mark | None,
) -> FileReading:
    """Return how the file was read: its facts, its columns, and those that were left out."""
    columns = []
    for name, (header, spec) in mapping.items():
        its = read[name].reading
        said = " + ".join(spec.headers) or header
        gone = {
            code: times for code in raw.missing.get(header, ()) if (times := int((raw.frame[header] == code).sum()))
        }
        its = replace(its, header=said, label=raw.labels.get(header, ""), missing={**its.missing, **gone})
        if gone and its.status == "plain":
            its = replace(its, status="evidence", why="the file declares codes of missing values")
        if name in asked:
            question = "; ".join(filter(None, (asked[name], its.question)))
            its = replace(its, status="question", question=question)
        columns.append(its)
    used = {header for name, (header, spec) in mapping.items() for header in (spec.headers or [header])}
    columns += [
        ColumnReading(h, h, "left out", "given", "keep_others is off") for h in raw.frame.columns if h not in used
    ]
    decimal = [FileFact("decimal mark", repr(mark), "evidence", "its columns prove it")] if mark == "," else []
    name = path.name.partition(".")[0]
    return FileReading(name, path.name, raw.format, raw.frame.height, (*raw.facts, *decimal), tuple(columns))


def _column_mapping(
    path: Path, raw: pl.DataFrame, columns: Mapping[str, ColumnSpec], *, keep_others: bool
) -> ColumnMapping:
    """Return how to read every column, described ones first."""
    headers = set(raw.columns)
    mapping = {}
    for name, spec in columns.items():
        header = spec.source or name
        for named in spec.headers or [header]:
            if named not in headers:
                raise InputError(f"{path} has no column {named} (for {name}); {nearest(named, raw.columns)}")
        fault = _contradiction(name, spec)
        if fault:
            raise InputError(f"columns.{name}: {fault}")
        mapping[name] = (header, spec)
    if keep_others:
        taken = {named for header, spec in mapping.values() for named in (spec.headers or [header])}
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
    if len([one for one in (spec.source, spec.join, spec.parts) if one is not None]) > 1:
        return "from, join and parts say three ways to fill it; keep one of them"
    if spec.values is not None and spec.levels is not None:
        return "values are labels without an order and levels have one; keep one of them"
    if spec.values is not None and spec.kind not in (None, "nominal"):
        return f"labels are nominal, not {spec.kind}; drop values to keep the numbers, or drop kind"
    return None


def _with_ids(people: pl.DataFrame) -> pl.DataFrame:
    """Put the ids first; rows are numbered where there are none."""
    if "id" not in people.columns:
        people = people.with_columns(pl.int_range(1, people.height + 1).cast(pl.String).alias("id"))
    ids = people["id"]
    if ids.null_count() or ids.n_unique() < len(ids) or bool((ids == "").any()):
        check_ids(ids.to_list())
    return people.select("id", pl.exclude("id"))


def _described(path: Path, people: pl.DataFrame, mapping: ColumnMapping, read: Mapping[str, FreeColumn]) -> Table:
    """Return the people and what their columns mean: as described, by the cells, the rest inferred."""
    columns = []
    roles = {name: spec.role for name, (_, spec) in mapping.items() if spec.role is not None}
    first = infer_columns(people) if roles else []
    described = {c.name: replace(c, role=roles[c.name], identity="") for c in first if c.name in roles}
    # what follows a column that is declared private is private too
    for column in infer_columns(people, described):
        spec = mapping[column.name][1] if column.name in mapping else DEFAULT_SPEC
        if spec.kind is not None:
            column = replace(column, kind=spec.kind, inferred=False, why="")
        if column.name in read and read[column.name].reading.read_as == "ordered words" and spec.kind is None:
            column = replace(column, kind="ordinal", why=read[column.name].reading.why or column.why)
        found = read[column.name].unit if column.name in read else None
        unit = _CANONICAL_UNIT.get(spec.unit, spec.unit) if spec.unit else column.unit or found
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
    """People from a table: CSV, Excel, SPSS, Stata, SAS, R, SQLite, Parquet, Arrow, JSON; also compressed."""

    source: Literal["table"]
    columns: dict[str, ColumnSpec] = {}
    missing: list[str] = [""]
    max_bad_share: float = Field(default=0.05, ge=0, le=1)
    keep_others: bool = True
    encoding: str | None = None
    separator: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    decimal: Mark | None = None
    table: str | None = None
    header_rows: int | None = Field(default=None, ge=1, le=5)
    strict: bool = False
    preset: str | None = None
    leave_out: dict[str, list[str]] = {}

    @model_serializer(mode="wrap")
    def _without_the_default(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out what came later where it is not asked for: it makes no stage stale."""
        return {name: value for name, value in dump(self).items() if (name, value) != ("leave_out", {})}

    def read(self, root: Path) -> PeopleTable:
        """Read the people; see `read_table`."""
        return read_table(
            local_path(root, self.path), self.columns, missing=self.missing, max_bad_share=self.max_bad_share,
            keep_others=self.keep_others, encoding=self.encoding, separator=self.separator, decimal=self.decimal,
            table=self.table, header_rows=self.header_rows, strict=self.strict, preset=self.preset,
            leave_out=self.leave_out,
        )  # fmt: skip
