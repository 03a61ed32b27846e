"""Measurements of several modalities, read from a folder or from one file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from personax.embed import read_measurements
from personax.errors import InputError

WANTED = {"image": {"face": "face"}, "text": {"one": "one", "two": "two"}}
IDS = ["c", "a", "b"]


def arrays() -> dict[str, np.ndarray[Any, Any]]:
    rng = np.random.default_rng(0)
    return {"face": rng.normal(size=(3, 4)), "one": rng.normal(size=(3, 2)), "two": rng.normal(size=(3, 5))}


def npz(path: Path, **more: Any) -> Path:
    np.savez(path / "data.npz", **(arrays() | more))
    return path / "data.npz"


def folder(path: Path, order: list[int]) -> tuple[Path, dict[str, dict[str, str]]]:
    for name, x in arrays().items():
        rows = order if name == "two" else [0, 1, 2]
        np.savez(path / f"{name}.npz", id=np.array(IDS)[rows], vectors=x[rows])
    return path, {m: {k: f"{name}.npz" for k, name in by.items()} for m, by in WANTED.items()}


def test_one_npz_holds_all(tmp_path: Path) -> None:
    ids, views = read_measurements(npz(tmp_path, id=np.array(IDS)), WANTED)
    assert ids == IDS
    assert {m: list(by) for m, by in views.items()} == {m: list(by) for m, by in WANTED.items()}
    np.testing.assert_array_equal(views["text"]["two"], arrays()["two"].astype(np.float32))


def test_without_ids_people_are_numbered(tmp_path: Path) -> None:
    assert read_measurements(npz(tmp_path), WANTED)[0] == ["1", "2", "3"]


def test_files_of_a_folder_are_put_into_one_order(tmp_path: Path) -> None:
    ids, views = read_measurements(*folder(tmp_path, [2, 0, 1]))
    assert ids == IDS
    np.testing.assert_array_equal(views["text"]["two"], arrays()["two"].astype(np.float32))


def test_parquet_holds_columns_of_lists(tmp_path: Path) -> None:
    columns = {name: pl.Series(x.tolist()) for name, x in arrays().items()}
    pl.DataFrame({"id": IDS} | columns).write_parquet(tmp_path / "data.parquet")
    ids, views = read_measurements(tmp_path / "data.parquet", WANTED)
    assert ids == IDS
    np.testing.assert_array_equal(views["image"]["face"], arrays()["face"].astype(np.float32))


def test_people_whom_a_file_lacks_have_rows_of_nan_and_other_people_are_refused(tmp_path: Path) -> None:
    ids, views = read_measurements(*folder(tmp_path, [0, 1]))
    lacking = {m: [bool(np.isnan(x[2]).all()) for x in by.values()] for m, by in views.items()}
    assert ids == IDS
    assert sorted(one for by in lacking.values() for one in by)[-1]
    assert not all(one for by in lacking.values() for one in by)
    where, wanted = folder(tmp_path, [0, 1])
    np.savez(where / "two.npz", id=np.array(["x", "y"]), vectors=np.ones((2, 3)))
    with pytest.raises(InputError, match=r"two.npz holds nobody whom another file holds"):
        read_measurements(where, wanted)


def test_a_null_in_a_column_of_lists_says_that_a_person_lacks_the_measurement(tmp_path: Path) -> None:
    columns = {name: pl.Series([None, *x[1:].tolist()], dtype=pl.List(pl.Float32)) for name, x in arrays().items()}
    pl.DataFrame({"id": IDS} | columns).write_parquet(tmp_path / "data.parquet")
    _, views = read_measurements(tmp_path / "data.parquet", WANTED)
    for by in views.values():
        for x in by.values():
            assert np.isnan(x).all(axis=1).tolist() == [True, False, False]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"two": np.ones((2, 5))}, "different numbers of people: \\[2, 3\\]"),
        ({"two": np.ones((2, 5)), "id": np.array(IDS)}, "text/two has 2 rows and there are 3 ids"),
        ({"id": np.array(["a", "a", "b"])}, "1 ids stand more than once"),
        ({"one": np.array([[1.0, np.nan], [1, 2], [3, 4]])}, "text/one: the vectors of 1 people"),
        ({"one": np.full((3, 2), 1e39)}, "one holds numbers beyond"),
        ({"one": np.array(["x", "y", "z"])}, "one must be a table of numbers"),
        ({"one": np.ones(3)}, "one must be a table of numbers"),
    ],
)
def test_bad_arrays_are_refused_by_name(tmp_path: Path, more: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_measurements(npz(tmp_path, **more), WANTED)


def test_a_file_that_is_not_in_a_folder_is_named_with_the_nearest(tmp_path: Path) -> None:
    data, wanted = folder(tmp_path, [0, 1, 2])
    wanted["text"]["one"] = "one"
    with pytest.raises(InputError, match=r"there is no file .*one; did you mean one\.npz\?"):
        read_measurements(data, wanted)


def test_what_is_missing_is_named_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has no facee; did you mean face"):
        read_measurements(npz(tmp_path), {"image": {"a": "facee"}})
    with pytest.raises(InputError, match="there is no file or folder"):
        read_measurements(tmp_path / "none.npz", WANTED)


@pytest.mark.parametrize("name", ["data.npz", "data.parquet"])
def test_what_is_no_such_file_is_said(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("no")
    with pytest.raises(InputError, match="cannot be read as measurements"):
        read_measurements(tmp_path / name, WANTED)


def test_pickled_objects_are_not_loaded(tmp_path: Path) -> None:
    np.savez(tmp_path / "data.npz", one=np.array([[1, {}]], dtype=object))
    with pytest.raises(InputError, match=r"data\.npz: one holds Python objects, .* save numbers by np\.asarray"):
        read_measurements(tmp_path / "data.npz", {"text": {"one": "one"}})


def test_npy_files_are_mapped_and_not_read(tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32)
    np.save(tmp_path / "a.npy", x)
    wanted = {"text": {"one": "a.npy"}}
    ids, views = read_measurements(tmp_path, wanted)
    assert isinstance(views["text"]["one"], np.memmap)
    np.testing.assert_array_equal(views["text"]["one"], x)
    assert ids[:2] == ["1", "2"]
    (tmp_path / "ids.txt").write_text("\n".join(f"p{i}" for i in range(30)))
    assert read_measurements(tmp_path, wanted)[0][:2] == ["p0", "p1"]


def test_bad_npy_files_are_refused_by_name(tmp_path: Path) -> None:
    wanted = {"text": {"one": "a.npy"}}
    with pytest.raises(InputError, match=r"there is no file .*a\.npy"):
        read_measurements(tmp_path, wanted)
    (tmp_path / "a.npy").write_bytes(b"no array")
    with pytest.raises(InputError, match="cannot be read as an array"):
        read_measurements(tmp_path, wanted)
    np.save(tmp_path / "a.npy", np.ones((4, 2), dtype=np.float32))
    (tmp_path / "ids.txt").write_text("a\nb\nc")
    with pytest.raises(InputError, match=r"shape \(4, 2\) for 3 people"):
        read_measurements(tmp_path, wanted)
    (tmp_path / "ids.txt").write_text("a\nb\nc\na")
    with pytest.raises(InputError, match="1 ids stand more than once"):
        read_measurements(tmp_path, wanted)
    (tmp_path / "ids.txt").unlink()
    np.save(tmp_path / "a.npy", np.array([[np.nan, 1.0]] * 4, dtype=np.float32))
    with pytest.raises(InputError, match="vectors of 4 people hold missing"):
        read_measurements(tmp_path, wanted)


def test_a_parquet_file_of_many_is_read_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("personax.embed._measurements.CHUNK_ROWS", 2)
    columns = {name: pl.Series(x.tolist()) for name, x in arrays().items()}
    pl.DataFrame({"id": IDS} | columns).write_parquet(tmp_path / "data.parquet")
    ids, views = read_measurements(tmp_path / "data.parquet", WANTED)
    assert ids == IDS
    for name, x in (("one", views["text"]["one"]), ("face", views["image"]["face"])):
        assert isinstance(x, np.memmap)
        np.testing.assert_array_equal(x, arrays()[name].astype(np.float32))
    assert [path.name for path in tmp_path.iterdir()] == ["data.parquet"]


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([[1.0], [2.0, 3.0], [3.0, 4.0]], "face has 1 numbers for c and 2 for most; all need the same number"),
        ([[1.0, 2.0], [2.0, 3.0], []], "face has 0 numbers for b and 2 for most; .* who has no vector a null"),
        ([["a"], ["b"]], r"the column face must be lists of numbers and is List\(String\)"),
        ([1.0, 2.0], "the column face must be lists of numbers and is Float64"),
        ([None, []], "face holds the vectors of nobody; leave it out"),
        ([], "holds nobody"),
    ],
)
def test_columns_that_are_no_tables_are_refused(tmp_path: Path, rows: list[Any], says: str) -> None:
    column = pl.Series(rows, dtype=None if rows else pl.List(pl.Float64))
    pl.DataFrame({"id": IDS[: len(rows)], "face": column}).write_parquet(tmp_path / "data.parquet")
    with pytest.raises(InputError, match=says):
        read_measurements(tmp_path / "data.parquet", {"image": {"face": "face"}})


def test_lists_of_another_length_further_on_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("personax.embed._measurements.CHUNK_ROWS", 2)
    rows = [None, None, [1.0, 2.0], [3.0, 4.0], None, None, [1.0], [2.0]]
    pl.DataFrame({"id": list("abcdefgh"), "face": rows}).write_parquet(tmp_path / "data.parquet")
    with pytest.raises(InputError, match="face has 2 numbers for some and 1 for g"):
        read_measurements(tmp_path / "data.parquet", {"image": {"face": "face"}})


@pytest.mark.parametrize("name", ["id", "ids"])
def test_ids_may_be_called_id_or_ids(tmp_path: Path, name: str) -> None:
    assert read_measurements(npz(tmp_path, **{name: np.array(IDS)}), WANTED)[0] == IDS
    columns = {name: pl.Series(x.tolist()) for name, x in arrays().items()}
    pl.DataFrame({name: IDS} | columns).write_parquet(tmp_path / "data.parquet")
    assert read_measurements(tmp_path / "data.parquet", WANTED)[0] == IDS


def test_several_files_without_ids_are_not_paired_by_position(tmp_path: Path) -> None:
    for name in "ab":
        np.save(tmp_path / f"{name}.npy", np.ones((3, 2), np.float32))
    wanted = {"text": {"one": "a.npy", "two": "b.npy"}}
    with pytest.raises(InputError, match=r"nothing says whose vectors .*a\.npy holds; write .*ids\.txt"):
        read_measurements(tmp_path, wanted)
    (tmp_path / "ids.txt").write_bytes("\ufeffc\r\nä\r\nb\r\n".encode())
    assert read_measurements(tmp_path, wanted)[0] == ["c", "ä", "b"]
    (tmp_path / "ids.txt").write_text("c\r\nä\r\nb\r\n", encoding="utf-16", newline="")
    assert read_measurements(tmp_path, wanted)[0] == ["c", "ä", "b"]
    (tmp_path / "ids.txt").write_text("c\n\nb\n")
    with pytest.raises(InputError, match=r"ids\.txt: 1 people have no id \(the first in row 2\)"):
        read_measurements(tmp_path, wanted)
    np.save(tmp_path / "a.npy", np.array([[1, "x"]], dtype=object))
    with pytest.raises(InputError, match=r"a\.npy: it holds Python objects"):
        read_measurements(tmp_path, wanted)


@pytest.mark.filterwarnings("error")
def test_numbers_that_are_no_vectors_are_refused_without_a_warning_of_numpy(tmp_path: Path) -> None:
    one = arrays()["one"]
    with pytest.raises(InputError, match=r"one must be a table of numbers.*of complex128; take real and imaginary"):
        read_measurements(npz(tmp_path, one=one + 0j), WANTED)
    half = one.astype(np.float16)
    half[1, 0] = np.inf
    with pytest.raises(InputError, match="text/one: the vectors of 1 people hold missing or infinite"):
        read_measurements(npz(tmp_path, one=half), WANTED)
