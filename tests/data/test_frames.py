"""Tables are read from exactly the file that is named, whatever polars would make of its name."""

from __future__ import annotations

import os
from pathlib import Path

import polars as pl
import pytest

from personax.data.frames import (
    exact_path,
    parquet_schema,
    read_csv,
    read_ipc,
    read_parquet,
    scan_parquet,
    write_csv,
    write_ipc,
    write_parquet,
)
from personax.errors import InputError


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a folder, with a home folder elsewhere that holds tables of its own."""
    home, here = tmp_path / "home", tmp_path / "here"
    home.mkdir()
    here.mkdir()
    other = pl.DataFrame({"x": ["of the home folder"]})
    other.write_parquet(home / "x.parquet")
    other.write_csv(home / "x.csv")
    other.write_ipc(home / "x.arrow")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(here)
    return home


@pytest.mark.parametrize("form", ["~/x", "file:{home}/x", "./~/x", "[x]/x", "*/x", "s3://bucket/x"])
def test_a_relative_path_is_of_the_folder_one_stands_in(home: Path, form: str) -> None:
    stem = form.format(home=home)
    own = pl.DataFrame({"x": ["own"]})
    Path(stem).parent.mkdir(parents=True)
    write_parquet(own, f"{stem}.parquet")
    write_csv(own, f"{stem}.csv")
    write_ipc(own, f"{stem}.arrow")
    for read in (
        read_parquet(f"{stem}.parquet"),
        read_parquet(Path(f"{stem}.parquet")),
        scan_parquet(f"{stem}.parquet").collect(),
        read_csv(f"{stem}.csv"),
        read_ipc(f"{stem}.arrow"),
    ):
        assert read["x"].to_list() == ["own"]
    assert parquet_schema(f"{stem}.parquet") == {"x": pl.String}
    assert {path.name for path in home.iterdir()} == {"x.parquet", "x.csv", "x.arrow"}
    assert pl.read_parquet(home / "x.parquet")["x"].to_list() == ["of the home folder"]


def test_a_name_that_is_no_utf_8_is_a_sentence() -> None:
    with pytest.raises(InputError, match="is no UTF-8; give that folder or file another name"):
        exact_path(os.fsdecode(b"/tmp/bad\xff/x.parquet"))
