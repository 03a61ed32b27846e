"""Offline encoders say the same of the same; vectors from files are checked and put into order."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from personax.embed import encode_images, encode_texts, read_vectors
from personax.errors import InputError


def test_similar_texts_are_closer() -> None:
    base, near, far = encode_texts(["a quiet painter in Lima", "quiet painters of Lima", "handball is loud"], dim=256)
    assert base @ near > base @ far + 0.2
    assert np.linalg.norm(base) == pytest.approx(1, abs=1e-6)


def test_text_vectors_do_not_depend_on_neighbours_or_case() -> None:
    alone = encode_texts(["Ada"])
    together = encode_texts(["Bo", "ADA", ""])
    assert np.allclose(alone[0], together[1], atol=1e-7)
    assert not together[2].any()
    assert together.shape == (3, 384)
    assert together.dtype == np.float32


def picture(path: Path, colour: tuple[int, int, int]) -> Path:
    Image.new("RGB", (80, 60), colour).save(path)
    return path


def test_pictures(tmp_path: Path) -> None:
    red, pink, blue = (
        picture(tmp_path / f"{name}.png", colour)
        for name, colour in (("red", (200, 0, 0)), ("pink", (210, 20, 20)), ("blue", (0, 0, 200)))
    )
    vectors = encode_images([red, pink, blue], dim=64)
    assert np.linalg.norm(vectors[0] - vectors[1]) < np.linalg.norm(vectors[0] - vectors[2])
    assert np.array_equal(encode_images([blue], dim=64)[0], vectors[2])
    assert encode_images([], dim=64).shape == (0, 64)


def test_pictures_that_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "text.png").write_text("no picture")
    whole = picture(tmp_path / "whole.png", (1, 2, 3))
    (tmp_path / "cut.png").write_bytes(whole.read_bytes()[:60])
    for name in ("text.png", "cut.png"):
        with pytest.raises(InputError, match=f"{name} cannot be read as a picture"):
            encode_images([tmp_path / name])
    monkeypatch.setattr("personax.data.pictures.MAX_PIXELS", 1000)
    with pytest.raises(InputError, match="80 x 60 pixels, more than 1,000"):
        encode_images([whole])


IDS = ["a", "b", "c"]
VECTORS = np.arange(6, dtype=np.float32).reshape(3, 2)


def write(folder: Path, kind: str, ids: list[str], vectors: np.ndarray) -> Path:
    path = folder / f"v.{kind}"
    if kind == "npz":
        np.savez(path, id=np.array(ids), vectors=vectors)
    elif kind == "parquet":
        pl.DataFrame({"id": ids, "v": vectors.tolist()}).write_parquet(path)
    else:
        pl.DataFrame({"id": ids, **{f"v{i}": vectors[:, i] for i in range(vectors.shape[1])}}).write_csv(path)
    return path


@pytest.mark.parametrize("kind", ["npz", "parquet", "csv"])
def test_vectors_come_in_the_order_of_the_people(tmp_path: Path, kind: str) -> None:
    path = write(tmp_path, kind, IDS, VECTORS)
    assert read_vectors(path, ["c", "a"]).tolist() == [[4, 5], [0, 1]]


def test_vectors_that_do_not_fit(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no vector for 1 of 2 people"):
        read_vectors(write(tmp_path, "npz", IDS, VECTORS), ["a", "z"])
    with pytest.raises(InputError, match="1 ids stand more than once"):
        read_vectors(write(tmp_path, "csv", ["a", "a", "b"], VECTORS), ["a"])
    broken = VECTORS.copy()
    broken[1, 0] = np.nan
    with pytest.raises(InputError, match="vectors of 1 people hold missing"):
        read_vectors(write(tmp_path, "parquet", IDS, broken), IDS)
    with pytest.raises(InputError, match="there is no file"):
        read_vectors(tmp_path / "nothing.npz", IDS)
    (tmp_path / "bad.npz").write_text("no")
    with pytest.raises(InputError, match="cannot be read as embeddings"):
        read_vectors(tmp_path / "bad.npz", IDS)
    pl.DataFrame({"id": IDS, "v": [[1.0], [1.0, 2.0], [1.0]]}).write_parquet(tmp_path / "ragged.parquet")
    with pytest.raises(InputError, match="v has 2 numbers for b and 1 for most"):
        read_vectors(tmp_path / "ragged.parquet", IDS)


def test_ids_and_the_only_array_may_have_other_names(tmp_path: Path) -> None:
    np.savez(tmp_path / "v.npz", ids=np.array(IDS), faces=VECTORS)
    assert read_vectors(tmp_path / "v.npz", ["c", "a"]).tolist() == [[4, 5], [0, 1]]
    np.savez(tmp_path / "v.npz", ids=np.array(IDS), one=VECTORS, two=VECTORS)
    with pytest.raises(InputError, match=r"needs an array id and an array vectors, and holds ids, one, two"):
        read_vectors(tmp_path / "v.npz", IDS)
    np.savez(tmp_path / "v.npz", name=np.array(IDS), vectors=VECTORS)
    with pytest.raises(InputError, match=r"needs an array id and an array vectors, and holds name, vectors"):
        read_vectors(tmp_path / "v.npz", IDS)


@pytest.mark.parametrize(
    ("ids", "says"),
    [
        (np.array([7.0, 8.0, 9.0]), ["7", "8", "9"]),
        (np.array([7.0, np.nan, 9.0]), r"1 people have no id \(the first in row 2\)"),
        (np.array([7.5, 8.0, 9.0]), "the ids are numbers with decimals"),
        (np.array([b"7", b"8", b"9"]), ["7", "8", "9"]),
        (np.array(["7", " ", "9"]), r"1 people have no id \(the first in row 2\)"),
        (np.ones((3, 2)), r"the ids have shape \(3, 2\) of float64"),
        (np.array([1j, 2j, 3j]), r"the ids have shape \(3,\) of complex128"),
    ],
    ids=["whole", "missing", "decimals", "bytes", "empty", "table", "complex"],
)
def test_ids_of_any_type_are_read_or_refused(tmp_path: Path, ids: np.ndarray, says: list[str] | str) -> None:
    np.savez(tmp_path / "v.npz", id=ids, vectors=VECTORS)
    if isinstance(says, list):
        assert read_vectors(tmp_path / "v.npz", says).tolist() == VECTORS.tolist()
        return
    with pytest.raises(InputError, match=says):
        read_vectors(tmp_path / "v.npz", ["7"])


def test_numbers_of_rows_are_no_dimension(tmp_path: Path) -> None:
    columns = {"d0": [1.0, 2.0], "d1": [3.0, 4.0]}
    pl.DataFrame({"id": [1.0, 2.0], **columns, "__index_level_0__": [0, 1]}).write_parquet(tmp_path / "v.parquet")
    (tmp_path / "v.csv").write_text(",id,d0,d1\n0,1.0,1,3\n1,2.0,2,4\n")
    for name in ("v.parquet", "v.csv"):
        assert read_vectors(tmp_path / name, ["2", "1"]).tolist() == [[2, 4], [1, 3]]
    (tmp_path / "v.csv").write_text("id,name,d0\n1,Ann,1\n2,Bo,2\n")
    with pytest.raises(InputError, match="the column name is String; leave it out"):
        read_vectors(tmp_path / "v.csv", ["1"])
    pl.DataFrame({"id": ["a", None], "d0": [1.0, 2.0]}).write_parquet(tmp_path / "v.parquet")
    with pytest.raises(InputError, match="1 people have no id"):
        read_vectors(tmp_path / "v.parquet", ["a"])


@pytest.mark.filterwarnings("error")
def test_vectors_that_are_no_numbers_are_refused_without_a_warning_of_numpy(tmp_path: Path) -> None:
    for x, says in (
        (VECTORS + 0j, "of complex64"),
        (VECTORS.astype(np.float64) * 1e40, "beyond 3e"),
        (VECTORS.astype(str), "of <U"),
    ):
        np.savez(tmp_path / "v.npz", id=np.array(IDS), vectors=np.asarray(x, dtype=x.dtype))
        with pytest.raises(InputError, match=says):
            read_vectors(tmp_path / "v.npz", IDS)


def test_objects_are_not_unpickled(tmp_path: Path) -> None:
    np.savez(tmp_path / "o.npz", id=np.array(["a", {}], dtype=object), vectors=VECTORS[:2])
    with pytest.raises(InputError, match=r"o\.npz: id holds Python objects, .* ids by np\.asarray\(ids, dtype=str\)"):
        read_vectors(tmp_path / "o.npz", ["a"])
