"""personax independence on a table: what it writes, and what it says of mistakes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import polars as pl
import pytest
from tests.cli.program import personax as program

from personax.cli import main


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr("sys.argv", ["personax", "independence", *words])
    try:
        main()
    except SystemExit as stopped:
        return int(stopped.code or 0)
    return 0


@pytest.fixture
def table(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    n = 150
    age = rng.integers(20, 60, n)
    group = rng.choice(["u", "v"], n)
    frame = pl.DataFrame({"age": age, "group": group, "height": (160 + age / 3 + rng.normal(0, 5, n)).round()})
    frame = frame.with_columns(final_o=pl.Series(1 + (age > 35) + rng.integers(0, 2, n)))
    frame.write_csv(tmp_path / "people.csv")
    frame.write_parquet(tmp_path / "people.parquet")
    return tmp_path


def test_everything_at_once(table: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    out = table / "out"
    words = ["--tests", "auto,kci,rcit,chisq,gcm", "--given", "age", "--by", "group", "--draws", "3", "--jobs", "2"]
    assert run(monkeypatch, str(table / "people.csv"), *words, "--out", str(out), "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["tests"] > 0
    written = {path.name for path in out.iterdir()}
    assert {"pvalues.parquet", "heterogeneity.csv", "graph.graphml", "heatmap_kci.svg", "heatmap_kci.png"} <= written
    pvalues = pl.read_parquet(out / "pvalues.parquet")
    assert pvalues["subgroup"].unique().sort().to_list() == ["all", "u", "v"]
    assert set(pvalues["given"]) == {"age"}
    assert pvalues.filter(pl.col("test") == "rcit")["p_stability"].null_count() == 0
    assert set(nx.read_graphml(out / "graph.graphml").nodes) == {"height", "final_o"}
    assert json.loads((out / "manifests" / "independence.json").read_text())["plan"]["given"] == ["age"]


def test_no_figures(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = table / "plain"
    assert run(monkeypatch, str(table / "people.csv"), "--no-figures", "--permutations", "99", "--out", str(out)) == 0
    assert not list(out.glob("*.png"))
    methods = pl.read_parquet(out / "pvalues.parquet").select("test", "method").drop_nulls().rows()
    assert dict(methods)["chisq"] == "permutation"


def test_a_large_file_is_counted_where_it_lies(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["--tests", "kci,rcit,chisq", "--no-figures", "--by", "group"]
    assert run(monkeypatch, str(table / "people.parquet"), *words, "--out", str(table / "read")) == 0
    monkeypatch.setattr("personax.stages._independence.LARGE_BYTES", 0)

    def never(*_: Any, **__: Any) -> None:
        raise AssertionError("the file was read whole")

    monkeypatch.setattr("personax.stages._independence.read_table", never)
    assert run(monkeypatch, str(table / "people.parquet"), *words, "--out", str(table / "counted")) == 0
    read, counted = (pl.read_parquet(table / name / "pvalues.parquet") for name in ("read", "counted"))
    assert read.drop_nulls("p_value").height > 0
    assert np.allclose(read["p_value"].to_numpy(), counted["p_value"].to_numpy(), rtol=1e-7, equal_nan=True)
    assert read.select("group", "subgroup", "feature", "target", "test", "n").equals(
        counted.select("group", "subgroup", "feature", "target", "test", "n")
    )


@pytest.mark.parametrize("words", [["--missing", "-99"], ["--strict"], ["--missing", "NA,-99", "--strict"]])
def test_what_is_counted_where_it_lies_takes_no_option_of_reading(
    table: Path, words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("personax.stages._independence.LARGE_BYTES", 0)
    assert run(monkeypatch, str(table / "people.parquet"), *words, "--out", str(table / "counted")) == 1
    said = " ".join(capsys.readouterr().err.split())
    assert f"{' and '.join(word for word in words if word.startswith('--'))} would not apply" in said
    assert not (table / "counted" / "pvalues.parquet").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--tests", "anova"], "--tests"),
        (["--given", "agee"], "independence.given: there is no column agee; did you mean age?"),
        (["--by", "nothing"], "independence.by: there is no column nothing"),
        (["--by", "height", "--features", "age"], "splits the people|values; give a column"),
        (["--features", "age", "--given", "age"], "every feature is also a target, given"),
    ],
)
def test_mistakes_are_one_sentence(
    table: Path, words: list[str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(monkeypatch, str(table / "people.csv"), *words, "--no-figures", "--out", str(table / "out"))
    shown = capsys.readouterr().err
    if code == 0:  # 30-odd heights are groups, if silly ones
        assert words[0] == "--by"
        return
    assert code == 1
    assert any(part in shown for part in said.split("|"))
    assert "Traceback" not in shown


def test_a_pattern_or_a_folder_of_files_is_one_table(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({"team": rng.choice(list("abc"), 600), "trait": rng.integers(1, 4, 600)})
    for year in (2023, 2024):
        folder = tmp_path / "data" / f"year={year}"
        folder.mkdir(parents=True)
        frame[:300].write_parquet(folder / "part-0.parquet")
    words = ["--features", "team", "--targets", "trait", "--tests", "chisq", "--no-figures", "--out"]
    for number, place in enumerate((tmp_path / "data", tmp_path / "data" / "*" / "*.parquet")):
        out = tmp_path / f"out-{number}"
        done = program("independence", place, *words, out)
        assert done.returncode == 0, done.stderr
        assert pl.read_parquet(out / "pvalues.parquet")["n"].to_list() == [600]
        inputs = json.loads((out / "manifests" / "independence.json").read_text())["inputs"]
        assert sorted(inputs) == ["year=2023/part-0.parquet", "year=2024/part-0.parquet"]


def test_a_dependence_that_turns_between_subgroups_is_said(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    group = rng.integers(2, size=300)
    v = rng.normal(size=300)
    w = np.where(group == 1, 0.5, -0.5) * v + 0.87 * rng.normal(size=300)
    people = {"v": v, "w": w, "noise": rng.normal(size=300), "g": np.where(group == 1, "a", "b")}
    pl.DataFrame(people).write_csv(tmp_path / "people.csv")
    options = ["--features", "v,noise", "--targets", "w", "--by", "g", "--no-figures", "--out", str(tmp_path / "out")]
    options += ["--correction", "bonferroni", "--tests", "kci"]
    done = program("independence", tmp_path / "people.csv", *options)
    assert "another one in other subgroups" in " ".join(done.stdout.split())
    found = pl.read_csv(tmp_path / "out" / "heterogeneity.csv")
    assert min(found["p_corrected"].to_list()) < 1e-10, "r is +.5 in one group and -.5 in the other"
    plain = (2 * found["p_heterogeneity"]).clip(upper_bound=1.0)
    assert found["p_corrected"].to_list() == pytest.approx(plain.to_list()), "as the study corrects"


@pytest.mark.parametrize(
    ("table", "extra", "why"),
    [
        ("x,y\n1,2\n", [], "only 1 row"),
        ("x,y\n" + "".join(f"{i}.5,{i * i % 7}.25\n" for i in range(40)), ["--tests", "usp"], "needs categories"),
    ],
)
def test_where_no_pair_can_be_tested_the_reason_is_said_and_the_end_is_1(
    table: str, extra: list[str], why: str, tmp_path: Path
) -> None:
    """It printed the head of an empty table, and ended with 0."""
    (tmp_path / "t.csv").write_text(table, encoding="utf-8")
    done = program("independence", tmp_path / "t.csv", "--features", "x", "--targets", "y", "--no-figures",
                   "--out", tmp_path / "out", *extra)  # fmt: skip
    assert done.returncode == 1
    assert "no pair could be tested" in done.stderr
    assert why in done.stderr
    assert (tmp_path / "out" / "pvalues.csv").is_file()
