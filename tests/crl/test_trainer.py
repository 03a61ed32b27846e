"""Training goes on where it was stopped, back where it diverged, and compiled where that is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed: pip install personax[crl]")
import torch

from personax.crl import Paper, PaperFit, SeedSelection, fit_seeds
from personax.crl._batches import Batches
from personax.crl._budget import Budget
from personax.crl._optimiser import Optimiser
from personax.crl._scaler import Scaler
from personax.crl._train import Trainer
from personax.crl.methods import method
from personax.crl.methods._layout import Layout
from personax.crl.methods.paper._method import GATE_RATE
from personax.crl.methods.paper._model import LatentModel
from personax.crl.methods.paper._objective import PAPER, PaperObjective, terms
from personax.errors import ComputationError, InputError

LAYOUT = Layout({"text": {"a": 6, "b": 6}, "image": {"c": 5}}, {"text": 1, "image": 1}, 0, hidden=8)
BUDGET = Budget(epochs=4, batch=32, rate=2e-3, patience=20, hidden=8)


def views(n: int = 150, extra: int = 0) -> dict[str, dict[str, np.ndarray]]:
    rng = np.random.default_rng(0)
    return {m: {k: rng.normal(size=(n, dim + extra)) for k, dim in by.items()} for m, by in LAYOUT.dims.items()}


def fitted(
    budget: Budget = BUDGET, *, people: Any = None, seed: int = 1, checkpoint: Path | None = None, progress: Any = None
) -> PaperFit:
    method = Paper(budget, checkpoint=checkpoint)
    found: PaperFit = method.fit(
        people or views(), latents=LAYOUT.latents, rng=np.random.default_rng(seed), progress=progress
    )
    return found


def stopped_after(epochs: int, path: Path) -> None:
    def interrupt(done: int, total: int, objective: float) -> None:
        if done == epochs:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fitted(checkpoint=path, progress=interrupt)


@pytest.mark.parametrize("epochs", [1, 3])
def test_what_was_stopped_goes_on_to_the_same_numbers(tmp_path: Path, epochs: int) -> None:
    path = tmp_path / "kept"
    stopped_after(epochs, path)
    seen: list[int] = []
    again = fitted(checkpoint=path, progress=lambda done, *_: seen.append(done))
    whole = fitted()
    assert seen == list(range(epochs + 1, 5)), "finished epochs are not trained again"
    assert again.history == whole.history
    assert np.array_equal(again.latents, whole.latents)
    assert np.array_equal(again.adjacency, whole.adjacency)
    assert not path.exists(), "nothing is left to go on from"


def test_several_seeds_go_on_from_within_one(tmp_path: Path) -> None:
    """Stopped in the third epoch of the second seed: the first is not fitted again, the second goes on."""
    maker = method("paper", budget=Budget(epochs=4, batch=32, hidden=8))
    seen: list[tuple[int, int]] = []

    def run(keep: Path | None, stop: bool) -> SeedSelection:
        def told(seed: int) -> Any:
            def report(done: int, total: int, objective: float) -> None:
                seen.append((seed, done))
                if stop and (seed, done) == (1, 3):
                    raise KeyboardInterrupt

            return report

        return fit_seeds(
            maker, views(), latents=LAYOUT.latents, seeds=2, rng=np.random.default_rng(0), progress=told, keep=keep
        )

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, stop=True)
    seen.clear()
    again = run(tmp_path, stop=False)
    assert seen == [(1, 4)]
    whole = run(None, stop=False)
    assert again.index == whole.index
    for one, other in zip(again.fits, whole.fits, strict=True):
        assert one is not None
        assert other is not None
        assert np.array_equal(one.encode(views()), other.encode(views()))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"people": views(extra=1)}, "another architecture and group of people"),
        ({"people": views(n=140)}, "another group of people"),
        ({"budget": BUDGET.replaced(hidden=9)}, "another architecture and config"),
        ({"budget": BUDGET.replaced(rate=0.1)}, "another config"),
        ({"seed": 2}, "another config"),
    ],
)
def test_a_checkpoint_of_something_else_is_refused(tmp_path: Path, change: dict[str, Any], says: str) -> None:
    path = tmp_path / "kept"
    stopped_after(1, path)
    before = path.read_bytes()
    with pytest.raises(InputError, match=f"kept is a checkpoint of {says}; give another path"):
        fitted(checkpoint=path, **change)
    assert path.read_bytes() == before


def test_a_damaged_checkpoint_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "kept"
    stopped_after(1, path)
    for content in (b"", path.read_bytes()[:-9], b"x" * 100):
        path.write_bytes(content)
        with pytest.raises(InputError, match="is not a checkpoint of personax"):
            fitted(checkpoint=path)


def trainer(budget: Budget = BUDGET) -> tuple[Trainer, Batches, Batches]:
    generator = torch.Generator().manual_seed(0)
    model = LatentModel(LAYOUT, generator=generator)
    gates = [model.flow.gate_logits]
    made = Trainer(model, PaperObjective(model, PAPER), budget, generator, faster=(gates, GATE_RATE))
    people = Batches(views(), Scaler.fit(views()))
    return made, people.subset(torch.arange(30, 150)), people.subset(torch.arange(30))


def failing(made: Trainer, steps: set[int], monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let the loss be no number in some steps, counted from 1; return the rate of every step."""
    rates: list[float] = []
    exact = Optimiser.step

    def step(self: Optimiser, loss: torch.Tensor, rate: float) -> None:
        rates.append(rate)
        exact(self, loss * float("nan") if len(rates) in steps else loss, rate)

    monkeypatch.setattr(Optimiser, "step", step)
    return rates


