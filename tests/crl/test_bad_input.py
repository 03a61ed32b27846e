"""Input that nobody means to give: a sentence each, nothing called identified, nothing lost."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("torch", reason="torch is not installed: pip install personax[crl]")

import torch

from personax.config import Plan
from personax.crl import Budget, Level2, claim, fit_seeds, identify, method
from personax.crl._estimator import Problem
from personax.crl._optimiser import validation_split
from personax.crl._vectors import as_arrays
from personax.crl.methods.default._agreed import fit_agreed_components
from personax.crl.methods.default._crossing import describe_crossing
from personax.crl.methods.default._decoders import RestartSchedule
from personax.crl.methods.default._foresight import foresee
from personax.crl.methods.default._method import Default, DefaultFit
from personax.crl.methods.default._modalities import fit_modalities
from personax.errors import ComputationError, InputError
from personax.stages import plan_notices

Views = dict[str, dict[str, NDArray[Any]]]
LATENTS = {"text": 2, "image": 2}
SHORTEST = RestartSchedule(restarts=2, steps=20, finalists=1)


def modality(seed: int, people: int = 400, k: int = 2, dim: int = 12) -> dict[str, NDArray[Any]]:
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(people, k))
    return {name: np.tanh(z @ rng.normal(size=(k, dim))) + 0.3 * rng.normal(size=(people, dim)) for name in ("a", "b")}


def world(people: int = 400) -> Views:
    return {"text": modality(0, people), "image": modality(1, people)}


def duplicated() -> Views:
    views = world()
    views["text"]["b"] = views["text"]["a"] * 3 + 1
    return views


def copying() -> Views:
    views = world()
    views["image"]["a"] = views["text"]["a"] @ np.random.default_rng(2).normal(size=(12, 12))
    return views


def one_hot() -> Views:
    views = world()
    views["text"]["a"] = np.eye(7)[np.random.default_rng(3).integers(0, 7, 400)]
    return views


@pytest.mark.parametrize(
    ("views", "latents", "says"),
    [
        (duplicated(), LATENTS, "text: b is a linear map of a, and counts as no measurement of its own"),
        (duplicated(), LATENTS, "text has one measurement, a: of its latents only those that tell of other modalities"),
        (copying(), LATENTS, "image/a is a linear map of text/a, a measurement of another modality"),
        (one_hot(), LATENTS, "text: 2 latents are asked for, and its measurements agree on nothing"),
        (world(), {"text": 9, "image": 2}, "text: 9 latents are asked for, and its measurements agree on "),
        (world(30), LATENTS, "30 people are few: 3 of them are held out"),
        ({"text": modality(0), "image": {"face": modality(1)["a"]}}, LATENTS, "image has one measurement, face"),
    ],
)
def test_what_cannot_be_found_is_said_before_training(views: Views, latents: dict[str, int], says: str) -> None:
    assert any(text.startswith(says) for text in foresee(views, latents))


def test_of_ordinary_measurements_nothing_is_foreseen() -> None:
    assert foresee(world(), LATENTS) == []


@pytest.mark.parametrize(("views", "left"), [(duplicated(), ["image"]), (one_hot(), ["image"])])
def test_what_measurements_do_not_show_together_is_not_fitted_by_itself(views: Views, left: list[str]) -> None:
    found = fit_modalities(
        views, LATENTS, validation_split(400, 0.1), SHORTEST, generator=torch.Generator().manual_seed(0)
    )
    assert list(found.coordinates) == left


def test_few_people_end_in_a_fit_that_identifies_nothing() -> None:
    people = 30
    fitted = Default(budget=Budget(epochs=1)).fit(world(people), latents=LATENTS, rng=np.random.default_rng(0))
    assert np.isfinite(fitted.encode(world(people))).all()
    assert claim(identify(fitted)).startswith("0 of 4 latents are identified")
    assert f"{people} people are few" in " ".join(fitted.notes)


def test_people_in_another_order_are_hinted_at() -> None:
    z = np.random.default_rng(4).normal(size=(600, 2))
    known = {"text": z, "image": z[::-1]}
    assert "the same people in the same order" in describe_crossing(known, np.arange(600))[0]


def test_vectors_of_unit_length_agree_on_what_they_agreed_on() -> None:
    by = modality(5, 800)
    unit = {name: x / np.linalg.norm(x, axis=1, keepdims=True) for name, x in by.items()}
    rows = np.arange(800)
    before = fit_agreed_components(by, rows, np.random.default_rng(0))
    after = fit_agreed_components(unit, rows, np.random.default_rng(0))
    assert after.count >= before.count >= 2
    a, b = before(by), np.c_[after(unit), np.ones(800)]
    left = a - b @ np.linalg.lstsq(b, a, rcond=None)[0]
    assert np.square(left[:, :2]).mean() < 0.1 * a[:, :2].var()


def test_vectors_of_different_lengths_a_person_and_numbers_that_are_none_are_named() -> None:
    with pytest.raises(InputError, match=r"text/a has vectors of different lengths \(2, 3\)"):
        as_arrays({"text": {"a": [[1.0, 2.0], [1.0, 2.0, 3.0]]}})
    views = world(60)
    views["text"]["a"][3, 2] = np.inf
    with pytest.raises(InputError, match="text/a holds missing or infinite numbers"):
        Level2(latents=LATENTS, seeds=1).fit(views)
    views = world(60)
    views["text"]["a"][:] = 7.0
    with pytest.raises(InputError, match="2 latents are asked of text/a, which has fewer dimensions that vary"):
        Level2(latents=LATENTS, seeds=1).fit(views)


def test_a_fit_that_was_killed_goes_on_to_the_same_latents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: Any = method("pca")
    views, fitted = world(60), 0
    learn = type(made).learn

    def killed(self: Any, problem: Problem) -> Any:
        nonlocal fitted
        fitted += 1
        if fitted == 3:
            raise KeyboardInterrupt
        return learn(self, problem)

    def seeds() -> Any:
        return fit_seeds(made, views, latents=LATENTS, seeds=4, rng=np.random.default_rng(0), keep=tmp_path)

    with monkeypatch.context() as patch:
        patch.setattr(type(made), "learn", killed)
        with pytest.raises(KeyboardInterrupt):
            seeds()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["seed-0.safetensors", "seed-1.safetensors"]
    whole = fit_seeds(made, views, latents=LATENTS, seeds=4, rng=np.random.default_rng(0))
    np.testing.assert_array_equal(seeds().best.encode(views), whole.best.encode(views))


@pytest.mark.parametrize("notes", [{"notes": ["first"]}, {}])
def test_a_gpu_without_memory_leaves_the_fit_to_the_processor_and_says_so(
    monkeypatch: pytest.MonkeyPatch, notes: dict[str, list[str]]
) -> None:
    asked = []

    def without_memory(self: Default, problem: Problem) -> SimpleNamespace:
        asked.append((self.budget.device, int(problem.rng.integers(1000))))
        if self.budget.device != "cpu":
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB")
        return SimpleNamespace(**notes)

    monkeypatch.setattr(Default, "learn", without_memory)
    made = Default(budget=Budget(epochs=1, device="cuda"))
    fitted = made.fit(world(60), latents=LATENTS, rng=np.random.default_rng(0))
    assert [device for device, _ in asked] == ["cuda", "cpu"]
    assert asked[0][1] == asked[1][1]  # the same random numbers
    assert fitted.notes[-1].startswith("the GPU ran out of memory, so that this was fitted on the processor")
    assert made.budget.device == "cuda"


def test_a_processor_without_memory_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def without_memory(self: Default, problem: Problem) -> DefaultFit:
        raise MemoryError

    monkeypatch.setattr(Default, "learn", without_memory)
    with pytest.raises(ComputationError, match=r"default ran out of memory; fit fewer seeds at a time"):
        Default().fit(world(60), latents=LATENTS, rng=np.random.default_rng(0))


def plan(embed: dict[str, Any], **more: Any) -> Plan:
    return Plan.model_validate(
        {"name": "x", "collect": {"source": "simulate"} | more, "embed": embed, "crl": {"latents": LATENTS}}
    )


def test_a_study_is_told_the_remedy_before_it_runs() -> None:
    files = plan({"source": "files", "files": {"text": {"a": "a.npz", "b": "b.npz"}, "image": {"face": "f.npz"}}})
    assert [text[:37] for text in plan_notices(files)] == ["crl: image has one measurement, face:"]
    assert "several pictures" in plan_notices(files)[0]
    two = {"source": "models", "text": {"gpt": {}, "llama": {"of": "story"}},
           "image": {"a": {"of": "faces"}, "b": {"of": "faces", "dim": 9}}}  # fmt: skip
    told = plan_notices(plan(two))
    assert len(told) == 1
    assert "a and b encode the same picture of a person (faces)" in told[0]
    assert "pose and light" in told[0]
    simulated = plan({"source": "simulate"}, text_measurements=2, image_measurements=2)
    assert plan_notices(simulated) == []
    assert plan_notices(replace_method(files)) == []


def replace_method(given: Plan) -> Plan:
    assert given.crl is not None
    return given.model_copy(update={"crl": given.crl.model_copy(update={"method": "cca"})})


@pytest.mark.parametrize("kind", ["complex128", "<U8", "datetime64[D]"])
def test_vectors_that_are_no_real_numbers_are_refused(kind: str) -> None:
    views = world(60)
    views["text"]["a"] = (100 * views["text"]["a"]).astype(kind)
    with pytest.raises(InputError, match=r"text/a is .*; real numbers are needed"):
        Level2(LATENTS, method="pca", seeds=1).fit(views)


def test_lists_of_complex_numbers_are_refused() -> None:
    views: dict[str, Any] = world(60)
    views["text"]["a"] = [list(row + 1j) for row in views["text"]["a"]]
    with pytest.raises(InputError, match="text/a holds something else than real numbers"):
        Level2(LATENTS, method="pca", seeds=1).fit(views)


def test_progress_counts_the_whole_fit_and_never_goes_back() -> None:
    seen: list[tuple[float, float]] = []
    Default(Budget(epochs=1), halves=True).fit(
        world(200), latents=LATENTS, rng=np.random.default_rng(0),
        progress=lambda done, total, value: seen.append((done / total, value)),
    )  # fmt: skip
    shares = [share for share, _ in seen]
    assert shares == sorted(shares)
    assert len(shares) > 12
    assert (shares[0] < 0.1, shares[-1]) == (True, 1)
