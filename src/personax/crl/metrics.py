"""How well latents and graphs match a truth; for simulated people only, and only after everything is chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.stats import rankdata

__all__ = ["Match", "held_out_r2", "match", "shd"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Match:
    """The best one-to-one matching of learned to true latents.

    Parameters
    ----------
    mcc
        Mean absolute correlation over the matched pairs.
    pairs
        (learned, true, absolute correlation), by position.
    """

    mcc: float
    pairs: list[tuple[int, int, float]]


def match(learned: Array, true: Array, *, kind: Literal["pearson", "spearman"] = "pearson") -> Match:
    """Match latents one to one so that the mean absolute correlation is largest (MCC).

    Parameters
    ----------
    learned, true
        Shape (n, d) and (n, k); min(d, k) pairs are made.
    kind
        Pearson for linear, Spearman for any monotone relation.

    References
    ----------
    Hyvärinen, Morioka 2016, arXiv:1605.06336.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(100, 3))
    >>> round(match(-2 * x[:, [2, 0, 1]], x).mcc, 6)
    1.0
    """
    a, b = (rankdata(x, axis=0) for x in (learned, true)) if kind == "spearman" else (learned, true)
    strength = np.abs(_standard(a).T @ _standard(b)) / len(a)
    rows, columns = linear_sum_assignment(-strength)
    pairs = [(int(i), int(j), float(strength[i, j])) for i, j in zip(rows, columns, strict=True)]
    return Match(float(np.mean([pair[2] for pair in pairs])), pairs)


def _standard(x: Array) -> Array:
    spread = x.std(axis=0)
    scaled: Array = (x - x.mean(axis=0)) / np.where(spread > 0, spread, 1)
    return scaled


def held_out_r2(learned: Array, true: Array, *, rng: np.random.Generator, ridge: float = 1e-2) -> float:
    """Return the R2 of predicting the true latents from the learned ones by kernel ridge, on people not fitted on.

    Half of the people (at most 1,000) fit, the other half (at most 1,000) score; the Gaussian kernel's width is the
    median distance. Scored on the points it was fitted on, even noise would reach a high value.
    """
    order = rng.permutation(len(learned))
    half = len(order) // 2
    fit_on, score_on = order[:half][:1000], order[half:][:1000]
    x = _standard(learned)
    y = _standard(true)
    squared = ((x[fit_on, None, :] - x[None, fit_on, :]) ** 2).sum(axis=2)
    scale = float(np.median(squared[squared > 0]))
    kernel = np.exp(-squared / scale)
    weights = np.linalg.solve(kernel + ridge * np.eye(len(kernel)), y[fit_on])
    across = np.exp(-((x[score_on, None, :] - x[None, fit_on, :]) ** 2).sum(axis=2) / scale)
    residual = np.square(y[score_on] - across @ weights).sum(axis=0)
    total = np.square(y[score_on] - y[score_on].mean(axis=0)).sum(axis=0)
    return float(np.mean(1 - residual / total))


def shd(learned: NDArray[np.bool_], true: NDArray[np.bool_]) -> int:
    """Return the structural Hamming distance of two directed graphs, rows are children; a reversed edge counts once.

    Examples
    --------
    >>> a = np.array([[False, False], [True, False]])
    >>> shd(a, a), shd(a, a.T), shd(a, np.zeros_like(a))
    (0, 1, 1)
    """
    differs = learned != true
    return int(np.triu(differs | differs.T, 1).sum())