def test_divergence_goes_back_to_the_best_epoch_with_a_quarter_of_the_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four steps an epoch; the tenth, in the third epoch, breaks all weights."""
    plain, learn, held = trainer()
    plain.run(learn, held)
    made, learn, held = trainer()
    rates = failing(made, {10}, monkeypatch)
    made.run(learn, held)
    assert made.restarts == 1
    assert made.history[:2] == plain.history[:2], "what was learned before is kept"
    assert [row["epoch"] for row in made.history] == [1, 2, 3, 4]
    assert rates[12] == pytest.approx(rates[8] / 4), "the third epoch again, at a quarter of its rate"
    assert all(torch.isfinite(x).all() for x in made.model.state_dict().values())
    assert made.history[2]["validation"] <= made.history[0]["validation"], "it went on, and did not begin anew"


def test_the_third_divergence_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    made, learn, held = trainer()
    failing(made, {2, 6}, monkeypatch)
    made.run(learn, held)
    assert made.restarts == 2
    monkeypatch.undo()
    made, learn, held = trainer()
    rates = failing(made, set(range(1, 1000)), monkeypatch)
    with pytest.raises(ComputationError, match="diverged three times"):
        made.run(learn, held)
    assert len(rates) == 12, "three epochs"


@pytest.mark.slow
def test_compiled_steps_are_the_same_steps() -> None:
    budget = BUDGET.replaced(epochs=2, compiled=True)
    one, two, eager = fitted(budget), fitted(budget), fitted(budget.replaced(compiled=False))
    if one.eager_reason is not None:
        pytest.skip(one.eager_reason)
    assert np.array_equal(one.latents, two.latents), "the same seed gives the same numbers"
    np.testing.assert_allclose(one.latents, eager.latents, atol=1e-3)
    assert one.history[-1]["validation"] == pytest.approx(eager.history[-1]["validation"], rel=1e-4)


def test_without_a_compiler_the_fit_is_the_plain_one_and_says_why(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from torch._inductor import config as inductor

    monkeypatch.setattr(inductor.cpp, "cxx", (str(tmp_path / "no-such-compiler"),))
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path / "cache"))
    torch._dynamo.reset()
    budget = BUDGET.replaced(epochs=1, compiled=True, hidden=7)
    found = fitted(budget)
    assert "could not be compiled" in (found.eager_reason or "")
    assert np.array_equal(found.latents, fitted(budget.replaced(compiled=False)).latents)


def test_half_precision_is_close_and_gradients_reach_every_parameter() -> None:
    model = LatentModel(LAYOUT, generator=torch.Generator().manual_seed(0))
    seen = {m: {k: torch.from_numpy(x.astype(np.float32)) for k, x in by.items()} for m, by in views().items()}
    whole, half = (terms(model, seen, None, half=half) for half in (False, True))
    assert half.reconstruction.dtype == torch.float32
    assert half.reconstruction.item() == pytest.approx(whole.reconstruction.item(), rel=0.02)
    assert half.reconstruction.item() != whole.reconstruction.item()
    half.total(PAPER).backward()
    assert [n for n, p in model.named_parameters() if p.grad is None or not p.grad.isfinite().all()] == []
