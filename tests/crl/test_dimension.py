"""The number of latents, where it is known: by likelihood on people held out, by scores, by agreement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from personax.crl._estimator import Arrays, Fitted, Progress
from personax.crl._select import choose_dimension
from personax.crl.methods import method
from personax.errors import ComputationError, InputError

Views = dict[str, dict[str, np.ndarray]]


def world(counts: Mapping[str, int], n: int = 600, seed: int = 0) -> Views:
    """Measurements of 8 dimensions: this many independent latents of falling size, in any direction, and noise."""
    rng = np.random.default_rng(seed)
    views: Views = {}
    for modality, count in counts.items():
        directions = np.linalg.qr(rng.normal(size=(8, count)))[0]
        sizes = np.linspace(3, 1.5, count)
        views[modality] = {"a": (rng.normal(size=(n, count)) * sizes) @ directions.T + 0.5 * rng.normal(size=(n, 8))}
    return views


@dataclass(frozen=True)
class Directions:
    weights: list[np.ndarray]
    objective: float
    names: list[str]
    adjacency: np.ndarray | None = None

    def encode(self, views: Arrays) -> np.ndarray:
        found: np.ndarray = np.hstack([by["a"] @ w for by, w in zip(views.values(), self.weights, strict=True)])
        return found


@dataclass(frozen=True)
class Probabilistic:
    """Probabilistic principal components; the objective is minus the log-likelihood of people held out.

    ``fails``: numbers of text's latents that cannot be fitted.
    """

    fails: tuple[int, ...] = ()
    name = "probabilistic"
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
    ) -> Directions:
        if latents["text"] in self.fails:
            raise ComputationError(f"no {latents['text']} latents today")
        weights, total = [], 0.0
        for modality, by in views.items():
            x, k = by["a"], latents[modality]
            order = rng.permutation(len(x))
            held, fitted = x[order[: len(x) // 3]], x[order[len(x) // 3 :]]
            values, vectors = np.linalg.eigh(np.cov(fitted.T, bias=True))
            values, vectors = values[::-1], vectors[:, ::-1]
            values[k:] = values[k:].mean()
            scores = (held - fitted.mean(axis=0)) @ vectors
            total += 0.5 * float((np.square(scores) / values).sum(axis=1).mean() + np.log(values).sum())
            weights.append(vectors[:, :k])
        if progress is not None:
            progress(1, 1, total)
        return Directions(weights, total, [])


@pytest.mark.parametrize("seed", range(5))
def test_the_true_numbers_are_found(seed: int) -> None:
    truth = {"text": 3, "face": 1}
    found = choose_dimension(Probabilistic(), world(truth, seed=seed), upto=5, seeds=4, rng=np.random.default_rng(0))
    assert found.latents == truth
    assert list(found.latents) == ["text", "face"]
    assert [(row["modality"], row["latents"]) for row in found.table if row["chosen"]] == [("text", 3), ("face", 1)]
    assert {tuple(row["others"].items()) for row in found.table} == {(("face", 5),), (("text", 3),)}


def test_the_table_is_what_the_seeds_reach() -> None:
    views = world({"text": 2, "face": 1})
    told: list[tuple[int, int]] = []
    found = choose_dimension(Probabilistic(), views, upto={"text": 3, "face": 2}, start={"text": 1, "face": 1}, seeds=3,
        rng=np.random.default_rng(7), progress=lambda done, total, _: told.append((done, total)),
    )  # fmt: skip
    seed = int(np.random.default_rng(7).integers(2**63))
    values = [
        Probabilistic().fit(views, latents={"text": 2, "face": 1}, rng=own).objective
        for own in np.random.default_rng(seed).spawn(3)
    ]
    row = found.table[1]
    assert row["objective"] == pytest.approx(np.mean(values))
    assert row["se"] == pytest.approx(np.std(values, ddof=1) / np.sqrt(3))
    assert row["agreement"] > 0.99
    assert told == [(i, 15) for i in range(1, 16)]


def test_one_standard_error_prefers_fewer() -> None:
    found = choose_dimension(
        Probabilistic(), world({"text": 2, "face": 1}), upto=4, seeds=4, rng=np.random.default_rng(0)
    )
    for modality in ("text", "face"):
        rows = [row for row in found.table if row["modality"] == modality]
        best = min(rows, key=lambda row: row["objective"])
        limit = best["objective"] + best["se"]
        assert [row["candidate"] for row in rows] == [row["objective"] <= limit for row in rows]
        assert next(row["latents"] for row in rows if row["candidate"]) == found.latents[modality]


def test_agreement_decides_between_equal_objectives() -> None:
    """All numbers score the same; one latent, of two equally large directions, is another for every split."""
    rng = np.random.default_rng(3)
    turned = np.linalg.qr(rng.normal(size=(8, 2)))[0]
    views = {"text": {"a": rng.uniform(-1, 1, size=(300, 2)) @ turned.T}, "face": {"a": rng.normal(size=(300, 8))}}

    class Turning(Probabilistic):
        def fit(self, views: Arrays, *, latents: Mapping[str, int], **rest: Any) -> Directions:
            rng = rest["rng"]
            assert isinstance(rng, np.random.Generator)
            angle = rng.uniform(0, np.pi) if latents["text"] == 1 else 0.0
            text = turned @ np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
            return Directions([text[:, : latents["text"]], np.eye(8)[:, : latents["face"]]], 1.0, [])

    upto = {"text": 2, "face": 1}
    found = choose_dimension(Turning(), views, upto=upto, seeds=4, rng=np.random.default_rng(0))
    assert [row["candidate"] for row in found.table[:2]] == [True, True]
    assert found.table[0]["agreement"] < 0.8 < found.table[1]["agreement"]
    assert found.latents == {"text": 2, "face": 1}
    single = choose_dimension(Turning(), views, upto=1, seeds=4, rng=np.random.default_rng(0))
    assert single.table[0]["agreement"] < 0.8
    assert single.table[1]["agreement"] == pytest.approx(1)  # of the face's own latent
    assert single.latents == {"text": 1, "face": 1}


def test_numbers_that_cannot_be_fitted_are_passed_over() -> None:
    views = world({"text": 2, "face": 1})
    found = choose_dimension(
        Probabilistic((2,)), views, upto={"text": 4, "face": 1}, seeds=3, rng=np.random.default_rng(0)
    )
    assert found.latents["text"] == 3
    assert found.table[1]["objective"] is None
    assert "no 2 latents today" in found.table[1]["reason"]
    assert found.table[1]["candidate"] is False
    with pytest.raises(ComputationError, match="of text could be fitted"):
        choose_dimension(Probabilistic((1, 2)), views, upto=2, rng=np.random.default_rng(0))


def test_a_score_replaces_an_objective_that_does_not_compare() -> None:
    """The share that principal components leave out always falls; a price a latent makes it compare."""
    views = world({"text": 2, "face": 1})

    def priced(fitted: Fitted) -> float:
        return fitted.objective + 0.08 * len(fitted.names)

    ask: dict[str, Any] = {"upto": 4, "seeds": 2}
    plain = choose_dimension(method("pca"), views, rng=np.random.default_rng(0), **ask)
    assert plain.latents == {"text": 4, "face": 4}
    found = choose_dimension(method("pca"), views, rng=np.random.default_rng(0), score=priced, **ask)
    assert found.latents == {"text": 2, "face": 1}


def test_what_cannot_be_chosen() -> None:
    views = world({"text": 2, "face": 1})
    for upto in (0, {"text": 2}, {"text": 2, "face": 1, "voice": 1}):
        with pytest.raises(InputError, match="each of text, face"):
            choose_dimension(Probabilistic(), views, upto=upto, rng=np.random.default_rng(0))
    with pytest.raises(InputError, match="each of text, face"):
        choose_dimension(Probabilistic(), views, upto=2, start={"text": 1}, rng=np.random.default_rng(0))
