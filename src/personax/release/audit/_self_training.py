"""Self-training: from a few pairs that may be wrong to everybody, by a map learnt, matched with and learnt again.

Each round fits a map on the pairs that are trusted, predicts every person **without their own pair**, and trusts those
who now choose each other. A pair that only its own presence supports is dropped in the next round, so a start of which
one pair in twenty is right is often enough, and the share of people who choose each other says, without the truth,
whether it has worked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from personax.release.audit._attack import Vectors
from personax.release.audit._axes import LONG, leading, whitened_leading
from personax.release.audit._learned_maps import Predicted, orthogonal, predict
from personax.release.audit._nearest_neighbours import distances

__all__ = ["NO_PAIRS", "MatchedPairs", "SelfTrained", "mutual_nearest", "reduced", "reduced_white", "self_train"]

AXES: Final = 512
"""Both sides are seen on at most so many axes."""
BATCH: Final = 2000
"""So many people are matched in a round; they choose among all, and the next map is fitted on those trusted."""
ROUNDS: Final = 12
MIN_IMPROVEMENT: Final = 1.01
PATIENCE: Final = 2
"""A stage ends where so many rounds in a row did not let more people choose each other."""
NONLINEAR_FROM: Final = 0.5
"""Share of people who choose each other from which a map that is not linear is tried, too."""
CONVERGED: Final = 0.999
"""Share from which nothing more is tried."""
HUBNESS_ROWS: Final = 500
NEIGHBOURS: Final = 10
"""Neighbours that the crowding of a place is judged by."""

Indices = NDArray[np.intp]


class MatchedPairs(NamedTuple):
    """Rows of the originals, and the released row that each is taken for."""

    original: Indices
    released: Indices


NO_PAIRS: Final = MatchedPairs(np.zeros(0, np.intp), np.zeros(0, np.intp))


@dataclass(frozen=True)
class SelfTrained:
    """What self-training has ended with.

    Parameters
    ----------
    guess
        The released row of each person asked about.
    agreed
        Share of people who choose each other; near 1 it has worked, whatever the truth.
    trusted
        The pairs that the last map was learnt from.
    """

    guess: Indices
    agreed: float
    trusted: MatchedPairs = NO_PAIRS


def mutual_nearest(forth: Indices, back: Indices) -> MatchedPairs:
    """Return those who choose each other."""
    own = np.flatnonzero(back[forth] == np.arange(len(forth)))
    return MatchedPairs(own, forth[own])


def reduced(x: Vectors) -> Vectors:
    """Return centred rows of unit mean square, on their principal axes where they have more than 512 numbers."""
    if x.shape[1] > LONG:
        scores = leading(x)[:, :AXES]
        return np.asarray(scores / (np.sqrt(np.square(scores).mean(dtype=np.float64)) + 1e-30), dtype=np.float32)
    centred = x - x.mean(axis=0, dtype=np.float64).astype(np.float32)
    if x.shape[1] > AXES:
        _, axes = np.linalg.eigh((centred.T @ centred).astype(np.float64))
        centred = centred @ axes[:, -AXES:].astype(np.float32)
    return np.asarray(centred / (np.sqrt(np.square(centred).mean(dtype=np.float64)) + 1e-30), dtype=np.float32)


def reduced_white(x: Vectors) -> Vectors:
    """Return rows whitened as the transform does, which needs no key; long ones on the axes of most variance."""
    return reduced(whitened_leading(x, AXES))


def self_train(
    u: Vectors,
    v: Vectors,
    start: MatchedPairs,
    *,
    known: MatchedPairs | None = None,
    probes: Indices | None = None,
    one_to_one: bool = False,
    rng: np.random.Generator,
) -> SelfTrained:
    """Extend pairs to everybody.

    Parameters
    ----------
    u, v
        Originals and released rows, shapes (n, d) and (m, e); see `reduced`.
    start
        Pairs to begin with, most of which may be wrong.
    known
        Pairs that are certain and stay.
    probes
        Rows of `u` to guess; all by default. The map is learnt from, and matches are sought among, all rows.
    one_to_one
        Everybody of `u` is in `v` and nobody else: the last match is an assignment, where they are at most 2,000.

    References
    ----------
    Artetxe, Labaka, Agirre 2018, doi:10.18653/v1/P18-1073 (self-learning of cross-lingual maps). Lample, Conneau,
    Denoyer, Ranzato 2018, arXiv:1710.04087 (the correction for crowded places, CSLS).
    """
    firm = NO_PAIRS if known is None else known
    state = _State(u, v, firm, rng)
    trusted, agreed = state.joined(start), 0.0
    kernels: tuple[str, ...] = ("linear",)
    trusted, agreed = _stage(state, trusted, kernels)
    if NONLINEAR_FROM <= agreed < CONVERGED:
        kernels = ("linear", "gaussian")
        trusted, agreed = _stage(state, trusted, kernels)
    last = np.arange(len(u)) if probes is None else probes
    if len(trusted.original) < 2:
        return SelfTrained(rng.integers(len(v), size=len(last)), 0.0)
    forth, back = state.maps(trusted, kernels)
    if one_to_one and len(u) == len(v) <= BATCH:
        guess = linear_sum_assignment(state.costs(forth, back, np.arange(len(u))))[1][last]
    else:
        guess = np.concatenate([state.forth(forth, back, rows) for rows in _batches(last)])
    return SelfTrained(np.asarray(guess, dtype=np.intp), agreed, trusted)


def _batches(rows: Indices) -> list[Indices]:
    return [rows[start : start + BATCH] for start in range(0, len(rows), BATCH)]


def _stage(state: _State, trusted: MatchedPairs, kernels: Sequence[str]) -> tuple[MatchedPairs, float]:
    """Repeat rounds while more people choose each other; return the best round."""
    best, most, idle = trusted, 0.0, 0
    for _ in range(ROUNDS):
        if len(trusted.original) < 2 or idle == PATIENCE:
            break
        trusted, agreed = state.round(trusted, kernels)
        idle = 0 if agreed > MIN_IMPROVEMENT * most else idle + 1
        if agreed > most:
            best, most = trusted, agreed
        if agreed >= CONVERGED:
            break
    return best, most


@dataclass(frozen=True)
class _State:
    u: Vectors
    v: Vectors
    known: MatchedPairs
    rng: np.random.Generator

    def joined(self, found: MatchedPairs) -> MatchedPairs:
        """Return the known pairs, then found ones in any order that do not contradict them."""
        free = ~np.isin(found.original, self.known.original) & ~np.isin(found.released, self.known.released)
        order = self.rng.permutation(np.flatnonzero(free))
        return MatchedPairs(*(np.concatenate([k, f[order]]) for k, f in zip(self.known, found, strict=True)))

    def maps(self, trusted: MatchedPairs, kernels: Sequence[str]) -> tuple[Predicted, Predicted]:
        """Return predictions of all, from original to released and back; those of trusted rows without their pair."""
        a, b = trusted
        if len(a) < 4:
            return orthogonal(self.u, self.v, a, b), orthogonal(self.v, self.u, b, a)
        return predict(self.u, self.v, a, b, kernels), predict(self.v, self.u, b, a, kernels)

    def costs(self, forth: Predicted, back: Predicted, rows: Indices) -> Vectors:
        """Return how far rows of the originals are from all released rows, in both spaces, less where it is crowded."""
        return _csls(_scaled_distances(forth.rows(rows), self.v), _scaled_distances(self.u[rows], back.all))

    def forth(self, forth: Predicted, back: Predicted, rows: Indices) -> Indices:
        """Return the released row that each of some rows is nearest to."""
        return np.asarray(self.costs(forth, back, rows).argmin(axis=1))

    def back(self, forth: Predicted, back: Predicted, columns: Indices) -> Indices:
        """Return the original that each of some released rows is nearest to."""
        there, here = _scaled_distances(back.rows(columns), self.u), _scaled_distances(self.v[columns], forth.all)
        return np.asarray(_csls(there, here).argmin(axis=1))

    def round(self, trusted: MatchedPairs, kernels: Sequence[str]) -> tuple[MatchedPairs, float]:
        """Learn, match, and return who chooses each other now, and how large a share of those looked at."""
        forth, back = self.maps(trusted, kernels)
        rows = self.rng.permutation(len(self.u))[:BATCH]
        chosen = self.forth(forth, back, rows)
        columns, place = np.unique(chosen, return_inverse=True)
        own = self.back(forth, back, columns)[place] == rows
        return self.joined(MatchedPairs(rows[own], chosen[own])), float(own.mean())


def _csls(one: Vectors, other: Vectors) -> Vectors:
    """Return the distances in both spaces, less where it is crowded; the first is used up."""
    one += other
    one -= _neighbourhood_distance(one) / 2
    return one


def _scaled_distances(a: Vectors, b: Vectors) -> Vectors:
    found = np.empty((len(a), len(b)), dtype=np.float32)
    for rows, block in distances(a, b):
        found[rows] = block
    found /= found[: len(a) // 8 + 1].mean() + 1e-30
    return found


def _neighbourhood_distance(cost: Vectors) -> Vectors:
    """Return how near to each column some rows are: small where a column is near to many."""
    some = cost[:HUBNESS_ROWS]
    near = max(1, min(NEIGHBOURS * len(some) // max(len(cost), 1), len(some)))
    return np.asarray(np.partition(some, near - 1, axis=0)[:near].mean(axis=0))
