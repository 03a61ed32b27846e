"""CSV as spreadsheets and programs write it: encodings, separators, decimal commas, words for a missing number."""

from __future__ import annotations

import codecs
import csv
import re
from pathlib import Path
from typing import Final

import polars as pl

from personax.errors import InputError

__all__ = ["read_delimited"]

_SEPARATORS: Final = (",", ";", "\t", "|")
_HEAD: Final = 2**16
_QUOTED: Final = re.compile(r'"[^"]*"')
_MISSING: Final = (
    "", "na", "n/a", "#n/a", "<na>", "nan", "null", "none", "nil", "-", "--", "?", ".", "unknown", "missing",
)  # fmt: skip
"""What programs and people write where a number is missing."""


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
    used = _separator(raw, separator)
    _once(path, raw, used)
    table = pl.read_csv(raw, separator=used, infer_schema_length=None)
    return table.with_columns(_numbers(values, commas=used == ";") for values in table if values.dtype == pl.String)


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


def _separator(raw: bytes, default: str) -> str:
    """Return the separator that divides the first lines alike; the default where it does, or where none does."""
    lines = _QUOTED.sub("", raw[:_HEAD].decode("utf-8", "replace")).splitlines()
    lines = lines[:-1] if len(raw) > _HEAD else lines
    for separator in (default, *_SEPARATORS):
        counts = {line.count(separator) for line in lines[:50] if line}
        if len(counts) == 1 and counts != {0}:
            return separator
    return default


def _once(path: Path, raw: bytes, separator: str) -> None:
    head = raw[:_HEAD].decode("utf-8-sig", "replace").splitlines(keepends=True)
    names = next(csv.reader(head, delimiter=separator), [])
    doubled = sorted({name for name in names if name and names.count(name) > 1})
    if doubled:
        raise InputError(f"{path.name} has several columns called {', '.join(doubled)}; rename all but one")


def _numbers(values: pl.Series, *, commas: bool) -> pl.Series:
    """Return numbers where all cells but those of missing values are such; else the text as it is."""
    said = values.str.strip_chars()
    kept = pl.select(pl.when(~said.str.to_lowercase().is_in(list(_MISSING))).then(said)).to_series().alias(values.name)
    present = kept.drop_nulls()
    if present.is_empty():
        return values
    if commas and bool(present.str.contains(r"^[-+]?\d+(,\d+)?$").all()):
        # three digits behind every comma could be thousands
        if not bool(present.str.contains(r"^[-+]?\d+$|,\d{3}$").all()):
            return kept.str.replace(",", ".", literal=True).cast(pl.Float64)
    elif present.len() == values.len():
        return values
    for kind in (pl.Int64, pl.Float64):
        found = kept.cast(kind, strict=False)
        if found.null_count() == kept.null_count():
            return found
    return values
