"""personax traits validate on a simulated study: out to people and back, tables, picture, report, refusals."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from personax.cli import app
from personax.errors import InputError, PersonaxError, StudyError
from personax.schema import TRAITS

runner = CliRunner()


@pytest.fixture
def study(tmp_path: Path) -> Path:
    path = tmp_path / "study.yaml"
    path.write_text(
        "name: valid\nseed: 3\ncollect: {source: simulate, n: 300, images: false}\n"
        "annotate: {source: simulate}\nreport: {}\n",
        encoding="utf-8",
    )
    return path


def called(*words: object) -> str:
    done = runner.invoke(app, ["traits", "validate", *map(str, words)])
    if isinstance(done.exception, PersonaxError):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.stdout


def answer(study: Path, path: Path) -> None:
    """Fill the sheet in, as three people would who see what the steady simulated rater sees, with noise."""
    root, rng = study.parent, np.random.default_rng(5)
    sample = pl.read_parquet(root / "traits" / "validity" / "sample.parquet").drop_nulls("task")
    seen = pl.read_parquet(root / "people" / "simulation" / "ratings.parquet").filter(pl.col("model") == "steady")
    scores = {(person, trait): score for person, trait, score in seen.select("person", "trait", "score").iter_rows()}
    rows = []
    for rater in ("ann@example.org", "bob", "cyd"):
        for person, task in sample.select("id", "task").iter_rows():
            told = {trait: (scores.get((person, trait)) or 2.0) + 0.6 * rng.normal() for trait in TRAITS}
            given = {trait: str(int(np.clip(np.round(value), 1, 3))) for trait, value in told.items()}
            rows.append({"task": task, "rater": rater, **given, "likability": str(rng.integers(1, 4))})
    pl.DataFrame(rows).write_csv(path)


def test_out_to_people_and_back(study: Path, tmp_path: Path) -> None:
    told = json.loads(called("export", study, "--people", 90, "--by", "gender", "--ask", "likability", "--json"))
    assert (told["people"], sum(told["strata"].values())) == (90, 90)
    tasks = json.loads(Path(told["files"][0]).read_text(encoding="utf-8"))
    ids = set(pl.read_parquet(tmp_path / "people" / "people.parquet")["id"])
    assert not any(person in json.dumps(tasks) for person in ids), "ids stay in the study"
    answer(study, tmp_path / "answers.csv")
    more = ["--controls", "likability,gender", "--features", "gender,height_cm", "--draws", 40]
    found = json.loads(called("compare", study, tmp_path / "answers.csv", *more, "--json"))
    value = {(row["trait"], row["rater"], row["measure"]): row["value"] for row in found["agreement"]}
    for trait in TRAITS:
        assert value[trait, "steady", "pearson"] > value[trait, "lenient", "pearson"] > 0.2
        assert value[trait, "steady", "left_out"] > value[trait, "humans", "left_out"]
        assert value[trait, "steady", "partial"] == pytest.approx(value[trait, "steady", "pearson"], abs=0.1)
        assert found["alt_test"][trait]["steady"]["passes"]
    effects = pl.DataFrame(found["effects"], infer_schema_length=None)
    assert set(effects["method"]) == {"llm", "humans", "ppi", "dsl"}
    assert effects.filter(pl.col("estimate").is_null()).is_empty()
    width = (
        effects.with_columns((pl.col("high") - pl.col("low")).alias("width")).group_by("method").agg(pl.mean("width"))
    )
    wide = dict(width.iter_rows())
    assert wide["llm"] < wide["ppi"] < wide["humans"]
    assert wide["dsl"] < wide["humans"]
    assert "not validity" in found["notices"][-1]
    folder = tmp_path / "traits" / "validity"
    rated = pl.read_parquet(folder / "humans.parquet")
    assert set(rated["model"]) == {"human 1", "human 2", "human 3"}
    for name in ("agreement.csv", "effects.csv", "alt_test.json", "agreement.svg", "agreement.png"):
        assert (folder / name).stat().st_size > 100
    shown = called("compare", study, tmp_path / "answers.csv", *more)
    assert "not validity" in shown
    assert runner.invoke(app, ["report", str(study)]).exit_code == 0
    page = (tmp_path / "report" / "index.html").read_text(encoding="utf-8")
    assert 'id="validity"' in page
    assert "High agreement among LLMs is not validity" in page
    assert "example.org" not in page
    assert "nothing to do" in runner.invoke(app, ["report", str(study)]).output
    called("compare", study, tmp_path / "answers.csv", "--seed", 9, "--draws", 20)
    assert runner.invoke(app, ["report", str(study)]).exit_code == 0
    assert (tmp_path / "report" / "index.html").read_text(encoding="utf-8") != page, (
        "the page tells the last comparison"
    )


def test_another_sample_is_not_put_in_place_of_one_that_people_answer(study: Path, tmp_path: Path) -> None:
    called("export", study, "--people", 50)
    called("export", study, "--people", 50, "--format", "argilla")
    with pytest.raises(StudyError, match="holds another sample"):
        called("export", study, "--people", 60)
    told = called("export", study, "--people", 60, "--again", "--format", "csv", "--out", tmp_path.parent / "away")
    assert "outside the study folder" in told


def test_questionnaire_scores_of_people_who_were_not_drawn(study: Path, tmp_path: Path) -> None:
    called("export", study, "--people", 20)
    (tmp_path / "traits" / "validity" / "sample.parquet").unlink()
    people = pl.read_parquet(tmp_path / "people" / "people.parquet").head(80)
    rng = np.random.default_rng(0)
    people.select("id").with_columns(pl.Series("openness", rng.normal(size=80))).write_csv(tmp_path / "q.csv")
    plain = ["compare", study, tmp_path / "q.csv", "--features", "height_cm", "--draws", 20, "--json"]
    found = json.loads(called(*plain))
    assert found["alt_test"]["openness"]["aggregate"]["reason"] == "humans and LLMs did not use the same scale"
    rows = [row for row in found["effects"] if row["trait"] == "openness" and row["method"] == "dsl"]
    assert all("not known how likely" in row["reason"] for row in rows)
    told = json.loads(called(*plain, "--random", "--reliability", 0.8))
    rows = [row for row in told["effects"] if row["trait"] == "openness" and row["method"] == "dsl"]
    assert all(row["estimate"] is not None for row in rows)


def test_bad_words_are_refused(study: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text("[{", encoding="utf-8")
    for words, said in (
        (["export", study, "--by", "gendr"], "did you mean gender"),
        (["export", study, "--ask", "openness"], "no name for a question"),
        (["compare", study, tmp_path / "absent.json"], "there is no file"),
        (["compare", study, tmp_path / "broken.json"], "not readable as JSON"),
    ):
        with pytest.raises(InputError, match=said):
            called(*words)
