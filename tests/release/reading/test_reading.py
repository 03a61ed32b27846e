"""A release is read as it was written: ours, published layouts, others with a mapping; hostile folders are refused."""

from __future__ import annotations

import io
import json
import pickle
import tempfile
import zipfile
from pathlib import Path
from shutil import copytree
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.release.reading.made import VERDICT

from personax.errors import InputError
from personax.release import _untrusted_folder as folder
from personax.release import _untrusted_tables as plain
from personax.release._untrusted_folder import open_folder
from personax.release._untrusted_tables import array_shapes, read_frame, read_schema
from personax.release.reading import Released, load_release
from personax.release.reading._known_layouts import CELEBA

N = 30


def vectors(dim: int, seed: int = 0) -> pl.Series:
    return pl.Series("v", np.random.default_rng(seed).normal(size=(N, dim)), dtype=pl.Array(pl.Float64, dim))


def celeb() -> pl.DataFrame:
    """A table with the published columns of CelebPersona."""
    rng = np.random.default_rng(3)
    numbers = ["Height(cm)", "Weight(kg)", "Day_sin", "Day_cos", "Latitude", "Longitude"]
    whole = {"Year": 1980, "Month": 7, "Day": 9, "Day index": 190, "Occupation_idx": 3, "Gender_idx": 1}
    scores = [f"{model}_{letter}" for model in ("4o", "DS", "gemini", "final") for letter in "ocean"]
    return pl.DataFrame(
        {name: rng.normal(size=N) for name in numbers}
        | {name: value + np.arange(N) % 2 for name, value in whole.items()}
        | {name: np.arange(N) % 2 for name in CELEBA[:11]}
        | {name: rng.integers(1, 4, N).astype(float) for name in scores}
    )


def athlete() -> pl.DataFrame:
    rng = np.random.default_rng(4)
    names = ["Birthyear", "Birthmonth", "Birthday", "Type", "Latitude", "Longitude", "Height", "Weight"]
    scores = [f"final_{letter}" for letter in "ocean"]
    return pl.DataFrame(
        {name: rng.integers(1, 12, N) for name in names} | {name: rng.normal(size=N) for name in scores}
    )


def kinds(read: Released) -> dict[str, tuple[str, str]]:
    return {column.name: (column.role, column.kind) for column in read.columns}


def test_our_own_release(forty: Path) -> None:
    read = load_release(forty, verify=True)
    assert (read.name, read.layout, read.licence, read.verdict) == ("Forty", "personax", "see-usage-md", VERDICT)
    assert read.card.strip().startswith("# Forty")
    assert (read.features, read.traits) == (["occupation", "birth_year", "longitude"], ["final_o", "final_n"])
    longitude = next(column for column in read.columns if column.name == "longitude")
    assert (longitude.kind, longitude.period) == ("cyclic", 360.0)
    written = pl.read_parquet(forty / "data/people/*.parquet")
    assert read.people.equals(written.select(read.people.columns))
    text = pl.read_parquet(forty / "data/text/*.parquet")
    assert np.array_equal(read.vectors("text", "text_b"), text["text_b"].to_numpy())
    assert read.vectors("image").shape == (40, 6)
    assert read.vectors("image").dtype == np.float32
    table = read.joined()
    assert table.columns == [*read.people.columns, "image_a", "text_a", "text_b"]
    assert table.height == 40
    for part in ("40 people", "final_o", "text_a (8)", VERDICT):
        assert part in repr(read)


def test_what_build_writes_today(built: Path) -> None:
    read = load_release(built, verify=True)
    assert read.layout == "personax"
    assert set(read.embeddings) == {"image", "text"}
    assert list(read.embeddings.measurements("text")) == ["text_a", "text_b", "text_c"]
    assert {"final_o", "steady_n"} <= set(read.traits)
    assert {"gender", "occupation"} <= set(read.features), "years and countries are too many for 5 people alike"
    written = pl.read_parquet(built / "data/text/*.parquet")
    assert np.array_equal(read.vectors("text", "text_c"), written["text_c"].to_numpy())


