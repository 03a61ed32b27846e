"""personax falsify: a graph in a text or graph.json, a table, a sentence and an exit code."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.cli.program import one_sentence
from tests.cli.program import personax as program


def personax(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return program("falsify", *words)


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """Return a table in which sex and food decide height, height decides weight and weight speed; luck stands apart."""
    rng = np.random.default_rng(0)
    sex, food = rng.integers(2, size=(2, 250))
    height = 165 + 14 * sex + 9 * food + rng.normal(size=250) * 5
    weight = height - 100 + rng.normal(size=250) * 8
    path = tmp_path / "people.csv"
    values = {"sex": np.array(["f", "m"])[sex], "height": height, "weight": weight, "luck": rng.normal(size=250)}
    values |= {"food": food, "speed": 40 - weight / 5 + rng.normal(size=250)}
    pl.DataFrame(values).write_csv(path)
    return path


def test_a_graph_of_dot_like_lines_stands(people: Path, tmp_path: Path) -> None:
    (tmp_path / "graph.txt").write_text(
        '# mine\ndigraph {\n"sex" -> "height";\nfood -> height\nweight <- height\nweight → speed\nluck\n}\n'
    )
    out = tmp_path / "out"
    done = personax(tmp_path / "graph.txt", people, "--permutations", "40", "--out", out)
    assert done.returncode == 0, done.stderr
    assert "0 of" in done.stdout.replace("\n", " ")
    facts = json.loads((out / "falsification.json").read_text())
    assert facts["falsified"] is False
    assert pl.read_csv(out / "implications.csv").filter(pl.col("says") == "dependent").height == 4
    assert (out / "manifests" / "falsify.json").exists()


def test_a_graph_that_is_no_better_than_chance_ends_with_1(people: Path, tmp_path: Path) -> None:
    (tmp_path / "graph.txt").write_text("luck -> weight\nluck -> sex\n height -> luck\nspeed -> food\n")
    done = personax(tmp_path / "graph.txt", people, "--permutations", "40", "--out", tmp_path / "out", "--json")
    assert done.returncode == 3
    told = json.loads(done.stdout)
    assert told["falsified"] is True
    assert any(one["violated"] for one in told["implications"])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("sex -- height", "line 1: sex -- height is no edge a -> b"),
        ("sex -> heigth", "did you mean height?"),
        ("{", "no graph.json of personax"),
        ("sex -> height\nheight -> sex", "in a circle"),
        ("", "fewer than two nodes"),
    ],
)
def test_what_is_no_graph(people: Path, tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "graph.txt").write_text(text)
    assert says in one_sentence(personax(tmp_path / "graph.txt", people, "--out", tmp_path / "out"))
    assert not (tmp_path / "out" / "falsification.json").exists()
