"""Stability: whether runs from other seeds find the same latents and the same graph; no truth is needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from personax.crl.metrics._mcc import match
from personax.errors import InputError

__all__ = ["Agreement", "agreement", "columns"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Agreement:
    """How far runs agree.

    Parameters
    ----------
    pairwise
        Shape (runs, runs): MCC of each pair, matched within modalities; 1 on the diagonal.
    latents
        Shape (runs, d): of each run's latent the mean correlation with its match in the other runs; NaN for one run.
    graphs
        Shape (runs, runs): edges that both runs have among those that either has, after matching; NaN where a run
        learned no graph or neither has an edge.
    """

    pairwise: Array
    latents: Array
    graphs: Array

    @property
    def mean(self) -> float:
        """The mean over pairs of runs; NaN for one run."""
        return _off_diagonal_mean(self.pairwise)

    @property
    def runs(self) -> Array:
        """Of each run the mean agreement with the others, shape (runs,)."""
        k = len(self.pairwise)
        if k < 2:
            return np.full(k, np.nan)
        mean: Array = (self.pairwise.sum(axis=1) - 1) / (k - 1)
        return mean


def columns(counts: Mapping[str, int], shared: int = 0) -> dict[str, list[int]]:
    """Return the columns of shared latents, where there are any, and of each modality's.

    Examples
    --------
    >>> columns({"text": 2, "image": 1}, shared=1)
    {'shared': [0], 'text': [1, 2], 'image': [3]}
    """
    found, start = {"shared": list(range(shared))} if shared else {}, shared
    for modality, count in counts.items():
        found[modality] = list(range(start, start + count))
        start += count
    return found


def agreement(
    encodings: Sequence[Array],
    *,
    counts: Mapping[str, int],
    shared: int = 0,
    adjacencies: Sequence[Array | None] | None = None,
    threshold: float = 0.5,
) -> Agreement:
    """Compare the latents that several runs give the same people.

    Correlations are Spearman's: a latent is at best found up to a monotone map. Latents are matched within modalities.

    Parameters
    ----------
    encodings
        Of each run, shape (n, d), columns as `Fitted` orders them.
    counts, shared
        Latents of each modality, and shared ones.
    adjacencies
        Of each run, shape (d, d), rows are children; None where no graph is learned.
    threshold
        Above which an edge is there.

    Raises
    ------
    InputError
        No run, or runs of other people.

    References
    ----------
    Duan et al. 2020, arXiv:1905.12614, who choose models by such an agreement (UDR).

    Examples
    --------
    >>> z = np.random.default_rng(0).normal(size=(200, 3))
    >>> found = agreement([z, -(z[:, [1, 0, 2]] ** 3)], counts={"text": 2, "image": 1})
    >>> round(found.mean, 6)
    1.0
    """
    if not encodings:
        raise InputError("no run can be compared; fit at least one")
    k, d = len(encodings), encodings[0].shape[1]
    blocks = [(own, own) for own in columns(counts, shared).values()]
    given = list(adjacencies) if adjacencies is not None else [None] * k
    pairwise, graphs = np.eye(k), np.full((k, k), np.nan)
    latents = np.zeros((k, d))
    for a in range(k):
        for b in range(a + 1, k):
            found = match(encodings[a], encodings[b], kind="spearman", blocks=blocks)
            pairwise[a, b] = pairwise[b, a] = found.mcc
            for i, j, score in found.pairs:
                latents[a, i] += score / (k - 1)
                latents[b, j] += score / (k - 1)
            one, other = given[a], given[b]
            if one is not None and other is not None:
                into = np.empty(d, dtype=int)
                into[[i for i, *_ in found.pairs]] = [j for _, j, _ in found.pairs]
                graphs[a, b] = graphs[b, a] = _same_edges(one > threshold, (other > threshold)[np.ix_(into, into)])
    return Agreement(pairwise, latents if k > 1 else np.full((k, d), np.nan), graphs)


def _same_edges(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    either = int((one | other).sum())
    return float((one & other).sum() / either) if either else float("nan")


def _off_diagonal_mean(matrix: Array) -> float:
    away = ~np.eye(len(matrix), dtype=bool)
    return float(matrix[away].mean()) if away.any() else float("nan")
