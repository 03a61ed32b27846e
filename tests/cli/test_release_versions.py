"""Releases one after another: who is gone is told under one key and not under a new one; statistics beside them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import polars as pl
import pytest
from tests.cli.program import Run

from personax.release import load_key, load_release
from personax.release.statistics import Ledger

STUDY = """\
name: Sixty
seed: 3
collect: {source: simulate, n: 60, images: false, text_dim: 8, image_dim: 8}
annotate: {source: simulate}
embed: {source: simulate}
release:
  categories: indices
  transform: whitening
  withheld: [latitude, longitude]
  removed: gone.txt
  audit: false
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from personax.study import Study

    folder = tmp_path_factory.mktemp("sixty")
    (folder / "study.yaml").write_text(STUDY)
    (folder / "gone.txt").write_text("")
    Study.load(folder).run(["release"])
    return folder


@pytest.fixture
def study(built: Path, tmp_path: Path) -> Path:
    return shutil.copytree(built, tmp_path / "study")


def pseudonyms(study: Path) -> set[str]:
    return set(pl.read_parquet(study / "release/data/people/*.parquet")["id"])


def notices(study: Path) -> str:
    told = json.loads((study / "manifests/release.json").read_text())["notices"]
    return " ".join(one["text"] for one in told)


def test_whoever_has_two_versions_cannot_name_who_asked_to_go(study: Path, personax: Run) -> None:
    first, old = pseudonyms(study), load_key(study / "keys/release.key")
    shutil.copytree(study / "release", study.parent / "first")
    (study / "gone.txt").write_text("p00003\np00004\np00005\n")
    assert personax("release", study)[0] == 0
    assert not first & pseudonyms(study), "v1.0 minus v1.1 is everybody, not three people"
    assert "3 people of version 1.0.0" in notices(study)
    assert "under a new key" in notices(study)
    new = load_key(study / "keys/release.key")
    assert new != old
    kept = study / "keys/old" / old.fingerprint
    assert load_key(kept / "release.key") == old
    assert kept.stat().st_mode & 0o077 == 0
    for folder, key in (("first", kept), ("study/release", study / "keys")):
        out = study.parent / f"back-{key.name}"
        words = (
            "release",
            "invert",
            study.parent / folder,
            "--key",
            key / "release.key",
            "--study",
            study,
            "--out",
            out,
        )
        assert personax(*words)[0] == 0, "the owner goes back from both"
        back = pl.read_parquet(out / "text.parquet").sort("id")
        own = (
            pl.read_parquet(study / "embeddings/text.parquet")
            .sort("id")
            .filter(pl.col("id").is_in(back["id"].implode()))
        )
        assert abs(back[:, 1].to_numpy() - own[:, 1].to_numpy()).max() < 1e-3


def test_under_one_key_the_publisher_is_told_how_many_can_be_told(study: Path, personax: Run) -> None:
    text = (study / "study.yaml").read_text()
    (study / "study.yaml").write_text(text + "  rekey: never\n")
    (study / "gone.txt").write_text("p00003\np00004\n")
    first = pseudonyms(study)
    assert personax("release", study)[0] == 0
    assert len(first - pseudonyms(study)) == 2
    assert "2 people of version 1.0.0" in notices(study)
    assert "set release.rekey" in notices(study)


def test_a_release_from_before_the_ledger_counts_too(study: Path, personax: Run) -> None:
    (study / "keys/ledger.jsonl").unlink()
    (study / "gone.txt").write_text("p00007\n")
    first = pseudonyms(study)
    assert personax("release", study)[0] == 0
    assert not first & pseudonyms(study)
    assert "1 person of the release that lies in release/ is not" in notices(study)


def test_without_removals_the_key_stays_and_always_draws_a_new_one(study: Path, personax: Run) -> None:
    first = pseudonyms(study)
    assert personax("release", study, "--force")[0] == 0
    assert pseudonyms(study) == first
    assert len(Ledger(study / "keys").releases()) == 1, "the same release is written down once"
    text = (study / "study.yaml").read_text()
    (study / "study.yaml").write_text(text + "  rekey: always\n")
    assert personax("release", study)[0] == 0
    assert not first & pseudonyms(study)
    assert len(Ledger(study / "keys").releases()) == 2


def test_a_build_that_is_stopped_leaves_the_key_as_it_was(study: Path, personax: Run) -> None:
    key, first = (study / "keys/release.key").read_bytes(), pseudonyms(study)
    (study / "gone.txt").write_text("p00003\n")
    text = (study / "study.yaml").read_text()
    (study / "study.yaml").write_text(text + "  gate: {min_k: 50}\n  anonymity: {k: 2, suppress: 0.5, "
                                      "quasi_identifiers: [gender]}\n")  # fmt: skip
    code, _, err = personax("release", study)
    assert code == 1, err
    assert (study / "keys/release.key").read_bytes() == key
    assert pseudonyms(study) == first
    assert len(Ledger(study / "keys").releases()) == 1


def test_statistics_are_analysed_by_one_command(study: Path, personax: Run) -> None:
    pytest.importorskip("opendp")
    text = (study / "study.yaml").read_text()
    (study / "study.yaml").write_text(text + "  statistics: {epsilon: 20, columns: {gender: [female, male], "
                                      "height_cm: [170, 180], final_o: [2.5], final_a: [2.5]}}\n")  # fmt: skip
    assert personax("release", study)[0] == 0
    assert "privacy budget" in notices(study)
    found = load_release(study / "statistics")
    assert (found.features, found.traits) == (["gender", "height_cm"], ["final_o", "final_a"])
    out = study.parent / "results"
    code, said, err = personax("independence", study / "statistics", "--no-figures", "--out", out)
    assert code == 0, err
    assert "central differential privacy, epsilon = 20" in said
    table = pl.read_parquet(out / "pvalues.parquet")
    assert table.height == 4
    assert table["p_value"].null_count() == 0
    code, said, _ = personax("independence", study / "statistics", "--features", "weight_kg", "--out", out)
    assert code == 1
    code, said, err = personax("release", "verify", study / "statistics")
    assert code == 0, said
    altered = study / "statistics/statistics.json"
    altered.write_text(altered.read_text().replace('"scale"', '"scales"'))
    assert personax("release", "verify", study / "statistics")[0] == 1


@pytest.mark.parametrize(
    ("line", "message"),
    [("statistics: {epsilon: 1, columns: {gender: [female, male]}}", "at least 2 items"),
     ("statistics: {epsilon: 0, columns: {gender: [female, male], final_o: [2]}}", "greater than 0"),
     ("statistics: {epsilon: 1, columns: {latitude: [0], final_o: [2]}}", "does not leave"),
     ("statistics: {epsilon: 1, columns: {gender: [female, male], final_o: [2]}, tables: [[final_o, gender]]}",
      "needs a feature and a target"),
     ("rekey: sometimes", "rekey"), ("budget: {epsilon: -1}", "greater than 0")],
)  # fmt: skip
def test_what_the_study_file_may_not_ask(study: Path, personax: Run, line: str, message: str) -> None:
    (study / "study.yaml").write_text((study / "study.yaml").read_text() + f"  {line}\n")
    code, _, err = personax("release", study)
    assert code == 1
    assert message in err, err
