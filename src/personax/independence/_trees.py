"""Regression on z by boosted trees, for what smooth regressions cannot follow: age limits, weight classes, steps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from personax.independence._counts import Counted
from personax.independence._segments import segmented
from personax.progress import now_at

__all__ = ["grown", "jumping", "tree_features"]

Array = NDArray[np.float64]

FOLDS = 4
"""Each row is predicted by trees that have not seen it."""

ITERATIONS, RATE, DEPTH, LEAST = 30, 0.2, 3, 5
"""Trees, the share of each that is added, how often they divide, and the rows of a leaf at the least."""

MOST_BINS = 255
"""Of a column, of about as many rows each: where a tree may divide."""

MOST_LEVELS = 20
"""Categories, the most frequent ones, that trees tell from all others."""

MOST_COLUMNS = 8
"""Columns of a target that are predicted; more are an embedding, which has no thresholds."""

LEARNED = 20_000
"""Distinct values that trees are grown on at most."""


def jumping(target: Array, z: Counted) -> tuple[Array, Array]:
    """Return what regressions that may jump say of a target at each distinct z, shape (a, m), and what that took.

    Given one column these are lines in segments, the best of all; given several, boosted trees that have not seen the
    quarter of the values that they predict, and so have taken no degree of freedom of theirs.

    Parameters
    ----------
    target
        Means of the target on the distinct values of z, shape (a, m).
    z
        Numbers, with categories or without.
    """
    target, features = target[:, :MOST_COLUMNS], tree_features(z)
    if features.shape[1] == 1:
        weights = np.repeat(z.counts[:, None].astype(float), target.shape[1], axis=1)
        fitted, segments = segmented(features[:, 0], target, weights)
        return fitted, 2 * segments
    places = np.empty(z.size, dtype=np.intp)
    places[np.lexsort(features.T[::-1])] = np.arange(z.size)
    fold = places % FOLDS  # neighbours are in different folds
    weights = np.where(fold[:, None] == np.arange(FOLDS), 0.0, z.counts[:, None])
    found = grown(features, np.repeat(target, FOLDS, axis=1), np.tile(weights, target.shape[1]))
    predicted = np.asarray(found.reshape(z.size, -1, FOLDS)[np.arange(z.size), :, fold])
    return predicted, np.zeros(target.shape[1])


def grown(features: Array, target: Array, weights: Array) -> Array:
    """Return what boosted trees say of every row, shape (a, k).

    Parameters
    ----------
    features
        Shape (a, d).
    target, weights
        For each of k regressions what is regressed and how much each row counts, 0 for those that are only predicted,
        shape (a, k).

    References
    ----------
    Friedman 2001, doi:10.1214/aos/1013203451 (gradient boosting); Ke et al. 2017, LightGBM, NeurIPS 30 (histograms).

    Examples
    --------
    >>> z = np.random.default_rng(0).uniform(-1, 1, (400, 2))
    >>> y = np.sign(z[:, [0]]) * (z[:, [1]] > 0.5)
    >>> bool(np.mean((grown(z, y, np.ones((400, 1))) - y) ** 2) < 0.01)
    True
    """
    bins = np.column_stack([_binned(column) for column in features.T])
    rows = np.arange(0, len(bins), -(-len(bins) // LEARNED))
    learned = _Rows(bins[rows], weights[rows])
    total = weights[rows].sum(axis=0)
    left = target[rows] - (mean := (weights[rows] * target[rows]).sum(axis=0) / np.where(total > 0, total, 1))
    found = np.tile(mean, (len(bins), 1))
    for done in range(ITERATIONS):
        now_at(f"boosted trees of z, {done} of {ITERATIONS}")
        tree = learned.tree(left)
        left -= tree.values(learned.bins)
        found += tree.values(bins)
    return found


def _binned(column: Array) -> NDArray[np.intp]:
    distinct = np.unique(column)
    if len(distinct) > MOST_BINS:
        distinct = np.unique(np.quantile(column, np.linspace(0, 1, MOST_BINS + 1)[:-1]))
    return np.searchsorted(distinct, column, side="right") - 1


@dataclass(frozen=True)
class _Tree:
    """Trees of k regressions: column and largest bin on the left of each division, shape (k, nodes); the leaves."""

    columns: list[NDArray[np.intp]]
    cuts: list[NDArray[np.intp]]
    leaves: Array

    def values(self, bins: NDArray[np.intp]) -> Array:
        return np.take_along_axis(self.leaves.T, self.nodes(bins, len(self.columns)), axis=0)

    def nodes(self, bins: NDArray[np.intp], depth: int) -> NDArray[np.intp]:
        """Return where each row is after some divisions, shape (a, k)."""
        node = np.zeros((len(bins), len(self.leaves)), dtype=np.intp)
        task, row = np.arange(len(self.leaves)), np.arange(len(bins))[:, None]
        for column, cut in zip(self.columns[:depth], self.cuts[:depth], strict=True):
            node = 2 * node + (bins[row, column[task, node]] > cut[task, node])
        return node


class _Rows:
    """Rows that k trees at a time are grown on."""

    def __init__(self, bins: NDArray[np.intp], weights: Array) -> None:
        self.bins, self.weights = bins, weights
        self.size, self.tasks = int(bins.max()) + 1, weights.shape[1]
        columns = bins.shape[1]
        self._cells = np.arange(columns) * self.size + bins  # of one node, shape (a, d)

    def tree(self, left: Array) -> _Tree:
        """Return the trees that explain most of what is left, shape (a, k)."""
        rows, columns = self.bins.shape
        task = np.arange(self.tasks)
        node = np.zeros((rows, self.tasks), dtype=np.intp)
        weighted = self.weights * left
        found = _Tree([], [], np.zeros((self.tasks, 2**DEPTH)))
        for depth in range(DEPTH):
            nodes = 2**depth
            place = (task * nodes + node)[:, :, None] * (columns * self.size) + self._cells[:, None, :]
            shape = self.tasks, nodes, columns, self.size
            n, s = (self._sums(place, values, shape).cumsum(axis=3) for values in (self.weights, weighted))
            column, cut = _division(n, s)
            found.columns.append(column)
            found.cuts.append(cut)
            node = 2 * node + (self.bins[np.arange(rows)[:, None], column[task, node]] > cut[task, node])
        place = (task * 2**DEPTH + node).ravel()
        n, s = (np.bincount(place, values.ravel(), found.leaves.size) for values in (self.weights, weighted))
        found.leaves[:] = RATE * (s / np.where(n > 0, n, 1)).reshape(found.leaves.shape)
        return found

    @staticmethod
    def _sums(place: NDArray[np.intp], values: Array, shape: tuple[int, ...]) -> Array:
        repeated = np.broadcast_to(values[:, :, None], place.shape)
        sums = np.bincount(place.ravel(), repeated.ravel(), int(np.prod(shape))).reshape(shape)
        return np.asarray(sums, dtype=np.float64)


def _division(n: Array, s: Array) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the column and the bin of the best division, from counts and sums up to each bin; shape (k, nodes)."""
    more, rest = n[..., -1:] - n, s[..., -1:] - s
    gain = np.square(s) / np.maximum(n, 1e-9) + np.square(rest) / np.maximum(more, 1e-9)
    gain[(n < LEAST) | (more < LEAST)] = -1.0
    flat = gain.reshape(*gain.shape[:2], -1)
    best = flat.argmax(axis=2)
    column, cut = np.divmod(best, gain.shape[3])
    nothing = np.take_along_axis(flat, best[..., None], 2)[..., 0] < 0
    cut[nothing] = gain.shape[3]  # then all rows are on the left
    return column, cut


def tree_features(z: Counted) -> Array:
    """Return numbers as they are and the most frequent categories, if there are any, as columns of 0 and 1."""
    if z.values is not None and z.labels is None:
        return z.values
    labels = np.arange(z.size) if z.labels is None else z.labels
    most = np.argsort(-np.bincount(labels, z.counts), kind="stable")[:MOST_LEVELS]
    groups = (labels[:, None] == most).astype(float)
    return groups if z.values is None else np.hstack([z.values, groups])
