"""embed by models as a stage: which texts and pictures are read, and that nothing is encoded twice."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from personax.embed import encode_texts
from personax.embed._encoder import Vectors
from personax.embed._offline import HashedEncoder
from personax.errors import InputError, PersonaxError, PlanError
from personax.stages import _embed
from personax.study import Study

STUDY = """\
name: vectors
collect: {source: table, path: people.csv}
annotate: {source: lexicon}
embed:
  source: models
  text:
    life: {dim: 16, batch: 2}
    judged: {of: lexicon, dim: 24}
  image:
    face: {of: faces, dim: 8}
"""


def study(folder: Path, more: str = "", text: str = STUDY) -> Study:
    folder.mkdir(exist_ok=True)
    lives = ["She is kind and talkative.", "He is shy.", "", "She is kind and talkative.", "Quiet, tidy"]
    rows = "\n".join(f'p{i},"{life}"' for i, life in enumerate(lives))
    (folder / "people.csv").write_text(f"id,biography\n{rows}\n{more}", encoding="utf-8")
    (folder / "faces").mkdir(exist_ok=True)
    for i in range(6):
        name = f"p{i}.png" if i % 2 else f"p{i}.jpg"
        Image.new("RGB", (20, 20), (40 * i, 0, 0)).save(folder / "faces" / name)
    (folder / "study.yaml").write_text(text, encoding="utf-8")
    return Study.load(folder / "study.yaml")


def test_every_measurement_is_encoded_and_says_by_whom(tmp_path: Path) -> None:
    loaded = study(tmp_path)
    loaded.run(["embed"])
    vectors = pl.read_parquet(tmp_path / "embeddings" / "text.parquet")
    assert vectors["id"].to_list() == [f"p{i}" for i in range(5)]
    assert (vectors["life"].dtype, vectors["judged"].dtype) == (pl.Array(pl.Float32, 16), pl.Array(pl.Float32, 24))
    np.testing.assert_array_equal(vectors["life"].to_numpy()[1], encode_texts(["He is shy."], dim=16)[0])
    assert vectors["life"].to_list()[0] == vectors["life"].to_list()[3]
    assert pl.read_parquet(tmp_path / "embeddings" / "image.parquet")["face"].dtype == pl.Array(pl.Float32, 8)
    told = json.loads((tmp_path / "embeddings" / "encoders.json").read_text(encoding="utf-8"))
    assert told["text/life"]["name"] == "hashed n-grams"
    assert told["text/judged"]["of"] == "lexicon"
    assert told["image/face"]["licence"] == "Apache-2.0"
    manifest = loaded.folder.manifest("embed")
    assert manifest is not None
    assert any("people without a text" in str(notice) for notice in manifest.notices)


def test_only_what_is_new_is_encoded_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study(tmp_path).run(["embed"])
    before = pl.read_parquet(tmp_path / "embeddings" / "text.parquet")
    seen: list[str] = []
    encode = HashedEncoder.encode

    def watched(self: HashedEncoder, items: Sequence[str]) -> Vectors:
        seen.extend(items)
        return encode(self, items)

    monkeypatch.setattr(HashedEncoder, "encode", watched)
    loaded = study(tmp_path, more="p5,She is new and bold.\n")
    loaded.run(["embed"])
    assert [text for text in seen if "Extraversion" not in text] == ["She is new and bold."]
    after = pl.read_parquet(tmp_path / "embeddings" / "text.parquet")
    assert after["life"].to_list()[:5] == before["life"].to_list()
    seen.clear()
    study(tmp_path, text=STUDY.replace("dim: 16", "dim: 17")).run(["embed"])
    assert len([text for text in seen if "Extraversion" not in text]) == 4, "another encoder encodes all, each once"


def test_annotation_is_needed_only_where_it_is_read(tmp_path: Path) -> None:
    plain = STUDY.replace("    judged: {of: lexicon, dim: 24}\n", "")
    loaded = study(tmp_path, text=plain)
    loaded.run(["embed"])
    assert loaded.folder.manifest("annotate") is None, "encoding asks no LLM anything"


@pytest.mark.parametrize(
    ("change", "said", "kind"),
    [
        (("of: lexicon", "of: lexicn"), "did you mean lexicon", PlanError),
        (("of: faces", "of: nowhere"), "no file or folder nowhere", PlanError),
        (("of: faces, dim: 8", "of: faces, model: dinov"), "did you mean dinov2", InputError),
        (("dim: 16", "model: bertt"), "no preset", InputError),
        (("dim: 16", "modle: x"), "did you mean model", PlanError),
    ],
)
def test_what_cannot_be_encoded_is_one_sentence(
    tmp_path: Path, change: tuple[str, str], said: str, kind: type[PersonaxError]
) -> None:
    with pytest.raises(kind, match=said):
        study(tmp_path, text=STUDY.replace(*change)).run(["embed"])


def test_vectors_of_files_that_wait_on_the_disk_are_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = np.array([f"p{i}" for i in range(40)])
    for name in ("here", "there"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "people.csv").write_text("\n".join(["id,age", *(f"{one},{i}" for i, one in enumerate(ids))]))
        np.savez(folder / "a.npz", id=ids[:-3], vectors=np.random.default_rng(1).normal(size=(37, 9)))
        np.savez(folder / "b.npz", id=ids[::-1], vectors=np.random.default_rng(2).normal(size=(40, 4)))
        files = "embed: {source: files, files: {text: {a: a.npz, b: b.npz}}}\n"
        (folder / "study.yaml").write_text(f"name: files\ncollect: {{source: table, path: people.csv}}\n{files}")
        Study.load(folder / "study.yaml").run(["embed"])
        monkeypatch.setattr(_embed, "MAPPED_FROM", 0)
    one, other = (tmp_path / name / "embeddings" / "text.parquet" for name in ("here", "there"))
    assert one.read_bytes() == other.read_bytes()
    found = pl.read_parquet(other)
    assert found["a"].null_count() == 3
    assert found["b"][0].to_list() == pytest.approx(np.random.default_rng(2).normal(size=(40, 4))[-1])
    left = sorted(path.name for path in (tmp_path / "there").rglob("*") if path.is_file())
    assert left == sorted(path.name for path in (tmp_path / "here").rglob("*") if path.is_file())


@pytest.mark.parametrize("offline", [False, True])
def test_a_person_without_a_picture_keeps_everything_else(tmp_path: Path, offline: bool) -> None:
    text = "name: v\ncollect: {source: table, path: people.csv}\nembed: {source: offline, images: faces}\n"
    whole = study(tmp_path / "whole", text=text if offline else STUDY)
    whole.run(["embed"])
    loaded = study(tmp_path / "less", text=text if offline else STUDY)
    (tmp_path / "less" / "faces" / "p3.png").unlink()
    loaded.run(["embed"])
    full, found = (pl.read_parquet(tmp_path / one / "embeddings" / "image.parquet") for one in ("whole", "less"))
    name = full.columns[1]
    assert found.schema == full.schema
    assert found["id"].to_list() == [f"p{i}" for i in range(5)]
    assert found[name].is_null().to_list() == [False, False, False, True, False]
    assert found.filter(pl.col("id") != "p3").equals(full.filter(pl.col("id") != "p3"))
    texts = (pl.read_parquet(tmp_path / one / "embeddings" / "text.parquet") for one in ("whole", "less"))
    assert next(texts).equals(next(texts))
    manifest = loaded.folder.manifest("embed")
    assert manifest is not None
    assert any("without a picture" in str(notice) and notice["count"] == 1 for notice in manifest.notices)
    again = study(tmp_path / "less", more="p5,New.\n", text=text if offline else STUDY)
    (tmp_path / "less" / "faces" / "p3.png").unlink()
    again.run(["embed"])
    assert pl.read_parquet(tmp_path / "less" / "embeddings" / "image.parquet")[name].null_count() == 1


def test_nobody_with_a_picture_is_a_mistake(tmp_path: Path) -> None:
    loaded = study(tmp_path)
    for path in (tmp_path / "faces").iterdir():
        path.rename(path.with_suffix(".webp"))
    with pytest.raises(InputError, match=r"nobody has an <id>.png"):
        loaded.run(["embed"])


MODELS = """\
name: vectors
collect: {source: table, path: people.csv}
embed:
  source: models
  text: {life: {model: models/bert, like: minilm, tokens: 8, device: cpu}}
