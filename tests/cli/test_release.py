"""personax release: build, audit, verify, invert and push, and what they refuse."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from tests.cli.program import Run
from tests.release.reading.hub_server import TOKEN, serving

STUDY = """\
name: Sixty
seed: 3
collect: {source: simulate, n: 60, images: false, text_dim: 24, image_dim: 24}
annotate: {source: simulate}
embed: {source: simulate}
release:
  categories: indices
  withheld: [latitude, longitude]
  removed: gone.txt
  anonymity: {k: 2, quasi_identifiers: [gender, occupation], suppress: 0.2}
  gate: {min_k: 2}
  publisher: {authors: [Ada Author], contact: privacy@example.org, date: 2026-11-25}
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from personax.study import Study

    folder = tmp_path_factory.mktemp("sixty")
    (folder / "study.yaml").write_text(STUDY)
    (folder / "gone.txt").write_text("p00003  # asked to go\n\n")
    Study.load(folder).run(["release"])
    return folder


@pytest.fixture
def study(built: Path, tmp_path: Path) -> Path:
    return shutil.copytree(built, tmp_path / "study")


def test_build_says_where_and_has_nothing_to_do_the_second_time(study: Path, personax: Run) -> None:
    code, out, _ = personax("release", study)
    assert code == 0
    assert "release  nothing to do" in out
    assert str(study / "release") in out
    (study / "gone.txt").write_text("p00003\np00004\n")
    code, out, _ = personax("release", "build", study, "--json")
    assert code == 0
    told = json.loads(out)["stages"][-1]
    assert (told["ran"], told["counts"]["people"]) == (True, 58)
    assert "gone.txt" in told["why"]
    code, out, _ = personax("release", "build", study, "--force")
    assert code == 0
    for says in ("private, and so withheld: name (", "withheld: ", "left coarser: gender", "k = 2 over", "verdict: "):
        assert says in out, says


def test_a_file_that_the_study_did_not_write_does_not_leave(study: Path, personax: Run) -> None:
    (study / "release" / "notes.txt").write_text("Ada Nemo is p00001")
    code, _, err = personax("release", "build", study, "--force")
    assert code == 1
    assert "notes.txt, which this study did not write" in err
    assert (study / "release" / "notes.txt").exists()


def test_a_release_whose_manifest_is_lost_is_built_again(study: Path, personax: Run) -> None:
    """A power cut can leave no manifest; the ledger knows what was released, and what is not of it is still refused."""
    (study / "manifests" / "release.json").unlink()
    code, _, err = personax("release", "build", study)
    assert code == 0, err
    (study / "manifests" / "release.json").write_text("")
    (study / "release" / "README.md").chmod(0o600)
    (study / "release" / "README.md").write_text("Ada Nemo is p00001")
    code, _, err = personax("release", "build", study)
    assert code == 1
    assert "README.md, which this study did not write" in err


def test_audit_attacks_what_lies_there(study: Path, personax: Run, tmp_path: Path) -> None:
    code, out, _ = personax("release", "audit", study, "--people", "40", "--out", tmp_path / "audit", "--json")
    assert code == 0
    told = json.loads(out)
    assert told == json.loads((tmp_path / "audit" / "audit.json").read_text())
    of_one = told["measurements"]["text/text_a"]
    assert of_one["people"] > of_one["scored"] == 40, "who is looked for is a sample; what the attacker holds is not"
    code, out, _ = personax("release", "audit", study, "--people", "40", "--older", study / "release")
    assert code == 0
    assert "Nobody can be told as removed" in out
    assert told["gate"] == {"min_k": 2}
    (study / "study.yaml").write_text(STUDY.replace("{k: 2", "{k: 3"))
    code, _, err = personax("release", "audit", study)
    assert code == 1
    assert "the release is stale (the setting anonymity changed)" in err


def test_verify_holds_and_says_what_was_changed(study: Path, personax: Run) -> None:
    code, out, _ = personax("release", "verify", study / "release")
    assert code == 0, out
    assert "0 checks fail" in out
    (study / "release" / "README.md").write_text("anonymous!")
    code, out, _ = personax("release", "verify", study / "release", "--json")
    assert code == 1
    failed = {check["name"] for check in json.loads(out)["checks"] if check["outcome"] == "fails"}
    assert {"checksums", "card"} <= failed
    assert personax("release", "verify", study / "nowhere")[0] == 1


def test_tools_of_others_read_the_same(study: Path, personax: Run) -> None:
    pytest.importorskip("datasets", reason="datasets is not installed: pip install personax[release]")
    pytest.importorskip("mlcroissant", reason="mlcroissant is not installed: pip install personax[release]")
    code, out, _ = personax("release", "verify", study / "release", "--load", "--json")
    assert code == 0
    checks = {check["name"]: check for check in json.loads(out)["checks"]}
    for tool in ("datasets", "mlcroissant"):
        assert checks[f"loaded by {tool}"]["text"] == "people 59 rows, image 59 rows, text 59 rows"
    told = json.loads((study / "release" / "croissant.json").read_text())
    told["recordSet"][0]["field"][1]["source"]["extract"]["column"] = "shoe_size"
    (study / "release" / "croissant.json").write_text(json.dumps(told))
    code, out, _ = personax("release", "verify", study / "release", "--load", "--json")
    assert code == 1
    checks = {check["name"]: check for check in json.loads(out)["checks"]}
    assert checks["loaded by datasets"]["outcome"] == "holds"
    assert checks["loaded by mlcroissant"]["outcome"] == "fails"


