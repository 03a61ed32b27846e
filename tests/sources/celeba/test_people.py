"""From pictures to people: majorities, pictures, names, links and the table."""

from __future__ import annotations

import asyncio
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageFilter
from tests.sources.celeba.made import write, write_celeba
from tests.sources.wikidata.invented import Wiki, human, to, when

from personax.errors import InputError
from personax.sources._records import Origin, Record
from personax.sources.celeba._best_pictures import frontality, select_images, sharpness
from personax.sources.celeba._label_files import LANDMARKS
from personax.sources.celeba._linkage import majority_names, match_report, name_queries, with_wikidata
from personax.sources.celeba._table import STABLE, CollectCelebA, aggregate, read_celeba
from personax.sources.wikidata._api import WikidataApi
from personax.sources.wikidata._entity_resolution import Resolution, resolve_many
from personax.sources.wikidata._source import Wikidata


@given(st.lists(st.tuples(st.integers(1, 4), st.sampled_from([1, -1])), min_size=1, max_size=30), st.randoms())
def test_majorities_are_counted(rows: list[tuple[int, int]], random: object) -> None:
    images = pl.DataFrame(rows, schema={"identity": pl.Int64, "A": pl.Int8}, orient="row")
    for tie, half in (("missing", None), ("present", 1), ("absent", 0)):
        found = {row[0]: row[1:] for row in aggregate(images, ["A"], tie=tie).rows()}  # type: ignore[arg-type]
        expected = {}
        for identity in {owner for owner, _ in rows}:
            votes = [value for owner, value in rows if owner == identity]
            balance = sum(votes)
            expected[identity] = (
                len(votes),
                1 if balance > 0 else 0 if balance < 0 else half,
                votes.count(1) / len(votes),
            )
        assert found == expected
    random.shuffle(rows)  # type: ignore[attr-defined]
    shuffled = pl.DataFrame(rows, schema=images.schema, orient="row")
    assert aggregate(shuffled, ["A"]).equals(aggregate(images, ["A"]))


def test_an_unknown_attribute_or_tie_is_named() -> None:
    images = pl.DataFrame({"identity": [1], "Chubby": [1]})
    with pytest.raises(InputError, match="no attribute Chuby; did you mean Chubby"):
        aggregate(images, ["Chuby"])
    with pytest.raises(InputError, match="tie rule 'lost'"):
        aggregate(images, ["Chubby"], tie="lost")  # type: ignore[arg-type]


FRONTAL = np.array([[70, 110, 106, 110, 88, 136, 72, 152, 104, 152.0]])


@given(st.floats(-3, 3), st.floats(0.2, 5), st.floats(-50, 50))
def test_frontality_ignores_tilt_size_and_place(angle: float, scale: float, shift: float) -> None:
    turned = FRONTAL.copy()
    turned[:, 4] += 7  # the nose has moved to one side: 7 of 36 pixels between the eyes
    for points, expected in ((FRONTAL, 1.0), (turned, 1 - 2 * 7 / 36)):
        pairs = points.reshape(-1, 2)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        moved = (scale * pairs @ turn.T + shift).reshape(1, -1)
        assert frontality(moved)[0] == pytest.approx(expected, abs=1e-9)


def test_a_profile_and_no_face_are_not_frontal() -> None:
    profile = FRONTAL.copy()
    profile[:, 4] = 106
    assert frontality(profile)[0] == 0
    assert frontality(np.zeros((1, 10)))[0] == 0


def picture(path: Path, *, blur: float = 0) -> Path:
    noise = np.random.default_rng(3).integers(0, 255, (60, 50), dtype=np.uint8)
    Image.fromarray(noise).filter(ImageFilter.GaussianBlur(blur)).save(path)
    return path


def test_blur_lowers_sharpness(tmp_path: Path) -> None:
    values = [sharpness(picture(tmp_path / f"{blur}.png", blur=blur)) for blur in (0, 1, 2, 4)]
    assert values == sorted(values, reverse=True)
    assert 0 <= values[-1] < 0.5 < values[0] <= 1
    Image.new("L", (9, 9), 7).save(tmp_path / "flat.png")
    assert sharpness(tmp_path / "flat.png") == 0


