"""Reading a table file as text, cell by cell, with one sentence for whatever is wrong with it."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl

from personax.data.frames import read_parquet
from personax.errors import InputError
from personax.strict import nearest

__all__ = ["FORMATS", "read_text_table"]

FORMATS = (".csv", ".tsv", ".parquet", ".json", ".jsonl", ".ndjson")

_NO_TEXT = {
    b"PAR1": "a Parquet file; give it the ending .parquet",
    b"PK\x03\x04": "a zip or Excel file; export it as CSV",
    b"\x1f\x8b": "compressed; unpack it first",
}
"""First bytes of files that are often given a wrong ending."""


def read_text_table(path: Path, *, encoding: str = "utf-8") -> pl.DataFrame:
    """Return every column of a CSV, TSV, Parquet, JSON or JSONL file as text; null where a cell is absent.

    Raises
    ------
    InputError
        A folder, a missing or empty file, an unknown ending or encoding, ragged rows, doubled headers, nested JSON.
    """
    _check(path)
    ending = path.suffix.lower()
    if ending == ".parquet":
        return _as_text(_parquet(path), path)
    text = _decode(path, encoding)
    if not text.strip():
        raise InputError(f"{path} is empty; it needs a header and one row a person")
    if ending in (".json", ".jsonl", ".ndjson"):
        return _records(path, text, lines=ending != ".json")
    return _separated(path, text, "\t" if ending == ".tsv" else ",")


def _check(path: Path) -> None:
    if path.is_dir():
        raise InputError(f"{path} is a folder, not a table; name the file in it")
    if not path.is_file():
        near = [p.name for p in path.parent.iterdir() if p.suffix in FORMATS] if path.parent.is_dir() else []
        raise InputError(f"there is no file {path}; {nearest(path.name, sorted(near)) if near else 'check the path'}")
    if path.suffix.lower() not in FORMATS:
        raise InputError(f"{path}: the ending {path.suffix or '(none)'} is not known; use one of {', '.join(FORMATS)}")


def _decode(path: Path, encoding: str) -> str:
    raw = path.read_bytes()
    for first, what in _NO_TEXT.items():
        if raw.startswith(first):
            raise InputError(f"{path} is {what}")
    try:
        text = raw.decode("utf-8-sig" if encoding.lower() in ("utf-8", "utf8") else encoding)
    except LookupError:
        raise InputError(f"there is no encoding {encoding}; for example utf-8, latin-1, cp1252") from None
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        where = f"line {line}, byte {error.start}"
        raise InputError(f"{path} is not {encoding} ({where}); name its encoding, such as encoding: latin-1") from None
    if "\0" in text:
        raise InputError(
            f"{path} is not text in {encoding}: it holds zero bytes; name its encoding, or export it as CSV"
        )
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _separated(path: Path, text: str, separator: str) -> pl.DataFrame:
    filled = _filled_lines(path, text, separator)
    try:
        frame = pl.read_csv(
            io.BytesIO(text.encode()), separator=separator, infer_schema=False, empty_string_is_null=False
        )
    except pl.exceptions.PolarsError as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{path} cannot be read as a table ({reason}); check quotes and the number of cells") from None
    if frame.height != len(filled):
        raise InputError(f"{path} cannot be read as a table: its quotes can be read in two ways; check them")
    return _filled(frame.filter(filled), path)


def _filled_lines(path: Path, text: str, separator: str) -> list[bool]:
    """Say of every row below the header whether it is more than an empty line.

    Raises
    ------
    InputError
        Doubled headers, another separator, an open quote, rows that are shorter or longer than the header.
    """
    reader = csv.reader(io.StringIO(text), delimiter=separator, strict=True)
    filled = []
    try:
        header = next(filter(None, reader))
        _check_header(path, header, separator)
        for row in reader:
            if row and len(row) != len(header):
                counted = f"line {reader.line_num} has {len(row)} cells and the header {len(header)}"
                raise InputError(f"{path} cannot be read as a table: {counted}; check quotes and separators")
            filled.append(bool(row))
    except csv.Error as error:
        where = f"line {reader.line_num}: {error}"
        raise InputError(f"{path} cannot be read as a table ({where}); check the quotes") from None
    return filled


def _check_header(path: Path, header: list[str], separator: str) -> None:
    twice = [name for name, times in Counter(header).items() if times > 1]
    if twice:
        raise InputError(f"{path}: the header {twice[0]!r} stands more than once; rename one of them")
    for other, ending in ((";", "with commas"), ("\t", "as .tsv"), (",", "as .csv")):
        if len(header) == 1 and other != separator and other in header[0]:
            raise InputError(f"{path} is separated by {other!r}, not by {separator!r}; save it {ending}")


def _filled(frame: pl.DataFrame, path: Path) -> pl.DataFrame:
    if frame.height == 0:
        raise InputError(f"{path} has a header and no rows; it needs one row a person")
    return frame


def _parquet(path: Path) -> pl.DataFrame:
    try:
        return read_parquet(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise InputError(f"{path} cannot be read as Parquet ({str(error).splitlines()[0]})") from None


def _as_text(frame: pl.DataFrame, path: Path) -> pl.DataFrame:
    return _filled(pl.DataFrame([_series_as_text(series, path) for series in frame]), path)


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
    return _filled(pl.DataFrame(columns, schema=dict.fromkeys(names, pl.String)), path)


def _lines(path: Path, text: str) -> list[Any]:
    return [_json(path, line, f", line {n}") for n, line in enumerate(text.split("\n"), 1) if line.strip()]


def _json(path: Path, text: str, where: str = "") -> Any:  # noqa: ANN401 - whatever JSON held
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
