"""Tables and vectors as other people publish them: read right whatever wrote them, or refused in one sentence."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from personax.errors import InputError
from personax.release._untrusted_tables import read_frame
from personax.release.reading import load_release, propose_mapping
from personax.release.reading._released import Released

N = 40
RNG = np.random.default_rng(0)
VECTORS = RNG.normal(size=(N, 20)).astype(np.float32)
PEOPLE = pl.DataFrame(
    {
        "id": [f"p{row:02d}" for row in range(N)],
        "height": RNG.normal(1.7, 0.1, N).round(2),
        "openness": RNG.integers(1, 8, N) / 2,
    }
)


def guessed(place: Path) -> Released:
    return load_release(place, mapping=propose_mapping(place).mapping)


def spread(prefix: str, number: int = 20) -> list[pl.Series]:
    return [pl.Series(f"{prefix}{at}", VECTORS[:, at]) for at in range(number)]


@pytest.mark.parametrize(
    ("text", "heights"),
    [
        ("id;height;openness\na;1,85;2\nb;1,7;3\n", [1.85, 1.7]),
        ("id\theight\topenness\na\t1.85\t2\nb\t1.7\t3\n", [1.85, 1.7]),
        ("id|height|openness\na|1.85|2\nb|1.7|3\n", [1.85, 1.7]),
        ('id;height;openness\n"a;b";1,85;2\n"c,d";1,7;3\n', [1.85, 1.7]),
        ("id,height,openness\na,1.85,2\nb,NA,3\n", [1.85, None]),
        ("id,height,openness\na,unknown,2\nb,1.7,nan\n", [None, 1.7]),
        ("id;height;openness\na;-;2\nb;1,7;3\n", [None, 1.7]),
    ],
)
def test_numbers_stay_numbers(text: str, heights: list[float | None], tmp_path: Path) -> None:
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        (tmp_path / "people.csv").write_text(text, encoding=encoding)
        read = guessed(tmp_path)
        assert read.features == ["height"]
        assert read.traits == ["openness"]
        assert read.people["height"].to_list() == heights
        assert read.people.height == 2


def test_text_and_thousands_stay_text(tmp_path: Path) -> None:
    cells = {"note": ["none", "x"], "income": ["45,123", "7,001"], "code": ["NA", "-"]}
    (tmp_path / "people.csv").write_text(pl.DataFrame(cells).write_csv(separator=";"))
    assert read_frame([tmp_path / "people.csv"]).to_dict(as_series=False) == cells


def test_columns_of_one_name_and_foreign_letters_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("id,mood,mood\na,1,2\n")
    with pytest.raises(InputError, match=r"people.csv has several columns called mood; rename"):
        read_frame([path])
    path.write_bytes("id,town\na,Zürich\n".encode("latin-1"))
    with pytest.raises(InputError, match=r"people.csv is not text in UTF-8 or UTF-16; save it"):
        read_frame([path])


@pytest.mark.parametrize("prefix", ["emb_", "", "text_embedding", "dim."])
def test_vectors_of_one_column_a_number_are_vectors(prefix: str, tmp_path: Path) -> None:
    PEOPLE.with_columns(*spread(prefix)).write_csv(tmp_path / "people.csv")
    read = guessed(tmp_path)
    assert read.features == ["height"]
    [modality] = read.embeddings
    assert np.allclose(read.vectors(modality), VECTORS)


def test_vectors_of_one_column_a_number_in_another_file_find_their_people(tmp_path: Path) -> None:
    PEOPLE.write_csv(tmp_path / "people.csv")
    PEOPLE.select("id", *spread("emb_"))[::-1].write_parquet(tmp_path / "faces.parquet")
    found = guessed(tmp_path).vectors("image")
    assert np.allclose(found, VECTORS)


def test_numbered_columns_that_are_no_vector_stay_columns(tmp_path: Path) -> None:
    PEOPLE.with_columns(*spread("item_"), *spread("emb", 3)).write_csv(tmp_path / "people.csv")
    mapping = propose_mapping(tmp_path).mapping
    assert {"item_0", "item_19", "emb0", "emb2"} <= set(mapping)
    PEOPLE.with_columns(*spread("emb_")).write_csv(tmp_path / "people.csv")
    assert propose_mapping(tmp_path, {"emb_3": "feature"}).mapping["emb_4"].startswith("feature"), "somebody has said"


@pytest.mark.parametrize(
    "names", [("train.csv", "test.csv"), ("data/train-00000-of-00001.parquet", "data/test.parquet")]
)
def test_a_split_that_lacks_a_column_loses_nothing(names: tuple[str, str], tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    for name, rows in zip(names, (PEOPLE[:30], PEOPLE[30:].drop("openness")), strict=True):
        path = tmp_path / name
        rows.write_csv(path) if path.suffix == ".csv" else rows.write_parquet(path)
    read = guessed(tmp_path)
    assert sorted(read.people["id"]) == PEOPLE["id"].to_list()
    assert read.people["openness"].null_count() == 10
    assert read.people["openness"].drop_nulls().to_list() == PEOPLE["openness"][:30].to_list()
    assert any("lacks openness, which other parts have" in notice.text for notice in read.notices)


def test_splits_that_share_people_are_refused_with_the_reason(tmp_path: Path) -> None:
    PEOPLE[:30].write_csv(tmp_path / "train.csv")
    PEOPLE[20:].write_csv(tmp_path / "test.csv")
    with pytest.raises(InputError, match="'id' is missing or doubled for some people"):
        propose_mapping(tmp_path)


def test_vectors_alone_are_no_answer_where_the_people_cannot_be_read(tmp_path: Path) -> None:
    np.save(tmp_path / "image.npy", VECTORS)
    assert propose_mapping(tmp_path).mapping == {"image": "embedding:image"}
    (tmp_path / "people.csv").write_bytes("id,town\na,Zürich\n".encode("latin-1"))
    with pytest.raises(InputError, match=r"only vectors are left: people.csv is not text in UTF-8"):
        propose_mapping(tmp_path)


def test_json_of_pandas_and_vectors_under_ids(tmp_path: Path) -> None:
    apart = {"columns": PEOPLE.columns, "index": list(range(N)), "data": [list(row) for row in PEOPLE.rows()]}
    (tmp_path / "people.json").write_text(json.dumps(apart))
    under = {row: VECTORS[at].tolist() for at, row in reversed(list(enumerate(PEOPLE["id"])))}
    (tmp_path / "faces.json").write_text(json.dumps(under))
    read = guessed(tmp_path)
    assert read.people["height"].to_list() == PEOPLE["height"].to_list()
    assert np.allclose(read.vectors("image"), VECTORS)


def test_an_empty_list_is_a_person_without_a_vector(tmp_path: Path) -> None:
    lists = [[], *VECTORS[1:].tolist()]
    PEOPLE.with_columns(image=pl.Series(lists, dtype=pl.List(pl.Float32))).write_parquet(tmp_path / "people.parquet")
    found = guessed(tmp_path).vectors("image")
    assert np.isnan(found[0]).all()
    assert np.allclose(found[1:], VECTORS[1:])


def test_what_is_left_out_is_told_once_a_kind_with_what_to_do(tmp_path: Path) -> None:
    PEOPLE.with_columns(text=pl.lit("[0.1 0.2 ... 0.3]")).write_csv(tmp_path / "people.csv")
    for name in ("a.png", "b.png", "c.png", "d.zip", "notes.txt", "README.txt"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "image.parquet").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    assert sorted(propose_mapping(tmp_path).unread) == [
        "a.png and 2 more .png are of a kind that is not read; they are left out",
        "d.zip is of a kind that is not read (unpack it); it is left out",
        "image.parquet is a pointer of Git LFS and not the file (git lfs pull fetches it); it is left out",
        "notes.txt is of a kind that is not read (a table is called .csv or .tsv); it is left out",
        "people.csv: text holds text that is no list of numbers: numpy shortened it (...); it is left out",
    ]
