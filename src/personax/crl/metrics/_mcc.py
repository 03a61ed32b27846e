"""Matching of learned to true latents and the mean correlation coefficient (MCC), on the same or on other people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from personax.crl._split import Array, check_latents, split_half, standardise

__all__ = ["Blocks", "Kind", "Match", "held_out_match", "match"]

Blocks = Sequence[tuple[Sequence[int], Sequence[int]]]
"""(columns of the learned latents, columns of the true ones) of each block; latents are matched within blocks only."""

Kind = Literal["pearson", "spearman", "monotone"]


@dataclass(frozen=True, slots=True)
class Match:
    """The best one-to-one matching of learned to true latents.

    Parameters
    ----------
    mcc
        Mean score over the matched pairs; true latents in ``unmatched`` do not enter it.
    pairs
        (learned, true, score), by position, sorted by the true latent where blocks are given.
    unmatched
        True latents for which no learned one was left.
    """

    mcc: float
    pairs: list[tuple[int, int, float]]
    unmatched: tuple[int, ...] = ()


def match(
    learned: ArrayLike,
    true: ArrayLike,
    *,
    kind: Literal["pearson", "spearman"] = "pearson",
    blocks: Blocks | None = None,
) -> Match:
    """Match latents one to one so that the mean absolute correlation is largest (MCC).

    The matching is scored on the people it was found on, as in the literature; with few people or many latents that
    flatters. `held_out_match` does not.

    Parameters
    ----------
    learned, true
        Shape (n, d) and (n, k); min(d, k) pairs are made, in each block.
    kind
        Pearson for linear, Spearman for any monotone relation.
    blocks
        Match within these blocks only; by default any latent may be matched with any.

    Raises
    ------
    InputError
        Missing or infinite numbers, unequal or too few people.

    References
    ----------
    Hyvärinen, Morioka 2016, arXiv:1605.06336.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(100, 3))
    >>> round(match(-2 * x[:, [2, 0, 1]], x).mcc, 6)
    1.0
    """
    a, b = check_latents(learned, true)
    strength = np.abs(_correlations(a, b, kind))
    found = _assign(strength, blocks)
    return _gather([(i, j, float(strength[i, j])) for i, j in found], b.shape[1])


def held_out_match(
    learned: ArrayLike,
    true: ArrayLike,
    *,
    kind: Kind = "pearson",
    blocks: Blocks | None = None,
    rng: np.random.Generator,
) -> Match:
    """Match latents, with their signs, on one half of the people and score the matching on the other half.

    What is fitted never sees the people it is scored on, so that latents unrelated to the truth score 0 on average
    and not, as by absolute values, something above it.

    Parameters
    ----------
    learned, true
        Shape (n, d) and (n, k); min(d, k) pairs are made, in each block.
    kind
        ``"pearson"``; ``"spearman"``; or ``"monotone"``: Pearson after the best monotone map of the learned latent
        (isotonic regression of the true one on it, rising or falling by the sign of Spearman's correlation, linear
        between the points and constant beyond them), matched by Spearman.
    blocks
        Match within these blocks only; by default any latent may be matched with any.
    rng
        Splits the people.

    Raises
    ------
    InputError
        Missing or infinite numbers, unequal or too few people.

    References
    ----------
    Hyvärinen, Morioka 2016, arXiv:1605.06336; Barlow, Brunk 1972, doi:10.1080/01621459.1972.10481216 (isotonic
    regression).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(1000, 2))
    >>> [held_out_match(-np.exp(3 * x), x, kind=kind, rng=rng).mcc > 0.99 for kind in ("pearson", "monotone")]
    [False, True]
    """
    a, b = check_latents(learned, true)
    if kind not in get_args(Kind):
        raise ValueError(f"there is no kind {kind!r}; choose one of {', '.join(get_args(Kind))}")
    fit_on, score_on = split_half(len(a), rng)
    before = _correlations(a[fit_on], b[fit_on], "pearson" if kind == "pearson" else "spearman")
    found = _assign(np.abs(before), blocks)
    pairs = []
    for i, j in found:
        # E |r| is about sqrt(2 / (pi n)) for unrelated latents, and more after the best matching; with sign and partner
        # fixed on other people, r has mean 0 there
        sign = -1.0 if before[i, j] < 0 else 1.0
        x, y = sign * a[:, i], b[:, j]
        if kind == "monotone":
            mapped = _isotonic(x[fit_on], y[fit_on], x[score_on])
            score = _correlations(mapped[:, None], y[score_on, None], "pearson")
        else:
            score = _correlations(x[score_on, None], y[score_on, None], kind)
        pairs.append((i, j, float(score[0, 0])))
    return _gather(pairs, b.shape[1])


def _correlations(a: Array, b: Array, kind: Kind) -> Array:
    """Return the correlation of each column of a with each of b; with a constant one it is 0."""
    if kind == "spearman":
        from scipy.stats import rankdata

        a, b = rankdata(a, axis=0), rankdata(b, axis=0)
    found: Array = standardise(a).T @ standardise(b) / len(a)
    return found


def _assign(strength: Array, blocks: Blocks | None) -> list[tuple[int, int]]:
    from scipy.optimize import linear_sum_assignment

    d, k = strength.shape
    found = []
    for learned, true in [(range(d), range(k))] if blocks is None else blocks:
        rows, columns = linear_sum_assignment(-strength[np.ix_(list(learned), list(true))])
        found += [(int(learned[int(i)]), int(true[int(j)])) for i, j in zip(rows, columns, strict=True)]
    return found if blocks is None else sorted(found, key=lambda pair: pair[1])


def _gather(pairs: list[tuple[int, int, float]], k: int) -> Match:
    matched = {j for _, j, _ in pairs}
    mean = float(np.mean([score for *_, score in pairs])) if pairs else 0.0
    return Match(mean, pairs, tuple(j for j in range(k) if j not in matched))


def _isotonic(x: Array, y: Array, at: Array) -> Array:
    """Return the rising isotonic regression of y on x, between and beyond the points of x."""
    from scipy.optimize import isotonic_regression

    places, where, weights = np.unique(x, return_inverse=True, return_counts=True)
    means = np.bincount(where, weights=y) / weights
    return np.interp(at, places, isotonic_regression(means, weights=weights).x)
