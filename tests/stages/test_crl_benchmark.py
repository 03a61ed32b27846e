"""The Level II benchmark: it resumes, refuses what does not fit, and its tables and figures say what was scored."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from personax.crl import align, match
from personax.crl.methods import method
from personax.errors import InputError, PlanError
from personax.progress import Silent
from personax.stages import _crl_benchmark as module
from personax.stages._crl_benchmark import (
    MOST_PEOPLE,
    CrlBenchmark,
    KeptFit,
    history_of,
    load_kept,
    run_benchmark,
    save_kept,
)
from personax.stages._crl_benchmark_results import (
    FLOORS,
    METRICS,
    OPTIONAL,
    aligned,
    draw_benchmark,
    pairs_of,
    reject_none,
    rows_of,
    summary_table,
)


def asked(methods: list[str], seeds: int = 1, **changes: Any) -> CrlBenchmark:
    return CrlBenchmark("numerical", {"case": 1}, methods, seeds, n=400, epochs=2, **changes)


def run(what: CrlBenchmark, parts: Path) -> list[dict[str, Any]]:
    return list(run_benchmark(what, parts, Silent()))


def times(parts: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in parts.iterdir() if path.name != "arguments.json"}


def untimed(result: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in result.items() if name != "seconds"}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, Any]]]:
    """Two seeds of a closed method, a floor of methods and one with a graph, never to be changed."""
    parts = tmp_path_factory.mktemp("run_benchmark") / "parts"
    return parts, run(asked(["pca", "random", "paper"], seeds=2), parts)


@pytest.fixture
def copied(finished: tuple[Path, list[dict[str, Any]]], tmp_path: Path) -> Path:
    shutil.copytree(finished[0], tmp_path / "parts")
    return tmp_path / "parts"


def test_every_seed_and_method_has_a_part_and_its_arrays(finished: tuple[Path, list[dict[str, Any]]]) -> None:
    parts, results = finished
    assert [(result["seed"], result["method"]) for result in results] == [
        (seed, name) for seed in (0, 1) for name in ("pca", "random", "paper")
    ]
    assert set(times(parts)) == {
        f"{seed}-{name}.{suffix}"
        for seed in (0, 1)
        for name in ("pca", "random", "paper")
        for suffix in ("json", "npz")
    }


def test_what_is_kept_is_what_was_scored(finished: tuple[Path, list[dict[str, Any]]]) -> None:
    parts, results = finished
    data = asked(["pca"]).draw(0)
    part = load_kept(parts / "0-paper.npz")
    assert part is not None
    assert part.latents == pytest.approx(data.latents[360:])
    assert part.names == data.names
    assert (part.true_adjacency == data.adjacency).all()
    assert part.encoded.shape == part.latents.shape == (40, 4)
    assert part.learned_names == ["m1_1", "m1_2", "m2_1", "m2_2"]
    assert part.history["epoch"].tolist() == [1, 2]
    scores = next(r for r in results if (r["seed"], r["method"]) == (0, "paper"))
    assert min(part.history["validation"]) == pytest.approx(scores["objective"])
    pca = load_kept(parts / "0-pca.npz")
    assert pca is not None
    assert pca.adjacency is None
    assert not pca.history


def test_the_figures_know_the_graph_that_was_scored(finished: tuple[Path, list[dict[str, Any]]]) -> None:
    parts, results = finished
    for result in results:
        part = load_kept(parts / f"{result['seed']}-{result['method']}.npz")
        assert part is not None
        if part.adjacency is None:
            continue
        pairs = pairs_of(result)
        found = aligned(part.adjacency, pairs, 4) > 0.5
        assert (found == align(part.adjacency > 0.5, pairs, 4)).all()
        differs = (found != part.true_adjacency) & ~np.eye(4, dtype=bool)
        assert int(np.triu(differs | differs.T, 1).sum()) == result["scores"]["shd"]


@given(st.permutations(range(5)), st.integers(1, 5), st.integers(0, 1000))
def test_certainties_are_aligned_like_edges(order: list[int], k: int, seed: int) -> None:
    adjacency = np.random.default_rng(seed).random((5, 5))
    pairs = [(i, j, 1.0) for j, i in enumerate(order[:k])]
    found = aligned(adjacency, pairs, 5)
    assert ((found > 0.5) == align(adjacency > 0.5, pairs, 5)).all()
    assert np.isnan(found).sum() == 25 - k * k


def test_pairs_are_those_of_the_matching() -> None:
    x = np.random.default_rng(0).normal(size=(500, 3))
    z = -(x[:, [1, 2, 0]] ** 3)
    found = match(z, x, kind="spearman").pairs
    rows = [{"learned": i, "spearman": s} for i, _, s in sorted(found, key=lambda pair: pair[1])]
    scored = pairs_of({"scores": {"latents": [*rows, {"learned": None, "spearman": None}]}})
    assert sorted(scored) == sorted(found)


def test_a_finished_benchmark_is_read_and_not_run(
    finished: tuple[Path, list[dict[str, Any]]], copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_one", _never)
    monkeypatch.setattr(CrlBenchmark, "draw", _never)
    assert run(asked(["pca", "random", "paper"], seeds=2), copied) == finished[1]


def _never(*_: object) -> None:
    raise AssertionError("nothing is left to do")


def test_only_what_is_missing_is_made_again_and_it_is_the_same(
    finished: tuple[Path, list[dict[str, Any]]], copied: Path
) -> None:
    before, array = times(copied), (copied / "1-random.npz").read_bytes()
    (copied / "1-random.json").unlink()
    (copied / "1-random.npz").unlink()
    again = run(asked(["pca", "random", "paper"], seeds=2), copied)
    assert [untimed(result) for result in again] == [untimed(result) for result in finished[1]]
    assert (copied / "1-random.npz").read_bytes() == array
    after = times(copied)
    assert {name for name in before if before[name] != after[name]} == {"1-random.json", "1-random.npz"}


def test_more_seeds_and_methods_go_on_in_the_same_folder(copied: Path) -> None:
    before = times(copied)
    results = run(asked(["cca", "pca"], seeds=3), copied)
    assert len(results) == 6
    assert before.items() <= times(copied).items()


@pytest.mark.parametrize(
    "other",
    [
        CrlBenchmark("numerical", {"case": 2}, ["pca"], 1, n=400, epochs=2),
        CrlBenchmark("numerical", {"case": 1}, ["pca"], 1, n=500, epochs=2),
        CrlBenchmark("numerical", {"case": 1}, ["pca"], 1, n=400, epochs=3),
        CrlBenchmark("variant-mnist", {"case": 1}, ["pca"], 1, n=400, epochs=2),
    ],
)
def test_parts_of_other_arguments_are_refused_and_kept(copied: Path, other: CrlBenchmark) -> None:
    before = times(copied)
    with pytest.raises(PlanError, match="other arguments; give another --out"):
        run(other, copied)
    assert times(copied) == before


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"data": "numericl"}, "--data: there is no numericl; did you mean numerical?"),
        ({"methods": ["pca", "betavea"]}, "--methods: there is no betavea; did you mean betavae?"),
        ({"seeds": 0}, "numbers from 1"),
        ({"first": -1}, "numbers from 1"),
        ({"epochs": 0}, "numbers from 1"),
        ({"n": 399}, "give at least 400"),
    ],
)
def test_what_cannot_be_run_is_refused_before_anything_is_written(
    tmp_path: Path, change: dict[str, Any], says: str
) -> None:
    known: dict[str, Any] = {
        "data": "numerical",
        "options": {"case": 1},
        "methods": ["pca"],
        "seeds": 1,
        "n": 400,
        "epochs": 2,
    }
    with pytest.raises(PlanError) as told:
        run(CrlBenchmark(**(known | change)), tmp_path / "parts")
    assert says in str(told.value)
    assert not (tmp_path / "parts").exists()


def test_what_the_generator_refuses_is_a_plan_error(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="numerical: "):
        run(CrlBenchmark("numerical", {"case": 9}, ["pca"], 1, n=400, epochs=2), tmp_path / "parts")


class Refusing:
    """A method that takes no data."""

    needs = "other data"

    def fit(self, *_: object, **__: object) -> Any:
        raise InputError("these data do not suit the method")


def test_a_method_that_fails_is_a_row_with_a_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "method", lambda name, **known: Refusing() if name == "cca" else method(name, **known))
    what = asked(["cca", "pca"])
    failed, passed = run(what, tmp_path)
    assert (failed["reason"], failed["needs"]) == ("these data do not suit the method", "other data")
    assert "scores" not in failed
    assert "reason" not in passed
    assert [row["value"] for row in rows_of(failed)] == [None] * len(METRICS)
    assert {row["reason"] for row in rows_of(failed)} == {failed["reason"]}
    assert not (tmp_path / "0-cca.npz").exists()
    with pytest.raises(InputError, match="no method could be scored"):
        reject_none(rows_of(failed))
    reject_none([*rows_of(failed), *rows_of(passed)])
    assert run(what, tmp_path) == [failed, passed], "a failure is not tried again"
    names = draw_benchmark([failed, passed], _table([failed, passed]), ["pca", "cca"], tmp_path, tmp_path, Silent())
    assert names == ["scores", "latents-pca-seed0"]


def test_ctrl_c_leaves_a_folder_that_goes_on(
    finished: tuple[Path, list[dict[str, Any]]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    what, begun = asked(["pca", "random"]), []
    real: Callable[..., Any] = module._one

    def interrupted(*args: Any) -> Any:
        begun.append(args[1])
        if len(begun) == 2:
            raise KeyboardInterrupt
        return real(*args)

    monkeypatch.setattr(module, "_one", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(what, tmp_path)
    assert sorted(times(tmp_path)) == ["0-pca.json", "0-pca.npz"]
    results = run(what, tmp_path)
    assert begun == ["pca", "random", "random"]
    assert [untimed(r) for r in results] == [untimed(r) for r in finished[1][:2]]


def test_a_kill_between_arrays_and_scores_makes_the_part_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(path: Path, text: str) -> None:
        if path.name != "arguments.json":
            raise KeyboardInterrupt
        path.write_text(text)

    monkeypatch.setattr(module, "write_text", killed)
    with pytest.raises(KeyboardInterrupt):
        run(asked(["pca"]), tmp_path)
    monkeypatch.undo()
    assert list(times(tmp_path)) == ["0-pca.npz"]
    (tmp_path / "0-pca.npz").write_bytes(b"of another run")
    run(asked(["pca"]), tmp_path)
    assert load_kept(tmp_path / "0-pca.npz") is not None


def scored(seed: int, **scores: Any) -> dict[str, Any]:
    floors = {
        "rotation_blocks": {"r2": 0.9 + 0.02 * seed, "mcc_pearson": 0.8, "note": "as told"},
        "root_copies": {"mcc_spearman": 0.5},
        "noise_only": None,
    }
    return {"seed": seed, "method": "pca", "needs": "", "seconds": 12.0 + seed, "scores": {"floors": floors, **scores}}


def test_rows_are_scores_and_floors() -> None:
    result = scored(1, r2=0.25, mcc_pearson=0.5, shd=3, edges_cross={"shd": 2, "f1": None}, dci={})
    rows = {(row["method"], row["metric"]): row for row in rows_of(result)}
    assert len(rows) == len(METRICS) + 3
    own = {metric: rows["pca", metric]["value"] for metric in METRICS}
    known = {"r2": 0.25, "mcc_pearson": 0.5, "shd": 3, "shd_across": 2, "seconds": 13.0}
    assert own == dict.fromkeys(METRICS) | known
    assert rows["pca", "r2"]["reason"] is None
    assert rows["pca", "r2_blocks"]["reason"]
    floors = {key: row["value"] for key, row in rows.items() if key[0] in FLOORS}
    rotation, root, _ = FLOORS
    assert floors == {(rotation, "r2"): 0.92, (rotation, "mcc_pearson"): 0.8, (root, "mcc_spearman"): 0.5}
    assert {row["needs"] for key, row in rows.items() if key[0] in FLOORS} == {"the truth"}


def test_the_table_is_mean_and_deviation_by_hand() -> None:
    values = [0.2, 0.5, 0.9]
    rows = [row for seed, r2 in enumerate(values) for row in rows_of(scored(seed, r2=r2, shd=seed))]
    lines = summary_table(pl.DataFrame(rows, infer_schema_length=None), ["pca", "cca"]).splitlines()
    cells = {line.split(" | ")[0].strip("| "): [cell.strip(" |") for cell in line.split(" | ")[1:]] for line in lines}
    mean = sum(values) / 3
    sd = math.sqrt(sum((value - mean) ** 2 for value in values) / 2)
    at = {metric: place for place, metric in enumerate(METRICS)}
    assert cells["method"] == [metric for metric in METRICS if metric not in OPTIONAL]  # nobody has a regret
    assert cells["pca"][at["r2"]] == f"{mean:.3f} ± {sd:.3f}" == "0.533 ± 0.351"
    assert cells["pca"][at["shd"]] == "1.000 ± 1.000"
    assert cells["pca"][at["seconds"]] == "13 ± 1"
    assert cells["pca"][at["mcc_monotone"]] == "–"
    assert cells["cca"] == ["–"] * (len(METRICS) - len(OPTIONAL))
    assert cells[next(iter(FLOORS))][at["r2"]] == "0.920 ± 0.020"
    assert list(cells)[-3:] == list(FLOORS)


def test_one_seed_has_no_deviation() -> None:
    table = pl.DataFrame(rows_of(scored(0, r2=0.25)), infer_schema_length=None)
    assert "| pca | 0.250 |" in summary_table(table, ["pca"])


def test_floors_of_a_benchmark_are_below_a_perfect_score(finished: tuple[Path, list[dict[str, Any]]]) -> None:
    for result in finished[1]:
        floors = {(r["method"], r["metric"]): r["value"] for r in rows_of(result) if r["method"] in FLOORS}
        assert {method for method, _ in floors} == set(FLOORS)
        assert all(0 < floors[method, "mcc_pearson"] < 1 for method in FLOORS)


def part(n: int = 5, **changes: Any) -> KeptFit:
    rng = np.random.default_rng(0)
    known: dict[str, Any] = {
        "encoded": rng.normal(size=(n, 2)), "latents": rng.normal(size=(n, 2)), "learned_names": ["a_1", "b_1"],
        "names": ["a_1", "é_1"], "adjacency": rng.random((2, 2)), "true_adjacency": np.eye(2, dtype=bool),
        "history": {"epoch": np.arange(1.0, 3.0)}, "images": {"a_1": np.ones((2, 1, 3, 3))},
        "people": {"a_1": np.array([4, 0])},
    }  # fmt: skip
    return KeptFit(**(known | changes))


def test_a_part_comes_back_as_it_was(tmp_path: Path) -> None:
    for number, whole in enumerate((part(), part(adjacency=None, history={}))):
        path = tmp_path / f"{number}.npz"
        save_kept(path, whole)
        again = load_kept(path)
        assert again is not None
        np.testing.assert_equal(vars(again), vars(whole))
    assert sorted(tmp_path.iterdir()) == [tmp_path / "0.npz", tmp_path / "1.npz"], "nothing is left aside"


def test_of_several_runs_validation_chooses_and_the_truth_says_what_that_cost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    objectives, scored = [3.0, 1.0, 2.0], [0.9, 0.5, 0.7]
    fits = (SimpleNamespace(objective=objective, adjacency=None, names=[]) for objective in objectives)
    own = SimpleNamespace(needs="", fit=lambda *_, **__: next(fits))
    monkeypatch.setattr(module, "method", lambda *_, **__: own)

    def score(fitted: Any, *_: Any) -> tuple[np.ndarray[Any, Any], dict[str, Any]]:
        return np.zeros((40, 4)), {"mcc_pearson": scored[objectives.index(fitted.objective)], "floors": {}}

    monkeypatch.setattr(module, "_scored", score)
    (result,) = run(asked(["pca"], runs=3), tmp_path / "parts")
    assert (result["objective"], result["scores"]["mcc_pearson"]) == (1.0, 0.5)
    assert result["regret"] == pytest.approx(0.4)
    rows = pl.DataFrame(rows_of(result), infer_schema_length=None)
    assert rows.filter(metric="regret")["value"].to_list() == [pytest.approx(0.4)]
    assert "regret" in summary_table(rows, ["pca"])
    with pytest.raises(PlanError, match="other arguments"):
        run(asked(["pca"]), tmp_path / "parts")
    with pytest.raises(PlanError, match="--runs"):
        asked(["pca"], runs=0).check()


def test_the_first_run_is_that_of_a_single_one(finished: tuple[Path, list[dict[str, Any]]], tmp_path: Path) -> None:
    (several,) = run(asked(["random"], runs=2), tmp_path / "parts")
    assert (
        several["scores"] == next(one for one in finished[1] if one["method"] == "random")["scores"]
    )  # equal objectives
    assert several["regret"] >= 0


def test_at_most_a_thousand_people_are_kept(tmp_path: Path) -> None:
    save_kept(tmp_path / "a.npz", whole := part(MOST_PEOPLE + 1))
    again = load_kept(tmp_path / "a.npz")
    assert again is not None
    assert (again.encoded == whole.encoded[:1000]).all()
    assert (again.latents == whole.latents[:1000]).all()


def test_a_part_that_cannot_be_read_says_what_to_do(tmp_path: Path) -> None:
    assert load_kept(tmp_path / "gone.npz") is None
    (tmp_path / "a.npz").write_bytes(b"PK no zip")
    with pytest.raises(InputError, match=r"a\.npz cannot be read .*; remove it"):
        load_kept(tmp_path / "a.npz")
    np.savez(tmp_path / "b.npz", encoded=np.array([{"a": 1}], dtype=object))
    with pytest.raises(InputError, match="cannot be read"):
        load_kept(tmp_path / "b.npz")


def test_histories_are_found_where_methods_keep_them() -> None:
    rows = [{"epoch": 1, "validation": 3.0}, {"epoch": 2, "validation": 2.0, "training": 1.0}]
    for fitted in (SimpleNamespace(history=rows), SimpleNamespace(log=SimpleNamespace(history=rows))):
        found = history_of(fitted)
        np.testing.assert_equal(
            found, {"epoch": np.array([1, 2]), "validation": np.array([3, 2]), "training": np.array([np.nan, 1])}
        )
    assert history_of(SimpleNamespace()) == {}


def _table(results: list[dict[str, Any]]) -> pl.DataFrame:
    rows = [row for result in results for row in rows_of(result)]
    return pl.DataFrame(rows, infer_schema_length=None).unique(["seed", "method", "metric"], maintain_order=True)


EVERY = {"scores", "training", "graph-paper-seed0", *(f"latents-{name}-seed0" for name in ("pca", "random", "paper"))}


def test_latents_of_images_are_moved_and_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed: pip install personax[figures]")
    what = CrlBenchmark("variant-mnist", {"instances": "fixed"}, ["supervised"], 1, n=600, epochs=8)
    results = run(what, tmp_path / "parts")
    found = load_kept(tmp_path / "parts" / "0-supervised.npz")
    assert found is not None
    assert sorted(found.images) == sorted(found.learned_names)
    position = found.learned_names[0]
    weight = np.linspace(0, 1, found.images[position].shape[-1])
    mass = found.images[position][:, 0].sum(axis=1)
    places = (mass @ weight) / mass.sum(axis=1)  # the digit's place from left to right follows the first latent
    assert (np.diff(places) > 0).all() or (np.diff(places) < 0).all()
    table = pl.DataFrame(rows_of(results[0]), infer_schema_length=None)
    drawn = draw_benchmark(results, table, ["supervised"], tmp_path / "parts", tmp_path / "figures", Silent())
    assert "traversals-supervised-seed0" in drawn
    assert (tmp_path / "figures" / "traversals-supervised-seed0.svg").is_file()


def test_figures_of_a_benchmark(finished: tuple[Path, list[dict[str, Any]]], tmp_path: Path) -> None:
    parts, results = finished
    names = draw_benchmark(results, _table(results), ["pca", "random", "paper"], parts, tmp_path, Silent())
    assert set(names) == EVERY
    assert {path.name for path in tmp_path.iterdir()} == {f"{name}.{s}" for name in EVERY for s in ("svg", "png")}
    text = (tmp_path / "graph-paper-seed0.svg").read_text(encoding="utf-8")
    scores = next(r for r in results if (r["seed"], r["method"]) == (0, "paper"))["scores"]
    assert f"Structural Hamming distance {scores['shd']}, {scores['edges_cross']['shd']} of it between groups" in text


def _without(parts: Path, *names: str) -> Iterator[Path]:
    for name in names:
        path = parts / f"{name}.npz"
        path.unlink()
        yield path


def test_parts_older_than_figures_are_drawn_without(
    finished: tuple[Path, list[dict[str, Any]]], copied: Path, tmp_path: Path
) -> None:
    gone = list(_without(copied, "0-paper", "0-pca", "1-pca"))
    results = run(asked(["pca", "random", "paper"], seeds=2), copied)
    assert results == finished[1]
    assert not any(path.exists() for path in gone)
    names = draw_benchmark(results, _table(results), ["pca", "random", "paper"], copied, tmp_path / "out", Silent())
    assert set(names) == {
        "scores", "training", "latents-random-seed0", "latents-paper-seed1", "graph-paper-seed1"
    }  # fmt: skip


def test_arguments_say_what_was_asked(finished: tuple[Path, list[dict[str, Any]]]) -> None:
    found = json.loads((finished[0] / "arguments.json").read_text())
    assert (found["data"], found["n"], found["epochs"], found["options"]) == ("numerical", 400, 2, {"case": 1})


def test_faster_steps_are_those_of_paper_and_are_named_only_where_asked_for(tmp_path: Path) -> None:
    plain, half = (
        run(asked(["pca", "paper"], half=half), tmp_path / name) for name, half in (("a", False), ("b", True))
    )
    assert plain[0]["objective"] == half[0]["objective"]
    assert plain[1]["objective"] != half[1]["objective"]
    assert plain[1]["objective"] == pytest.approx(half[1]["objective"], rel=0.05)
    named = [set(json.loads((tmp_path / name / "arguments.json").read_text())) for name in ("a", "b")]
    assert named[1] - named[0] == {"half"}


def test_worlds_are_drawn_by_name_by_options_and_from_a_file(tmp_path: Path) -> None:
    def draw(options: dict[str, Any], n: int = 400, **folders: str) -> Any:
        what = CrlBenchmark("worlds", options, ["pca"], 1, n=n, folders=folders or None)
        what.check()
        return what.draw(0)

    own = draw({"families": ["clauses", "faces"], "latents": [2, 3], "measurements": [2, 1]}, cache=str(tmp_path))
    assert own.counts == {"character": 2, "life": 3}
    (kept,) = tmp_path.glob("*.npz")
    again = draw({"file": str(kept)}, n=400)
    assert all((x == again.views[m][k]).all() for m, by in own.views.items() for k, x in by.items())
    named = draw({"world": "clauses", "encoders": ["hashed", "simulated"]})
    assert [x.shape for x in named.views["life"].values()] == [(400, 384), (400, 128)]
    assert not np.allclose(named.latents, draw({"world": "adjectives", "encoders": ["simulated"]}).latents)
    seen = draw({"families": ["faces"], "measurements": [1, 1], "picture_encoder": "descriptors"}, n=400)
    assert seen.views["life"]["life_p1"].shape == (400, 512)
    for options, said in (
        ({"world": "clause"}, "no world clause"),
        ({"world": "clauses", "shared": 1}, "clauses has its options; leave out shared"),
        ({"families": ["poems"]}, "no family 'poems'"),
        ({"latents": [2]}, "latents must be 2 numbers"),
    ):
        with pytest.raises(PlanError, match=said):
            draw(options)
    with pytest.raises(InputError, match="no preset"):
        draw({"encoders": ["nothing"]})
