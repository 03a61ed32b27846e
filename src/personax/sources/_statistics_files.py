"""Files of spreadsheets, SPSS, Stata, SAS, R and SQLite as tables of text, with what they say of themselves."""

from __future__ import annotations

import math
import re
import sqlite3
import warnings
import zipfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from personax.data.answer_scales import scale_of
from personax.data.cell_numbers import missing_word
from personax.errors import InputError, require
from personax.sources._ledger import FileFact
from personax.sources._raw_table import RawTable, as_text, cells_as_text, named_once, with_header
from personax.strict import nearest

__all__ = ["READERS", "labelled"]


def _chosen(path: Path, names: Sequence[str], wanted: str | None, what: str) -> tuple[str, tuple[FileFact, ...]]:
    """Return which part of a file is read; the only one, or the one that is named.

    Raises
    ------
    InputError
        There is none, several of which none is named, or none of that name.
    """
    if not names:
        raise InputError(f"{path} holds no {what}")
    if wanted is not None:
        if wanted not in names:
            raise InputError(f"{path} has no {what} {wanted}; {nearest(wanted, list(names))}")
        return wanted, (FileFact(what, wanted, "given"),)
    if len(names) == 1:
        return names[0], ()
    shown = ", ".join(names[:6]) + (", ..." if len(names) > 6 else "")
    raise InputError(f"{path} has {len(names)} {what}s ({shown}); say which one by table: NAME")


def _sheet(path: Path, table: str | None) -> RawTable:
    calamine = require("python_calamine", extra="tables")
    try:
        with path.open("rb") as stream:
            book = calamine.CalamineWorkbook.from_filelike(stream)
            filled = {name: rows for name in book.sheet_names if (rows := book.get_sheet_by_name(name).to_python())}
    except Exception as error:  # noqa: BLE001 - whatever the reader makes of a damaged file
        raise InputError(f"{path} cannot be read as a spreadsheet ({_first(error)}); export it as CSV") from None
    name, told = _chosen(path, list(filled), table, "sheet")
    raw = with_header(path, filled[name], path.suffix.lower()[1:])
    return RawTable(raw.frame, raw.format, (*told, *raw.facts, *_unsaved(path, raw.frame)))


def _unsaved(path: Path, frame: pl.DataFrame) -> list[FileFact]:
    """Say that columns are empty which hold formulas: the program that wrote the file did not compute them."""
    empty = [name for name in frame.columns if frame[name].null_count() == frame.height]
    if not empty or path.suffix.lower() not in (".xlsx", ".xlsm"):
        return []
    with zipfile.ZipFile(path) as book:
        sheets = [book.read(one) for one in book.namelist() if one.startswith("xl/worksheets/")]
    if not any(re.search(rb"</f>\s*(<v\s*/>|<v>\s*</v>|</c>)|<f/>", sheet) for sheet in sheets):
        return []
    why = "formulas without a saved result are empty cells; open the file in a spreadsheet and save it"
    return [FileFact("empty columns", ", ".join(empty), "question", why)]


