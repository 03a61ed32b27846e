"""personax crl compare: results, benchmarks, saved fits and studies on one page; a sentence for every wrong input."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from tests.cli.program import personax

from personax.crl import load_fit
from personax.simulate import numerical
from personax.stages import read_known_latents, read_runs

pytest.importorskip("torch", reason="torch is not installed: pip install personax[crl]")

MODALITIES = "measurements:\n  m1: {a: a}\n  m2: {b: b}\nlatents: {m1: 2, m2: 2}\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs of the same people, a benchmark of two methods, the truth; never to be changed."""
    root = tmp_path_factory.mktemp("compare")
    data = numerical(case=1, n=120, rng=np.random.default_rng(0))
    arrays: dict[str, Any] = {name: next(iter(data.views[m].values())) for name, m in (("a", "m1"), ("b", "m2"))}
    ids = np.array([f"p{i}" for i in range(120)])
    np.savez(root / "data.npz", id=ids, **arrays)
    np.savez(root / "truth.npz", id=ids, latents=data.latents, names=np.array(data.names), adjacency=data.adjacency)
    pl.DataFrame({"id": ids} | dict(zip(data.names, data.latents.T, strict=True))).write_csv(root / "truth.csv")
    (root / "mod.yaml").write_text(MODALITIES)
    for method, out in (("paper", "one"), ("pca", "two")):
        command = [root / "data.npz", "--modalities", root / "mod.yaml", "--seeds", 1, "--epochs", 2]
        assert personax("crl", *map(str, command), "--method", method, "--out", root / out).returncode == 0
    marks = {"identification": [{"latent": "m1_1", "verdict": "not <b>identified</b>"}]}
    (root / "two" / "diagnostics.json").write_text(json.dumps({"assumptions": []} | marks))
    bench = ["--n", "400", "--epochs", "1", "--seeds", "1", "--methods", "pca,betavae", "--no-figures"]
    assert personax("crl", "benchmark", "--data", "variant-mnist", *bench, "--out", root / "bench").returncode == 0
    return root


def compare(folder: Path, *args: object) -> Any:
    return personax("crl", "compare", *map(str, args), "--out", folder / "page.html")


def test_results_fits_and_a_truth_on_one_page(folder: Path, tmp_path: Path) -> None:
    shutil.copy(folder / "two" / "model.safetensors", tmp_path / "fit.safetensors")
    people = ["--data", folder / "data.npz", "--modalities", folder / "mod.yaml"]
    args = [folder / "one", folder / "two", tmp_path / "fit.safetensors", "--truth", folder / "truth.npz", *people]
    told = compare(tmp_path, *args, "--json")
    assert told.returncode == 0, told.stderr
    facts = json.loads(told.stdout)
    assert [one["people"] for one in facts["pairs"]] == [120, 120, 120]
    assert facts["pairs"][2]["mcc_spearman"] == pytest.approx(1)  # the saved fit is that of its run
    assert len(facts["scores"]) == 3
    assert facts["scores"][0]["wrong_edges"] is not None
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    for anchor in re.findall(r'href="#(\w+)"', page):
        assert f'id="{anchor}"' in page
    assert "not &lt;b&gt;identified&lt;/b&gt;" in page
    assert "://" not in page.split("<script>")[0]  # the drawing library names licences and namespaces
    assert "p17" not in page  # nobody's id
    assert page.count('data-kind="lines"') > 1


def test_a_benchmark_is_as_many_runs_with_their_own_truth_and_traversals(folder: Path, tmp_path: Path) -> None:
    told = compare(tmp_path, folder / "bench", "--json")
    facts = json.loads(told.stdout)
    assert [one["run"] for one in facts["runs"]] == ["bench: betavae, seed 0", "bench: pca, seed 0"]
    assert [row["people"] for row in facts["scores"]] == [40, 40]
    assert "data:image/png;base64," in (tmp_path / "page.html").read_text(encoding="utf-8")
    parts = sorted((folder / "bench" / "parts").glob("*.npz"))
    shown = compare(tmp_path, *parts)
    assert shown.returncode == 0
    assert "Matched latents" in shown.stdout


def test_truths_of_every_kind_are_the_same(folder: Path, tmp_path: Path) -> None:
    table = pl.read_csv(folder / "truth.csv")
    table.write_parquet(tmp_path / "truth.parquet")
    single: dict[str, Any] = {name: table[name].to_numpy() for name in table.columns if name != "id"}
    np.savez(tmp_path / "single.npz", id=table["id"].to_numpy().astype(str), **single)
    first = read_known_latents(folder / "truth.npz")
    for path in (folder / "truth.csv", tmp_path / "truth.parquet", tmp_path / "single.npz"):
        known = read_known_latents(path)
        assert (list(known.ids), known.names) == (list(first.ids), first.names)
        assert known.latents == pytest.approx(first.latents)


def test_what_is_read_is_what_the_fit_encodes(folder: Path) -> None:
    (found,) = read_runs(folder / "two")
    with np.load(folder / "data.npz") as held:
        views = {"m1": {"a": held["a"]}, "m2": {"b": held["b"]}}
    assert found.latents == pytest.approx(load_fit(folder / "two").encode(views), abs=1e-5)
    assert found.objective == pytest.approx(load_fit(folder / "two").objective)


def test_every_wrong_input_is_one_sentence(folder: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged"
    shutil.copytree(folder / "one", damaged)
    (damaged / "latents.parquet").write_bytes(b"PAR1 no more")
    part = tmp_path / "b" / "parts" / "0-pca.npz"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"PK")
    (part.parent / "arguments.json").write_text("{}")
    part.with_suffix(".json").write_text("{}")
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.csv").write_text("id,word\np1,a\n")
    (tmp_path / "others.csv").write_text("id,z_1\n" + "".join(f"q{i},{i}\n" for i in range(50)))
    one, two = folder / "one", folder / "two"
    cases: list[tuple[list[object], str]] = [
        ([one], "1 run cannot be compared"),
        ([one, one], "given twice"),
        ([one, folder / "bench" / "parts" / "0-pca.npz"], "people in common"),
        ([one, damaged], "damaged (is damaged|\\()"),
        ([one, tmp_path / "b"], "cannot be read"),
        ([one, tmp_path / "empty"], "holds no run of Level II"),
        ([one, tmp_path / "gone"], "there is no run"),
        ([one, two / "model.safetensors"], "holds no people; give --data and --modalities"),
        ([one, two, "--data", folder / "data.npz"], "give both or neither"),
        ([one, two, "--truth", tmp_path / "gone.npz"], "there is no file"),
        ([one, two, "--truth", tmp_path / "text.csv"], "holds no latents"),
        ([one, two, "--truth", part], "cannot be read"),
        ([one, two, "--truth", tmp_path / "others.csv"], "fewer than 20 people in common"),
    ]
    for args, says in cases:
        told = compare(tmp_path, *args)
        words = " ".join((told.stderr + told.stdout).split())
        assert told.returncode != 0, args
        assert re.search(says, words), (args, words)
        assert "Traceback" not in words
        assert not (tmp_path / "page.html").exists()
