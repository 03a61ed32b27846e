"""Agreement of seeds knows no order, sign or scale; a seed is chosen by what validation and the others say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import norm

from personax.crl import agreement, fit_seeds, regret
from personax.crl._estimator import Arrays, Progress
from personax.crl._select import reported_fits
from personax.errors import ComputationError, InputError

COUNTS = {"text": 3, "image": 2}
Array = NDArray[np.float64]


def latents(seed: int = 0, n: int = 200) -> Array:
    return np.random.default_rng(seed).normal(size=(n, 6))


@given(st.permutations(range(3)), st.permutations(range(2)), st.lists(st.sampled_from([-1, 1]), min_size=6, max_size=6))
def test_order_within_modalities_sign_and_monotone_maps_do_not_matter(
    text: list[int], image: list[int], signs: list[int]
) -> None:
    z = latents()
    order = [0, *(1 + i for i in text), *(4 + i for i in image)]
    other = np.exp(z[:, order]) * np.array(signs)
    graph = np.zeros((6, 6))
    graph[1, 0] = graph[4, 2] = 1
    found = agreement([z, other], counts=COUNTS, shared=1, adjacencies=[graph, graph[np.ix_(order, order)]])
    np.testing.assert_allclose(found.pairwise, 1)
    np.testing.assert_allclose(found.latents, 1)
    assert found.graphs[0, 1] == 1


def test_latents_are_not_matched_across_modalities() -> None:
    z = latents(n=2000)
    swapped = z[:, [0, 4, 5, 3, 1, 2]]
    assert agreement([z, swapped], counts=COUNTS, shared=1).mean < 0.5
    assert agreement([z, latents(1, 2000)], counts=COUNTS, shared=1).mean < 0.1


def test_each_latent_has_its_own_agreement() -> None:
    z = latents(n=3000)
    noisy = z.copy()
    noisy[:, 3] = np.random.default_rng(5).normal(size=3000)
    found = agreement([z, z, noisy], counts=COUNTS, shared=1)
    np.testing.assert_allclose(found.latents[0, [0, 1, 2, 4, 5]], 1)
    assert found.latents[0, 3] == pytest.approx(0.5, abs=0.05)
    np.testing.assert_allclose(found.pairwise, found.pairwise.T)
    assert found.runs[2] < found.runs[0]


def test_graphs_agree_in_the_share_of_their_edges() -> None:
    z = latents()
    one, other = np.zeros((6, 6)), np.zeros((6, 6))
    one[1, 0] = one[2, 1] = one[3, 2] = other[1, 0] = other[2, 1] = other[5, 4] = 0.9
    assert agreement([z, z], counts=COUNTS, shared=1, adjacencies=[one, other]).graphs[0, 1] == pytest.approx(2 / 4)
    assert np.isnan(agreement([z, z], counts=COUNTS, shared=1, adjacencies=[one, None]).graphs[0, 1])


def test_one_run_agrees_with_nothing_and_none_is_refused() -> None:
    found = agreement([latents()], counts=COUNTS, shared=1)
    assert np.isnan([found.mean, *found.runs, *found.latents[0]]).all()
    with pytest.raises(InputError, match="at least one"):
        agreement([], counts=COUNTS)


@dataclass(frozen=True)
class Noisy:
    """The first columns plus noise of a size that each seed draws; its objective is that size, or lies."""

    lies: bool = False
    fails_above: float = np.inf
    name = "noisy"
    needs = ""

    def fit(
        self,
        views: Arrays,
        *,
        latents: Mapping[str, int],
        shared: int = 0,
        truth: NDArray[np.float64] | None = None,
        rng: np.random.Generator,
        progress: Progress | None = None,
    ) -> NoisyFit:
        size = float(rng.uniform(0, 2))
        if size > self.fails_above:
            raise ComputationError("too noisy")
        return NoisyFit(dict(latents), size, -size if self.lies else size, int(rng.integers(2**31)))


@dataclass(frozen=True)
class NoisyFit:
    counts: dict[str, int]
    size: float
    objective: float
    seed: int
    adjacency: Array | None = None
    names: list[str] = field(default_factory=list)

    def encode(self, views: Arrays) -> Array:
        columns = [next(iter(views[m].values()))[:, :k] for m, k in self.counts.items()]
        z = np.column_stack(columns).astype(float)
        return z + self.size * np.random.default_rng(self.seed).normal(size=z.shape)


@dataclass(frozen=True)
class Checking(Noisy):
    """Checks what it fits, which costs; its fits say whether they were checked."""

    checks: bool = True

    def without_checks(self) -> Checking:
        return replace(self, checks=False)

    def with_checks(
        self, fit: NoisyFit, views: Arrays, latents: Mapping[str, int], progress: Progress | None = None
    ) -> NoisyFit:
        assert (views, latents) == (VIEWS, COUNTS)
        return replace(fit, names=["checked"])

    def fit(self, *args: Any, **kwargs: Any) -> NoisyFit:
        assert not self.checks
        return super().fit(*args, **kwargs)


VIEWS = {"text": {"a": latents(1)}, "image": {"b": latents(2)}}


def test_the_smallest_objective_is_chosen_and_seeds_do_not_depend_on_their_number() -> None:
    few = fit_seeds(Noisy(), VIEWS, latents=COUNTS, seeds=3, rng=np.random.default_rng(0))
    many = fit_seeds(Noisy(), VIEWS, latents=COUNTS, seeds=6, rng=np.random.default_rng(0))
    objectives = [row["objective"] for row in many.seeds()]
    assert [row["objective"] for row in few.seeds()] == objectives[:3]
    assert many.index == int(np.argmin(objectives))
    assert many.best.objective == min(objectives)
    assert [row["chosen"] for row in many.seeds()].count(True) == 1


def test_checks_that_need_further_fits_are_made_of_the_chosen_seed_alone() -> None:
    told: list[int] = []

    def progress(at: int) -> None:
        told.append(at)

    rng = np.random.default_rng(0)
    found = fit_seeds(Checking(), VIEWS, latents=COUNTS, seeds=3, rng=rng, progress=progress)
    assert told == [0, 1, 2, 3]
    assert (reported_fits(Checking(), 3), reported_fits(Noisy(), 3)) == (4, 3)
    plain = fit_seeds(Noisy(), VIEWS, latents=COUNTS, seeds=3, rng=np.random.default_rng(0))
    assert found.index == plain.index
    assert found.best.names == ["checked"]
    assert [fit.names for fit in found.fits if fit is not None and fit is not found.best] == [[], []]


def test_where_objectives_lie_agreement_does_not() -> None:
    chosen = fit_seeds(Noisy(lies=True), VIEWS, latents=COUNTS, seeds=6, by="agreement", rng=np.random.default_rng(0))
    sizes = [fit.size for fit in chosen.fits if isinstance(fit, NoisyFit)]
    assert sizes[chosen.index] == min(sizes)
    by_objective = fit_seeds(Noisy(lies=True), VIEWS, latents=COUNTS, seeds=6, rng=np.random.default_rng(0))
    assert sizes[by_objective.index] == max(sizes)


def test_a_seed_that_fails_is_missing_with_its_reason() -> None:
    chosen = fit_seeds(Noisy(fails_above=1.0), VIEWS, latents=COUNTS, seeds=6, rng=np.random.default_rng(0))
    rows = chosen.seeds()
    failed = [row for row in rows if row["objective"] is None]
    assert failed
    assert {row["reason"] for row in failed} == {"too noisy"}
    assert len(chosen.stability) == 5
    with pytest.raises(ComputationError, match="none of 4 seeds could be fitted: too noisy"):
        fit_seeds(Noisy(fails_above=-1), VIEWS, latents=COUNTS, seeds=4, rng=np.random.default_rng(0))


@dataclass(frozen=True)
class Reading:
    """Takes these columns of the measurements for latents."""

    text: list[int]
    objective: float
    names: list[str] = field(default_factory=lambda: ["text_1", "text_2", "image_1"])
    adjacency: Array | None = None

    def encode(self, views: Arrays) -> Array:
        return np.column_stack([views["text"]["a"][:, self.text], views["image"]["b"][:, :1]]).astype(float)


@dataclass
class Readings:
    """Every seed reads other columns; the second one's objective is the least."""

    fits: list[Reading]
    name = "readings"
    needs = ""

    def fit(self, *_: object, **__: Any) -> Reading:
        return self.fits.pop(0)


