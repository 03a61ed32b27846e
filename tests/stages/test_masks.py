"""Whoever has no picture keeps everything else: in the release, for its readers, and in Level II."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from PIL import Image

from personax.errors import InputError
from personax.release import load_release, verify
from personax.study import Study

LACKING = {"person0", "person17", "person33"}
STUDY = """\
name: masks
collect: {source: table, path: people.csv}
embed: {source: models, text: {life: {dim: 12}}, image: {face: {of: faces, dim: 10}, same: {of: all, dim: 6}}}
release: {}
crl: {latents: {text: 2, image: 2}}
"""
WORDS = ["she", "he", "sings", "plays", "tennis", "violin", "quiet", "kind", "loud", "born", "Lima", "Oslo", "wins"]


@pytest.fixture
def study(tmp_path: Path) -> Study:
    rng, rows = np.random.default_rng(0), ["id,age,club,biography"]
    for i in range(40):
        person = f"person{i}"
        rows.append(f"{person},{20 + i % 7},{'abc'[i % 3]},{' '.join(rng.choice(WORDS, 9))}")
        picture = Image.fromarray(rng.integers(0, 255, (8, 8, 3), dtype=np.uint8))
        for folder in ("all", "faces") if person not in LACKING else ("all",):
            (tmp_path / folder).mkdir(exist_ok=True)
            picture.save(tmp_path / folder / f"{person}.png")
    (tmp_path / "people.csv").write_text("\n".join(rows), encoding="utf-8")
    (tmp_path / "study.yaml").write_text(STUDY, encoding="utf-8")
    return Study.load(tmp_path / "study.yaml")


def notices(study: Study, stage: str) -> list[Any]:
    manifest = study.folder.manifest(stage)
    assert manifest is not None
    return [(notice["text"], notice["count"]) for notice in manifest.notices]


def test_a_release_leaves_them_out_of_that_modality_and_says_how_many(study: Study) -> None:
    study.run(["release"])
    assert any("no image vectors" in text and number == 3 for text, number in notices(study, "release"))
    folder = study.folder.path("release")
    read = load_release(folder)
    assert read.people.height == 40
    images, texts = read.vectors("image", "face"), read.vectors("text")
    assert np.isfinite(texts).all()
    assert int(np.isnan(images).any(axis=1).sum()) == 3
    assert pl.read_parquet(next((folder / "data" / "image").glob("*.parquet")))["face"].null_count() == 0
    assert verify(folder).holds


def test_level_two_is_given_everybody_and_who_lacks_a_picture_as_rows_of_nan(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, Any] = {}

    class Enough(Exception):
        pass

    def learn(ids: list[str], views: Any, *more: object, **others: object) -> None:
        seen.update(ids=ids, views=views)
        raise Enough

    monkeypatch.setattr("personax.stages._crl.learn", learn)
    with pytest.raises(Enough):
        study.run(["crl"])
    assert set(seen["ids"]) == {f"person{i}" for i in range(40)}
    lacks = np.isnan(seen["views"]["image"]["face"]).all(axis=1)
    assert {person for person, without in zip(seen["ids"], lacks, strict=True) if without} == LACKING
    for modality, views in seen["views"].items():
        written = pl.read_parquet(study.folder.path("embeddings", f"{modality}.parquet"))
        for name, x in views.items():
            assert x.dtype == np.float32
            wanted = dict(zip(written["id"], written[name].to_list(), strict=True))
            nothing = [np.nan] * x.shape[1]
            np.testing.assert_array_equal(x, [wanted[person] or nothing for person in seen["ids"]])


def test_a_measurement_that_hardly_anybody_has_is_a_mistake(study: Study, tmp_path: Path) -> None:
    lives = (tmp_path / "people.csv").read_text(encoding="utf-8")
    study.run(["embed"])
    for path in (tmp_path / "faces").iterdir():
        path.unlink()
    Image.new("RGB", (4, 4)).save(tmp_path / "faces" / "person0.png")
    (tmp_path / "all" / "person0.png").unlink()
    assert lives
    with pytest.raises(InputError, match="1 people have a vector of image/face"):
        study.run(["crl"])


FILES = """\
name: files
collect: {source: table, path: people.csv}
embed: {source: files, files: {text: {a: ta.npz, b: tb.npz}, image: {a: ia.npz, b: ib.npz}}}
crl: {latents: {text: 1, image: 1}, seeds: 1, epochs: 1}
"""


def test_files_that_lack_people_reach_the_latents_and_nobody_is_lost(tmp_path: Path) -> None:
    rng, people = np.random.default_rng(0), 80
    ids = np.array([f"p{i}" for i in range(people)])
    rows = [f"{person},{20 + i % 7},a text" for i, person in enumerate(ids)]
    (tmp_path / "people.csv").write_text("\n".join(["id,age,biography", *rows]), encoding="utf-8")
    (tmp_path / "study.yaml").write_text(FILES, encoding="utf-8")
    z = rng.normal(size=(people, 2))
    for modality, at in (("t", 0), ("i", 1)):
        for name in "ab":
            x = (
                np.stack([z[:, at], np.sin(2 * z[:, at])], 1) @ rng.normal(size=(2, 6))
                + rng.normal(size=(people, 6)) / 5
            )
            kept = np.ones(people, dtype=bool)
            kept[:5] = name == "b"
            kept[-3:] = modality == "t"
            np.savez(tmp_path / f"{modality}{name}.npz", id=ids[kept], vectors=x[kept])
    study = Study.load(tmp_path / "study.yaml")
    study.run(["crl"])
    latents = pl.read_parquet(study.folder.path("analysis", "crl", "latents.parquet"))
    assert latents["id"].to_list() == ids.tolist()
    assert latents["text_1"].null_count() == 0
    assert latents["image_1"].is_null().to_list() == [False] * (people - 3) + [True] * 3
    assert ("8 of 80 people have no vector of image/a.", 8) in notices(study, "embed")
    told = [text for text, _ in notices(study, "crl")]
    assert "5 of 80 people lack text/a: they are encoded from the other measurements of text." in told
    assert any("3 of 80 people lack every vector of image" in text for text in told)
    exemplars = pl.read_parquet(study.folder.path("analysis", "crl", "exemplars.parquet"))
    assert exemplars["value"].null_count() == 0