def test_only_what_is_asked_for_is_read(forty: Path, tmp_path: Path) -> None:
    out = copytree(forty, tmp_path / "r")
    read = load_release(out)
    (out / "data/image/train-00000-of-00001.parquet").write_bytes(b"gone")
    assert read.people.height == 40
    assert read.vectors("text", "text_a").shape == (40, 8)
    with pytest.raises(InputError, match="cannot be read as a table"):
        read.vectors("image")
    with pytest.raises(InputError, match="no modality 'sound'; there are image, text"):
        read.vectors("sound")
    with pytest.raises(InputError, match="say which of text_a, text_b"):
        read.vectors("text")


@settings(max_examples=25)
@given(st.permutations(range(N)), st.integers(1, N))
def test_vectors_are_put_in_the_order_of_the_people(order: list[int], some: int) -> None:
    with tempfile.TemporaryDirectory() as place:
        people = pl.DataFrame(
            {"who": [f"p{row:02d}" for row in range(N)], "height": range(N), "final_o": [1.0, 2.0] * 15}
        )
        people.write_csv(Path(place) / "people.csv")
        moved = pl.DataFrame({"who": people["who"], "image": vectors(4)})[list(order)][:some]
        moved.write_parquet(Path(place) / "other.parquet")
        mapping = {"who": "id", "height": "feature", "final_o": "target", "image": "embedding:image"}
        read = load_release(place, mapping=mapping)
        found = read.vectors("image")
        there = np.isin(np.arange(N), order[:some])
        assert np.array_equal(found[there], vectors(4).to_numpy().astype(np.float32)[there])
        assert np.isnan(found[~there]).all()


def test_the_published_celebrities(tmp_path: Path) -> None:
    table = celeb().with_columns(image_embedding=vectors(1024), text_embedding=vectors(3584, 1).arr.to_list())
    (tmp_path / "data").mkdir()
    table[:20].write_parquet(tmp_path / "data/train-00000-of-00002.parquet")
    table[20:].write_parquet(tmp_path / "data/train-00001-of-00002.parquet")
    read = load_release(tmp_path)
    assert read.layout == "CelebPersona"
    assert len(read.features) == 23
    assert len(read.traits) == 20
    found = kinds(read)
    assert found["Month"] == found["Day"] == found["Day index"] == found["Longitude"] == ("feature", "cyclic")
    assert found["Occupation_idx"] == found["Gender_idx"] == found["Big_Nose"] == ("feature", "nominal")
    assert found["Height(cm)"] == ("feature", "continuous")
    assert found["4o_o"] == found["final_n"] == ("target", "ordinal")
    assert {c.name: c.period for c in read.columns}["Day index"] == 366.0
    assert np.allclose(read.vectors("image"), vectors(1024).to_numpy(), atol=1e-6)
    assert read.vectors("text").shape == (N, 3584)
    assert any("no id" in notice.text for notice in read.notices)


def test_the_published_athletes_in_several_files(tmp_path: Path) -> None:
    table = athlete().insert_column(0, pl.Series("index", range(N)))
    table.write_csv(tmp_path / "athletes.csv")
    pl.DataFrame({"index": range(N), "embedding": vectors(1024)})[::-1].write_parquet(tmp_path / "faces.parquet")
    np.savez(tmp_path / "gte.npz", vectors=vectors(8, 1).to_numpy())
    read = load_release(tmp_path)
    assert read.layout == "AthlePersona"
    assert kinds(read)["Type"] == ("feature", "nominal")
    assert kinds(read)["Birthmonth"] == ("feature", "cyclic")
    assert read.people["id"].to_list() == [str(row) for row in range(N)]
    assert np.allclose(read.vectors("image", "embedding"), vectors(1024).to_numpy(), atol=1e-6), "joined by the index"
    assert np.allclose(read.vectors("text"), vectors(8, 1).to_numpy(), atol=1e-6)
    assert [notice.text for notice in read.notices if "order" in notice.text], "that rows were taken in order is said"
    np.savez(tmp_path / "gte.npz", vectors=vectors(8, 1).to_numpy()[:-1])
    with pytest.raises(InputError, match="29 rows and no id of the 30 people"):
        load_release(tmp_path)


