"""From pictures to people: majorities, pictures, names, links and the table."""

from __future__ import annotations

import asyncio
import csv
import io
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageFilter
from tests.sources.celeba.made import write, write_celeba
from tests.sources.celeba.world import celebrities
from tests.sources.wikidata.invented import Wiki, human, to, when

from personax.errors import InputError
from personax.sources._records import Origin, Record
from personax.sources.celeba._best_pictures import frontality, select_images, sharpness
from personax.sources.celeba._identify import EVIDENCE, identify
from personax.sources.celeba._label_files import LANDMARKS
from personax.sources.celeba._linkage import decisions_of, match_report, with_wikidata
from personax.sources.celeba._table import STABLE, CollectCelebA, aggregate, read_celeba
from personax.sources.record_linkage import read_decisions


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


def named(*identities: tuple[int, str, float | None]) -> pl.DataFrame:
    rows = [(*identity, None) for identity in identities]
    schema: dict[str, type[pl.DataType]] = {
        "identity": pl.Int64,
        "name": pl.String,
        "male_share": pl.Float64,
        "young_share": pl.Float64,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def bearers(*rows: tuple[object, ...]) -> pl.DataFrame:
    """Return candidates: query, item, match, gender, year of birth; nothing else is known of them."""
    return pl.DataFrame([(*row, None, None, None, None) for row in rows], schema=EVIDENCE, orient="row")


def test_two_men_of_a_bare_name_are_not_the_woman_who_bears_it() -> None:
    men = named((1, "José Sample", 1.0), (2, "Jose Sample", 1.0))
    report = match_report([1, 2], men, bearers((0, "Q2", "label", "female", 1970), (1, "Q2", "label", "female", 1970)))
    assert report.counts["found"] == 0
    assert (report.table["nobody"] > 0.8).all()


def test_one_bearer_of_a_name_is_no_proof_that_there_is_one() -> None:
    (status,) = match_report([1], named((1, "Ada Sample", None)), bearers((0, "Q1", "alias", None, None))).table[
        "status"
    ]
    assert status == "ambiguous"
    nobody = match_report([1, 2], named((1, "Ada Sample", 0.0)), bearers())
    assert nobody.counts == {"found": 0, "ambiguous": 0, "none": 1, "same": 0, "unnamed": 1}
    assert not any("Sample" in str(value) for row in nobody.table.rows() for value in row)


def test_two_identities_of_one_person_are_said() -> None:
    twice = named((1, "Ada Sample", 0.0), (2, "Ada Sample", 0.0))
    report = match_report([1, 2], twice, bearers(*((row, "Q1", "label", "female", 1970) for row in range(2))))
    assert report.counts["same"] == 2
    assert sum(notice.count or 0 for notice in report.notices()) == 2


@pytest.mark.parametrize(("seed", "absent"), [(0, 0.07), (1, 0.3)])
def test_celebrities_among_their_namesakes(seed: int, absent: float) -> None:
    identities, candidates, truth = celebrities(2000, rng=np.random.default_rng(seed), absent=absent, people=60_000)
    found = identify(identities, candidates)
    linked = found.filter(pl.col("status") == "found")
    right = sum(truth[row] == item for row, item in linked.select("row", "id").iter_rows())
    present = sum(item is not None for item in truth)
    assert right >= 0.995 * linked.height
    assert right >= 0.9 * present
    expected = found["nobody"].mean()
    assert expected == pytest.approx(absent, abs=0.03)  # how many are in no encyclopedia, estimated
    shuffled = candidates.sample(fraction=1.0, shuffle=True, seed=3).sort("query", maintain_order=True)
    assert identify(identities, shuffled)["status"].equals(found["status"])


def test_records_take_what_wikidata_says_of_those_who_are_found(tmp_path: Path) -> None:
    pytest.importorskip("rdflib")
    origin = Origin("celeba", "celeba", "", "ab")
    called = {"1": "Ada Sample", "2": "John Sample", "3": None}
    records = []
    for ref, name in called.items():
        values: dict[str, object] = {"Big_Nose": True, "male_share": 0.0, **({"name": name} if name else {})}
        records.append(Record("celeba", ref, values, dict.fromkeys(values, origin)))
    known = {"P21": to("Q6581072"), "P106": to("Q33999"), "P18": "Ada.jpg"}
    wiki = Wiki(
        human("Q1", "Ada Sample", P569=when("1985-04-05"), **known), human("Q2", "John Sample"),
        human("Q3", "John Sample"),
    )  # fmt: skip
    joined, report = asyncio.run(with_wikidata(records, wiki))
    assert report.table["status"].to_list() == ["found", "ambiguous", "unnamed"]
    assert joined[0].values["birth_date"] == date(1985, 4, 5)
    assert joined[0].values["name"] == "Ada Sample"
    assert joined[0].origins["birth_date"].source == "wikidata"
    assert joined[0].origins["Big_Nose"] == origin
    assert joined[1:] == records[1:]
    asked = list(csv.DictReader(io.StringIO(report.review)))
    assert [(row["ref_a"], row["ref_b"], row["name"]) for row in asked] == [
        ("2", "Q2", "John Sample"), ("2", "Q3", "John Sample"),
    ]  # fmt: skip
    filled = tmp_path / "done.csv"
    filled.write_text(report.review.replace("Q3,,,", "Q3,,,same"))
    chosen, settled = asyncio.run(with_wikidata(records, wiki, decided=decisions_of(read_decisions(filled))))
    assert settled.table.row(1)[1:3] == ("found", "Q3")
    assert settled.table["reason"][1] == "a person decided it"
    assert chosen[1].values["name"] == "John Sample"
    neither = {(2, "Q2"): False, (2, "Q3"): False}
    _, settled = asyncio.run(with_wikidata(records, wiki, decided=neither))
    assert settled.table["status"][1] == "none"
    nobody, _ = asyncio.run(with_wikidata(records[2:], wiki))
    assert nobody == records[2:]
