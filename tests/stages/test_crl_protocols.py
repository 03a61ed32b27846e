"""The paper's protocol beside ours: it looks at the truth after every epoch, changes no fit, and says that."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from personax.crl import Budget, Epoch, Estimator, match, method
from personax.crl.methods import NAMES
from personax.errors import PlanError
from personax.progress import Silent
from personax.simulate import numerical
from personax.stages import _crl_benchmark as module
from personax.stages._crl_benchmark import CrlBenchmark, run_benchmark
from personax.stages._crl_benchmark_results import BEST_ROTATION, draw_benchmark, rows_of, summary_table
from personax.stages._crl_protocols import BestEpoch, published_floors, published_mcc, take_paper_options

pytest.importorskip("torch", reason="torch is not installed: pip install personax[crl]")

TRAINED = ["autoencoder", "betavae", "ivae", "causalvae", "mcl", "multiview", "mmcrl", "paper", "supervised"]


def asked(methods: list[str], **changes: Any) -> CrlBenchmark:
    known: dict[str, Any] = {"n": 400, "epochs": 3, "protocols": ("honest", "paper")}
    return CrlBenchmark("numerical", {"case": 1}, methods, 1, **known | changes)


def small(name: str, epochs: int) -> Estimator:
    made = method(name, budget=Budget(epochs=epochs, hidden=8))
    assert isinstance(made, Estimator)
    return made


@pytest.mark.parametrize("name", TRAINED)
def test_every_trained_method_tells_of_each_epoch_and_is_fitted_the_same(name: str) -> None:
    data, seen = numerical(case=1, n=120, rng=np.random.default_rng(0)), []

    def look(epoch: Epoch) -> None:
        z = epoch.encode(data.views)
        seen.append((epoch.number, epoch.objective, z))

    def fit(**more: Any) -> Any:
        rng = np.random.default_rng(1)
        return small(name, 2).fit(data.views, latents=data.counts, truth=data.latents, rng=rng, **more)

    watched, alone = fit(on_epoch=look), fit()
    assert [number for number, *_ in seen] == [1, 2]
    assert np.array_equal(watched.encode(data.views), alone.encode(data.views))
    best = min(seen, key=lambda one: one[1])[2]  # the epoch that training keeps, up to its scale
    assert match(best, alone.encode(data.views)).mcc == pytest.approx(1, abs=1e-5)


def test_the_best_epoch_is_the_one_of_the_largest_mcc_and_knows_what_that_brought() -> None:
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(200, 2))
    best, mccs = BestEpoch({}, truth), []
    for number, (noise, objective) in enumerate([(1.0, 3.0), (0.1, 2.0), (0.6, 1.0), (2.0, 4.0)], start=1):
        z = truth + noise * rng.normal(size=truth.shape)
        mccs.append(published_mcc(z, truth))
        best(Epoch(number, objective, lambda _, z=z: z))  # type: ignore[misc]
    assert (best.number, best.mcc) == (2, max(mccs))
    assert best.peeking == pytest.approx(mccs[1] - mccs[2])
    assert best.encoded.std(axis=0) == pytest.approx([1, 1])


def test_the_published_options_are_the_weights_of_the_data_and_no_early_stop() -> None:
    mnist, numbers, other = (small(name, 7) for name in ("paper", "mmcrl", "betavae"))
    take_paper_options(mnist, "variant-mnist", 7)
    take_paper_options(numbers, "numerical", 7)
    take_paper_options(other, "numerical", 7)
    params = [made.get_params() for made in (mnist, numbers, other)]
    terms = ("reconstruction", "independence", "sparsity")
    assert [params[0][f"weights__{term}"] for term in terms] == [2.0, 1e-2, 1e-3]
    assert [params[1][f"weights__{term}"] for term in terms] == [1.0, 1e-1, 1e-2]
    assert {one["budget__patience"] for one in params} == {7}


def test_the_best_of_several_rotations_is_a_higher_floor_than_their_mean() -> None:
    truth = np.random.default_rng(0).normal(size=(500, 4))
    floors = published_floors(truth, [[0, 1], [2, 3]], 60, rng=np.random.default_rng(0))
    mean, best = (floors[name]["mcc_paper"] for name in ("rotation_blocks", "best_rotation"))
    assert 0.85 < mean < 0.95 < best < 1  # 2 sqrt(2) / pi = .90 on average


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, Any]]]:
    parts = tmp_path_factory.mktemp("protocols") / "parts"
    return parts, list(run_benchmark(asked(["pca", "betavae"]), parts, Silent()))


def test_one_table_holds_both_protocols_and_the_floors(both: tuple[Path, list[dict[str, Any]]]) -> None:
    rows = pl.DataFrame([row for result in both[1] for row in rows_of(result)], infer_schema_length=None)
    lines = [line.strip("| ").split(" | ") for line in summary_table(rows, ["betavae", "pca"]).splitlines()]
    assert lines[0][:2] == ["method", "protocol"]
    assert [line[:2] for line in lines[2:6]] == [
        ["betavae", "honest"], ["betavae", "paper"], ["pca", "honest"], ["pca", "paper"],
    ]  # fmt: skip
    assert lines[-1][:2] == [BEST_ROTATION, "paper"]
    own = rows.filter(method="betavae", protocol="paper")
    assert own["needs"].unique().to_list() == ["the truth"]
    value = dict(own.select("metric", "value").iter_rows())
    assert value["peeking"] >= 0
    assert value["shd"] is None
    honest = dict(rows.filter(method="betavae", protocol="honest").select("metric", "value").iter_rows())
    assert value["mcc_paper"] - value["peeking"] == pytest.approx(honest["mcc_paper"])  # equal options: the same fit


def test_a_method_without_epochs_is_fitted_once_and_scored_as_it_is(both: tuple[Path, list[dict[str, Any]]]) -> None:
    honest, paper = (r for r in both[1] if r["method"] == "pca")
    assert paper["scores"] == honest["scores"]
    assert (paper["epoch"], paper["peeking"], paper["seconds"]) == (None, None, honest["seconds"])
    assert {row["needs"] for row in rows_of(paper) if row["method"] == "pca"} == {""}


def test_the_protocol_can_be_added_to_a_finished_folder(
    both: tuple[Path, list[dict[str, Any]]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(both[0], tmp_path / "parts")
    (tmp_path / "parts" / "0-pca-paper.json").unlink()
    begun = []
    real = module._one

    def noted(*args: Any) -> Any:
        begun.append((args[1], args[4]))
        return real(*args)

    monkeypatch.setattr(module, "_one", noted)
    again = list(run_benchmark(asked(["pca", "betavae"]), tmp_path / "parts", Silent()))
    assert begun == [("pca", "paper")]
    assert [r["scores"] for r in again] == [r["scores"] for r in both[1]]


def test_figures_show_each_protocol_by_itself(both: tuple[Path, list[dict[str, Any]]], tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed: pip install personax[figures]")
    parts, results = both
    table = pl.DataFrame([row for result in results for row in rows_of(result)], infer_schema_length=None)
    names = draw_benchmark(results, table, ["pca", "betavae"], parts, tmp_path, Silent())
    assert names[:2] == ["scores", "scores-paper"]


class Breaking:
    """A method of somebody else's that breaks in its own way."""

    needs = ""

    def fit(self, *_: object, **__: object) -> Any:
        raise np.linalg.LinAlgError("singular\nmatrix")