"""


@pytest.mark.filterwarnings("ignore")
def test_replaced_weights_are_seen_and_encode_again(tmp_path: Path) -> None:
    pytest.importorskip("sentence_transformers", reason="sentence-transformers is not installed")
    from tests.embed.small import text_model

    lives = "p5,she plays tennis in lima . she sings .\n"
    loaded = study(tmp_path, lives, text=MODELS)
    text_model(tmp_path / "models" / "bert", "bert")
    loaded.run(["embed"])
    before = pl.read_parquet(tmp_path / "embeddings" / "text.parquet")["life"].to_numpy()
    told = json.loads((tmp_path / "embeddings" / "encoders.json").read_text(encoding="utf-8"))["text/life"]
    assert told["name"] == "models/bert"
    assert told["truncated"]["texts"] == 1
    manifest = loaded.folder.manifest("embed")
    assert manifest is not None
    assert any("longer than the 8 tokens" in str(notice) for notice in manifest.notices)

    assert {state.stage: state.state for state in loaded.status()}["embed"] == "done"
    weights = tmp_path / "models" / "bert" / "model.safetensors"
    size = weights.stat().st_size
    (tmp_path / "models").rename(tmp_path / "gone")
    assert {state.stage: state.state for state in loaded.status()}["embed"] == "done", "vectors stay without the model"
    (tmp_path / "gone").rename(tmp_path / "models")
    text_model(tmp_path / "models" / "bert", "bert", seed=1)
    assert weights.stat().st_size == size
    state = next(state for state in loaded.status() if state.stage == "embed")
    assert (state.state, state.why) == ("stale", "its input weights of models/bert changed")
    loaded.run(["embed"])
    after = pl.read_parquet(tmp_path / "embeddings" / "text.parquet")["life"].to_numpy()
    assert (np.abs(after - before).max(axis=1) > 1e-4).all(), "everybody is encoded again"
    assert {state.stage: state.state for state in loaded.status()}["embed"] == "done"


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        (["3", "1", "2"], "and those of number too, in another order; say columns: {id: {from: number}}"),
        (["k3", "k1", "k2"], "no vector for 3 of 3 people; .*, and number holds those of the file: say columns: {id:"),
        (["1", "2", "3"], ""),
    ],
)
def test_vectors_of_people_whom_another_column_numbers_are_not_joined_by_rows(
    numbers: list[str], said: str, tmp_path: Path
) -> None:
    (tmp_path / "people.csv").write_text("number,age\n" + "".join(f"{n},{30 + i}\n" for i, n in enumerate(numbers)))
    rows = "".join(f"{n},{i},0\n" for i, n in enumerate(sorted(numbers)))
    (tmp_path / "a.csv").write_text(f"id,v0,v1\n{rows}")
    plan = "name: joined\ncollect: {source: table, path: people.csv}\n"
    (tmp_path / "study.yaml").write_text(plan + "embed: {source: files, files: {text: {a: a.csv}}}\n")
    if not said:
        Study.load(tmp_path / "study.yaml").run(["embed"])
        assert pl.read_parquet(tmp_path / "embeddings" / "text.parquet")["a"].to_list() == [[0, 0], [1, 0], [2, 0]]
        return
    with pytest.raises(InputError, match=said):
        Study.load(tmp_path / "study.yaml").run(["embed"])
