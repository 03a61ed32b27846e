"""Unlinkability: whether two releases of the same people, under different keys, can be joined."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from personax.release.audit._attack import Attack, Vectors, bootstrap_interval
from personax.release.audit._cached_views import CachedViews, EqualRows, as_they_are
from personax.release.audit._nearest_neighbours import standardised

__all__ = ["d_sys", "unlinkability"]

SCORED: Final = 2000
NON_MATED = 10
"""Pairs of different people scored for each pair of the same."""

Scores = NDArray[np.floating]


def d_sys(mated: Scores, others: Scores) -> float:
    """Return the global unlinkability D_sys: 0 when scores tell nothing, 1 when they tell all.

    Parameters
    ----------
    mated, others
        Scores of pairs of the same person and of different people.

    Notes
    -----
    D(s) = max(0, (p - q) / (p + q)) for the densities p of mated and q of other scores, equal priors; D_sys is its mean
    over mated scores. Densities are counted in bins that hold equal shares of both together.

    References
    ----------
    Gomez-Barrero, Galbally, Rathgeb, Busch 2018, doi:10.1109/TIFS.2017.2788000.

    Examples
    --------
    >>> d_sys(np.array([2.0, 3.0]), np.array([0.0, 1.0]))
    1.0
    """
    mated, others = np.sort(mated), np.sort(others)  # of two sorted runs the stable sort is a merge
    bins = int(np.clip(np.sqrt(len(mated)) / 2, 2, 40))
    pooled = np.concatenate([mated, others])
    weights = np.concatenate([np.full(len(mated), 0.5 / len(mated)), np.full(len(others), 0.5 / len(others))])
    order = np.argsort(pooled, kind="stable")
    places = np.cumsum(weights[order])
    edges = np.unique(pooled[order][np.searchsorted(places, np.arange(1, bins) / bins)])
    p, q = (
        np.diff(np.searchsorted(s, edges, side="right"), prepend=0, append=len(s)) / len(s) for s in (mated, others)
    )
    local = np.where(p + q > 0, np.maximum(p - q, 0) / np.where(p + q > 0, p + q, 1), 0)
    return float((p * local).sum())


def unlinkability(
    first: CachedViews, second: CachedViews, *, truth: EqualRows | None = None, rng: np.random.Generator
) -> Iterator[Attack]:
    """Yield D_sys of scores that compare vectors as they are, and of scores that compare distance profiles.

    The control pairs people at random: what D_sys shows there is the noise of its densities. Two people whose originals
    are equal, as `truth` says, are no pair of different people. At most 2,000 people are scored; their profiles are of
    their distances to all.
    """
    some = np.sort(rng.permutation(len(first))[:SCORED])
    label = some if truth is None else truth.label[some]
    scored = {
        "vectors of two keys": (first.view(standardised)[some], second.view(standardised)[some]),
        "profiles of two keys": tuple(side.profiles(as_they_are, some) for side in (first, second)),
    }
    for name, (a, b) in scored.items():
        n = len(a)
        own = np.arange(n)
        shifted = [(own + step) % n for step in _shifts(n, rng)]
        others = np.concatenate([_scores(a, b[other])[label != label[other]] for other in shifted])
        random = rng.permutation(n)
        mated, nobody = _scores(a, b), _scores(a, b[random])[(label != label[random]) | (own == random)]

        def again(rows: NDArray[np.intp], mated: Scores = mated, others: Scores = others) -> float:
            return d_sys(mated[rows], others)

        low, high = bootstrap_interval(again, n, rng=rng, times=100)
        # resampling adds noise to densities, so that its interval may miss the value on one side
        value, none = d_sys(mated, others), d_sys(nobody, others)
        value, low, high = (round(end, 6) for end in (value, min(low, value), max(high, value)))
        control = round(max(none, _null_quantile(n, others, rng)), 6)
        yield Attack(name, "two releases", "D_sys", value, low, high, low, 0.0, control, n)


def _scores(a: Vectors, b: Vectors) -> Scores:
    gap = a - b
    found: Scores = -np.einsum("ij,ij->i", gap, gap)
    return found


def _shifts(n: int, rng: np.random.Generator) -> NDArray[np.intp]:
    return 1 + rng.permutation(n - 1)[:NON_MATED]


def _null_quantile(n: int, others: Scores, rng: np.random.Generator) -> float:
    """Return the 99.8 % quantile of D_sys where mated scores are drawn from those of other people."""
    drawn = [d_sys(rng.choice(others, size=n), others) for _ in range(40)]
    # of normal draws; so far out too few are drawn
    return float(np.mean(drawn) + 2.9 * np.std(drawn))