def test_the_length_alone_says_the_modality(tmp_path: Path) -> None:
    celeb().with_columns(a=vectors(1024), b=vectors(3584)).write_parquet(tmp_path / "x.parquet")
    assert {m: list(load_release(tmp_path).embeddings.measurements(m)) for m in ("image", "text")} == {
        "image": ["a"],
        "text": ["b"],
    }
    celeb().with_columns(a=vectors(7)).write_parquet(tmp_path / "x.parquet")
    with pytest.raises(InputError, match="a could not be placed"):
        load_release(tmp_path)


def test_an_unknown_layout_says_what_it_found_and_how_to_go_on(tmp_path: Path) -> None:
    pl.DataFrame({"code": [f"c{n}" for n in range(N)], "height": np.arange(N) / 3, "mood": [1, 2] * 15}).write_parquet(
        tmp_path / "t.parquet"
    )
    with pytest.raises(InputError) as caught:
        load_release(tmp_path)
    text = str(caught.value)
    assert "the columns are code, height, mood" in text
    start = text[text.index("mapping=") + len("mapping=") :]
    suggested = json.loads(start[: start.index("}") + 1].replace("'", '"'))
    assert suggested == {"code": "leave", "height": "feature:continuous", "mood": "feature:ordinal"}
    read = load_release(tmp_path, mapping=suggested | {"code": "id", "mood": "target:cyclic:7"})
    assert kinds(read) == {
        "id": ("id", "nominal"), "height": ("feature", "continuous"), "mood": ("target", "cyclic"),
    }  # fmt: skip
    for wrong, says in (
        ({"nothing": "id"}, "mapping names nothing"),
        (suggested | {"mood": "feature:odd"}, "mood.*say id, feature"),
        (suggested | {"mood": "feature:cyclic"}, "length of a turn"),
        (suggested | {"mood": "feature:cyclic:x"}, "a period is a number"),
        (suggested | {"mood": "embedding"}, "say id, feature"),
    ):
        with pytest.raises(InputError, match=says):
            load_release(tmp_path, mapping=wrong)


def test_a_known_layout_with_a_strange_column_needs_one_word_only(tmp_path: Path) -> None:
    celeb().with_columns(name=pl.lit("x"), note=pl.lit("y")).write_csv(tmp_path / "c.csv")
    with pytest.raises(InputError, match=r"of these name, note could not be placed"):
        load_release(tmp_path)
    read = load_release(tmp_path, mapping={"name": "leave", "note": "leave"})
    assert not {"name", "note"} & set(read.people.columns)


class Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return (open, ("/dev/null",))


def test_pickles_are_refused(tmp_path: Path) -> None:
    celeb().write_parquet(tmp_path / "c.parquet")
    np.savez(tmp_path / "x.npz", image=np.array([Evil()] * N, dtype=object))
    with pytest.raises(InputError, match="holds pickled objects"):
        load_release(tmp_path)
    (tmp_path / "x.npz").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(InputError, match="cannot be read as plain arrays"):
        load_release(tmp_path)


def test_arrays_that_promise_more_than_there_is(tmp_path: Path) -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (10**9, 10**4)})
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as packed:
        packed.writestr("image.npy", header.getvalue())
    with pytest.raises(InputError, match="unpacks to more"):
        array_shapes(tmp_path / "x.npz")


