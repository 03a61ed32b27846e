"""Whether raters tell the five traits apart: the multitrait-multimethod table, HTMT, halo."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from personax.traits._ratings import Floats
from personax.traits.reliability._rating_array import Bootstrap, RatingArray, rounded

__all__ = ["correlations", "halo", "htmt", "multitrait_multimethod"]


def correlations(means: Floats) -> Floats:
    """Return Pearson's r between every rater-trait and every other, over the people who have both scores.

    Parameters
    ----------
    means
        Shape (raters, traits, people).

    Returns
    -------
    numpy.ndarray
        Shape (raters, traits, raters, traits), NaN where fewer than three people have both or one does not vary.
    """
    # Pairwise deletion: for two rows with masks s, u the sums over common people are one matrix product each,
    # n = s u', sum x = x u', sum xy = x y', so that cov n = sum xy - sum x sum y / n, and likewise both variances.
    k, t, n = means.shape
    flat = means.reshape(k * t, n)
    seen = (~np.isnan(flat)).astype(float)
    # centred on each one's own mean first: sums of squares of large scores would lose digits
    mean = np.where(seen.any(axis=1), np.where(seen > 0, flat, 0.0).sum(axis=1) / np.maximum(seen.sum(axis=1), 1), 0.0)
    x = np.where(seen > 0, flat - mean[:, None], 0.0)
    number = seen @ seen.T
    with np.errstate(divide="ignore", invalid="ignore"):
        first, square = x @ seen.T, np.square(x) @ seen.T
        cov = x @ x.T - first * first.T / number
        var = square - np.square(first) / number
        scale = np.sqrt(np.maximum(var, 0) * np.maximum(var.T, 0))
        r = np.where((number >= 3) & (scale > 1e-9), cov / scale, np.nan)
    return np.asarray(np.clip(r, -1, 1).reshape(k, t, k, t))


def htmt(r: Floats, a: int, b: int) -> float:
    """Return the heterotrait-monotrait ratio of two traits: above .85 raters hardly tell them apart.

    Parameters
    ----------
    r
        From `correlations`; raters are the indicators of a trait.
    a, b
        Places of the traits.

    References
    ----------
    Henseler, Ringle, Sarstedt 2015, doi:10.1007/s11747-014-0403-8; Campbell and Fiske 1959, doi:10.1037/h0046016.
    """
    pairs = list(combinations(range(len(r)), 2))
    if not pairs:
        return float("nan")
    across = np.mean([abs(r[i, a, j, b]) for i in range(len(r)) for j in range(len(r)) if i != j])
    same = [np.mean([abs(r[i, trait, j, trait]) for i, j in pairs]) for trait in (a, b)]
    product = float(same[0] * same[1])
    return float(across / np.sqrt(product)) if product > 0 else float("nan")


def halo(scores: Floats) -> float:
    """Return the share of variance that the first principal component of the traits has; of five, .2 is none.

    Parameters
    ----------
    scores
        One rater's complete scores, shape (traits, people).

    References
    ----------
    Thorndike 1920, doi:10.1037/h0071663.
    """
    if scores.shape[1] < 3 or (scores.std(axis=1) < 1e-12).any():
        return float("nan")
    return float(np.linalg.eigvalsh(np.corrcoef(scores))[-1] / len(scores))


def multitrait_multimethod(ratings: RatingArray, bootstrap: Bootstrap) -> dict[str, Any]:
    """Return the table's four kinds of correlation, HTMT of each pair of traits, and each rater's halo."""
    means = ratings.means
    k, n = len(ratings.raters), len(ratings.people)
    pairs = list(combinations(range(len(ratings.traits)), 2))
    r = correlations(means)
    same_trait = np.eye(len(ratings.traits), dtype=bool)[None, :, None, :]
    same_rater = np.eye(k, dtype=bool)[:, None, :, None]
    kinds = {
        "same_trait_other_rater": same_trait & ~same_rater,
        "other_trait_same_rater": ~same_trait & same_rater,
        "other_trait_other_rater": ~same_trait & ~same_rater,
    }
    reason = "it takes two raters whose scores vary, and three people whom both scored"

    def ratios(index: NDArray[np.intp]) -> list[float]:
        drawn = correlations(means[:, :, index])
        return [htmt(drawn, a, b) for a, b in pairs]

    apart = bootstrap.intervals(ratios, n, reason=reason)
    return {
        "mtmm": {name: _mean(np.abs(r[np.broadcast_to(mask, r.shape)])) for name, mask in kinds.items()},
        "correlations": [
            {"rater": one, "trait": trait, "r": [[rounded(v) for v in row] for row in r[i, j]]}
            for i, one in enumerate(ratings.raters)
            for j, trait in enumerate(ratings.traits)
        ],
        "htmt": [
            {"a": ratings.traits[a], "b": ratings.traits[b], **one}
            for (a, b), one in zip(pairs, apart if len(apart) == len(pairs) else apart * len(pairs), strict=True)
        ],
        "halo": {rater: _halo(means[place], bootstrap) for place, rater in enumerate(ratings.raters)},
    }


def _halo(scores: Floats, bootstrap: Bootstrap) -> dict[str, Any]:
    complete = scores[:, ~np.isnan(scores).any(axis=0)]
    reason = "fewer than three people have a score of every trait, or a trait does not vary"
    return bootstrap.interval(lambda index: halo(complete[:, index]), complete.shape[1], reason=reason)


def _mean(values: Floats) -> float | None:
    known = values[~np.isnan(values)]
    return rounded(float(known.mean())) if len(known) else None