def partial(x: Array, y: Array, z: Array) -> float:
    """The smallest p-value of partial correlations."""
    left = [v - z @ np.linalg.lstsq(z, v, rcond=None)[0] for v in (x - x.mean(0), y - y.mean(0))]
    r = np.array([[np.corrcoef(a, b)[0, 1] for a in left[0].T] for b in left[1].T])
    return min(1.0, float(2 * norm.sf(np.abs(np.arctanh(r)).max() * np.sqrt(len(x) - 3 - z.shape[1])) * r.size))


def test_where_a_latent_is_missing_its_measurement_shows_another_modalitys() -> None:
    rng = np.random.default_rng(0)
    z, w = rng.normal(size=(3000, 2)), rng.normal(size=3000)
    image = z[:, 1] + 0.5 * w
    views = {
        "text": {"a": np.column_stack([z, rng.normal(size=3000)])},
        "image": {"b": np.column_stack([image, rng.normal(size=3000)])},
    }
    made = [Reading([0, 1], 1.0), Reading([0, 2], 0.0), Reading([1, 0], 2.0)]
    ask: dict[str, Any] = {"latents": {"text": 2, "image": 1}, "seeds": 3, "rng": rng}
    chosen = fit_seeds(Readings(list(made)), views, by="exclusivity", conditional=partial, **ask)
    assert chosen.crossings[0] == chosen.crossings[2] == 0
    assert (chosen.crossings[1] or 0) > 0
    assert chosen.index == 0
    by_objective = fit_seeds(Readings(list(made)), views, **ask)
    assert (by_objective.index, by_objective.crossings) == (1, [None] * 3)
    with pytest.raises(ValueError, match="needs a conditional test"):
        fit_seeds(Readings(list(made)), views, by="exclusivity", **ask)


def test_regret_is_what_the_best_seed_has_beyond_the_chosen_one() -> None:
    assert regret(1, [0.5, 0.25, None]) == 0.25
    assert regret(0, [0.5, 0.25, None]) == 0
    with pytest.raises(ValueError, match="seed 2 was chosen but has no score"):
        regret(2, [0.5, 0.25, None])
