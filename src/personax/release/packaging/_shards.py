"""Parquet shards: fixed-size vectors, and columns that say what they are, written as they come."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from personax.data.frames import scan_parquet, write_parquet
from personax.errors import InputError
from personax.files import sha256
from personax.release.packaging._column_facts import AS_TEXT, FORMAT, dtype_of, schema_of
from personax.release.packaging._facts import ColumnFacts

__all__ = ["SHARD_BYTES", "Shard", "list_shards", "write_shards"]

SHARD_BYTES: Final = 256 * 1024 * 1024
GROUP_BYTES: Final = 32 * 1024 * 1024
"""Of a row group: what a reader must hold to read one row."""
TEXT_BYTES: Final = 32
"""Reckoned for a text; sizes are reckoned from types alone, so that shards do not depend on how rows came."""

_MAX_SHARDS = 99_999


@dataclass(frozen=True)
class Shard:
    """A file of a release: its path from the folder of the release, and what is in it."""

    path: str
    rows: int
    bytes: int
    sha256: str


def write_shards(
    folder: Path,
    frames: pl.DataFrame | Iterable[pl.DataFrame],
    columns: Sequence[ColumnFacts],
    *,
    shard_bytes: int = SHARD_BYTES,
) -> list[Shard]:
    """Write the files of one configuration, ``data/<config>/train-0000i-of-0000n.parquet``.

    The same rows give the same bytes, in whatever batches they come; categories leave as text. Memory grows with the
    shard and not with the table: about three shards while one is joined and encoded, beside what `frames` holds.

    Parameters
    ----------
    folder
        Of the release.
    frames
        The rows in order, whole or in batches of one schema.
    columns
        What the columns are; of one configuration.
    shard_bytes
        Of a shard before compression, about.

    Returns
    -------
    list of Shard
        What was written; one empty shard where there are no rows.

    Raises
    ------
    InputError
        Columns that are not those described, a configuration that is there already, too many shards.

    Examples
    --------
    >>> import tempfile
    >>> from personax.release.packaging._column_facts import describe
    >>> from personax.schema import Column
    >>> frame = pl.DataFrame({"id": ["a", "b"], "height_cm": [180.0, 171.5]})
    >>> facts = describe("people", frame, [Column("height_cm", "feature", "continuous", "cm")])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [(shard.path, shard.rows) for shard in write_shards(Path(folder), frame, facts)]
    [('data/people/train-00000-of-00001.parquet', 2)]
    """
    [config] = {column.config for column in columns}
    home = folder / "data" / config
    if home.exists():
        raise InputError(f"{home} is there already; a release is written into a new folder")
    aside = home.with_name(f".{config}.{os.getpid()}.tmp")
    aside.mkdir(parents=True)
    try:
        total = 0
        for number, rows in enumerate(_cut(frames, columns, shard_bytes)):
            if number > _MAX_SHARDS:
                raise InputError(
                    f"{config} has more than {_MAX_SHARDS} shards; take larger ones than {shard_bytes} bytes"
                )
            _write(rows, columns, aside / f"{number:05d}")
            total = number + 1
        for number in range(total):
            (aside / f"{number:05d}").replace(aside / f"train-{number:05d}-of-{total:05d}.parquet")
        aside.replace(home)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return list_shards(folder, config)


def _cut(
    frames: pl.DataFrame | Iterable[pl.DataFrame], columns: Sequence[ColumnFacts], shard_bytes: int
) -> Iterator[pl.DataFrame]:
    """Give shards of a fixed number of rows; slices of a frame share its memory."""
    most = max(1, shard_bytes // _row_bytes(columns))
    waiting: list[pl.DataFrame] = []
    held, given = 0, False
    for frame in [frames] if isinstance(frames, pl.DataFrame) else frames:
        batch = _fit(frame, columns)
        while batch.height:
            some, batch = batch.head(most - held), batch.slice(most - held)
            waiting.append(some)
            held += some.height
            if held == most:
                full, waiting, held, given = pl.concat(waiting, rechunk=True), [], 0, True
                yield full
    if waiting:
        yield pl.concat(waiting, rechunk=True)
    elif not given:
        yield _fit(pl.DataFrame(schema=schema_of(columns)), columns)


def _fit(frame: pl.DataFrame, columns: Sequence[ColumnFacts]) -> pl.DataFrame:
    found = [(name, *dtype_of(name, dtype)) for name, dtype in frame.schema.items()]
    wanted = [(column.name, column.dtype, column.length) for column in columns]
    if found != wanted:
        odd = next((f"{f} instead of {w}" for f, w in zip(found, wanted, strict=False) if f != w), "another number")
        raise InputError(f"the columns of {columns[0].config} are not those described ({odd}); describe this table")
    texts = [name for name, dtype in frame.schema.items() if isinstance(dtype, AS_TEXT)]
    return frame.with_columns(pl.col(texts).cast(pl.String)) if texts else frame


def _row_bytes(columns: Sequence[ColumnFacts]) -> int:
    return sum((column.length or 1) * _value_bytes(column.dtype) for column in columns)


def _value_bytes(dtype: str) -> int:
    if dtype == "string":
        return TEXT_BYTES
    bits = re.search(r"\d+$", dtype)
    return int(bits[0]) // 8 if bits else 8


def _write(rows: pl.DataFrame, columns: Sequence[ColumnFacts], path: Path) -> None:
    described = [
        {
            "name": column.name,
            "role": column.role,
            "kind": column.kind,
            "unit": column.unit or None,
            "description": column.description,
            "protection": column.protection,
        }
        for column in columns
    ]
    write_parquet(
        rows,
        path,
        compression="zstd",
        # minima and maxima of columns would be one more thing that leaves
        statistics=False,
        row_group_size=max(1, GROUP_BYTES // _row_bytes(columns)),
        metadata={"personax": json.dumps({"format": FORMAT, "config": columns[0].config, "columns": described})},
    )


def list_shards(folder: Path, config: str) -> list[Shard]:
    """Return the files of a configuration in order.

    Raises
    ------
    InputError
        None is there, one is missing, or something else lies among them.
    """
    home = folder / "data" / config
    found = sorted(home.iterdir()) if home.is_dir() else []
    names = [path.name for path in found]
    wanted = [f"train-{number:05d}-of-{len(found):05d}.parquet" for number in range(len(found))]
    if not found or names != wanted:
        text = f"{home} does not hold the files train-00000-of-0000n.parquet, all of them and nothing else"
        raise InputError(f"{text}; build the release again")
    return [
        Shard(
            path=f"data/{config}/{path.name}",
            rows=int(scan_parquet(path).select(pl.len()).collect().item()),
            bytes=path.stat().st_size,
            sha256=sha256(path),
        )
        for path in found
    ]
