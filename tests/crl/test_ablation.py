"""Fits with something left out, and fits with dearer edges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pytest

from personax.crl._estimator import Arrays, Progress
from personax.crl.diagnostics._ablation import ablation, sparsity_path
from personax.errors import ComputationError

Views = dict[str, dict[str, np.ndarray]]


@dataclass(frozen=True)
class Fit:
    """A column of each modality plus what a seed adds; the column moves where the anchor is missing."""

    names: list[str]
    at: int
    noise: float
    objective: float = 0.0
    adjacency: np.ndarray | None = None
    information: float = 2.0

    def encode(self, views: Arrays) -> np.ndarray:
        x = np.column_stack([next(iter(by.values()))[:, self.at] for by in views.values()])
        drawn: np.ndarray = x + self.noise * np.random.default_rng(int(1e6 * self.noise)).normal(size=x.shape)
        return drawn


@dataclass(frozen=True)
class Anchored:
    """Finds column 0 while it sees the anchor (a modality or a measurement), column 1 otherwise."""

    anchor: str = ""
    fails: str = ""
    noise: float = 0.0
    name = "anchored"
    needs = ""

    def fit(
        self,
        views: Arrays,
        *,
        latents: Mapping[str, int],
        shared: int = 0,
        truth: np.ndarray | None = None,
        rng: np.random.Generator,
        progress: Progress | None = None,
    ) -> Fit:
        seen = {*views, *(f"{m}/{k}" for m, by in views.items() for k in by)}
        assert set(latents) == set(views)
        if self.fails and self.fails not in seen:
            raise ComputationError(f"nothing works without {self.fails}")
        noise = self.noise * float(rng.random())
        return Fit([f"{m}_1" for m in views], 0 if not self.anchor or self.anchor in seen else 1, noise)


def views(modalities: int = 3) -> Views:
    rng = np.random.default_rng(0)
    found: Views = {}
    for name in ["text", "face", "voice"][:modalities]:
        x = rng.normal(size=(500, 3))
        found[name] = {"a": x, "b": x} if name == "text" else {"a": x}
    return found


LATENTS = {"voice": 1, "text": 1, "face": 1}


def test_latents_that_hang_on_a_modality_are_told() -> None:
    found = ablation(lambda: Anchored("voice"), views(), latents=LATENTS, rng=np.random.default_rng(0))
    each = {row["without"]: row["verdict"] for row in found.rows}
    assert each == {"text": "holds", "face": "holds", "voice": "violated", "text/a": "holds", "text/b": "holds"}
    assert (found.verdict, "Without voice" in found.sentence) == ("violated", True)
    assert found.number is not None
    assert found.number < 0.15
    steady = ablation(Anchored, views(), latents=LATENTS, rng=np.random.default_rng(0))
    assert steady.verdict == "holds"
    assert steady.number == pytest.approx(1)


def test_latents_that_hang_on_a_measurement_are_told() -> None:
    found = ablation(lambda: Anchored("text/b"), views(), latents=LATENTS, rng=np.random.default_rng(0))
    assert {row["without"] for row in found.rows if row["verdict"] == "violated"} == {"text", "text/b"}


def test_two_modalities_cannot_be_one() -> None:
    latents = {"text": 1, "face": 1}
    found = ablation(Anchored, views(2), latents=latents, rng=np.random.default_rng(0))
    assert [row["without"] for row in found.rows] == ["text/a", "text/b"]
    single = {m: {"a": by["a"]} for m, by in views(2).items()}
    found = ablation(Anchored, single, latents=latents, rng=np.random.default_rng(0))
    assert (found.verdict, found.number, found.rows) == ("not testable", None, [])


def test_where_seeds_disagree_nothing_is_said_of_removal() -> None:
    found = ablation(lambda: Anchored("voice", noise=9.0), views(), latents=LATENTS, rng=np.random.default_rng(0))
    assert found.verdict == "doubtful"
    assert "Two seeds do not agree" in found.sentence


def test_a_fit_that_fails_keeps_its_reason() -> None:
    found = ablation(lambda: Anchored(fails="text/a"), views(), latents=LATENTS, rng=np.random.default_rng(0))
    assert {row["without"]: row["reason"] for row in found.rows if row["reason"]} == {
        "text": "nothing works without text/a", "text/a": "nothing works without text/a",
    }  # fmt: skip
    assert found.verdict == "holds"
    with pytest.raises(ComputationError):
        ablation(lambda: Anchored(fails="smell"), views(), latents=LATENTS, rng=np.random.default_rng(0))


@dataclass(frozen=True)
class Sparse(Anchored):
    """Keeps the edges that are worth more than the weight."""

    strength: float = 0.0

    def fit(
        self,
        views: Arrays,
        *,
        latents: Mapping[str, int],
        shared: int = 0,
        truth: np.ndarray | None = None,
        rng: np.random.Generator,
        progress: Progress | None = None,
    ) -> Fit:
        if self.strength > 10:
            raise ComputationError("too dear")
        # text_1, text_2, face_1: worth 1 within text, 3 and 5 across
        worth = np.array([[9.0, 0, 0], [1, 9, 0], [3, 5, 9]])
        return Fit([], 0, 0.0, float(rng.random()), (worth > self.strength).astype(float))


def test_dearer_edges_are_fewer() -> None:
    rows = sparsity_path(
        lambda weight: Sparse(strength=weight), [0, 2, 4, 8, 20], views(2), latents={"face": 1, "text": 2},
        rng=np.random.default_rng(0),
    )  # fmt: skip
    assert [(row["strength"], row["edges"], row["across"]) for row in rows] == [
        (0, 3, 2), (2, 2, 2), (4, 1, 1), (8, 0, 0), (20, None, None),
    ]  # fmt: skip
    assert len({row["objective"] for row in rows[:4]}) == 1  # the same random numbers
    assert [row["reason"] for row in rows] == ["", "", "", "", "too dear"]
    assert rows[0]["information"] == 2.0
