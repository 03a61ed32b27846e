"""personax discover on somebody's table: files, options, one sentence for every mistake."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.cli.program import one_sentence
from tests.cli.program import personax as program

from personax.schema import Graph


def personax(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return program("discover", *words)


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """Return a table in which sex and food decide height, and height decides weight."""
    rng = np.random.default_rng(0)
    sex, food = rng.integers(2, size=(2, 200))
    height = 165 + 14 * sex + 12 * food + rng.normal(size=200) * 4
    weight = height - 100 + rng.normal(size=200) * 10
    frame = pl.DataFrame({
        "id": [f"p{i}" for i in range(200)], "sex": np.array(["f", "m"])[sex], "food": np.array(["poor", "rich"])[food],
        "height": height.round(1), "weight": weight.round(1),
    })  # fmt: skip
    path = tmp_path / "people.csv"
    frame.with_columns(pl.when(pl.int_range(pl.len()) > 2).then("weight")).write_csv(path)
    return path


def test_from_a_table_to_files(people: Path, tmp_path: Path) -> None:
    (tmp_path / "known.yaml").write_text("tiers: [[sex, food], [height], [weight]]\n")
    out = tmp_path / "out"
    done = personax(people, "--knowledge", tmp_path / "known.yaml", "--bootstraps", "2", "--jobs", "2", "--out", out)
    assert done.returncode == 0, done.stderr
    graph = Graph.from_json((out / "graph.json").read_text())
    causes = {(edge.source, edge.target) for edge in graph.edges if edge.kind == "directed"}
    assert causes == {("sex", "height"), ("food", "height"), ("height", "weight")}
    assert "id" not in {node.id for node in graph.nodes}
    assert "sex" in done.stdout
    assert "nominal" in done.stdout
    assert "-->" in done.stdout
    assert "left out of those tests" in done.stdout
    stability = pl.read_csv(out / "stability.csv")
    assert {"source", "target", "any", "forward", "backward", "undirected", "bidirected"} <= set(stability.columns)
    manifest = json.loads((out / "manifests" / "discover.json").read_text())
    assert manifest["counts"]["bootstraps"] == 2
    assert manifest["plan"]["knowledge"]["tiers"] == [["sex", "food"], ["height"], ["weight"]]
    assert "graph.json" in manifest["outputs"]


def test_json_is_json_and_fci_prints_nothing_of_its_own(people: Path, tmp_path: Path) -> None:
    (tmp_path / "known.yaml").write_text("forbidden: [[height, sex]]\n")
    options: list[str | Path] = [
        "--algorithm",
        "fci",
        "--columns",
        "sex,height,weight",
        "--knowledge",
        tmp_path / "known.yaml",
    ]
    done = personax(people, *options, "--out", tmp_path / "out", "--json")
    summary = json.loads(done.stdout)
    assert summary["variables"] == 3
    assert summary["tests"] >= 3
    graph = Graph.from_json((tmp_path / "out" / "graph.json").read_text())
    kinds = {(edge.source, edge.target): edge.kind for edge in graph.edges}
    assert kinds["sex", "height"] == "partially_directed"
    assert graph.details["algorithm"] == "fci"
    assert not (tmp_path / "out" / "stability.csv").exists()


BAD = [
    (["--columns", "sex,heigth"], "there is no column heigth; did you mean height?"),
    (["--columns", "sex"], "needs at least two columns"),
    (["--test", "fisherz"], "fisherz needs numbers and sex is nominal"),
    (["--test", "chisq"], "chisq needs categories and height has"),
    (["--test", "kcit"], "--test"),
    (["--algorithm", "gies"], "--algorithm"),
    (["--algorithm", "ges"], "ges needs numbers and sex is nominal"),
    (["--algorithm", "boss", "--alpha", "0.05"], "alpha does not apply: boss scores whole graphs"),
    (["--algorithm", "ges", "--test", "kci"], "test does not apply"),
    (["--alpha", "0"], "--alpha"),
    (["--bootstraps", "-1"], "--bootstraps"),
    (["--knowledge", "nowhere.yaml"], "there is no file of background knowledge nowhere.yaml"),
]


@pytest.mark.parametrize(("options", "says"), BAD)
def test_options_that_make_no_sense(people: Path, tmp_path: Path, options: list[str], says: str) -> None:
    done = personax(people, *options, "--out", tmp_path / "out")
    assert says in one_sentence(done)
    assert not (tmp_path / "out" / "graph.json").exists()


BAD_KNOWLEDGE = [
    ("teirs: [[sex]]", "line 1, teirs: unknown key teirs; did you mean tiers?"),
    ("tiers: [sex]", "must be a valid list"),
    ("forbidden: [[sex]]", "forbidden"),
    ("required: [[sex, wieght]]", "there is no column wieght; did you mean weight?"),
    ("tiers: [[height], [sex]]\nrequired: [[sex, height]]", "of an earlier tier"),
    ("", "holds no settings"),
]


@pytest.mark.parametrize(("text", "says"), BAD_KNOWLEDGE)
def test_knowledge_that_cannot_be_read_or_true(people: Path, tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "known.yaml").write_text(text)
    assert says in one_sentence(personax(people, "--knowledge", tmp_path / "known.yaml", "--out", tmp_path / "out"))