def test_pictures_that_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = picture(tmp_path / "a.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[:200])
    (tmp_path / "text.jpg").write_text("not a picture")
    Image.new("L", (2, 2)).save(tmp_path / "tiny.png")
    for name, text in (("cut.png", "cut short"), ("text.jpg", "another format"), ("tiny.png", "3 by 3")):
        with pytest.raises(InputError, match=text):
            sharpness(tmp_path / name)
    monkeypatch.setattr("personax.data.pictures.MAX_PIXELS", 100)
    with pytest.raises(InputError, match="50 x 60 pixels, more than 100"):
        sharpness(tmp_path / "a.png")


def test_the_best_picture_is_chosen(tmp_path: Path) -> None:
    images = pl.DataFrame({"identity": [1, 1, 1, 2, 3], "image": ["a.png", "b.png", "c.png", "d.png", "e.png"]})
    points = np.repeat(FRONTAL, 5, axis=0)
    points[0, 4] += 9
    marks = pl.DataFrame(points, schema=list(LANDMARKS)).with_columns(image=images["image"])
    chosen, refused = select_images(images, landmarks=marks)
    assert chosen["image"].to_list() == ["b.png", "d.png", "e.png"]  # of equal ones the first name
    assert refused == []
    picture(tmp_path / "b.png", blur=3)
    picture(tmp_path / "c.png")
    picture(tmp_path / "d.png")
    (tmp_path / "e.png").write_bytes(b"\x89PNG")
    chosen, refused = select_images(images, landmarks=marks, folder=tmp_path)
    assert chosen["image"].to_list() == ["c.png", "d.png"]
    assert [name for name, _ in refused] == ["e.png"]
    with pytest.raises(InputError, match="nothing to choose"):
        select_images(images)
    with pytest.raises(InputError, match="is no folder"):
        select_images(images, folder=tmp_path / "none")


def test_the_table(tmp_path: Path) -> None:
    labels, owners = write_celeba(tmp_path / "Anno", 600, 50, rng=np.random.default_rng(4))
    table = read_celeba(CollectCelebA(path="Anno"), tmp_path)
    assert table.people["id"].to_list() == [str(n) for n in range(1, 51)]
    assert [column.name for column in table.columns if column.role == "feature"] == list(STABLE)
    assert [column.name for column in table.columns] == table.people.columns
    assert table.people["images"].sum() == 600
    chubby = table.people["Chubby_share"].to_numpy()
    place = 13  # of Chubby among the forty
    by_hand = [np.mean(labels[owners == n, place] == 1) for n in range(1, 51)]
    assert chubby == pytest.approx(by_hand)
    assert table.provenance.rows == 50
    assert any("non-commercial" in notice.text for notice in table.notices)


def test_settings_of_the_table(tmp_path: Path) -> None:
    write_celeba(tmp_path, 600, 50, rng=np.random.default_rng(4))

    def people(**settings: object) -> pl.DataFrame:
        return read_celeba(CollectCelebA.model_validate({"path": str(tmp_path), **settings})).people

    assert people(min_images=10)["images"].min() >= 10  # type: ignore[operator]
    assert people(partitions=["test"])["images"].sum() == 60
    assert people(attributes=["Male"], keep_shares=False).columns == ["id", "images", "Male"]
    assert people(attributes="all").width == 2 + 2 * 40
    assert people(choose_images=True)["image"].null_count() == 0
    with pytest.raises(InputError, match="no identity is left"):
        people(min_images=1000)
    with pytest.raises(InputError, match="no attribute Ears"):
        people(attributes=["Ears"])
    (tmp_path / "identity_CelebA.txt").write_text("000001.jpg 1\n")
    with pytest.raises(InputError, match="of 600 images with attributes and 1 with an identity, 1 are the same"):
        people()
    (tmp_path / "identity_CelebA.txt").unlink()
    with pytest.raises(InputError, match="has no identity_CelebA"):
        people()


def test_names_are_private_and_torn_identities_are_listed(tmp_path: Path) -> None:
    _, owners = write_celeba(tmp_path, 40, 4, rng=np.random.default_rng(5))
    lines = [f"{n:06d}.jpg Person_{owner}" for n, owner in enumerate(owners.tolist(), 1) if owner != 4]
    undecided = [f"{n:06d}.jpg Name_{n}" for n, owner in enumerate(owners.tolist(), 1) if owner == 4]
    write(tmp_path / "names.txt", [*lines, *undecided])
    table = read_celeba(CollectCelebA(path=str(tmp_path), names="names.txt"), tmp_path)
    assert table.people["name"].to_list() == ["Person 1", "Person 2", "Person 3", None]
    assert table.bad_cells.select("row", "column", "reason").rows() == [
        (4, "name", "no name has more than half of the pictures")
    ]
    assert {column.name: column.role for column in table.columns}["name"] == "private"


def test_identities_are_linked_to_wikidata_or_counted() -> None:
    pytest.importorskip("rdflib")
    identities = pl.DataFrame({"image": [f"{n:06d}.jpg" for n in range(1, 8)], "identity": [1, 2, 3, 4, 5, 6, 6]})
    called = ["Ada Sample", "John Sample", "Nobody", "Bo Sample", "Bo  Sample", "Cy", "Di"]
    names = identities.select("image").with_columns(name=pl.Series([" ".join(name.split()) for name in called]))
    named, undecided = majority_names(identities, names)
    assert named["identity"].to_list() == [1, 2, 3, 4, 5]
    assert undecided.rows() == [(6, 2)]
    wiki = Wiki(
        human("Q1", "Ada Sample", P569=when("1985-04-05"), P106=to("Q33999")),
        human("Q2", "John Sample"),
        human("Q3", "John Sample"),
        human("Q4", "Bo Sample"),
    )

    async def run() -> tuple[list[Resolution], list[Record]]:
        found = [each async for each in resolve_many(WikidataApi(wiki), wiki, name_queries(named))]
        ids = list(dict.fromkeys(each.id for each in found if each.id is not None))
        people = [each async for each in Wikidata(ids=ids).collect(wiki)]
        return found, [each for each in people if isinstance(each, Record)]

    resolutions, records = asyncio.run(run())
    report = match_report([1, 2, 3, 4, 5, 6], named, resolutions)
    assert report.counts == {"found": 1, "ambiguous": 1, "none": 1, "same": 2, "unnamed": 1}
    assert report.table["status"].to_list() == ["found", "ambiguous", "none", "same", "same", "unnamed"]
    assert sum(notice.count for notice in report.notices()) == 5
    assert not any("Sample" in str(value) for row in report.table.rows() for value in row)
    (linked,) = report.table.filter(pl.col("status") == "found")["wikidata"]
    values = next(record.values for record in records if record.ref == linked)
    assert (values["birth_date"], values["occupation"], values.get("height_cm")) == (date(1985, 4, 5), "actor", None)
    strict = match_report([1], named.head(1), resolutions[:1], min_score=1.1)
    assert strict.counts["found"] == 0
    assert strict.table["reason"].to_list() == ["the score is below 1.1"]
    with pytest.raises(InputError, match="0 resolutions are not about 5 names"):
        match_report([1], named, [])


def test_records_take_what_wikidata_says_of_those_who_are_found() -> None:
    pytest.importorskip("rdflib")
    origin = Origin("celeba", "celeba", "", "ab")
    called = {"1": "Ada Sample", "2": "John Sample", "3": None}
    records = []
    for ref, name in called.items():
        values: dict[str, object] = {"Big_Nose": True, **({"name": name} if name else {})}
        records.append(Record("celeba", ref, values, dict.fromkeys(values, origin)))
    wiki = Wiki(
        human("Q1", "Ada Sample", P569=when("1985-04-05")), human("Q2", "John Sample"), human("Q3", "John Sample"),
    )  # fmt: skip
    joined, report = asyncio.run(with_wikidata(records, wiki))
    assert report.table["status"].to_list() == ["found", "ambiguous", "unnamed"]
    assert joined[0].values["birth_date"] == date(1985, 4, 5)
    assert joined[0].values["name"] == "Ada Sample"
    assert joined[0].origins["birth_date"].source == "wikidata"
    assert joined[0].origins["Big_Nose"] == origin
    assert joined[1:] == records[1:]
    nobody, _ = asyncio.run(with_wikidata(records[2:], wiki))
    assert nobody == records[2:]
