"""Strangers only: embeddings of other people by the same encoder tell how the released ones are turned.

The attacker holds no original of anybody in the release. Two samples of one population have the same shape, so that a
rotation can be found by laying one upon the other; then whoever's original the attacker computes is looked up.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from scipy.special import ndtri

from personax.release.audit._attack import CONFIDENCE, Attack, Vectors, bootstrap_interval
from personax.release.audit._axes import LONG, leading, whitened_leading
from personax.release.audit._cached_views import EqualRows, equal_rows
from personax.release.audit._gromov_wasserstein import gromov_wasserstein
from personax.release.audit._nearest_neighbours import distance_profiles, distances, mean_of_least, squared_distances
from personax.release.audit._self_training import AXES, mutual_nearest

__all__ = ["KNOWS", "strangers"]

KNOWS: Final = "strangers' embeddings of the same encoder"
MIN_PEOPLE: Final = 60
SUBSET: Final = 600
"""Matched by Gromov-Wasserstein, which gives the first rotation."""
LEADING_AXES: Final = (8, 12, 16, AXES)
"""First axes on which a start is sought; whitened vectors have no first ones, and so all are taken."""
START_AXES: Final = 24
"""Axes on which starts are compared."""
STARTS: Final = 4
"""Samples that are matched for each; the problem has many optima."""
AGREEING: Final = 3
"""Starts that lead to the best map, from which no other is tried."""
ALIKE: Final = 0.8
"""Mean cosine of the axes under two maps, from which they are one optimum; between wrong ones it is .65 at most."""
ROWS: Final = 2000
"""Laid upon each other in a round."""
ROUNDS: Final = 5
NEIGHBOURS: Final = 10
"""Neighbours that the crowding of a place is judged by."""

Floats = NDArray[np.float64]


def strangers(x: Vectors, y: Vectors, *, equal: EqualRows | None = None, rng: np.random.Generator) -> Iterator[Attack]:
    """Yield rank-1 of people in the release, and how well members are told from others (area under the ROC curve).

    Half of the people are the strangers, an eighth are in neither; the rows of both are taken out of the release.
    `equal` says which rows of `x` are equal.

    References
    ----------
    Grave, Joulin, Berthet 2019, arXiv:1805.11222 (Wasserstein Procrustes). Alvarez-Melis, Jaakkola 2018,
    arXiv:1809.00013 (Gromov-Wasserstein alignment of embeddings).
    """
    n = len(x)
    if n < MIN_PEOPLE:
        yield Attack("alignment of distributions", KNOWS, "rank-1", None,
                     reason=f"{n} people are too few to take half for strangers; {MIN_PEOPLE} are needed")  # fmt: skip
        return
    order = rng.permutation(n)
    others, inside, outside = np.split(order, [n // 2, n - n // 8])
    equal = equal_rows(x) if equal is None else equal
    # whose vector a member has, too, is no example of somebody who is not in the release; equal vectors are one example
    outside = outside[~np.isin(equal.label[outside], equal.label[inside])]
    outside = outside[equal.take(outside).first]
    truth = equal.take(inside)
    if y.shape[1] > LONG:
        y = leading(y)
    views = (
        ("alignment of distributions", _plain, LEADING_AXES),
        ("alignment of whitened distributions", _whitened, (AXES,)),
    )
    for name, view, firsts in views:
        a = view(x)
        yield from _align_and_link(name, a[others], y[inside], a[inside], a[outside], truth, firsts, rng)


def _plain(x: Vectors) -> Vectors:
    return leading(x) if x.shape[1] > LONG else x


def _whitened(x: Vectors) -> Vectors:
    """Return whitened rows; of long ones the axes of most variance."""
    return whitened_leading(x, LONG)


def _align_and_link(
    name: str, strange: Vectors, released: Vectors, inside: Vectors, outside: Vectors, truth: EqualRows,
    firsts: Sequence[int], rng: np.random.Generator,
) -> Iterator[Attack]:  # fmt: skip
    """Align, then look up members and people who are in neither."""
    (at, axes), (to, turned) = _axes(strange), _axes(released)
    a, b = _scores(strange, at, axes), _scores(released, to, turned)
    turn = _best_alignment(a, b, [min(first, a.shape[1]) for first in firsts], rng)
    found, near = _nearest_released(_scores(inside, at, axes @ turn), b)
    yield truth.rank_1(name, KNOWS, found, np.arange(len(found)))
    if not len(outside):
        yield Attack(f"membership by {name}", KNOWS, "AUC", None,
                     reason="everybody who is not in the release has a vector that a member has")  # fmt: skip
        return
    _, far = _nearest_released(_scores(outside, at, axes @ turn), b)
    yield _membership(f"membership by {name}", near[truth.first], far, rng)


def _scores(x: Vectors, at: Vectors, axes: Vectors) -> Vectors:
    return np.asarray((x - at) @ axes, dtype=np.float32)


def _axes(x: Vectors) -> tuple[Vectors, Vectors]:
    at = x.mean(axis=0)
    _, axes = np.linalg.eigh(((x - at).T @ (x - at)).astype(np.float64))
    return at, axes[:, ::-1][:, :AXES].astype(np.float32)


def _best_alignment(a: Vectors, b: Vectors, firsts: Sequence[int], rng: np.random.Generator) -> Vectors:
    """Return the orthogonal map that lays `a` upon `b` best, of those that the starts lead to.

    Few axes of most variance have few turns and dense neighbours: a start there is laid upon the other side, and axes
    are added a few at a time. Where three starts have led to the best map so far, no other is tried: wrong starts lead
    to optima that differ.
    """
    a, b = (z / np.float32(np.sqrt(np.square(z).mean())) for z in (a, b))
    u, v = (z[rng.permutation(len(z))[:ROWS]] for z in (a, b))
    most = min(max(START_AXES, min(firsts)), a.shape[1])
    tried: list[tuple[float, Vectors]] = []
    for start in _starts(a, b, firsts, rng):
        turn = _refine_alignment(u, v, _orthogonal_procrustes(start[:most, :most]), most, 4)
        tried.append((_mean_distance(u[:, :most] @ turn, v[:, :most]), turn))
        best = min(tried, key=lambda one: one[0])[1]
        if sum(_alike(best, other) for _, other in tried) == AGREEING:
            break
    return _refine_alignment(u, v, best, a.shape[1], 12)


def _alike(turn: Vectors, other: Vectors) -> bool:
    """Say whether two maps lead to one optimum, by the mean cosine of where they lay the axes."""
    return float((turn * other).sum()) >= ALIKE * len(turn)


def _starts(a: Vectors, b: Vectors, firsts: Sequence[int], rng: np.random.Generator) -> Iterator[Vectors]:
    """Yield first maps of the first axes: by the skewness of principal axes, and by distances within samples."""
    skews = [np.power(z[:, :START_AXES].astype(np.float64), 3).mean(axis=0) for z in (a, b)]
    yield np.diag(np.where(skews[0] * skews[1] < 0, -1, 1)).astype(np.float32)
    few = min(SUBSET, len(a), len(b))
    for again in range(STARTS):
        for first in (first for first in firsts if first < a.shape[1] or not again):
            u, v = (z[rng.permutation(len(z))[:few], :first] for z in (a, b))
            far = [cdist(z, z) for z in (u.astype(np.float64), v.astype(np.float64))]
            start = cdist(distance_profiles(u), distance_profiles(v), "sqeuclidean")
            yield _orthogonal_procrustes(
                u.T @ gromov_wasserstein(far[0] / far[0].mean(), far[1] / far[1].mean(), start) @ v
            )


def _refine_alignment(u: Vectors, v: Vectors, turn: Vectors, most: int, step: int) -> Vectors:
    """Fit a map of the first axes to those who choose each other, and add axes up to so many."""
    turn = _repeat_step(u, v, turn, len(turn), ROUNDS)
    while len(turn) < most:
        wider = min(most, len(turn) + max(step, len(turn) // 4))
        turn = _repeat_step(u, v, turn, wider, 2)
    return _repeat_step(u, v, turn, len(turn), ROUNDS)


def _repeat_step(u: Vectors, v: Vectors, turn: Vectors, wide: int, times: int) -> Vectors:
    """Repeat the fit; a map that comes back as it was would come back for ever."""
    for _ in range(times):
        before, turn = turn, _procrustes_step(u, v, turn, wide)
        if np.array_equal(before, turn):
            break
    return turn


def _procrustes_step(u: Vectors, v: Vectors, turn: Vectors, wide: int) -> Vectors:
    """Return the map of so many axes, fitted to those who choose each other by the present one."""
    own = len(turn)
    cost = np.vstack([block for _, block in distances(u[:, :own] @ turn, v[:, :own])])
    near = min(NEIGHBOURS, min(cost.shape) - 1)
    crowded, around = mean_of_least(cost, near, axis=0), mean_of_least(cost, near, axis=1)
    cost -= crowded / 2
    cost -= around[:, None] / 2
    found = mutual_nearest(cost.argmin(axis=1), cost.argmin(axis=0))
    return _orthogonal_procrustes(u[found.original, :wide].T @ v[found.released, :wide])


def _mean_distance(u: Vectors, v: Vectors) -> float:
    """Return how far rows are from their nearest of the other side."""
    return float(np.sqrt(_nearest_released(u, v)[1]).mean())


def _orthogonal_procrustes(products: NDArray[np.floating]) -> Vectors:
    left, _, right = np.linalg.svd(products.astype(np.float64))
    return np.asarray(left @ right, dtype=np.float32)


def _nearest_released(a: Vectors, b: Vectors) -> tuple[NDArray[np.intp], Floats]:
    """Return the nearest released row of each, and how far it is."""
    blocks = [(block.argmin(axis=1), block.min(axis=1)) for _, block in squared_distances(a, b)]
    return np.concatenate([place for place, _ in blocks]), np.concatenate([far for _, far in blocks]).astype(float)


def _membership(name: str, inside: Floats, outside: Floats, rng: np.random.Generator) -> Attack:
    """Return the area under the ROC curve of the distance to the nearest released row."""

    def area(rows: NDArray[np.intp]) -> float:
        return _area(inside[rows % len(inside)], outside[rng.integers(len(outside), size=len(outside))])

    value = _area(inside, outside)
    low, high = bootstrap_interval(area, len(inside), rng=rng)
    # from a 95 % interval to the level at which an attack counts as better than guessing
    floor = max(0.0, value - (high - low) / 2 * float(ndtri(0.5 + CONFIDENCE / 2) / ndtri(0.975)))
    ends = [round(end, 6) for end in (value, max(0.0, min(low, value)), min(1.0, max(high, value)), floor)]
    return Attack(name, KNOWS, "AUC", ends[0], ends[1], ends[2], ends[3], 0.5, None, len(inside) + len(outside))


def _area(inside: Floats, outside: Floats) -> float:
    ordered = np.sort(outside)
    below = np.searchsorted(ordered, inside, side="left") + np.searchsorted(ordered, inside, side="right")
    return float(1 - below.mean() / (2 * len(outside)))
