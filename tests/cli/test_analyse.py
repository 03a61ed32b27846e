"""A release that somebody else made is analysed by one command, and what was planted in it is found."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml
from tests.release.reading.made import write_release
from typer.testing import CliRunner

from personax.cli import app
from personax.errors import InputError, StudyError
from personax.stages._analyse_release import folder_of, plan_analysis

N = 300


def planted(folder: Path) -> dict[str, np.ndarray]:
    """Write a set as others write them, and return its latents: one shared, one of texts, one of images.

    The team says the sign of the text latent and so depends on openness; nothing else depends on anything.
    """
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    rng = np.random.default_rng(0)
    shared, text = rng.normal(size=N), rng.laplace(size=N)
    image = 0.9 * shared + 0.5 * rng.normal(size=N)

    def mixed(*latents: np.ndarray) -> np.ndarray:
        plain = np.column_stack(latents) @ rng.normal(size=(len(latents), 6))
        return np.tanh(plain) + 0.3 * plain + 0.05 * rng.normal(size=plain.shape)

    folder.mkdir()
    for name, latents in (("text_gpt", (shared, text)), ("text_llama", (shared, text)), ("face_clip", (shared, image)),
                          ("face_dino", (shared, image))):  # fmt: skip
        np.save(folder / f"{name}.npy", mixed(*latents).astype(np.float16 if name == "face_dino" else np.float32))
    table = {
        "subject_code": [f"S-{row:04d}" for row in rng.permutation(N)],
        "name": [f"Nemo {row}" for row in range(N)],
        "age": rng.integers(20, 60, N).astype(float),
        "team": pa.array(np.array(["north", "south"])[(text > 0).astype(int)]).dictionary_encode(),
        "openness": text + rng.normal(0, 0.5, N),
        "agreeableness": rng.normal(size=N),
    }
    pq.write_table(pa.table(table), folder / "metadata.parquet")
    (folder / "weights.pt").write_bytes(b"\x80\x04")
    (folder / "README.md").write_text("---\nlicense: cc-by-4.0\n---\n# A set\n")
    return {"shared": shared, "text": text, "image": image}


def r2(latents: np.ndarray, truth: np.ndarray) -> float:
    design = np.column_stack([np.ones(len(truth)), latents])
    left = truth - design @ np.linalg.lstsq(design, truth, rcond=None)[0]
    return float(1 - left.var() / truth.var())


def test_what_was_planted_in_a_foreign_release_is_found_by_one_command(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="torch is not installed: pip install personax[crl]")
    truth = planted(tmp_path / "set")
    out = tmp_path / "out"
    asked = ["analyse", str(tmp_path / "set"), "--out", str(out), "--latents", "2", "--seeds", "1", "--epochs", "2"]
    result = CliRunner().invoke(app, asked)
    assert result.exit_code == 0, result.output
    assert "not read: weights.pt is of a kind that is not read; it is left out" in result.output
    assert result.output.rstrip().endswith(str(out / "report" / "index.html"))
    assert (out / "report" / "index.html").is_file()
    tests = pl.read_parquet(out / "analysis" / "independence" / "pvalues.parquet")
    found = {(row["feature"], row["target"]) for row in tests.iter_rows(named=True) if row["rejected"]}
    assert found == {("team", "final_o")}
    assert tests.height == 4
    latents = pl.read_parquet(out / "analysis" / "crl" / "latents.parquet").drop("id").to_numpy()
    order = np.random.default_rng(0).permutation(N)
    for name, values in truth.items():
        assert r2(latents, values) > 0.75, name
        assert r2(latents, values[order]) < 0.1, "people in another order show that this is no accident"
    plan = yaml.safe_load((out / "study.yaml").read_text())
    assert plan["collect"]["mapping"]["name"] == "leave"
    assert "Nemo" not in (out / "people" / "people.parquet").read_bytes().decode("latin-1")
    again = CliRunner().invoke(app, ["run", str(out), "--json"])
    assert again.exit_code == 0
    assert not any(stage["ran"] for stage in json.loads(again.stdout)["stages"]), "the study file says all"


def test_a_section_that_cannot_be_run_costs_itself(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    table = pl.DataFrame({"team": ["a", "b"] * 20, "final_o": np.arange(40.0)})
    table.write_csv(folder / "people.csv")
    np.save(folder / "face.npy", np.zeros((40, 3)))
    out = tmp_path / "out"
    result = CliRunner().invoke(app, ["analyse", str(folder), "--out", str(out), "--epochs", "1", "--json"])
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert set(told["left out"]) == {"crl", "discover"}
    assert Path(told["report"]).is_file()
    assert "# No crl: " in (out / "study.yaml").read_text()
    assert (out / "analysis" / "independence" / "pvalues.parquet").is_file()


def test_our_own_release_is_analysed_without_a_guess(tmp_path: Path) -> None:
    analysis = plan_analysis(str(write_release(tmp_path / "release")))
    assert "mapping" not in analysis.sections["collect"]
    assert analysis.sections["crl"]["latents"] == {"image": 3, "text": 3}
    assert analysis.sections["crl"]["shared"] == 1
    assert analysis.sections["independence"]["tests"] == ["auto"]
    assert (analysis.left_out, analysis.proposal.unread) == ({}, [])


def test_what_is_left_out_is_said_in_the_study_file(tmp_path: Path) -> None:
    pl.DataFrame({"age": np.arange(30.0) / 7, "note\nrun: rm": ["x"] * 30}).write_parquet(tmp_path / "a.parquet")
    np.save(tmp_path / "face.npy", np.zeros((30, 2)))
    analysis = plan_analysis(str(tmp_path))
    assert analysis.left_out == {"independence": "the release has no trait scores"}
    assert analysis.sections["crl"]["latents"] == {"image": 2}
    assert set(yaml.safe_load(analysis.text())) == set(analysis.sections), "a name of a column makes no section"
    (tmp_path / "face.npy").unlink()
    with pytest.raises(InputError, match="neither features beside trait scores nor vectors"):
        plan_analysis(str(tmp_path))
    analysis = plan_analysis(str(tmp_path), {"age": "target:continuous"})
    assert "independence" in analysis.sections


def test_folders_that_are_not_written_to(tmp_path: Path) -> None:
    pl.DataFrame({"age": np.arange(30.0), "final_o": np.arange(30.0)}).write_parquet(tmp_path / "a.parquet")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "study.yaml").write_text("name: mine")
    for out, says in ((tmp_path / "in", "lies in the release itself"), (tmp_path.parent / "f", "is a file")):
        (tmp_path.parent / "f").write_text("")
        result = CliRunner().invoke(app, ["analyse", str(tmp_path), "--out", str(out)])
        assert isinstance(result.exception, StudyError)
        assert says in str(result.exception)
    other = tmp_path.parent / "other"
    other.mkdir(exist_ok=True)
    (other / "study.yaml").write_text("name: mine")
    result = CliRunner().invoke(app, ["analyse", str(tmp_path), "--out", str(other)])
    assert "is a study of another kind" in str(result.exception)
    assert (other / "study.yaml").read_text() == "name: mine"
    assert folder_of("user/name") == Path("name-analysis")
    assert folder_of("../..") == Path("release-analysis")
