"""The same rows give the same bytes, and files say what they hold."""

from __future__ import annotations

import hashlib
import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personax.errors import InputError
from personax.release.packaging import ColumnFacts, describe, list_shards, write_shards
from personax.schema import Column

pq = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")


def vectors(rows: int, dim: int = 8) -> pl.DataFrame:
    values = np.random.default_rng(3).normal(size=(rows, dim)).astype(np.float32)
    return pl.DataFrame(
        {"id": [f"p{i:05d}" for i in range(rows)], "a": pl.Series(values, dtype=pl.Array(pl.Float32, dim))}
    )


def hashes(folder: Path) -> list[str]:
    return [hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted((folder / "data" / "text").iterdir())]


@settings(max_examples=25, deadline=None)
@given(cuts=st.lists(st.integers(0, 60), max_size=6), shard_bytes=st.integers(64, 4000))
def test_batches_do_not_change_the_bytes(
    cuts: list[int], shard_bytes: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    frame = vectors(60)
    facts = describe("text", frame)
    whole, parts = tmp_path_factory.mktemp("whole"), tmp_path_factory.mktemp("parts")
    edges = [0, *sorted(cuts), 60]
    write_shards(whole, frame, facts, shard_bytes=shard_bytes)
    batches = (frame.slice(first, last - first) for first, last in pairwise(edges))
    written = write_shards(parts, batches, facts, shard_bytes=shard_bytes)
    assert hashes(whole) == hashes(parts)
    assert sum(shard.rows for shard in written) == 60
    assert pl.concat(pl.read_parquet(parts / shard.path) for shard in written).equals(frame)


def test_a_shard_is_as_large_as_asked(tmp_path: Path) -> None:
    written = write_shards(tmp_path, vectors(100), describe("text", vectors(1)), shard_bytes=64 * 30)
    assert [shard.rows for shard in written] == [30, 30, 30, 10]
    assert written[-1].path == "data/text/train-00003-of-00004.parquet"


def test_batches_are_taken_one_at_a_time(tmp_path: Path) -> None:
    """Whoever streams finds full shards on disk before the last batch is asked for."""
    seen = []

    def stream() -> object:
        for start in range(0, 100, 10):
            seen.append(len(list(tmp_path.glob("data/.text.*/*"))))
            yield vectors(100).slice(start, 10)

    write_shards(tmp_path, stream(), describe("text", vectors(1)), shard_bytes=64 * 20)  # type: ignore[arg-type]
    assert seen == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]


def test_files_say_what_their_columns_are(tmp_path: Path) -> None:
    frame = pl.DataFrame({"id": ["a"], "height_cm": [180.5]})
    facts = describe("people", frame, [Column("height_cm", "feature", "continuous", "cm")])
    [shard] = write_shards(tmp_path, frame, facts)
    told = json.loads(pl.read_parquet_metadata(tmp_path / shard.path)["personax"])
    assert json.loads(pq.read_metadata(tmp_path / shard.path).metadata[b"personax"]) == told
    assert told["config"] == "people"
    assert told["columns"][1] == {
        "name": "height_cm", "role": "feature", "kind": "continuous", "unit": "cm", "description": "height",
        "protection": "as it is",
    }  # fmt: skip


def test_vectors_have_a_fixed_size_and_no_statistics(tmp_path: Path) -> None:
    [shard] = write_shards(tmp_path, vectors(5), describe("text", vectors(1)))
    assert str(pq.read_schema(tmp_path / shard.path).field("a").type) == "fixed_size_list<element: float>[8]"
    row_group = pq.read_metadata(tmp_path / shard.path).row_group(0)
    assert not any(row_group.column(i).is_stats_set for i in range(row_group.num_columns))


def test_no_rows_are_one_empty_file_and_categories_are_text(tmp_path: Path) -> None:
    facts = describe("text", vectors(1))
    [shard] = write_shards(tmp_path, [], facts)
    assert shard.rows == 0
    assert pl.read_parquet(tmp_path / shard.path).schema == vectors(1).schema
    frame = pl.DataFrame({"id": ["a"], "sex": pl.Series(["f"], dtype=pl.Categorical)})
    told = describe("people", frame, [Column("sex", "feature", "nominal")])
    [shard] = write_shards(tmp_path, frame, told)
    assert pl.read_parquet(tmp_path / shard.path)["sex"].dtype == pl.String


def test_other_columns_and_a_folder_that_is_there_are_refused(tmp_path: Path) -> None:
    facts = describe("text", vectors(1))
    with pytest.raises(InputError, match="not those described"):
        write_shards(tmp_path, vectors(5, dim=7), facts)
    assert not list(tmp_path.glob("data/*"))
    write_shards(tmp_path, vectors(5), facts)
    with pytest.raises(InputError, match="is there already"):
        write_shards(tmp_path, vectors(5), facts)


@pytest.mark.parametrize("name", ["train-00001-of-00002.parquet", "notes.txt"])
def test_what_lies_among_the_files_is_refused(name: str, tmp_path: Path) -> None:
    write_shards(tmp_path, vectors(5), describe("text", vectors(1)))
    (tmp_path / "data" / "text" / name).write_text("")
    with pytest.raises(InputError, match="all of them and nothing else"):
        list_shards(tmp_path, "text")


def test_every_type_that_is_described_can_be_written_and_read(tmp_path: Path) -> None:
    types: list[pl.DataType | type[pl.DataType]] = [
        pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64, pl.Float32, pl.Float64,
        pl.Boolean, pl.String, pl.Date, pl.Datetime("us"), pl.Datetime("ms"),
    ]  # fmt: skip
    frame = pl.DataFrame({"id": ["a"], **{f"c{i}": pl.Series([None], dtype=dtype) for i, dtype in enumerate(types)}})
    facts: tuple[ColumnFacts, ...] = describe(
        "people", frame, [Column(name, "feature", "continuous") for name in frame.columns[1:]]
    )
    [shard] = write_shards(tmp_path, frame, facts)
    assert pl.read_parquet(tmp_path / shard.path).schema == frame.schema