def test_invert_brings_back_what_the_key_can(study: Path, personax: Run, tmp_path: Path) -> None:
    key = study / "keys" / "release.key"
    back = tmp_path / "back"
    code, out, _ = personax("release", "invert", study / "release", "--key", key, "--study", study, "--out", back)
    assert code == 0
    assert "people.parquet" in out
    people, truth = pl.read_parquet(back / "people.parquet"), pl.read_parquet(study / "people" / "people.parquet")
    assert set(people["id"]) == set(truth["id"]) - {"p00003"}
    kept = people.drop_nulls("occupation").filter(pl.col("occupation") != "other")
    same = kept.join(truth, on="id").select(pl.col("occupation") == pl.col("occupation_right"))
    assert same.to_series().all()
    vectors = pl.read_parquet(back / "text.parquet").sort("id")["text_a"].to_numpy()
    original = pl.read_parquet(study / "embeddings" / "text.parquet").filter(pl.col("id") != "p00003").sort("id")
    assert abs(vectors - original["text_a"].to_numpy()).max() < 1e-4
    code, _, err = personax("release", "invert", study / "release", "--key", key, "--out", back)
    assert (code, "is not empty" in err) == (1, True)
    code, _, err = personax("release", "invert", study / "release", "--key", key, "--out", study / "release" / "x")
    assert (code, "lies in the release" in err) == (1, True)


def _another_key(study: Path) -> None:
    (study / "keys" / "release.key").write_text(json.dumps({"personax_key": 2, "study": "Other", "secret": "ab" * 32}))


def _no_key(study: Path) -> None:
    (study / "keys" / "release.key").unlink()


def _half_a_key(study: Path) -> None:
    (study / "keys" / "release.key").write_text('{"personax_key": 2, "secret": "abcd"}')


@pytest.mark.parametrize(
    ("harm", "says"),
    [(_another_key, "made under another key"), (_no_key, "there is no key"), (_half_a_key, "a secret of 2 bytes")],
)
def test_keys_that_do_not_fit(study: Path, personax: Run, harm: Callable[[Path], None], says: str) -> None:
    harm(study)
    key = study / "keys" / "release.key"
    code, _, err = personax("release", "invert", study / "release", "--key", key, "--out", study / "back")
    assert code == 1
    assert says in err
    assert not (study / "back").exists()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("k: 2", "k: 200"), "people cannot be 200-anonymous"),
        (("min_k: 2", "min_k: 50"), "release.gate.min_k is 50"),
        (("gone.txt", "lost.txt"), "no file or folder lost.txt"),
        (("[latitude, longitude]", "[name]"), "release.withheld names name"),
        (("[gender, occupation]", "[shoe_size]"), "names shoe_size, which does not leave"),
        (("2026-11-25", "25.11.2026"), "is no date; write YYYY-MM-DD"),
        (("contact: privacy@example.org", "licence: cc-by-5.0"), "none that is known"),
        (("categories: indices", "categories: numbers"), "names"),
    ],
)
def test_settings_that_cannot_be_met(study: Path, personax: Run, change: tuple[str, str], says: str) -> None:
    before = (study / "release" / "SHA256SUMS").read_text()
    (study / "study.yaml").write_text(STUDY.replace(*change))
    code, _, err = personax("release", "build", study)
    assert code == 1
    assert says in err
    assert (study / "release" / "SHA256SUMS").read_text() == before, "the old release stays"


# how huggingface_hub calls its own client when it sends large files without its compiled protocol
@pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")
def test_push_asks_and_sends_only_when_the_name_is_typed(
    study: Path, personax: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("huggingface_hub", reason="huggingface_hub is not installed: pip install personax[release]")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)  # other tests of this process want it
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_PROGRESS_BARS", True)
    monkeypatch.setattr("huggingface_hub.get_token", lambda: TOKEN)
    typed = iter(["yes", "me/sixty"])
    shown: list[str] = []

    def prompt(text: str, **_: object) -> str:
        shown.append(text)
        return next(typed)

    monkeypatch.setattr("typer.prompt", prompt)
    with serving() as hub:
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", hub.url)
        code, _, err = personax("release", "build", study, "--push", "me/sixty")
        assert (code, "was not confirmed" in err) == (1, True)
        assert "only you can see it" in err
        assert hub.repos == {}
        code, out, _ = personax("release", "build", study, "--push", "me/sixty")
        assert code == 0
        assert "sent: " in out
        assert hub.repos["me/sixty"].private
        assert "README.md" in hub.repos["me/sixty"].files
    assert shown == ["Type me/sixty to send it"] * 2
