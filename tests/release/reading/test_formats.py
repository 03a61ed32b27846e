"""Files that others wrote, format by format: each is read as its own library wrote it, or refused in one sentence."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import struct
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personax.errors import InputError
from personax.release import _file_formats as formats
from personax.release._untrusted_tables import (
    array_shapes,
    as_ids,
    is_written_out,
    read_arrays,
    read_frame,
    read_schema,
    to_fixed_length,
)
from personax.release.reading import load_release

N = 6
MAPPING = {"code": "id", "age": "feature", "final_o": "target", "emb": "embedding:image"}
VECTORS = np.random.default_rng(0).normal(size=(N, 4)).astype(np.float32)
ROWS = [
    {"code": f"c{row}", "age": 30 + row, "final_o": row / 2, "emb": [float(x) for x in VECTORS[row]]}
    for row in range(N)
]
Writer = Callable[[Path], None]


def _arrow() -> tuple[object, object]:
    pa = pytest.importorskip("pyarrow")
    return pa, pa.Table.from_pylist(ROWS)


def parquet(folder: Path) -> None:
    _, table = _arrow()
    pytest.importorskip("pyarrow.parquet").write_table(table, folder / "x.parquet")


def feather(folder: Path) -> None:
    _, table = _arrow()
    pytest.importorskip("pyarrow.feather").write_feather(table, folder / "x.feather", compression="zstd")


def arrow_file(folder: Path) -> None:
    pa, table = _arrow()
    with pa.OSFile(str(folder / "x.ipc"), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:  # type: ignore[attr-defined]
        writer.write_table(table)


def arrow_stream(folder: Path) -> None:
    """As `datasets` saves a data set to disk."""
    pa, table = _arrow()
    (folder / "train").mkdir()
    for part, rows in enumerate((table.slice(0, 4), table.slice(4))):  # type: ignore[attr-defined]
        path = folder / "train" / f"data-{part:05d}-of-00002.arrow"
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, rows.schema) as writer:  # type: ignore[attr-defined]
            writer.write_table(rows)
    (folder / "dataset_info.json").write_text("{}")
    (folder / "train" / "state.json").write_text('{"_split": "train"}')


def jsonl(folder: Path) -> None:
    (folder / "x.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))


def packed_jsonl(folder: Path) -> None:
    (folder / "x.ndjson.gz").write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in ROWS).encode()))


def json_rows(folder: Path) -> None:
    (folder / "x.json").write_text(json.dumps(ROWS))


def json_columns(folder: Path) -> None:
    (folder / "x.json").write_text(json.dumps({name: [row[name] for row in ROWS] for name in ROWS[0]}))


def json_of_pandas(folder: Path) -> None:
    told = {name: {str(at): row[name] for at, row in enumerate(ROWS)} for name in ROWS[0]}
    (folder / "x.json").write_text(json.dumps(told))


def csv_of_lists(folder: Path) -> None:
    lines = [f'{row["code"]},{row["age"]},{row["final_o"]},"{row["emb"]}"' for row in ROWS]
    (folder / "x.csv").write_text("\n".join(["code,age,final_o,emb", *lines]))


def csv_of_numpy(folder: Path) -> None:
    """As pandas writes a column of arrays: numbers without commas, over several lines."""
    lines = [
        f'{row["code"]},{row["age"]},{row["final_o"]},"{np.array2string(np.array(row["emb"]), max_line_width=30)}"'
        for row in ROWS
    ]
    (folder / "x.csv.gz").write_bytes(gzip.compress("\n".join(["code,age,final_o,emb", *lines]).encode()))


def arrays_beside_tsv(folder: Path) -> None:
    """Embeddings whose rows follow the metadata's, as many repositories keep them."""
    lines = [f"{row['code']}\t{row['age']}\t{row['final_o']}" for row in ROWS]
    (folder / "metadata.tsv").write_text("\n".join(["code\tage\tfinal_o", *lines]))
    np.save(folder / "emb.npy", np.asfortranarray(VECTORS.astype(">f8")))


