"""Files of one release find their people, or say in one sentence why not; a mapping is guessed and told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from personax.errors import InputError
from personax.release.reading import MappingProposal, load_release, propose_mapping

N = 40
CODES = [f"c{row:02d}" for row in np.random.default_rng(0).permutation(N)]
WORDS = {"code": "id", "age": "feature:continuous", "final_o": "target:continuous"}


def people(**more: object) -> pl.DataFrame:
    rng = np.random.default_rng(1)
    return pl.DataFrame({"code": CODES, "age": rng.normal(size=N), "final_o": rng.normal(size=N)} | more)


def vectors(dim: int = 3) -> np.ndarray:
    return np.random.default_rng(2).normal(size=(N, dim)).astype(np.float32)


def keyed(ids: list[str], name: str = "code") -> pl.DataFrame:
    return pl.DataFrame({name: ids, "image": pl.Series(vectors(), dtype=pl.Array(pl.Float32, 3))})


def noted(place: Path, mapping: dict[str, str]) -> list[tuple[str, int]]:
    return [(notice.text, notice.count) for notice in load_release(place, mapping=mapping).notices]


def test_ids_that_match_in_part_are_counted(tmp_path: Path) -> None:
    people().write_parquet(tmp_path / "people.parquet")
    keyed([*CODES[:30], *(f"x{row}" for row in range(10))]).write_parquet(tmp_path / "faces.parquet")
    mapping = WORDS | {"image": "embedding:image"}
    told = noted(tmp_path, mapping)
    assert ("faces: people without a row.", 10) in told
    assert ("faces: rows whose id is that of nobody; they are left out.", 10) in told
    found = load_release(tmp_path, mapping=mapping).vectors("image")
    assert np.array_equal(found[:30], vectors()[:30])
    assert np.isnan(found[30:]).all()


@pytest.mark.parametrize(
    ("table", "says"),
    [
        (keyed([f"x{row}" for row in range(N)]), "faces: no 'code' is the id of a person"),
        (keyed([*CODES[:-1], CODES[0]]), "faces: ids are missing or stand more than once"),
        (keyed(CODES).with_columns(code=pl.when(pl.int_range(N) > 0).then("code")), "faces: ids are missing"),
        (keyed(CODES)[:-1].drop("code"), "39 rows and no id of the 40 people"),
        (keyed(CODES).with_columns(age=1.0), "age stand in several tables"),
    ],
)
def test_tables_that_do_not_join(table: pl.DataFrame, says: str, tmp_path: Path) -> None:
    people().write_parquet(tmp_path / "people.parquet")
    table.write_parquet(tmp_path / "faces.parquet")
    with pytest.raises(InputError, match=says) as caught:
        load_release(tmp_path, mapping=WORDS | {"image": "embedding:image"})
    assert "\n" not in str(caught.value)
    proposal = propose_mapping(tmp_path, WORDS | {"image": "embedding:image"})
    assert proposal.mapping["faces.parquet"] == "leave"
    assert load_release(tmp_path, mapping=proposal.mapping).people.height == N


def test_a_number_of_the_row_is_no_id_that_must_match(tmp_path: Path) -> None:
    people().write_parquet(tmp_path / "people.parquet")
    keyed([str(row) for row in range(N)]).with_columns(code=pl.int_range(N)).rename({"code": "index"}).write_parquet(
        tmp_path / "faces.parquet"
    )
    mapping = WORDS | {"image": "embedding:image"}
    assert ("faces has no id of the people; its rows were taken to be in their order.", 1) in noted(tmp_path, mapping)
    assert np.array_equal(load_release(tmp_path, mapping=mapping).vectors("image"), vectors())


def test_two_embeddings_of_one_name(tmp_path: Path) -> None:
    people().write_parquet(tmp_path / "people.parquet")
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        np.save(tmp_path / name / "face.npy", vectors() + 2 * (name == "b"))
    read = load_release(tmp_path, mapping=WORDS | {"face": "embedding:image"})
    assert list(read.embeddings.measurements("image")) == ["face", "b/face"]
    assert np.array_equal(read.vectors("image", "b/face"), vectors() + 2)
    told = [notice.text for notice in read.notices]
    assert "Two image embeddings are called face; the second is called b/face here." in told
    for name in ("c", "d"):
        (tmp_path / name).mkdir()
        np.savez(tmp_path / name / "other.npz", face=vectors())
    with pytest.raises(InputError, match=r"d/other\.npz: image has another embedding called face; rename one file"):
        load_release(tmp_path, mapping=WORDS | {"face": "embedding:image"})
    proposal = propose_mapping(tmp_path, WORDS)
    assert [sentence.partition(":")[0] for sentence in proposal.unread] == ["d/other.npz"]
    assert list(load_release(tmp_path, mapping=proposal.mapping).embeddings) == ["image"]


def test_what_is_left_out_is_counted(tmp_path: Path) -> None:
    people(note="x").write_parquet(tmp_path / "people.parquet")
    (tmp_path / "model.pt").write_bytes(b"")
    (tmp_path / "LICENSE").write_text("")
    told = noted(tmp_path, WORDS | {"note": "leave"})
    assert told == [("Files of the release that are left out.", 1)], "a column that is to be left out is not even read"


def test_columns_that_hold_other_things_can_be_left_out(tmp_path: Path) -> None:
    people(image=[{"bytes": b"x", "path": "y"}] * N).write_parquet(tmp_path / "people.parquet")
    with pytest.raises(InputError, match="image hold nested or binary things"):
        load_release(tmp_path, mapping=WORDS)
    assert load_release(tmp_path, mapping=WORDS | {"image": "leave"}).people.height == N
    assert propose_mapping(tmp_path).mapping["image"] == "leave"


def test_a_mapping_is_guessed_and_every_guess_is_told(tmp_path: Path) -> None:
    more = {"name": [f"Nemo {row}" for row in range(N)], "month": [1 + row % 12 for row in range(N)],
            "team": ["a", "b"] * (N // 2), "Openness": [1.0, 2.5] * (N // 2)}  # fmt: skip
    people(**more).write_csv(tmp_path / "people.csv")
    keyed(CODES[::-1], "subject").write_parquet(tmp_path / "faces.parquet")
    np.save(tmp_path / "llm_text.npy", vectors(4))
    np.save(tmp_path / "sound.npy", vectors(5))
    (tmp_path / "broken.parquet").write_bytes(b"PAR1")
    (tmp_path / "weights.safetensors").write_bytes(b"")
    proposal = propose_mapping(tmp_path)
    assert proposal.mapping == {
        "code": "id", "subject": "id", "age": "feature:continuous", "final_o": "target:continuous", "name": "leave",
        "month": "feature:cyclic:12", "team": "feature:nominal", "Openness": "target:ordinal",
        "image": "embedding:image", "llm_text": "embedding:text", "sound": "embedding:sound", "broken.parquet": "leave",
    }  # fmt: skip
    assert set(proposal.guessed) == set(proposal.mapping) - {"broken.parquet"}
    assert [sentence.partition(" ")[0] for sentence in proposal.unread] == ["weights.safetensors", "broken.parquet"]
    read = load_release(tmp_path, mapping=proposal.mapping)
    assert np.array_equal(read.vectors("image"), vectors()[::-1])
    assert propose_mapping(tmp_path, proposal.mapping).mapping == proposal.mapping, "it is complete"


def test_vectors_that_cannot_be_read_are_found_before_anything_is_run(tmp_path: Path) -> None:
    people(image=[[1.0, 2.0], *[[1.0]] * (N - 1)]).write_parquet(tmp_path / "people.parquet")
    proposal = propose_mapping(tmp_path)
    assert proposal.mapping["people/image"] == "leave"
    assert proposal.unread == ["people.parquet: the vectors of image have 2 different lengths, not one; it is left out"]
    assert not load_release(tmp_path, mapping=proposal.mapping).embeddings


def test_our_own_and_the_published_layouts_need_no_guess(forty: Path) -> None:
    assert propose_mapping(forty) == MappingProposal()


def test_nothing_to_read(tmp_path: Path) -> None:
    (tmp_path / "x.pkl").write_bytes(b"")
    with pytest.raises(InputError, match=r"nothing of .* can be read; x\.pkl is of a kind"):
        propose_mapping(tmp_path)


IDS = {"id", "ids", "index", "idx", ""}
HEADERS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.just("id") | HEADERS, min_size=1, max_size=4, unique=True), st.data())
def test_any_table_that_can_be_proposed_can_be_read(names: list[str], data: st.DataObject) -> None:
    import tempfile

    cells = st.one_of(
        st.lists(st.integers(-3, 3), min_size=5, max_size=5),
        st.lists(st.floats(allow_infinity=False), min_size=5, max_size=5),
        st.lists(st.text(max_size=3), min_size=5, max_size=5),
        st.lists(st.lists(st.floats(-1, 1), min_size=2, max_size=2), min_size=5, max_size=5),
        st.lists(st.none(), min_size=5, max_size=5),
    )
    with tempfile.TemporaryDirectory() as place:
        frame = pl.DataFrame({name: data.draw(cells) for name in names}, strict=False)
        frame.write_parquet(Path(place) / "t.parquet")
        try:
            proposal = propose_mapping(place)
        except InputError as error:
            # whose rows these are is a question: numbering them would make several people of one
            if not (IDS.intersection(names) and "doubled for some people; map another id" in str(error)):
                raise
            return
        assume(set(proposal.mapping.values()) != {"leave"})  # nothing is said of anybody
        read = load_release(place, mapping=proposal.mapping)
        assert read.people.height == 5
        assert [column.name for column in read.columns] == read.people.columns


def test_vectors_called_id_are_left_out_and_ids_beyond_whole_numbers_stay(tmp_path: Path) -> None:
    pl.DataFrame({"id": [[0.1, 0.2]] * 3, "height": [1.0, 2.0, 3.5]}).write_parquet(tmp_path / "t.parquet")
    proposal = propose_mapping(tmp_path)
    assert any("vectors cannot be called id" in text for text in proposal.unread)
    assert load_release(tmp_path, mapping=proposal.mapping).people.height == 3
    pl.DataFrame({"id": [1e19, 2.0, 3.0], "height": [1.0, 2.0, 3.5]}).write_parquet(tmp_path / "t.parquet")
    people = load_release(tmp_path, mapping=propose_mapping(tmp_path).mapping).people
    assert people["id"].to_list() == ["1e+19", "2.0", "3.0"]
