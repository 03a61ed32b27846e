"""personax crl DATA: latents from embeddings of one's own, and what bad input is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

pytest.importorskip("torch", reason="torch is not installed: pip install personax[crl]")

from tests.cli.program import personax

from personax.cli import app
from personax.crl import load_fit
from personax.crl.methods._vae import BetaVAE
from personax.errors import PersonaxError
from personax.simulate import numerical

runner = CliRunner()
MODALITIES = "measurements:\n  one: {k: a}\n  two: {k: b}\nlatents: {one: 2, two: 2}\n"


def place(folder: Path, modalities: str = MODALITIES, n: int = 120, **arrays: Any) -> list[str]:
    data = numerical(1, n=n, rng=np.random.default_rng(0))
    own = {"id": np.array([f"p{i}" for i in range(n)]), "a": data.views["m1"]["k1"], "b": data.views["m2"]["k1"]}
    np.savez(folder / "emb.npz", **(own | arrays))
    (folder / "mod.yaml").write_text(modalities, encoding="utf-8")
    given = ["crl", str(folder / "emb.npz"), "--modalities", str(folder / "mod.yaml"), "--out", str(folder / "out")]
    return [*given, "--epochs", "1"]


def test_latents_of_the_chosen_seed_are_written_with_all_seeds(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="torch is not installed: pip install personax[crl]")
    done = runner.invoke(app, [*place(tmp_path), "--seeds", "2", "--json"])
    assert done.exit_code == 0, done.output
    latents = pl.read_parquet(tmp_path / "out" / "latents.parquet")
    assert latents.columns == ["id", "one_1", "one_2", "two_1", "two_2"]
    assert latents["id"].to_list()[:2] == ["p0", "p1"]
    seeds = pl.read_parquet(tmp_path / "out" / "seeds.parquet")
    best = seeds.sort("objective").row(0, named=True)
    assert best["chosen"]
    assert seeds["chosen"].sum() == 1
    told = json.loads(done.stdout)
    assert told["metrics"]["choice"]["seed chosen"] == best["seed"]
    assert set(told["files"]) >= {"latents.parquet", "seeds.parquet", "graph.json", "metrics.json"}
    diagnostics = json.loads((tmp_path / "out" / "diagnostics.json").read_text(encoding="utf-8"))
    assert told["notices"][0] == diagnostics["claim"]
    assert diagnostics["edges under refitting"]["refits"] == [f"seed {1 - best['seed']}"]
    graph = json.loads((tmp_path / "out" / "graph.json").read_text(encoding="utf-8"))
    told_apart = {row["latent"] for row in diagnostics["identification"] if row["verdict"] == "identified"}
    for edge in graph["edges"]:
        assert edge.get("doubtful", False) is not told_apart.issuperset({edge["source"], edge["target"]})


def test_halves_are_fitted_where_they_are_asked_for_and_change_nothing_else(tmp_path: Path) -> None:
    args = [*place(tmp_path), "--seeds", "1", "--method", "pca"]
    plain = runner.invoke(app, args)
    latents = (tmp_path / "out" / "latents.parquet").read_bytes()
    done = runner.invoke(app, [*args, "--halves"])
    assert plain.exit_code == done.exit_code == 0, done.output
    assert (tmp_path / "out" / "latents.parquet").read_bytes() == latents
    rows = json.loads((tmp_path / "out" / "diagnostics.json").read_text(encoding="utf-8"))["identification"]
    assert all(0 <= row["halves"] <= 1 for row in rows)
    assert {row["verdict"] for row in rows} == {"not identified"}
    assert "What may be claimed" in done.output
    assert "0 of 4 latents are identified" in " ".join(done.output.split())


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    args = [*place(tmp_path), "--seeds", "1", "--method", "pca"]
    written = []
    for _ in range(2):
        assert runner.invoke(app, args).exit_code == 0
        written.append((tmp_path / "out" / "latents.parquet").read_bytes())
    assert written[0] == written[1]


def test_what_was_stopped_goes_on_to_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    for folder in (whole, stopped):
        folder.mkdir()
    args = [*place(stopped), "--seeds", "3", "--method", "betavae"]
    assert runner.invoke(app, [*place(whole), "--seeds", "3", "--method", "betavae"]).exit_code == 0

    class Stopped(BetaVAE):
        fits = 0

        def fit(self, *given: Any, **named: Any) -> Any:
            Stopped.fits += 1
            if Stopped.fits == 3:
                raise KeyboardInterrupt
            return super().fit(*given, **named)

    monkeypatch.setattr("personax.stages._fit_latents.method", lambda _: Stopped())
    done = personax(*args)
    assert done.returncode == 130
    assert "finished seeds are in" in done.stderr
    assert "the same command goes on from there" in done.stderr
    assert not (stopped / "out" / "latents.parquet").exists()
    assert runner.invoke(app, args).exit_code == 0
    assert Stopped.fits == 4  # two, the one that was stopped, and that one again
    for name in ("latents.parquet", "seeds.parquet", "metrics.json", "model.safetensors"):
        assert (whole / "out" / name).read_bytes() == (stopped / "out" / name).read_bytes()
    assert runner.invoke(app, [*args[:-4], "--seeds", "4", "--method", "betavae"]).exit_code == 0
    assert Stopped.fits == 5


def test_what_was_stopped_before_a_seed_ended_says_that_nothing_was_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("personax.crl._select.run_fits", stopped)
    args = [*place(tmp_path), "--seeds", "2", "--method", "pca"]
    done = personax(*args)
    assert done.returncode == 130
    assert "none of the seeds had ended, so nothing was kept; the same command begins anew" in done.stderr
    (tmp_path / "out" / "fits" / "seed-0.checkpoint").mkdir()
    assert "none of the seeds had ended; what was done is in" in personax(*args).stderr


def test_seeds_of_another_run_are_refused(tmp_path: Path) -> None:
    args = [*place(tmp_path), "--seeds", "1", "--method", "pca"]
    assert runner.invoke(app, args).exit_code == 0
    for more in (["--seed", "1"], ["--epochs", "2"]):
        done = runner.invoke(app, [*args, *more])
        assert "holds seeds of other people, arguments or versions; give another --out" in str(done.exception)
    place(tmp_path, n=121)
    assert "holds seeds of other people" in str(runner.invoke(app, args).exception)


def test_a_damaged_seed_is_named(tmp_path: Path) -> None:
    args = [*place(tmp_path), "--seeds", "1", "--method", "pca"]
    assert runner.invoke(app, args).exit_code == 0
    (tmp_path / "out" / "fits" / "seed-0.safetensors").write_bytes(b"half")
    done = runner.invoke(app, args)
    assert isinstance(done.exception, PersonaxError)
    assert "seed-0.safetensors is not a fit" in str(done.exception)
    assert "remove the file, and the same command fits that seed anew" in str(done.exception)


def test_the_number_of_latents_is_chosen(tmp_path: Path) -> None:
    done = runner.invoke(app, [*place(tmp_path), "--seeds", "1", "--method", "pca", "--upto", "3", "--json"])
    assert done.exit_code == 0, done.output
    tried = pl.read_parquet(tmp_path / "out" / "dimensions.parquet")
    assert tried.group_by("modality").len()["len"].to_list() == [3, 3]
    taken = dict(tried.filter("chosen").select("modality", "latents").iter_rows())
    assert json.loads(done.stdout)["latents"] == taken
    assert pl.read_parquet(tmp_path / "out" / "latents.parquet").width == 1 + sum(taken.values())
    shown = runner.invoke(app, [*place(tmp_path), "--seeds", "1", "--method", "pca", "--upto", "3"])
    assert "Numbers of latents" in shown.output


def test_measurements_may_lie_in_a_folder_and_the_word_data_may_stand(tmp_path: Path) -> None:
    data = numerical(1, n=60, rng=np.random.default_rng(0))
    ids = np.array([str(i) for i in range(60)])
    np.savez(tmp_path / "a.npz", id=ids, vectors=data.views["m1"]["k1"])
    np.savez(tmp_path / "b.npz", id=ids[::-1], vectors=data.views["m2"]["k1"][::-1])
    (tmp_path / "mod.yaml").write_text(MODALITIES.replace(": a", ": a.npz").replace(": b", ": b.npz"))
    args = ["crl", "data", str(tmp_path), "--modalities", str(tmp_path / "mod.yaml"), "--out", str(tmp_path / "out")]
    assert runner.invoke(app, [*args, "--seeds", "1", "--method", "pca"]).exit_code == 0
    assert pl.read_parquet(tmp_path / "out" / "latents.parquet")["id"].to_list() == ids.tolist()


def test_a_prior_reaches_the_method(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="torch is not installed: pip install personax[crl]")
    told = MODALITIES + "prior: {tiers: [[two], [one]]}\n"
    args = [*place(tmp_path, told), "--seeds", "1", "--method", "paper"]
    assert runner.invoke(app, args).exit_code == 0
    kinds = {(e["source"], e["target"]) for e in json.loads((tmp_path / "out" / "graph.json").read_text())["edges"]}
    assert {f"two_{i}" for i in (1, 2)} & {source for source, _ in kinds}, "else this would not show anything"
    assert not any(source.startswith("one") and target.startswith("two") for source, target in kinds)
    wrong = [*place(tmp_path, told.replace("one]]", "too]]")), "--seeds", "1", "--method", "paper"]
    again = runner.invoke(app, wrong)
    assert "prior: there is no modality too; did you mean two" in str(again.exception)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"modalities": "measurements:\n  one: {k: a}\nlatents: {one: 2, two: 2}\n"},
            "two stands not under measurements",
        ),
        ({"modalities": MODALITIES.replace("latents:", "latent:")}, "unknown key latent; did you mean latents"),
        ({"modalities": MODALITIES.replace(": a", ": c")}, "has no c"),
        ({"modalities": MODALITIES.replace("one: 2", "one: 40")}, "fewer dimensions"),
        ({"a": np.ones((120, 3))}, "fewer dimensions that vary"),
        ({"a": np.full((120, 3), np.nan)}, "missing or infinite numbers"),
        ({"a": np.ones((7, 3))}, "one/k has 7 rows and there are 120 ids"),
        ({"modalities": MODALITIES + "prior: {tiers: [[one], [too]]}\n"}, "pca learns no graph that knows one"),
        ({"modalities": MODALITIES + "prior: {tier: [[one], [two]]}\n"}, "unknown key tier; did you mean tiers"),
        ({"n": 5}, "too few"),
        ({"n": 1}, "too few"),
    ],
)
def test_bad_input_is_told_in_a_sentence(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    done = runner.invoke(app, [*place(tmp_path, **change), "--seeds", "1", "--method", "pca"])
    assert done.exit_code != 0
    assert isinstance(done.exception, PersonaxError)  # which the program tells without a traceback: see test_cli.py
    assert said in str(done.exception)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--method", "betavea"], "there is no betavea; did you mean betavae?"),
        (["--method", "supervised"], "there is no supervised"),
        (["--choose", "truth"], "objective, agreement or exclusivity"),
    ],
)
def test_bad_options_are_told_in_a_sentence(tmp_path: Path, more: list[str], said: str) -> None:
    done = runner.invoke(app, [*place(tmp_path), *more])
    assert done.exit_code != 0
    assert isinstance(done.exception, PersonaxError)
    assert said in str(done.exception)


def test_faster_steps_reach_the_method(tmp_path: Path) -> None:
    """People are fewer than a batch, so that nothing is compiled and the command says so."""
    pytest.importorskip("torch", reason="torch is not installed: pip install personax[crl]")
    args = [*place(tmp_path), "--seeds", "1", "--method", "mmcrl", "--half", "--compiled", "--device", "cpu"]
    done = runner.invoke(app, args)
    assert done.exit_code == 0, done.output
    assert "Steps were not compiled" in " ".join(done.output.split())
    budget = load_fit(tmp_path / "out" / "model.safetensors").result.budget  # type: ignore[attr-defined]
    assert (budget.half, budget.compiled, budget.device) == (True, True, "cpu")
    again = runner.invoke(app, [arg for arg in args if arg != "--half"])
    assert "holds seeds of other people, arguments or versions" in str(again.exception)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--device", "gpu"], "--device is auto, cpu or cuda, not gpu"),
        (["--half", "--method", "betavae"], "half: betavae has no such steps; mmcrl and paper have"),
        (["--half", "--compiled"], "compiled and half: default has no such steps; mmcrl and paper have"),
    ],
)
def test_what_a_method_cannot_do_faster_is_refused(tmp_path: Path, more: list[str], says: str) -> None:
    done = runner.invoke(app, [*place(tmp_path), "--seeds", "1", *more])
    assert isinstance(done.exception, PersonaxError)
    assert str(done.exception) == says


def test_the_same_run_may_be_asked_for_with_any_name_of_its_device(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed: pip install personax[crl]")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    args = [*place(tmp_path), "--seeds", "1", "--method", "pca"]
    assert runner.invoke(app, args).exit_code == 0
    assert runner.invoke(app, [*args, "--device", "auto"]).exit_code == 0