def test_whatever_a_method_raises_is_a_row_and_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "method", lambda name: Breaking() if name == "cca" else method(name))
    broken, fine = run_benchmark(asked(["cca", "pca"], protocols=("honest",)), tmp_path, Silent())
    assert broken["reason"] == "LinAlgError: singular"
    assert "scores" in fine


def test_latents_that_cannot_be_scored_are_a_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        module, "_scored", lambda fit, held, data: module._scores(np.full((40, 4), np.nan), None, held, data)
    )
    (result,) = run_benchmark(asked(["pca"], protocols=("honest",)), tmp_path, Silent())
    assert "missing or infinite" in result["reason"]
    assert {row["value"] for row in rows_of(result)} == {None}


KINDS: list[tuple[str, dict[str, Any]]] = [
    ("numerical", {"case": 1, "measurements": 3}),
    ("numerical", {"case": 1, "modalities": 3, "shared": 1, "measurements": 2}),
    ("variant-mnist", {"instances": "fixed"}),
]


@pytest.mark.parametrize(("data", "options"), KINDS)
def test_all_baselines_come_through_all_data(
    data: str, options: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_scores", lambda z, *_: {"mcc_paper": z.mean(), "shape": z.shape})
    baselines = [name for name in NAMES if name != "default"]
    what = CrlBenchmark(data, options, baselines, 1, n=400, epochs=1, protocols=("paper",))
    results = list(run_benchmark(what, tmp_path, Silent()))
    assert {r["method"]: r["reason"] for r in results if "reason" in r} == {}
    assert {tuple(r["scores"]["shape"]) for r in results} == {(40, len(what.draw(0).names))}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"protocols": ("papr",)}, "--protocol: there is no papr; did you mean paper?"),
        ({"rate": 0.0}, "--rate is a number above 0"),
        ({"batch": 0}, "--batch one from 1"),
    ],
)
def test_what_there_is_not_is_refused(change: dict[str, Any], says: str, tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="--") as told:
        list(run_benchmark(asked(["pca"], **change), tmp_path, Silent()))
    assert says in str(told.value)
