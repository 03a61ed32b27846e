"""personax calibrate: a certificate beside the results, and one sentence for every mistake."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from personax.cli import app
from personax.errors import PersonaxError
from personax.files import sha256

RUNNER = CliRunner()


def people(folder: Path) -> Path:
    rng = np.random.default_rng(0)
    height = rng.normal(180, 9, 120).round()
    country = rng.choice(["FR", "NA"], 120)
    rows = zip(height, country, 2 + (height > 185) - (height < 175), strict=True)
    path = folder / "people.csv"
    path.write_text("Height,country,final_o\n" + "".join(f"{h:g},{c},{o}\n" for h, c, o in rows))
    return path


def test_a_certificate_beside_the_results(tmp_path: Path) -> None:
    table, out = people(tmp_path), tmp_path / "results"
    assert RUNNER.invoke(app, ["independence", str(table), "--no-figures", "--out", str(out)]).exit_code == 0
    before = sha256(out / "pvalues.parquet")
    command = ["calibrate", str(table), "--like-mine", "--times", "50", "--seed", "3", "--out", str(out)]
    command += ["--grids", "10", "--correction", "holm"]
    done = RUNNER.invoke(app, command)
    assert done.exit_code == 0, done.output
    assert "Height   continuous" in done.stdout
    assert "kci kept its level of 0.05 in all 2 cells" in done.stdout
    assert "of 10 grids of 2 true nulls (holm); family-wise error" in done.stdout
    assert sha256(out / "pvalues.parquet") == before
    rates = pl.read_parquet(out / "calibration.parquet")
    assert set(rates["feature"]) == {"Height", "country"}
    page = (out / "certificate.md").read_text(encoding="utf-8")
    assert sha256(table) in page
    assert "from seed 3" in page
    assert "numpy" in page
    manifest = json.loads((out / "manifests" / "calibrate.json").read_text(encoding="utf-8"))
    assert set(manifest["outputs"]) == {"calibration.parquet", "certificate.md", "family_wise.parquet"}
    assert (out / "manifests" / "independence.json").is_file()
    hashes = {name: sha256(out / name) for name in manifest["outputs"]}
    assert RUNNER.invoke(app, command).exit_code == 0
    assert {name: sha256(out / name) for name in hashes} == hashes, "the same seed, the same bytes"


def test_invented_people_as_many_as_the_rows(tmp_path: Path) -> None:
    out = tmp_path / "results"
    command = ["calibrate", str(people(tmp_path)), "--tests", "chisq", "--times", "20", "--out", str(out), "--json"]
    done = RUNNER.invoke(app, command)
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    assert {rate["n"] for rate in said["rates"]} == {120}
    assert {rate["scenario"] for rate in said["rates"]} == {"3 levels", "3 skewed levels", "50 levels"}
    assert "chisq" in said["verdicts"]


MISTAKES = [
    (["--like-mine", "--targets", "final_x"], "no column final_x; did you mean final_o?"),
    (["--like-mine", "--given", "contry"], "no column contry; did you mean country?"),
    (["--tests", "kcii"], "no test kcii; choose from auto, kci"),
    (["--times", "0"], "--times"),
    (["--alpha", "1"], "--alpha"),
    (["--seed", "-1"], "--seed"),
    (["--like-mine", "--grids", "-1"], "--grids"),
    (["--like-mine", "--correction", "bonferoni"], "--correction: there is no bonferoni; choose from fdr_bh"),
    (["--like-mine", "--features", "final_o", "--targets", "final_o"], "no features or no targets"),
    (["--like-mine", "--tests", "gcm"], "gcm cannot run without something given"),
]


@pytest.mark.parametrize(("options", "says"), MISTAKES)
def test_mistakes_are_one_sentence(tmp_path: Path, options: list[str], says: str) -> None:
    out = tmp_path / "out"
    done = RUNNER.invoke(app, ["calibrate", str(people(tmp_path)), *options, "--out", str(out)])
    assert isinstance(done.exception, PersonaxError)
    assert says in str(done.exception)
    assert not (out / "certificate.md").exists()


def test_a_study_is_calibrated_for_its_own_columns_and_the_report_says_so(tmp_path: Path) -> None:
    people(tmp_path)
    study = "name: s\nseed: 1\ncollect: {source: table, path: people.csv}\nindependence: {figures: false}\nreport: {}\n"
    (tmp_path / "s.yaml").write_text(study, encoding="utf-8")
    assert RUNNER.invoke(app, ["run", str(tmp_path / "s.yaml")]).exit_code == 0
    before = (tmp_path / "s" / "report" / "index.html").read_text(encoding="utf-8")
    assert "the level was not measured on this table" in before
    command = ["calibrate", str(tmp_path / "s.yaml"), "--like-mine", "--times", "20", "--grids", "2"]
    done = RUNNER.invoke(app, command)
    assert done.exit_code == 0, done.output
    assert pl.read_parquet(tmp_path / "s" / "calibration" / "calibration.parquet")["target"].unique().to_list() == [
        "final_o"
    ]
    assert RUNNER.invoke(app, ["report", str(tmp_path / "s.yaml")]).exit_code == 0
    after = (tmp_path / "s" / "report" / "index.html").read_text(encoding="utf-8")
    assert "on nulls like these the level was kept in" in after
    assert RUNNER.invoke(app, ["status", str(tmp_path / "s.yaml")]).exit_code == 0
    wrong = RUNNER.invoke(app, [*command, "--missing", "NA"])
    assert wrong.exit_code != 0
