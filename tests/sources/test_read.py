"""Files as text: nothing is coerced, nothing is dropped in silence, and what is no table is one sentence."""

from __future__ import annotations

import csv
import io
import tempfile
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from personax.errors import InputError
from personax.sources._read_file import read_text_table

CELL = st.text(alphabet='ab,;"\n\t é0', max_size=6)


@given(st.integers(1, 4).flatmap(lambda width: st.lists(st.lists(CELL, min_size=width, max_size=width), min_size=1)))
def test_what_a_csv_writer_wrote_comes_back(rows: list[list[str]]) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([[f"c{i}" for i in range(len(rows[0]))], *rows])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "p.csv"
        path.write_text(text.getvalue(), encoding="utf-8", newline="")
        assert [list(row) for row in read_text_table(path).iter_rows()] == rows


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_empty_lines_are_nobody(tmp_path: Path, end: str) -> None:
    path = tmp_path / "p.csv"
    path.write_bytes(end.join(["", "a,b", "1,2", "", '3,""', "", ""]).encode())
    assert read_text_table(path).rows() == [("1", "2"), ("3", "")]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"a,b,c\n1,2,3\n4,5\n", "line 3 has 2 cells and the header 3"),
        (b"a,b\n1,2\n4,5,6\n", "line 3 has 3 cells and the header 2"),
        (b'a,b\n1,"2\n3,4\n', "line 3: unexpected end of data"),
        (b"a,b\n1,\x00\n", "is not text in utf-8: it holds zero bytes"),
        (b"PAR1\x15", "is a Parquet file; give it the ending .parquet"),
        (b"PK\x03\x04\x14", "is a zip or Excel file; give it the ending .zip, .xlsx or .ods"),
        (b"\x1f\x8b\x08", "is compressed; give it the ending .gz"),
    ],
)
def test_what_is_no_csv(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "p.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=says):
        read_text_table(path)


def test_json_says_where(tmp_path: Path) -> None:
    lines = tmp_path / "p.jsonl"
    lines.write_text('{"a": 1}\n\n{"a":\n')
    with pytest.raises(InputError, match=r"p.jsonl, line 3 cannot be read as JSON"):
        read_text_table(lines)
    record = tmp_path / "p.json"
    record.write_text('[{"a": 1, "a": 2}]')
    with pytest.raises(InputError, match="the key 'a' stands twice in a record"):
        read_text_table(record)


def test_json_numbers_keep_their_digits(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    path.write_text('[{"a": 12345678901234567890, "b": 1.10, "c": true}, {"a": NaN, "d": "x"}]')
    assert read_text_table(path).rows() == [("12345678901234567890", "1.10", "true", None), (None, None, None, "x")]


def test_parquet_columns_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "p.parquet"
    pl.DataFrame({"a": [1.5, float("nan")]}).write_parquet(path)
    assert read_text_table(path)["a"].to_list() == ["1.5", None]
    for values in (pl.Series([timedelta(1)]), pl.Series([b"\xff"])):
        pl.DataFrame({"a": values}).write_parquet(path)
        with pytest.raises(InputError, match=r"the column a of type .* has no text"):
            read_text_table(path)
    pl.DataFrame({"a": [[1, 2]]}).write_parquet(path)
    with pytest.raises(InputError, match="the column a holds lists or records"):
        read_text_table(path)


def test_a_long_biography_is_read(tmp_path: Path) -> None:
    text = "once, and again; " * 12_000
    path = tmp_path / "people.csv"
    path.write_text(f'id,biography\np1,"{text}"\np2,short\n', encoding="utf-8")
    assert read_text_table(path)["biography"].to_list() == [text, "short"]
