"""Many Parquet files as one table: the numbers of one machine that holds all of it; one sentence for what is none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from personax.engine import ThreadEngine, parallel_config
from personax.errors import InputError
from personax.independence import _parts, _state, open_dataset, screen

ROWS = 3000


def people() -> pl.DataFrame:
    rng = np.random.default_rng(0)
    trait = rng.integers(1, 6, ROWS)
    frame = pl.DataFrame({
        "trait": trait, "height": (160 + 3 * trait + rng.normal(0, 9, ROWS)).round(0),
        "team": rng.choice(["red", "blue", "green"], ROWS), "year": rng.choice([2023, 2024], ROWS),
    })  # fmt: skip
    some = pl.int_range(pl.len()) % 17 == 0
    return frame.with_columns(pl.when(some).then(None).otherwise(pl.col("team", "height")).name.keep())


def write(folder: Path, frame: pl.DataFrame, sizes: list[int]) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    files, at = [], 0
    for number, size in enumerate(sizes):
        files.append(folder / f"part-{number}.parquet")
        frame.slice(at, size).write_parquet(files[-1], row_group_size=400)
        at += size
    return files


def found(table: object, **options: Any) -> pl.DataFrame:
    tests = ["kci", "chisq", "gsq"]
    kinds: Any = {"trait": "ordinal", "height": "continuous", "team": "nominal"}
    return screen(table, ["height", "team"], ["trait"], tests=tests, kinds=kinds, **options)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make chunks, units and what is held so small that this table needs many of each."""
    monkeypatch.setattr(_parts, "CHUNK", 300)
    monkeypatch.setattr(_parts, "UNIT", 700)
    monkeypatch.setattr(_state, "HELD", 40)


@pytest.mark.usefixtures("small")
def test_all_ways_to_name_files_give_the_numbers_of_one_machine(tmp_path: Path) -> None:
    whole = tmp_path / "whole.parquet"
    people().write_parquet(whole)
    one = found(pl.scan_parquet(whole))
    assert one["p_value"].null_count() < one.height
    files = write(tmp_path / "parts", people(), [1000, 1, 1999, 0])
    (tmp_path / "parts" / "_SUCCESS").touch()
    for table in (
        whole,
        files,
        [str(file) for file in files],
        tmp_path / "parts",
        str(tmp_path / "parts" / "*.parquet"),
    ):
        assert_frame_equal(found(table), one, check_exact=True)
    for engine in (ThreadEngine(2), "processes"):
        with parallel_config(engine, 2):
            assert_frame_equal(found(files), one, check_exact=True)
    turned = [files[2], files[0], files[1]]
    assert_frame_equal(found(turned), one, check_exact=True)


@pytest.mark.usefixtures("small")
def test_folders_name_columns_and_split_people(tmp_path: Path) -> None:
    frame = people()
    for (year,), some in frame.group_by("year"):
        write(tmp_path / f"year={year}", some.drop("year"), [some.height // 2, some.height])
    data = open_dataset(tmp_path)
    assert data.schema["year"] == pl.Int64
    assert len(data.files) == 4
    assert_frame_equal(found(data, by="year"), found(frame.lazy(), by="year"), check_exact=True)
    options: dict[str, Any] = {"tests": ["kci"], "given": ["year"]}
    expected = screen(frame.lazy(), ["height"], ["trait"], **options)
    assert_frame_equal(screen(data, ["height"], ["trait"], **options), expected, check_exact=True)


@pytest.mark.usefixtures("small")
def test_weights_and_dictionaries_of_other_codes(tmp_path: Path) -> None:
    frame = people().drop_nulls().group_by("trait", "team").len().sort("trait", "team")
    half = frame.height // 2
    files = [tmp_path / "a.parquet", tmp_path / "b.parquet"]
    for file, some in zip(files, (frame[:half], frame[half:].reverse()), strict=True):
        some.with_columns(pl.col("team").cast(pl.Categorical)).write_parquet(file)
    options: dict[str, Any] = {"tests": ["chisq"], "kinds": {"team": "nominal", "trait": "ordinal"}, "weight": "len"}
    expected = screen(frame.lazy(), ["team"], ["trait"], **options)
    assert_frame_equal(screen(files, ["team"], ["trait"], **options), expected, check_exact=True)


def test_a_file_with_a_pattern_for_a_name_is_that_file(tmp_path: Path) -> None:
    people().head(100).write_parquet(tmp_path / "s[1].parquet")
    people().write_parquet(tmp_path / "s1.parquet")
    assert found(tmp_path / "s[1].parquet")["n"].max() == 94


def test_what_is_no_data_set_is_one_sentence(tmp_path: Path) -> None:
    files = write(tmp_path / "parts", people(), [10, 10])
    (tmp_path / "empty").mkdir()
    for place, says in [
        (tmp_path / "empty", "holds no Parquet file"), (tmp_path / "none-*.parquet", "holds no Parquet file"),
        ([], "a list is no table"), (tmp_path / "nothing.parquet", "holds no Parquet file"),
    ]:  # fmt: skip
        with pytest.raises(InputError, match=says):
            found(place)
    people().drop("team").write_parquet(files[1])
    with pytest.raises(InputError, match=r"part-1.parquet has no column team, which the first file has"):
        found(files)
    people().with_columns(pl.col("height").cast(pl.String)).write_parquet(files[1])
    with pytest.raises(InputError, match=r"part-1.parquet: height holds String, and Float64 in the first file"):
        found(files)
    files[1].write_bytes(b"PAR1 this is none")
    with pytest.raises(InputError, match=r"part-1.parquet cannot be read as Parquet"):
        found(files)
    people().head(0).write_parquet(files[0])
    with pytest.raises(InputError, match="holds no rows"):
        found(files[0])
