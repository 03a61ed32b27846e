"""Floors to compare every score with: what is reached without identifying single latents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from personax.crl._ridge import fit_ridge
from personax.crl._split import Array, check_latents, split_half, standardise
from personax.crl.metrics._mcc import Blocks, Kind, held_out_match
from personax.crl.metrics._r2 import block_r2
from personax.errors import InputError

__all__ = ["Floor", "noise_only_floor", "root_copies_floor", "rotation_floor"]

SPREADS = (0.05, 0.1, 0.2, 0.4, 0.8)
"""Noise of the root's copies, in sds of the root; the best is reported, since a floor is what is easy to reach."""

MOST = 4000
"""People that floors are computed on at most: a hundred draws of all would cost more than what they stand beside."""

R2_DRAWS = 5
"""Rotations whose R2 is computed: it is near 1 by design, and each costs as much as all correlations together."""

R2_MOST = 500


@dataclass(frozen=True, slots=True)
class Floor:
    """What is reached without identifying single latents.

    Parameters
    ----------
    mcc, mcc_95
        Mean and 95th percentile over the draws; no percentile where there is one draw.
    r2, r2_95
        The same of the held-out R2; None where it was not asked for.
    note
        What was drawn.
    """

    mcc: float
    mcc_95: float | None
    r2: float | None
    r2_95: float | None
    note: str


def rotation_floor(
    true: ArrayLike,
    blocks: Sequence[Sequence[int]] | None = None,
    kind: Kind = "pearson",
    *,
    rng: np.random.Generator,
    draws: int = 100,
    with_r2: bool = True,
) -> Floor:
    """Return the scores of the truth itself, standardised and rotated at random within each block.

    Whoever finds the blocks and nothing more does about as well: a score that does not exceed the 95th percentile
    does not show that single latents are identified.

    Parameters
    ----------
    true
        Shape (n, k).
    blocks
        Columns of each block; by default all latents are one. Latents are matched within blocks. A block of one
        latent can only be flipped, and so scores 1.
    kind
        Of the correlation, as in `held_out_match`.
    rng
        Draws people (at most 4,000) and rotations, uniform over the orthogonal group.
    draws
        Number of rotations.
    with_r2
        Whether to compute R2 also, for the first five rotations.

    Raises
    ------
    InputError
        Missing or infinite numbers, too few people.

    References
    ----------
    Mezzadri 2007, arXiv:math-ph/0609050 (uniform rotations from QR).

    Examples
    --------
    Two independent normal latents rotated by an angle t score max(|cos t|, |sin t|), 2 sqrt(2) / pi = .90 on average.

    >>> rng = np.random.default_rng(0)
    >>> floor = rotation_floor(rng.normal(size=(4000, 2)), rng=rng, draws=400, with_r2=False)
    >>> round(floor.mcc, 1)
    0.9
    """
    x = _people(true, rng)
    columns = [list(range(x.shape[1]))] if blocks is None else [list(block) for block in blocks]
    both: Blocks = [(block, block) for block in columns]
    scores, recovered = [], []
    for draw in range(draws):
        turned = np.zeros_like(x)
        for block in columns:
            turned[:, block] = x[:, block] @ _rotation(len(block), rng)
        scores.append(held_out_match(turned, x, kind=kind, blocks=both, rng=rng).mcc)
        if with_r2 and draw < R2_DRAWS:
            recovered.append(_r2(turned, x, both, rng))
    return Floor(
        float(np.mean(scores)),
        float(np.quantile(scores, 0.95)),
        float(np.mean(recovered)) if recovered else None,
        float(np.quantile(recovered, 0.95)) if recovered else None,
        f"{draws} random rotations of the truth " + ("over all latents" if blocks is None else "within blocks"),
    )


