"""Reading a table file as text, cell by cell, with one sentence for whatever is wrong with it."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any, Final

import polars as pl

from personax.data.dialect import count_fields, decode, encoding_advice, find_dialect, seems_misread
from personax.data.frames import read_ipc, read_parquet
from personax.data.hub_files import hub_file
from personax.errors import InputError
from personax.files import Json
from personax.sources._compressed import COMPRESSED, unpacked
from personax.sources._ledger import FileFact, ReadingStatus
from personax.sources._raw_table import RawTable, named_once, without_header_rows
from personax.sources._statistics_files import READERS
from personax.strict import nearest

__all__ = ["FORMATS", "read_raw_table", "read_text_table"]

_TEXT_FORMATS: Final = (".csv", ".tsv", ".txt", ".tab")
_JSON_FORMATS: Final = (".json", ".jsonl", ".ndjson")
_ARROW_FORMATS: Final = (".arrow", ".feather", ".ipc")
FORMATS: Final = (*_TEXT_FORMATS, ".parquet", *_JSON_FORMATS, *_ARROW_FORMATS, *READERS)

_NO_TEXT: Final = {
    b"PAR1": "a Parquet file; give it the ending .parquet",
    b"PK\x03\x04": "a zip or Excel file; give it the ending .zip, .xlsx or .ods",
    b"\x1f\x8b": "compressed; give it the ending .gz",
    b"\x28\xb5\x2f\xfd": "compressed; give it the ending .zst",
    b"$FL2": "an SPSS file; give it the ending .sav",
    b"SQLite format 3": "an SQLite file; give it the ending .sqlite",
    b"ARROW1": "an Arrow file; give it the ending .arrow",
}
"""First bytes of files that are often given a wrong ending."""


_SPACED = re.compile(r'"?\w+"?(?:\s+"?\w+"?)+$')
"""A header whose words may be those of several columns."""


def read_text_table(path: Path, *, encoding: str | None = None) -> pl.DataFrame:
    """Return every column of a table file as text; null where a cell is absent. See `read_raw_table`."""
    return read_raw_table(path, encoding=encoding).frame


def read_raw_table(
    path: Path,
    *,
    encoding: str | None = None,
    separator: str | None = None,
    table: str | None = None,
    header_rows: int | None = None,
) -> RawTable:
    """Return every column of a file as text, with what the file says of them and how it was read.

    Parameters
    ----------
    path
        The file; its ending tells the format: one of `FORMATS`, also with .gz, .bz2, .xz, .zst or .zip behind it.
    encoding, separator
        Of a text file; by evidence where they are not given.
    table
        Which sheet, table or object of a file that holds several; of a .zip, which file.
    header_rows
        Rows of the header; by evidence where it is not given.

    Raises
    ------
    InputError
        A folder, a missing or empty file, an unknown ending or encoding, ragged rows, doubled headers, nested JSON.
    MissingExtraError
        A format whose reader is not installed.
    """
    path = hub_file(path)
    _check(path)
    if path.suffix.lower() in COMPRESSED:
        with unpacked(path, table) as inner:
            try:
                return read_raw_table(
                    inner, encoding=encoding, separator=separator, table=table, header_rows=header_rows
                )
            except InputError as error:
                raise InputError(str(error).replace(str(inner), str(path))) from None
    raw = _read(path, encoding, separator, table)
    if raw.frame.height == 0:
        raise InputError(f"{path} has a header and no rows; it needs one row a person")
    return without_header_rows(raw, header_rows)


def _read(path: Path, encoding: str | None, separator: str | None, table: str | None) -> RawTable:
    ending = path.suffix.lower()
    if ending == ".parquet":
        return RawTable(_as_text(_parquet(path), path), "parquet")
    if ending in _ARROW_FORMATS:
        return RawTable(_as_text(_arrow(path), path), "arrow")
    if ending in READERS:
        return READERS[ending](path, table)
    text, used, why = _decode(path, encoding)
    if not text.strip():
        raise InputError(f"{path} is empty; it needs a header and one row a person")
    told = () if used == "utf-8" else (FileFact("encoding", used, _known(why), why, f"encoding: {used}"),)
    if encoding is not None and (word := seems_misread(text, encoding)):
        told = (FileFact("encoding", encoding, "question", f"it reads {word!r}: {encoding_advice(path.read_bytes())}"),)
    if ending in _JSON_FORMATS:
        return RawTable(_records(path, text, lines=ending != ".json"), ending[1:], told)
    return _separated(path, text, told, separator)


def _known(why: str) -> ReadingStatus:
    return "given" if why == "given" else "guess" if "letters" in why else "evidence"


def _check(path: Path) -> None:
    if path.is_dir():
        raise InputError(f"{path} is a folder, not a table; name the file in it")
    if not path.is_file():
        near = [p.name for p in path.parent.iterdir() if p.suffix in FORMATS] if path.parent.is_dir() else []
        raise InputError(f"there is no file {path}; {nearest(path.name, sorted(near)) if near else 'check the path'}")
    if path.suffix.lower() not in (*FORMATS, *COMPRESSED):
        endings = ", ".join((*FORMATS, *COMPRESSED))
        raise InputError(f"{path}: the ending {path.suffix or '(none)'} is not known; use one of {endings}")


def _decode(path: Path, encoding: str | None) -> tuple[str, str, str]:
    raw = path.read_bytes()
    for first, what in _NO_TEXT.items():
        if raw.startswith(first):
            raise InputError(f"{path} is {what}")
    try:
        text, used, why = decode(raw, encoding)
    except LookupError:
        raise InputError(f"there is no encoding {encoding}; for example utf-8, latin-1, cp1252") from None
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        where = f"line {line}, byte {error.start}"
        what = encoding or "utf-8"
        raise InputError(f"{path} is not {what} ({where}); {encoding_advice(raw)}") from None
    if "\0" in text:
        raise InputError(f"{path} is not text in {used}: it holds zero bytes; name its encoding, or export it as CSV")
    text = text.removeprefix("\ufeff")
    return (text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text), used, why


def _separated(path: Path, text: str, told: tuple[FileFact, ...], given: str | None) -> RawTable:
    default = "\t" if path.suffix.lower() in (".tsv", ".tab") else ","
    dialect = find_dialect(text, default, separator=given)
    facts = list(told)
    if dialect.separator != default or not dialect.certain:
        status: ReadingStatus = "given" if given else "evidence" if dialect.certain else "question"
        why = dialect.why if dialect.certain else f"{dialect.why}, but another one does so too"
        facts.append(
            FileFact("separator", repr(dialect.separator), status, why, f"separator: {json.dumps(dialect.separator)}")
        )
    if dialect.skipped:
        above = text.split("\n", dialect.skipped)[: dialect.skipped]
        text = text.split("\n", dialect.skipped)[-1]
        if any(line.strip() for line in above):
            first = next(line.strip()[:40] for line in above if line.strip())
            facts.append(
                FileFact("lines above the header", str(dialect.skipped), "evidence", f"titles or comments ({first!r})")
            )
    frame = _cells(path, text, dialect.separator, dialect.skipped)
    if (
        frame.width == 1
        and _SPACED.match(frame.columns[0])
        and bool(frame.to_series().str.contains(r"^\S+\s+\S").all())
    ):
        raise InputError(
            f"{path} seems to be separated by spaces; say separator: ' ' for single ones, or export it as CSV"
        )
    frame, unnamed = _with_names(frame)
    return RawTable(
        frame, "tsv" if dialect.separator == "\t" else "csv", (*facts, *unnamed), separator=dialect.separator
    )


def _with_names(frame: pl.DataFrame) -> tuple[pl.DataFrame, list[FileFact]]:
    """Return a table without empty columns that have no header; others without one are called by their place."""
    places = {name: at for at, name in enumerate(frame.columns, 1) if not name.strip()}
    empty = [name for name in places if not bool((frame[name].str.strip_chars() != "").any())]
    kept = frame.drop(empty).rename({name: f"column_{at}" for name, at in places.items() if name not in empty})
    facts = [FileFact("columns without a header", f"{len(empty)} empty, left out", "evidence")] if empty else []
    named = [f"column_{at}" for name, at in places.items() if name not in empty]
    return kept, [*facts, *([FileFact("columns without a header", ", ".join(named), "evidence")] if named else [])]


def _cells(path: Path, text: str, separator: str, above: int) -> pl.DataFrame:
    data = text.encode()
    filled = None
    if '"' in text:
        filled = _filled_lines(path, text, separator, above)
    else:
        named_once(path, next((line for line in text.split("\n", 20) if line), "").split(separator))
        odd = count_fields(data, separator)
        if odd is not None:
            _ragged(path, odd[0] + above, odd[1], odd[2])
        if "\n\n" in text or text.startswith("\n"):
            # an empty line is nobody; to polars it is somebody without values where there is one column
            data = "\n".join(line for line in text.split("\n") if line).encode()
    try:
        frame = pl.read_csv(io.BytesIO(data), separator=separator, infer_schema=False, empty_string_is_null=False)
    except pl.exceptions.PolarsError as error:
        if filled is not None:
            return _by_records(text, separator)
        reason = str(error).splitlines()[0]
        raise InputError(f"{path} cannot be read as a table ({reason}); check quotes and the number of cells") from None
    if filled is None:
        return frame
    if frame.height != len(filled):
        raise InputError(f"{path} cannot be read as a table: its quotes can be read in two ways; check them")
    return frame.filter(filled)


def _by_records(text: str, separator: str) -> pl.DataFrame:
    """Read a table whose cells hold quotes that open nothing, such as 5'11"."""
    header, *rows = filter(None, csv.reader(io.StringIO(text), delimiter=separator, strict=True))
    return pl.DataFrame(rows, schema=dict.fromkeys(header, pl.String), orient="row")