def packed_array(folder: Path) -> None:
    jsonl(folder)
    rows = [{name: value for name, value in row.items() if name != "emb"} for row in ROWS]
    (folder / "x.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    stream = io.BytesIO()
    np.save(stream, VECTORS)
    (folder / "emb.npy.gz").write_bytes(gzip.compress(stream.getvalue()))


WRITERS: list[Writer] = [
    parquet, feather, arrow_file, arrow_stream, jsonl, packed_jsonl, json_rows, json_columns, json_of_pandas,
    csv_of_lists, csv_of_numpy, arrays_beside_tsv, packed_array,
]  # fmt: skip


@pytest.mark.parametrize("write", WRITERS, ids=lambda write: write.__name__)
def test_every_format_is_read_as_it_was_written(write: Writer, tmp_path: Path) -> None:
    write(tmp_path)
    read = load_release(tmp_path, mapping=MAPPING)
    assert read.people.rows() == [(row["code"], row["age"], row["final_o"]) for row in ROWS]
    assert np.allclose(read.vectors("image"), VECTORS, atol=1e-6)
    assert read.embeddings.measurements("image")["emb"].dim == 4


def test_one_file_is_a_release(tmp_path: Path) -> None:
    json_rows(tmp_path)
    assert load_release(tmp_path / "x.json", mapping=MAPPING).people.height == N
    (tmp_path / "x.pkl").write_bytes(b"")
    with pytest.raises(InputError, match="there is no folder"):
        load_release(tmp_path / "x.pkl")


def test_halves_become_float32(tmp_path: Path) -> None:
    jsonl(tmp_path)
    np.save(tmp_path / "half.npy", VECTORS.astype(np.float16))
    read = load_release(tmp_path, mapping=MAPPING | {"half": "embedding:text"})
    assert read.vectors("text").dtype == np.float32
    assert np.array_equal(read.vectors("text"), VECTORS.astype(np.float16).astype(np.float32))


def test_an_array_of_ids_says_whose_rows_the_arrays_beside_it_are(tmp_path: Path) -> None:
    jsonl(tmp_path)
    order = np.array([3, 1, 2, 0, 4, 5])
    (tmp_path / "vectors").mkdir()
    np.save(tmp_path / "vectors" / "ids.npy", np.array([f"c{at}" for at in order]))
    np.save(tmp_path / "vectors" / "text.npy", VECTORS[order])
    read = load_release(tmp_path, mapping=MAPPING | {"text": "embedding:text"})
    assert np.array_equal(read.vectors("text"), VECTORS)
    assert not any("order" in notice.text for notice in read.notices)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (np.array([{"a": 1}] * N, dtype=object), "holds pickled objects"),
        (np.zeros((N, 2, 2)), "neither lists nor tables of numbers"),
        (np.zeros((N, 2), dtype=complex), "neither lists nor tables of numbers"),
        (np.zeros(N, dtype=[("a", "f4")]), "neither lists nor tables of numbers"),
        (np.zeros(()), "neither lists nor tables of numbers"),
        (np.zeros((N - 1, 3)), "5 rows and no id of the 6 people"),
    ],
)
def test_arrays_that_are_no_vectors_of_the_people(values: np.ndarray, says: str, tmp_path: Path) -> None:
    jsonl(tmp_path)
    np.save(tmp_path / "more.npy", values, allow_pickle=True)
    with pytest.raises(InputError, match=says):
        load_release(tmp_path, mapping=MAPPING | {"more": "embedding:text"})


def _npy(shape: str, *, start: bytes = b"\x93NUMPY\x01\x00") -> bytes:
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".encode().ljust(117) + b"\n"
    return start + struct.pack("<H", len(header)) + header


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x93NUMPY",
        _npy("(6, 4)"),
        _npy("(-1, 4)"),
        _npy("(True, 4)"),
        _npy("(2**60, 4)"),
        _npy("(1152921504606846976, 4)"),
        _npy("(6, 4)", start=b"\x93NUMPY\x09\x00"),
        b"\x93NUMPY\x02\x00\xff\xff\xff\xff{",
        _npy("(__import__('os').getcwd(), 4)"),
    ],
)
def test_arrays_that_are_not_what_they_say(raw: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.npy"
    path.write_bytes(raw)
    for ask in (array_shapes, lambda path: read_arrays(path, ["x"])):
        with pytest.raises(InputError, match=r"x\.npy (cannot be read|says that|unpacks to)"):
            ask(path)


def test_what_unpacks_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "MAX_UNPACKED", 10_000)
    for name in ("x.csv.gz", "x.jsonl.gz", "x.npy.gz"):
        (tmp_path / name).write_bytes(gzip.compress(b"0" * 100_000))
        with pytest.raises(InputError, match="more than 10,000 bytes"):
            (array_shapes if "npy" in name else read_schema)(tmp_path / name)
    (tmp_path / "y.csv.gz").write_bytes(b"\x1f\x8bnothing")
    with pytest.raises(InputError, match="cannot be unpacked"):
        read_schema(tmp_path / "y.csv.gz")


@pytest.mark.parametrize(
    "text",
    ['"a"', "[1, 2]", "{}", "[]", '{"a": [1], "b": [1, 2]}', '{"a": {"0": 1}, "b": {"1": 2}}', "[" * 100_000, "{"],
)
def test_json_that_is_no_table(text: str, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(InputError, match=r"x\.json is (not JSON|JSON, but no table)"):
        read_schema(tmp_path / "x.json")


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([feather, arrow_file, jsonl, csv_of_lists, json_rows]), st.data())
def test_damaged_files_are_one_sentence(write: Writer, data: st.DataObject) -> None:
    """Cut short, or with some bytes changed, a table is read or refused; nothing else happens."""
    with tempfile.TemporaryDirectory() as place:
        write(Path(place))
        path = next(iter(Path(place).iterdir()))
        raw = bytearray(path.read_bytes())
        if data.draw(st.booleans()):
            raw = raw[: data.draw(st.integers(0, len(raw) - 1))]
        else:
            at = data.draw(st.integers(0, len(raw) - 1))
            raw[at] = data.draw(st.integers(0, 255))
        path.write_bytes(bytes(raw))
        with contextlib.suppress(InputError):
            read_frame([path])


def test_ids_are_the_same_however_they_are_written() -> None:
    assert as_ids(pl.Series([1.0, 2.0])).to_list() == as_ids(pl.Series([1, 2])).to_list() == ["1", "2"]
    assert as_ids(pl.Series([1.5])).to_list() == ["1.5"]
    assert as_ids(pl.Series(["01"])).to_list() == ["01"]


def test_text_that_only_looks_like_a_vector(tmp_path: Path) -> None:
    assert is_written_out(pl.Series(["[1, 2]"]))
    assert not is_written_out(pl.Series(["[sic] he said"]))
    assert not is_written_out(pl.Series([], dtype=pl.String))
    for cell in ("[1, 2, ..., 3]", "[1 two]"):
        with pytest.raises(InputError, match="no list of numbers"):
            to_fixed_length(pl.Series("v", [cell]), tmp_path)
