"""A release as others' tools read it: `datasets` and mlcroissant, each value compared with what the files hold."""

from __future__ import annotations

import logging
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from personax.errors import MissingExtraError, require
from personax.release._layout import modality_files, table_files
from personax.release._untrusted_folder import open_folder
from personax.release._untrusted_tables import read_frame
from personax.release.checks import Check

__all__ = ["check_third_party_readers"]

MAX_VECTORS_READ = 100
"""Rows of vectors that are read by mlcroissant, which reads number by number."""


def check_third_party_readers(release: Path) -> list[Check]:
    """Load a release by `datasets`, every table whole, and by mlcroissant, the people and the first of the vectors.

    Returns
    -------
    list of Check
        One a tool: ``holds`` where every value that it reads is the file's, ``cannot tell`` where it is not installed.

    Raises
    ------
    InputError
        There is no release.

    Notes
    -----
    Neither asks the network for anything, and nothing is kept of what they cache.
    """
    folder = open_folder(release)
    tables = {
        name: read_frame([folder.files[part] for part in table_files(folder, name)])
        for name in ("people", *modality_files(folder))
    }
    return [_tried("datasets", _by_datasets, release, tables), _tried("mlcroissant", _by_croissant, release, tables)]


def _tried(
    tool: str,
    load: Callable[[Path, Mapping[str, pl.DataFrame]], dict[str, int]],
    release: Path,
    tables: Mapping[str, pl.DataFrame],
) -> Check:
    name = f"loaded by {tool}"
    try:
        with _quiet():
            rows = load(release, tables)
    except MissingExtraError as error:
        return Check(name, "cannot tell", str(error))
    # tools of others fail in ways of their own, and that one does is what is to be told
    except Exception as error:  # noqa: BLE001 - tools of others may raise anything
        message = str(error).partition("\n")[0]
        return Check(name, "fails", f"{type(error).__name__}: {message}")
    return Check(name, "holds", ", ".join(f"{table} {count:,} rows" for table, count in rows.items()))


def _by_datasets(release: Path, tables: Mapping[str, pl.DataFrame]) -> dict[str, int]:
    datasets: Any = require("datasets", extra="release")
    datasets.disable_progress_bars()
    rows = {}
    with tempfile.TemporaryDirectory() as cache:
        for name, table in tables.items():
            found = datasets.load_dataset(str(release), name, split="train", cache_dir=cache)
            for column in table.columns:
                _same(f"{name}/{column}", found.with_format("numpy")[column], table[column])
            rows[name] = found.num_rows
            del found
    return rows


def _by_croissant(release: Path, tables: Mapping[str, pl.DataFrame]) -> dict[str, int]:
    croissant: Any = require("mlcroissant", extra="release")
    require("pyarrow", extra="release")  # by which it reads Parquet, and which it does not ask for itself
    described_columns = croissant.Dataset(jsonld=str(release / "croissant.json"))
    rows = {}
    for name, table in tables.items():
        most = table.height if name == "people" else MAX_VECTORS_READ
        read = list(islice(described_columns.records(name), most))
        for column in table.columns:
            found = [record[f"{name}/{column}"] for record in read]
            _same(f"{name}/{column}", found, table[column].head(most))
        rows[name] = len(read)
    return rows


def _same(where: str, found: Any, wanted: pl.Series) -> None:  # noqa: ANN401 - arrays or lists of tools
    if wanted.dtype.is_nested() or wanted.dtype.is_numeric():
        a = np.asarray([np.nan if value is None else value for value in found], dtype=np.float64)
        b = wanted.cast(pl.Float64).fill_null(np.nan).to_numpy() if wanted.dtype.is_numeric() else wanted.to_numpy()
        equal = a.shape == b.shape and np.allclose(a, b, rtol=1e-6, equal_nan=True)
    else:
        equal = [_text(value) for value in found] == [_text(value) for value in wanted]
    if not equal:
        raise ValueError(f"{where} is not what the file holds")


def _text(value: object) -> str | None:
    if value is None or value != value:
        return None
    return value.decode("utf-8") if isinstance(value, bytes) else str(value)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep warnings and logs of others' packages to themselves."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