def root_copies_floor(
    true: ArrayLike,
    kind: Kind = "pearson",
    *,
    rng: np.random.Generator,
    with_r2: bool = True,
) -> Floor:
    """Return the scores when every latent is replaced by a noisy copy of one, the root.

    The root is the latent with the highest mean absolute correlation with the others; the copies' noise is the one of
    .05, .1, .2, .4, .8 sds that scores best. Strongly dependent latents make this floor high: one found cause passes
    for all.

    Parameters
    ----------
    true
        Shape (n, k).
    kind
        Of the correlation, as in `held_out_match`.
    rng
        Draws people (at most 4,000) and noise.
    with_r2
        Whether to compute R2 also.

    Raises
    ------
    InputError
        Missing or infinite numbers, too few people.
    """
    x = _people(true, rng)
    strength = np.abs(x.T @ x) / len(x)
    root = int(np.argmax(strength.sum(axis=0)))
    copies = [x[:, [root]] + spread * rng.standard_normal(x.shape) for spread in SPREADS]
    scores = [held_out_match(copy, x, kind=kind, rng=rng).mcc for copy in copies]
    best = int(np.argmax(scores))
    recovered = _r2(copies[best], x, None, rng) if with_r2 else None
    return Floor(scores[best], None, recovered, None, f"copies of latent {root} with noise of sd {SPREADS[best]}")


def noise_only_floor(
    true: ArrayLike,
    adjacency: ArrayLike,
    kind: Kind = "pearson",
    *,
    rng: np.random.Generator,
    with_r2: bool = True,
) -> Floor:
    """Return the scores of the noise in place of the latents: each minus its kernel regression on its true parents.

    This is where a learner ends that prefers the sparsest graph to the right one. A latent without parents stays.

    Parameters
    ----------
    true
        Shape (n, k).
    adjacency
        Shape (k, k), rows are children.
    kind
        Of the correlation, as in `held_out_match`. Each latent is scored against its own noise: there is no matching.
    rng
        Splits the people: at most 2,000 to fit on, at most 4,000 others to score on.
    with_r2
        Whether to compute R2 also, of all latents from all noises.

    Raises
    ------
    InputError
        Missing or infinite numbers, too few people, a graph that does not fit the latents.
    """
    raw, _ = check_latents(true, true)
    x = standardise(raw)
    edges = np.asarray(adjacency) > 0.5
    if edges.shape != (x.shape[1], x.shape[1]):
        raise InputError(f"the true graph has shape {edges.shape}; there are {x.shape[1]} true latents")
    fit_on, score_on = split_half(len(x), rng)
    fit_on, score_on = fit_on[: MOST // 2], score_on[:MOST]
    noise = x[score_on].copy()
    for child in range(x.shape[1]):
        parents = np.flatnonzero(edges[child] & (np.arange(x.shape[1]) != child))
        if len(parents):
            model = fit_ridge(x[np.ix_(fit_on, parents)], x[fit_on][:, [child]])
            noise[:, child] -= model.predict(x[np.ix_(score_on, parents)])[:, 0]
    own: Blocks = [([j], [j]) for j in range(x.shape[1])]
    score = held_out_match(noise, x[score_on], kind=kind, blocks=own, rng=rng).mcc
    recovered = _r2(noise, x[score_on], None, rng) if with_r2 else None
    return Floor(score, None, recovered, None, "noise in place of every latent with parents")


def _people(true: ArrayLike, rng: np.random.Generator) -> Array:
    x, _ = check_latents(true, true)
    return standardise(x[rng.permutation(len(x))[:MOST]])


def _r2(learned: Array, true: Array, blocks: Blocks | None, rng: np.random.Generator) -> float:
    every: Blocks = [(range(learned.shape[1]), range(true.shape[1]))]
    found = block_r2(learned, true, blocks or every, rng=rng, most=R2_MOST)
    return float(np.mean([value for recovery in found for value in recovery.each]))


def _rotation(d: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return an orthogonal matrix, uniform: QR alone prefers some, by the signs it gives to R."""
    q, r = np.linalg.qr(rng.standard_normal((d, d)))
    turned: Array = q * np.sign(np.diag(r))
    return turned
