"""Disentanglement, completeness and informativeness (DCI)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from personax.crl._ridge import fit_ridge
from personax.crl._split import Array, check_latents, split_half, standardise
from personax.crl.metrics._r2 import r2_score

__all__ = ["DCI", "dci"]


@dataclass(frozen=True, slots=True)
class DCI:
    """Disentanglement, completeness and informativeness, all better when larger and at most 1.

    Parameters
    ----------
    disentanglement
        1 when each learned latent matters for one true latent only; weighted by how much it matters at all.
    completeness
        1 when for each true latent one learned latent matters; mean over the true latents that are predicted at all.
    informativeness
        Mean held-out R2, where the paper reports errors.
    importance
        Shape (d, k), rows are learned latents: share of the true latent's variance that is lost when the learned
        latent is permuted.
    """

    disentanglement: float
    completeness: float
    informativeness: float
    importance: Array


def dci(learned: ArrayLike, true: ArrayLike, *, rng: np.random.Generator, most: int = 1000) -> DCI:
    """Return DCI by permutation importance in a kernel ridge regression, on people not fitted on.

    The paper takes importance from lasso or from trees. Permutation importance of the same regression that gives `r2`
    needs no further package, follows any smooth map, and is measured on people held out. Where learned latents depend
    on each other, permuting one makes people that do not exist, and the regression's errors for them count
    as importance: even the truth itself then stays below 1. Compare with ``dci(true, true)``.

    Parameters
    ----------
    learned, true
        Shape (n, d) and (n, k).
    rng
        Splits the people and permutes.
    most
        People to fit on, and as many to score on.

    Raises
    ------
    InputError
        Missing or infinite numbers, unequal or too few people.

    References
    ----------
    Eastwood, Williams 2018, A framework for the quantitative evaluation of disentangled representations, ICLR;
    Fisher, Rudin, Dominici 2019, arXiv:1801.01489 (permutation importance).

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(1000, 2))
    >>> dci(x[:, ::-1], x, rng=np.random.default_rng(1)).disentanglement > 0.95
    True
    """
    a, b = check_latents(learned, true)
    fit_on, score_on = (half[:most] for half in split_half(len(a), rng))
    y = standardise(b)
    model = fit_ridge(a[fit_on], y[fit_on])
    reached = r2_score(model.predict(a[score_on]), y[score_on])
    importance = np.empty((a.shape[1], b.shape[1]))
    for i in range(a.shape[1]):
        permuted = a[score_on].copy()
        permuted[:, i] = rng.permutation(permuted[:, i])
        importance[i] = np.maximum(reached - r2_score(model.predict(permuted), y[score_on]), 0)
    return DCI(
        *_concentrated(importance),
        float(np.mean(reached)),
        importance,
    )


def _concentrated(importance: Array) -> tuple[float, float]:
    """Return disentanglement and completeness; 0 where nothing is important."""
    # A row's shares p of its importance have the entropy -sum p log p, at most log k: 1 - entropy / log k is 1 where a
    # learned latent serves one true latent, 0 where it serves all alike. Disentanglement weighs rows by their share of
    # all importance, so that latents that serve nothing do not count; completeness is the same of columns, unweighted.
    total = importance.sum()
    if total <= 0:
        return 0.0, 0.0
    rows = importance.sum(axis=1)
    columns = importance.sum(axis=0)
    disentanglement = float(rows @ _one_minus_entropy(importance) / total)
    return disentanglement, float(_one_minus_entropy(importance.T)[columns > 0].mean())


def _one_minus_entropy(weights: Array) -> Array:
    """Return 1 minus the entropy of each row in units of its largest possible one."""
    total = weights.sum(axis=1, keepdims=True)
    shares = weights / np.where(total > 0, total, 1.0)
    logs = np.log(np.where(shares > 0, shares, 1.0))
    found: Array = 1 + (shares * logs).sum(axis=1) / np.log(max(weights.shape[1], 2))
    return found