def _ragged(path: Path, line: int, cells: int, expected: int) -> None:
    counted = f"line {line} has {cells} cells and the header {expected}"
    raise InputError(f"{path} cannot be read as a table: {counted}; check quotes and separators")


def _filled_lines(path: Path, text: str, separator: str, above: int) -> list[bool]:
    """Say of every row below the header whether it is more than an empty line.

    Raises
    ------
    InputError
        Doubled headers, an open quote, rows that are shorter or longer than the header.
    """
    reader = csv.reader(io.StringIO(text), delimiter=separator, strict=True)
    csv.field_size_limit(max(csv.field_size_limit(), len(text)))  # a biography may be longer than Python expects
    filled = []
    try:
        header = next(filter(None, reader))
        named_once(path, header)
        for row in reader:
            if row and len(row) != len(header):
                _ragged(path, reader.line_num + above, len(row), len(header))
            filled.append(bool(row))
    except csv.Error as error:
        where = f"line {reader.line_num + above}: {error}"
        raise InputError(f"{path} cannot be read as a table ({where}); check the quotes") from None
    return filled


def _parquet(path: Path) -> pl.DataFrame:
    try:
        return read_parquet(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise InputError(f"{path} cannot be read as Parquet ({str(error).splitlines()[0]})") from None


def _arrow(path: Path) -> pl.DataFrame:
    try:
        return read_ipc(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise InputError(f"{path} cannot be read as Arrow ({str(error).splitlines()[0]})") from None


def _as_text(frame: pl.DataFrame, path: Path) -> pl.DataFrame:
    return pl.DataFrame([_series_as_text(series, path) for series in frame])


def _series_as_text(series: pl.Series, path: Path) -> pl.Series:
    if series.dtype.is_nested():
        raise InputError(
            f"{path}: the column {series.name} holds lists or records; a people table holds one value a cell"
        )
    if series.dtype.is_float():
        series = series.fill_nan(None)
    try:
        return series.cast(pl.String)
    except pl.exceptions.PolarsError:
        text = f"{path}: the column {series.name} of type {series.dtype} has no text; leave it out of the file"
        raise InputError(text) from None


def _records(path: Path, text: str, *, lines: bool) -> pl.DataFrame:
    """Read JSON records; a number keeps its own digits, so that an id of 007 or 1e3 stays what it was."""
    rows = _lines(path, text) if lines else _json(path, text)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows) or not rows:
        raise InputError(f"{path} is not a list of records; each person is one object with one value a key")
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {name: [_cell(path, name, row.get(name)) for row in rows] for name in names}
    return pl.DataFrame(columns, schema=dict.fromkeys(names, pl.String))


def _lines(path: Path, text: str) -> list[Any]:
    return [_json(path, line, f", line {n}") for n, line in enumerate(text.split("\n"), 1) if line.strip()]


def _json(path: Path, text: str, where: str = "") -> Json:
    try:
        return json.loads(text, parse_float=str, parse_int=str, parse_constant=_constant, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}{where} cannot be read as JSON ({error})") from None


def _constant(name: str) -> str | None:
    return None if name == "NaN" else name


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) < len(pairs):
        twice = next(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)
        raise ValueError(f"the key {twice!r} stands twice in a record")
    return record


def _cell(path: Path, name: str, value: object) -> str | None:
    if isinstance(value, (list, dict)):
        raise InputError(f"{path}: the key {name} holds a list or an object; a people table holds one value a key")
    if isinstance(value, bool):
        return str(value).lower()
    return value if value is None else str(value)
