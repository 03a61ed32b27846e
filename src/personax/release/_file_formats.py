"""File formats of tables and arrays, by file ending; CSV as spreadsheets write it; bounded reading of whole files."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal, get_args

import polars as pl

from personax.data.cell_numbers import read_numbers
from personax.data.dialect import Dialect, find_dialect
from personax.data.frames import exact_path
from personax.errors import InputError

__all__ = [
    "MAX_UNPACKED",
    "TABLES",
    "Format",
    "format_of",
    "read_bytes",
    "read_delimited",
    "read_whole",
    "scan_lazily",
    "stem_of",
]


_HEAD: Final = 2**16


def read_delimited(path: Path, raw: bytes, separator: str) -> pl.DataFrame:
    r"""Read a table of text.

    Another separator is taken where ``separator`` divides nothing. A column of numbers stays one where some of its
    cells hold a word for a missing value, and where its numbers have decimal commas between semicolons.

    Raises
    ------
    InputError
        It is not UTF-8 or UTF-16, or two columns have one name.

    Examples
    --------
    >>> read_delimited(Path("x.csv"), b"id;height\na;1,85\nb;NA\n", ",").rows()
    [('a', 1.85), ('b', None)]
    """
    raw = _utf8(path, raw)
    dialect = _dialect(raw, separator)
    _once(path, raw, dialect)
    table = pl.read_csv(raw, separator=dialect.separator, skip_lines=dialect.skipped, infer_schema_length=None)
    return table.with_columns(_numbers(values) for values in table if values.dtype == pl.String)


def _utf8(path: Path, raw: bytes) -> bytes:
    try:
        if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return raw.decode("utf-16").encode()
        raw[:_HEAD].decode("utf-8-sig")
        return raw
    except UnicodeDecodeError as error:
        if error.start >= _HEAD - 4:  # the head ends within a letter
            return raw
        raise InputError(f"{path.name} is not text in UTF-8 or UTF-16; save it as UTF-8") from None


def _dialect(raw: bytes, default: str) -> Dialect:
    """Return how the first lines are divided, the last one aside where the head ends within it."""
    head = raw[:_HEAD].decode("utf-8-sig", "replace").replace("\r\n", "\n")
    return find_dialect(head[: head.rfind("\n") + 1] if len(raw) > _HEAD else head, default)


def _once(path: Path, raw: bytes, dialect: Dialect) -> None:
    head = raw[:_HEAD].decode("utf-8-sig", "replace").splitlines(keepends=True)[dialect.skipped :]
    names = next(csv.reader(head, delimiter=dialect.separator), [])
    doubled = sorted({name for name in names if name and names.count(name) > 1})
    if doubled:
        raise InputError(f"{path.name} has several columns called {', '.join(doubled)}; rename all but one")


def _numbers(values: pl.Series) -> pl.Series:
    """Return numbers where all cells but those of missing values are, read in one way; else the text as it is."""
    cells = read_numbers(values, None if bool(values.str.contains(",", literal=True).any()) else ".")
    return values if cells is None or cells.guessed or bool(cells.odd.any()) else cells.values.alias(values.name)


Format = Literal["parquet", "csv", "tsv", "jsonl", "ndjson", "json", "arrow", "feather", "ipc", "npy", "npz"]
"""File endings that are read; a further ``.gz`` is ignored."""

TABLES: Final = ("parquet", "csv", "tsv", "jsonl", "ndjson", "json", "arrow", "feather", "ipc")
PACKED: Final = ("csv", "tsv", "jsonl", "ndjson", "json", "npy")
"""Formats that are also read with ``.gz`` behind their ending."""

MAX_UNPACKED = 4 * 2**30
"""Bytes of one file that is read as a whole, after unpacking."""

ARROW_FILE: Final = b"ARROW1"
"""With which an Arrow file begins; a stream, as `datasets` writes it, begins otherwise."""


def format_of(name: str) -> Format | None:
    """Return the format by a file's name, or None where it is not supported.

    Examples
    --------
    >>> format_of("data/People.CSV.gz"), format_of("x.pkl"), format_of("x.parquet.gz")
    ('csv', None, None)
    """
    start, _, ending = name.lower().rpartition(".")
    packed = ending == "gz"
    if packed:
        ending = start.rpartition(".")[2] if "." in start else ""
    found = next((known for known in get_args(Format) if known == ending), None)
    return None if packed and found not in PACKED else found


def stem_of(name: str) -> str:
    """Return a file's name without folder and endings.

    Examples
    --------
    >>> stem_of("data/faces.npy"), stem_of("people.jsonl.gz"), stem_of("gte-1.5.npy")
    ('faces', 'people', 'gte-1.5')
    """
    last = name.rpartition("/")[2]
    last = last[:-3] if last.lower().endswith(".gz") else last
    return last.rpartition(".")[0] if format_of(last) else last


def read_bytes(path: Path) -> bytes:
    """Return the bytes of a file, unpacked where its name ends in .gz.

    Raises
    ------
    InputError
        It is not packed as it says, or is larger than `MAX_UNPACKED`.
    """
    try:
        with gzip.open(path) if path.name.lower().endswith(".gz") else path.open("rb") as stream:
            found = stream.read(MAX_UNPACKED + 1)
    except (OSError, EOFError, zlib.error):
        raise InputError(f"{path.name} cannot be unpacked; get the file again") from None
    if len(found) > MAX_UNPACKED:
        raise InputError(f"{path.name} holds more than {MAX_UNPACKED:,} bytes; save it as Parquet")
    return found


def scan_lazily(path: Path) -> pl.LazyFrame | None:
    """Return a table whose rows need not all be read, or None where the format is read as a whole."""
    kind = format_of(path.name)
    if kind == "parquet":
        return pl.scan_parquet(exact_path(path), glob=False, hive_partitioning=False)
    if kind in ("arrow", "feather", "ipc") and _begins(path, ARROW_FILE):
        return pl.scan_ipc(exact_path(path), glob=False, hive_partitioning=False)
    return None


def _begins(path: Path, start: bytes) -> bool:
    with path.open("rb") as stream:
        return stream.read(len(start)) == start


def read_whole(path: Path) -> pl.DataFrame:
    """Read a table of a format that is read as a whole: text, or a stream of Arrow.

    Raises
    ------
    InputError
        It is larger than `MAX_UNPACKED`, JSON that is no table, or CSV that `read_delimited` refuses.
    """
    kind = format_of(path.name)
    raw = read_bytes(path)
    if kind in ("csv", "tsv"):
        return read_delimited(path, raw, "\t" if kind == "tsv" else ",")
    if kind in ("jsonl", "ndjson"):
        return pl.read_ndjson(io.BytesIO(raw), infer_schema_length=None)
    if kind == "json":
        return _records(path, raw)
    return pl.read_ipc_stream(io.BytesIO(raw))


def _records(path: Path, raw: bytes) -> pl.DataFrame:
    """Return the table of a JSON file: rows, columns, or names and rows apart, as pandas writes them.

    A vector of numbers under every id is a table of ids and vectors, called as the file is.
    """
    try:
        found: Any = json.loads(raw)
    except (ValueError, RecursionError):
        raise InputError(f"{path.name} is not JSON; get the file again") from None
    if isinstance(found, list) and found and all(isinstance(row, Mapping) for row in found):
        return pl.from_dicts(found, infer_schema_length=None)
    apart = isinstance(found, Mapping) and set(found) in ({"columns", "data"}, {"columns", "index", "data"})
    if apart and all(isinstance(part, list) for part in found.values()):
        return _apart(path, found)
    if isinstance(found, Mapping) and _by_id(found):
        return pl.DataFrame({"id": list(found), stem_of(path.name): list(found.values())}, strict=False)
    if isinstance(found, Mapping) and found:
        columns = [list(cells.values()) if isinstance(cells, Mapping) else cells for cells in found.values()]
        if all(isinstance(cells, list) for cells in columns) and len({len(cells) for cells in columns}) == 1:
            same = {tuple(cells) for cells in found.values() if isinstance(cells, Mapping)}
            if len(same) <= 1:
                return pl.DataFrame(dict(zip(found, columns, strict=True)), strict=False)
    raise InputError(f"{path.name} is JSON, but no table: neither a list of rows nor columns of one length")


def _apart(path: Path, found: Mapping[str, list[Any]]) -> pl.DataFrame:
    """Return the table of separate column names and rows, with the index where it is more than row numbers."""
    names, rows = [str(name) for name in found["columns"]], found["data"]
    if len(set(names)) < len(names) or any(not isinstance(row, list) or len(row) != len(names) for row in rows):
        raise InputError(f"{path.name} is JSON, but no table: its rows are not as long as its columns are many")
    table = pl.DataFrame(rows, schema=names, orient="row", strict=False, infer_schema_length=None)
    index = found.get("index", [])
    if len(index) != len(rows) or index == list(range(len(rows))) or "index" in names:
        return table
    return table.insert_column(0, pl.Series("index", [str(name) for name in index]))


def _by_id(found: Mapping[str, Any]) -> bool:
    """Say whether these are vectors under ids: lists of fractions of one length, fewer than there are lists."""
    lengths = {len(cells) if isinstance(cells, list) else 0 for cells in found.values()}
    if len(lengths) != 1 or not 1 < max(lengths) < len(found):
        return False
    return all(isinstance(number, float) for cells in found.values() for number in cells)