def _first(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


def _survey(path: Path, table: str | None) -> RawTable:
    """Read a file of SPSS, Stata or SAS by the columns' formats, labels and declared codes of missing values."""
    reader = require("pyreadstat", extra="tables")
    ending = path.suffix.lower()[1:]
    spss = ending in ("sav", "zsav", "por")
    read = getattr(reader, f"read_{ {'zsav': 'sav', 'xpt': 'xport'}.get(ending, ending) }")
    options: dict[str, Any] = {"user_missing": True} if spss and ending != "por" else {}
    try:
        columns, about = read(str(path), output_format="dict", **options)
    except Exception as error:  # noqa: BLE001 - whatever the reader makes of a damaged file
        raise InputError(
            f"{path} cannot be read as .{ending} ({_first(error)}); get it again, or export it as CSV"
        ) from None
    named_once(path, list(columns))
    labels = {name: label for name, label in (about.column_names_to_labels or {}).items() if label}
    coded = {
        name: {str(as_text(code)): str(label) for code, label in codes.items()}
        for name, codes in (about.variable_value_labels or {}).items()
    }
    singles = [
        name for name, kind in (about.readstat_variable_types or {}).items() if kind == "float" and name in columns
    ]
    columns |= {name: [_as_written(value) for value in columns[name]] for name in singles}
    cells = cells_as_text(columns)
    return RawTable(cells, ending, (), labels, coded, _with_silent(_declared(columns, about), coded, cells))


def _as_written(value: object) -> object:
    """Return the shortest number that a number of single precision stands for: 5.1, not 5.099999904632568."""
    return float(str(np.float32(value))) if isinstance(value, float) and math.isfinite(value) else value


def _with_silent(
    declared: Mapping[str, Sequence[str]], coded: Mapping[str, Mapping[str, str]], cells: pl.DataFrame
) -> dict[str, list[str]]:
    """Return column -> codes of missing values, declared or called so by their label."""
    found = {name: list(codes) for name, codes in declared.items()}
    for name, labels in coded.items():
        silent = [code for code, label in labels.items() if missing_word(label)] if name in cells.columns else []
        for code in silent:
            if code not in found.get(name, ()) and bool((cells[name] == code).any()):
                found.setdefault(name, []).append(code)
    return found


def _declared(columns: Mapping[str, Sequence[object]], about: Any) -> dict[str, list[str]]:  # noqa: ANN401 - of pyreadstat
    """Return column -> the codes in it that the file declares to mean missing."""
    found: dict[str, list[str]] = {}
    for name, ranges in (about.missing_ranges or {}).items():
        for value in {*columns[name]}:
            if any(_within(value, span["lo"], span["hi"]) for span in ranges):
                found.setdefault(name, []).append(str(as_text(value)))
    return found


def _within(value: object, low: object, high: object) -> bool:
    if isinstance(value, float | int) and isinstance(low, float | int) and isinstance(high, float | int):
        return low <= value <= high
    return isinstance(value, str) and value == low


def _r(path: Path, table: str | None) -> RawTable:
    rdata = require("rdata", extra="tables")
    classes = {**rdata.conversion.DEFAULT_CLASS_MAP, "Date": _r_dates, "POSIXct": _r_times, "haven_labelled": _r_plain}
    read = rdata.read_rds if path.suffix.lower() == ".rds" else rdata.read_rda
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # classes that it does not know; their numbers are kept
            found = read(path, constructor_dict=classes)
    except Exception as error:  # noqa: BLE001 - whatever the reader makes of a damaged file
        raise InputError(f"{path} cannot be read as R data ({_first(error)}); save one data frame by saveRDS") from None
    objects = found if isinstance(found, dict) else {"": found}
    frames = {str(name): one for name, one in objects.items() if hasattr(one, "columns")}
    name, told = _chosen(path, list(frames), table, "data frame")
    frame = frames[name]
    named = [str(label) for label in frame.index]
    rows = {} if named == [str(at + 1) for at in range(len(named))] else {"rownames": named}
    columns = {
        str(column): frame[column].astype(object).where(frame[column].notna(), None).tolist() for column in frame
    }
    return RawTable(cells_as_text({**rows, **columns}), path.suffix.lower()[1:], told)


def _r_plain(values: Any, attributes: object) -> Any:  # noqa: ANN401 - arrays of any kind
    return values


def _r_dates(values: Any, attributes: object) -> list[date | None]:  # noqa: ANN401 - an array of days
    return [None if day != day else date(1970, 1, 1) + timedelta(days=float(day)) for day in values]


def _r_times(values: Any, attributes: object) -> list[datetime | None]:  # noqa: ANN401 - an array of seconds
    start = datetime(1970, 1, 1)
    return [None if second != second else start + timedelta(seconds=float(second)) for second in values]


def _sqlite(path: Path, table: str | None) -> RawTable:
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as base:
            query = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%'"
            name, told = _chosen(path, [str(row[0]) for row in base.execute(query)], table, "table")
            quoted = name.replace('"', '""')
            found = base.execute(f'SELECT * FROM "{quoted}"')
            names = [str(one[0]) for one in found.description]
            rows = found.fetchall()
    except sqlite3.Error as error:
        raise InputError(f"{path} cannot be read as SQLite ({error}); export the table as CSV") from None
    named_once(path, names)
    binary = [names[at] for row in rows[:100] for at, cell in enumerate(row) if isinstance(cell, bytes)]
    if binary:
        raise InputError(f"{path}: the column {binary[0]} holds bytes; make a view without it and say table: NAME")
    return RawTable(cells_as_text({n: [row[at] for row in rows] for at, n in enumerate(names)}), "sqlite", told)


def labelled(codes: Mapping[str, str], present: Sequence[str]) -> dict[str, str] | None:
    """Return code -> label where the labels name categories, without labels of those who said nothing.

    Codes stay numbers where some values have no label, or where the labels are answers on a scale.

    Examples
    --------
    >>> labelled({"1": "male", "2": "female", "9": "refused"}, ["1", "2"])
    {'1': 'male', '2': 'female'}
    >>> labelled({"1": "never", "2": "sometimes", "3": "often"}, ["1", "3"])
    """
    told = {code: label for code, label in codes.items() if not missing_word(label)}
    named = bool(told) and all(code in told for code in present)
    return told if named and scale_of(list(told.values())) is None else None


READERS: Final[Mapping[str, Callable[[Path, str | None], RawTable]]] = {
    **dict.fromkeys((".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"), _sheet),
    **dict.fromkeys((".sav", ".zsav", ".por", ".dta", ".sas7bdat", ".xpt"), _survey),
    **dict.fromkeys((".rds", ".rdata", ".rda"), _r),
    **dict.fromkeys((".sqlite", ".sqlite3", ".db"), _sqlite),
}
"""Ending -> how a file is read: the path, and which sheet, table or object of it."""
