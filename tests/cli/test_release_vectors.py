"""Few numbers in place of vectors, through the command line: built, audited, paid for once, chosen on a curve."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from tests.cli.program import Run

from personax.release import load_release
from personax.release.statistics import Ledger

STUDY = """\
name: Eighty
seed: 3
collect: {source: simulate, n: 80, images: false, text_dim: 10, image_dim: 10}
annotate: {source: simulate}
embed: {source: simulate}
release:
  withheld: [latitude, longitude]
  audit: false
"""


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from personax.study import Study

    folder = tmp_path_factory.mktemp("eighty")
    (folder / "study.yaml").write_text(STUDY)
    Study.load(folder).run(["annotate", "embed"])
    return folder


@pytest.fixture
def study(collected: Path, tmp_path: Path) -> Path:
    return shutil.copytree(collected, tmp_path / "study")


def add(study: Path, text: str) -> None:
    (study / "study.yaml").write_text(STUDY + text)


def test_a_release_of_few_numbers_is_told_and_paid_for_once(study: Path, personax: Run) -> None:
    pytest.importorskip("opendp")
    add(study, "  vectors: {keep: summary, numbers: 3, noise: 2.0, clip: 1.0}\n")
    code, _, err = personax("release", study)
    assert code == 0, err
    first = load_release(study / "release")
    assert first.vectors("text", "text_a").shape == (80, 3)
    assert "principal components leave" in (study / "release/README.md").read_text()
    told = json.loads((study / "release/protection.json").read_text())["vectors"]
    assert told["epsilon"] > 1
    assert personax("release", study, "--force")[0] == 0
    again = load_release(study / "release")
    assert (first.vectors("text", "text_a") == again.vectors("text", "text_a")).all()
    (spent,) = Ledger(study / "keys").spendings()
    assert spent.unit == "values"
    code, _, err = personax("release", "audit", study, "--people", 40)
    assert code == 0, err
    code, said, _ = personax("release", "verify", study / "release", "--json")
    assert [one["name"] for one in json.loads(said)["checks"] if one["outcome"] == "fails"] == ["audit"], "it is off"
    add(study, "  vectors: {keep: summary, numbers: 4, noise: 2.0, clip: 1.0}\n")
    code, _, err = personax("release", study)
    assert code == 1
    assert "state a larger release.budget" in err
    add(study, "  vectors: {keep: summary, numbers: 4, noise: 2.0, clip: 1.0}\n  budget: {epsilon: 100}\n")
    assert personax("release", study)[0] == 0


def test_latents_leave_after_level_two_has_found_them(study: Path, personax: Run) -> None:
    pytest.importorskip("torch", reason="torch is not installed: pip install personax[crl]")
    (study / "study.yaml").write_text(
        STUDY + "  vectors: {keep: latents, numbers: 16, noise: 0}\n"
        "crl: {latents: {text: 2, image: 2}, method: pca, seeds: 1, epochs: 1}\n"
    )
    code, said, err = personax("release", study)
    assert code == 0, err
    assert said.index("crl") < said.index("release"), "Level II first"
    found = load_release(study / "release")
    assert list(found.embeddings) == ["latents"]
    assert found.vectors("latents").shape == (80, 4)
    assert "latents of Level II" in (study / "release/README.md").read_text()
    assert personax("status", study)[0] == 0


def test_latents_need_level_two(study: Path, personax: Run) -> None:
    add(study, "  vectors: {keep: latents}\n")
    code, _, err = personax("release", study)
    assert code == 1
    assert "need a crl section" in err


def test_noise_on_the_table_is_in_the_same_ledger(study: Path, personax: Run) -> None:
    pytest.importorskip("opendp")
    add(study, "  noise: {epsilon: 2, numbers: {height_cm: [140, 220]}}\n  budget: {epsilon: 5}\n")
    for turn in range(3):
        code, _, err = personax("release", study, "--force")
        assert code == (turn == 2), err
    assert "privacy budget" in err
    assert Ledger(study / "keys").total(1e-6) == pytest.approx(4)


def test_the_curve_falls_with_noise_and_proposes_what_keeps_the_limit(study: Path, personax: Run) -> None:
    words = ("release", "curve", study, "--numbers", "2,6,40", "--noise", "0,3", "--max-rank-1", "0.2")
    code, said, err = personax(*words, "--json")
    assert code == 0, err
    told = json.loads(said)
    whole, *rows = told["curve"]
    assert (whole["keep"], whole["rank_1"], whole["decisions"]) == ("vectors", 1.0, 1.0)
    assert [(row["numbers"], row["noise"]) for row in rows] == [(2, 0), (2, 3), (6, 0), (6, 3)], (
        "40 is more than there are"
    )
    assert rows[0]["rank_1"] == rows[2]["rank_1"] == 1.0
    assert rows[1]["rank_1"] < 0.2
    assert rows[0]["epsilon"] is None
    assert rows[1]["epsilon"] == pytest.approx(rows[3]["epsilon"])
    assert told["chosen"] in rows
    code, said, _ = personax(*words)
    assert "In the study file: vectors: {keep: summary" in said
    code, said, _ = personax("release", "curve", study, "--numbers", "2", "--noise", "0")
    assert "nothing here keeps" in said
    for bad in (("--numbers", "two"), ("--numbers", "0"), ("--noise", "-1"), ("--keep", "everything")):
        assert personax("release", "curve", study, *bad)[0] == 1
    assert not (study / "keys/ledger.jsonl").exists(), "a curve spends nothing and writes nothing"