def test_nested_objects_are_refused(tmp_path: Path) -> None:
    celeb().with_columns(x=pl.struct("Year", "Month")).write_parquet(tmp_path / "c.parquet")
    with pytest.raises(InputError, match="x hold nested or binary things"):
        load_release(tmp_path)
    celeb().with_columns(y=pl.lit(b"x")).write_parquet(tmp_path / "c.parquet")
    with pytest.raises(InputError, match="y hold nested or binary things"):
        load_release(tmp_path)


def test_links_out_of_the_folder_are_refused(forty: Path, tmp_path: Path) -> None:
    out = copytree(forty, tmp_path / "r")
    (tmp_path / "secret.parquet").write_bytes(b"")
    (out / "data/people/more.parquet").symlink_to(tmp_path / "secret.parquet")
    with pytest.raises(InputError, match=r"more\.parquet is a link"):
        load_release(out)
    store = tmp_path / "blobs"
    store.mkdir()
    (store / "x").write_text("x")
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "in.json").symlink_to(store / "x")
    (tmp_path / "kept" / "out.json").symlink_to(tmp_path / "secret.parquet")
    found = open_folder(tmp_path / "kept", store=store)
    assert list(found.files) == ["in.json"], "a cache may link into its own store, and nowhere else"
    assert list(found.odd) == ["out.json is a link"]


def test_files_beyond_bounds_are_refused(forty: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    people = forty / "data/people/train-00000-of-00001.parquet"
    monkeypatch.setattr(plain, "MAX_CELLS", 10)
    with pytest.raises(InputError, match="240 cells; at most 10"):
        read_schema(people)
    monkeypatch.setattr(folder, "MAX_BYTES", 100)
    with pytest.raises(InputError, match="more than 100 bytes"):
        load_release(forty)
    monkeypatch.setattr(folder, "MAX_FILES", 3)
    with pytest.raises(InputError, match="more than 3 files"):
        open_folder(forty)


def test_a_release_that_fails_a_check_is_refused_when_asked(forty: Path, tmp_path: Path) -> None:
    out = copytree(forty, tmp_path / "r")
    (out / "USAGE.md").write_text("Do as you like.")
    assert load_release(out).people.height == 40
    with pytest.raises(InputError, match=r"does not hold what it says: checksums: USAGE\.md was changed"):
        load_release(out, verify=True)


@pytest.mark.parametrize("where", ["nothing", "a/b/c", "/no/such/place", ""])
def test_what_is_no_release(where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"there is no folder|holds no table"):
        load_release(where)


def test_parts_that_do_not_fit(tmp_path: Path) -> None:
    pl.DataFrame({"id": ["a"], "x": [1]}).write_parquet(tmp_path / "a.parquet")
    pl.DataFrame({"id": ["b"]}).write_parquet(tmp_path / "b.parquet")
    paths = [tmp_path / "a.parquet", tmp_path / "b.parquet"]
    with pytest.raises(InputError, match=r"b\.parquet has no column x"):
        read_frame(paths, ["id", "x"])
    with pytest.raises(InputError, match="parts with different columns"):
        read_frame(paths)
    uneven = pl.DataFrame({"id": ["a", "b"], "image": [[1.0, 2.0], [1.0]], "final_o": [1.0, 2.0]})
    uneven.write_parquet(tmp_path / "a.parquet")
    (tmp_path / "b.parquet").unlink()
    mapping = {"id": "id", "image": "embedding:image", "final_o": "target"}
    with pytest.raises(InputError, match="2 different lengths"):
        load_release(tmp_path, mapping=mapping).vectors("image")


def test_doubled_ids(tmp_path: Path) -> None:
    pl.DataFrame({"id": ["a", "a"], "final_o": [1.0, 2.0]}).write_parquet(tmp_path / "a.parquet")
    with pytest.raises(InputError, match="missing or doubled"):
        load_release(tmp_path, mapping={"id": "id", "final_o": "target"})
