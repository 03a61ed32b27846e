"""Read a table file as text, cell by cell as it stands there, and say in one sentence what is wrong with it."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import polars as pl

from personax.errors import InputError
from personax.strict import nearest

__all__ = ["FORMATS", "read_text_table"]

FORMATS = (".csv", ".tsv", ".parquet", ".json", ".jsonl", ".ndjson")


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
    try:
        return raw.decode("utf-8-sig" if encoding.lower() in ("utf-8", "utf8") else encoding)
    except LookupError:
        raise InputError(f"there is no encoding {encoding}; for example utf-8, latin-1, cp1252") from None
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        where = f"line {line}, byte {error.start}"
        raise InputError(f"{path} is not {encoding} ({where}); name its encoding, such as encoding: latin-1") from None


def _separated(path: Path, text: str, separator: str) -> pl.DataFrame:
    header = next(csv.reader(io.StringIO(text), delimiter=separator))
    twice = sorted({name for name in header if header.count(name) > 1}) if len(set(header)) < len(header) else []
    if twice:
        raise InputError(f"{path}: the header {twice[0]!r} stands more than once; rename one of them")
    try:
        frame = pl.read_csv(
            io.BytesIO(text.encode()), separator=separator, infer_schema=False, empty_string_is_null=False
        )
    except pl.exceptions.PolarsError as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{path} cannot be read as a table ({reason}); check quotes and the number of cells") from None
    return _filled(frame, path)


def _filled(frame: pl.DataFrame, path: Path) -> pl.DataFrame:
    if frame.height == 0:
        raise InputError(f"{path} has a header and no rows; it needs one row a person")
    return frame


def _parquet(path: Path) -> pl.DataFrame:
    try:
        return pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise InputError(f"{path} cannot be read as Parquet ({str(error).splitlines()[0]})") from None


def _as_text(frame: pl.DataFrame, path: Path) -> pl.DataFrame:
    nested = [series.name for series in frame if series.dtype.is_nested()]
    if nested:
        raise InputError(
            f"{path}: the column {nested[0]} holds lists or records; a people table holds one value a cell"
        )
    return _filled(frame.cast(pl.String), path)


def _records(path: Path, text: str, *, lines: bool) -> pl.DataFrame:
    """Read JSON records; a number keeps its own digits, so that an id of 007 or 1e3 stays what it was."""
    try:
        if lines:
            rows = [json.loads(line, parse_float=str, parse_int=str) for line in text.splitlines() if line.strip()]
        else:
            rows = json.loads(text, parse_float=str, parse_int=str)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} cannot be read as JSON ({error})") from None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows) or not rows:
        raise InputError(f"{path} is not a list of records; each person is one object with one value a key")
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {name: [_cell(path, name, row.get(name)) for row in rows] for name in names}
    return pl.DataFrame(columns, schema=dict.fromkeys(names, pl.String))


def _cell(path: Path, name: str, value: Any) -> str | None:  # noqa: ANN401 - whatever JSON held
    if isinstance(value, (list, dict)):
        raise InputError(f"{path}: the key {name} holds a list or an object; a people table holds one value a key")
    if isinstance(value, bool):
        return str(value).lower()
    return value if value is None else str(value)
