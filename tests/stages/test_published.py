"""A study whose people, scores and vectors come from a release."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
import polars as pl
import pytest
import yaml
from tests.release.reading.hub_server import Repo, serving

from personax.config import AnnotateRelease, EmbedRelease, Plan
from personax.errors import FetchError, InputError, PlanError, StudyError
from personax.stages import _collect_release as published
from personax.study import Study

N = 30


def write_set(folder: Path, *, vectors: Any = None, **more: Any) -> dict[str, str]:
    """Write metadata and an array whose rows follow it, and return a mapping."""
    rng = np.random.default_rng(0)
    folder.mkdir(exist_ok=True)
    table = pl.DataFrame({"code": [f"c{row}" for row in range(N)], "age": rng.normal(size=N)} | more)
    table.write_csv(folder / "meta.csv")
    np.save(folder / "face.npy", rng.normal(size=(N, 4)) if vectors is None else vectors)
    scores = {name: "target" for name in more}
    return {"code": "id", "age": "feature", "face": "embedding:image"} | scores


def study(folder: Path, mapping: dict[str, str], **sections: object) -> Study:
    plan = {"name": "foreign", "collect": {"source": "release", "from": "set", "mapping": mapping}} | sections
    (folder / "study.yaml").write_text(yaml.safe_dump(plan))
    return Study.load(folder / "study.yaml")


def read(made: Study, *parts: str) -> pl.DataFrame:
    return pl.read_parquet(made.folder.path(*parts))


def test_scores_and_vectors_of_a_release_are_implied() -> None:
    raw = {"name": "x", "collect": {"source": "release", "from": "somewhere"}}
    plan = Plan.model_validate(raw)
    assert plan.annotate == AnnotateRelease(source="release")
    assert plan.embed == EmbedRelease(source="release")
    other = Plan.model_validate(raw | {"annotate": None, "embed": {"source": "offline"}})
    assert other.annotate is None
    assert other.embed is not None
    assert other.embed.source == "offline"
    assert Plan.model_validate({"name": "x", "collect": {"source": "simulate"}}).embed is None


def test_a_release_becomes_a_study(tmp_path: Path) -> None:
    scores = {f"final_{letter}": np.arange(N) % 4 for letter in "oc"} | {"gpt_o": [1.0, None] * (N // 2)}
    mapping = write_set(tmp_path / "set", **scores)
    made = study(tmp_path, mapping)
    made.run()
    assert read(made, "people", "people.parquet").columns == ["id", "age", *scores]
    traits = read(made, "traits", "traits.parquet")
    assert traits.columns == ["id", *scores]
    assert traits["gpt_o"].null_count() == N // 2
    image = read(made, "embeddings", "image.parquet")
    assert image["id"].to_list() == [f"c{row}" for row in range(N)]
    assert np.allclose(image["face"].to_numpy(), np.load(tmp_path / "set" / "face.npy"), atol=1e-6)
    manifest = made.folder.manifest("collect")
    assert manifest is not None
    assert "people/release.json" in manifest.outputs
    record = json.loads(made.folder.path("people", "release.json").read_text())
    assert set(record["files"]) == {"meta.csv", "face.npy"}
    assert not any(outcome.ran for outcome in made.run())
    with (tmp_path / "set" / "meta.csv").open("a") as file:
        file.write("\n")
    assert {state.stage for state in made.status() if state.state == "stale"} >= {"collect", "embed"}


def test_a_release_that_changed_between_two_stages(tmp_path: Path) -> None:
    made = study(tmp_path, write_set(tmp_path / "set"))
    made.run(["collect"])
    np.save(tmp_path / "set" / "face.npy", np.load(tmp_path / "set" / "face.npy") + 1)
    with pytest.raises(StudyError, match="has changed since the people were collected"):
        published.write_release_vectors(cast("Any", made.reader))


def test_people_without_a_vector_have_none(tmp_path: Path) -> None:
    vectors = np.random.default_rng(1).normal(size=(N, 4))
    vectors[3] = np.nan
    vectors[5, 0] = np.inf
    mapping = write_set(tmp_path / "set", vectors=vectors)
    np.save(tmp_path / "set" / "text.npy", np.zeros((N, 2)))
    made = study(tmp_path, mapping | {"text": "embedding:text"})
    made.run()
    image, text = (read(made, "embeddings", f"{modality}.parquet") for modality in ("image", "text"))
    assert image.filter(pl.col("face").is_null())["id"].to_list() == ["c3", "c5"]
    assert image["id"].equals(text["id"])
    assert text["text"].null_count() == 0
    manifest = made.folder.manifest("embed")
    assert manifest is not None
    told = "image/face: people whose vector is missing or not finite; it is not used."
    assert {"text": told, "count": 2} in manifest.notices
    np.save(tmp_path / "set" / "face.npy", np.full((N, 4), np.nan))
    with pytest.raises(InputError, match="nobody has a vector of image/face"):
        made.run()


def test_scores_by_several_models_are_put_together(tmp_path: Path) -> None:
    scores = {"a_o": [1.0] * N, "b_o": [2.0] * N, "c_o": [6.0] * (N - 1) + [None]}
    made = study(tmp_path, write_set(tmp_path / "set", **scores))
    made.run()
    traits = read(made, "traits", "traits.parquet")
    assert traits["final_o"].to_list() == [2.0] * (N - 1) + [1.5]
    made = study(tmp_path, write_set(tmp_path / "set", **scores), annotate={"source": "release", "rule": "mean"})
    made.run()
    assert read(made, "traits", "traits.parquet")["final_o"][0] == 3.0


def test_traits_written_out_are_scores(tmp_path: Path) -> None:
    made = study(tmp_path, write_set(tmp_path / "set", Openness=[1.0, 2.0] * (N // 2), mood=[1.0, 3.0] * (N // 2)))
    made.run()
    assert read(made, "traits", "traits.parquet").columns == ["id", "final_o"]
    assert read(made, "people", "people.parquet").columns == ["id", "age", "final_o", "mood"]


def test_a_release_without_scores_or_vectors_says_so(tmp_path: Path) -> None:
    mapping = write_set(tmp_path / "set")
    (tmp_path / "set" / "face.npy").unlink()
    del mapping["face"]
    made = study(tmp_path, mapping)
    made.run()
    told = [n["text"] for s in ("annotate", "embed") for n in made.folder.manifest(s).notices]  # type: ignore[union-attr]
    assert told == ["The release has no trait scores.", "The release has no vectors."]


@pytest.mark.parametrize("section", ["annotate", "embed"])
def test_a_release_is_needed_for_what_it_gives(section: str, tmp_path: Path) -> None:
    plan = {"name": "x", "collect": {"source": "simulate", "n": 20, "images": False}, section: {"source": "release"}}
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(plan))
    with pytest.raises(PlanError, match=rf"{section}\.source: release needs people of a release"):
        Study.load(tmp_path).run()


def test_where_a_release_is_not(tmp_path: Path) -> None:
    made = study(tmp_path, {})
    with pytest.raises(InputError, match="there is no folder set"):
        made.run()
    (tmp_path / "study.yaml").write_text("{name: x, collect: {source: release, form: set}}")
    with pytest.raises(PlanError, match="unknown key form; did you mean from"):
        Study.load(tmp_path / "study.yaml")


def test_a_data_set_of_a_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("huggingface_hub", reason="huggingface_hub is not installed: pip install personax[release]")
    mapping = write_set(tmp_path / "set")
    files = {path.name: path.read_bytes() for path in (tmp_path / "set").iterdir()}
    for setting, value in {"OFFLINE": False, "DISABLE_XET": True, "DISABLE_PROGRESS_BARS": True}.items():
        monkeypatch.setattr(f"huggingface_hub.constants.HF_HUB_{setting}", value)
    monkeypatch.setattr("huggingface_hub.get_token", lambda: None)
    (tmp_path / "study").mkdir()
    with serving() as hub:
        for name in ("load_release", "open_release"):
            there = partial(getattr(published, name), endpoint=hub.url, cache=tmp_path / "cache")
            monkeypatch.setattr(published, name, there)
        hub.repos["some/body"] = Repo(private=False, files=files | {"weights.pt": b"x"})
        collect = {"source": "release", "from": "some/body", "mapping": mapping}
        plan = {"name": "x", "collect": collect}
        (tmp_path / "study" / "study.yaml").write_text(yaml.safe_dump(plan))
        made = Study.load(tmp_path / "study")
        made.run()
        assert set(json.loads(made.folder.path("people", "release.json").read_text())["files"]) == set(files)
        assert read(made, "embeddings", "image.parquet").height == N
        assert not any("weights.pt" in request for request in hub.asked if "/resolve/" in request)
        plan = {"name": "x", "collect": collect | {"revision": "v9"}}
        (tmp_path / "study" / "study.yaml").write_text(yaml.safe_dump(plan))
        with pytest.raises(FetchError, match="no revision 'v9'"):
            Study.load(tmp_path / "study").run()
