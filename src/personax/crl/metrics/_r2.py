"""Variance of the true latents that the learned ones explain, however mixed: R2 on people not fitted on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from personax.crl._ridge import fit_ridge
from personax.crl._split import Array, check_latents, split_half, standardise
from personax.crl.metrics._mcc import Blocks

__all__ = ["Leakage", "Recovery", "block_r2", "held_out_r2", "leakage", "r2"]

MOST = 2000
"""People to fit on, and as many to score on: enough for a smooth map of a few latents, and under two seconds."""


@dataclass(frozen=True, slots=True)
class Recovery:
    """Held-out R2.

    Parameters
    ----------
    mean
        Over the true latents.
    each
        One value a true latent; below 0 where predicting the mean is better, 0 for a constant one.
    """

    mean: float
    each: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Leakage:
    """Leakage between latents and noise, as held-out R2; 0 is best.

    Parameters
    ----------
    eta_in_z
        The true noise of measurements, predicted from the learned latents.
    z_in_eta
        The true latents, predicted from the learned noise.
    """

    eta_in_z: Recovery
    z_in_eta: Recovery


def r2(learned: ArrayLike, true: ArrayLike, *, rng: np.random.Generator, most: int = MOST) -> Recovery:
    """Return the R2 of predicting each true latent from all learned ones by kernel ridge, on people not fitted on.

    Scored on the points it was fitted on, even noise would reach a high value. The Gaussian kernel's width and the
    ridge are chosen on the fitted half, see `personax.crl._ridge.fit_ridge`.

    Parameters
    ----------
    learned, true
        Shape (n, d) and (n, k).
    rng
        Splits the people.
    most
        People to fit on, and as many to score on.

    Raises
    ------
    InputError
        Missing or infinite numbers, unequal or too few people.

    References
    ----------
    Sun et al. 2025, arXiv:2411.06518, report R2 of kernel ridge regression.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(600, 2))
    >>> mixed = np.column_stack([x[:, 0] + np.tanh(x[:, 1]), x[:, 1] - 0.5 * x[:, 0]])
    >>> r2(mixed, x, rng=rng).mean > 0.95, r2(rng.normal(size=(600, 2)), x, rng=rng).mean < 0.05
    (True, True)
    """
    a, b = check_latents(learned, true)
    fit_on, score_on = (half[:most] for half in split_half(len(a), rng))
    y = standardise(b)
    predicted = fit_ridge(a[fit_on], y[fit_on]).predict(a[score_on])
    each = r2_score(predicted, y[score_on])
    return Recovery(float(np.mean(each)), tuple(float(value) for value in each))


def held_out_r2(learned: ArrayLike, true: ArrayLike, *, rng: np.random.Generator) -> float:
    """Return the mean of `r2` over the true latents."""
    return r2(learned, true, rng=rng).mean


def block_r2(
    learned: ArrayLike, true: ArrayLike, blocks: Blocks, *, rng: np.random.Generator, most: int = MOST
) -> list[Recovery]:
    """Return `r2` of each block's true latents from the same block's learned ones.

    Raises
    ------
    InputError
        Missing or infinite numbers, unequal or too few people, an empty block.
    """
    a, b = check_latents(learned, true)
    return [r2(a[:, list(own)], b[:, list(its)], rng=rng, most=most) for own, its in blocks]


def leakage(
    z: ArrayLike,
    eta: ArrayLike,
    *,
    true_z: ArrayLike,
    true_eta: ArrayLike,
    rng: np.random.Generator,
) -> Leakage:
    """Return how much of the measurements' noise the learned latents hold, and of the latents the learned noise.

    Parameters
    ----------
    z, eta
        Learned latents and learned noise, shape (n, d) and (n, e).
    true_z, true_eta
        Shape (n, k) and (n, f).
    rng
        Splits the people.

    Raises
    ------
    InputError
        Missing or infinite numbers, unequal or too few people.
    """
    return Leakage(r2(z, true_eta, rng=rng), r2(eta, true_z, rng=rng))


def r2_score(predicted: Array, true: Array) -> Array:
    """Return the share of each column's variance that is predicted; 0 for a constant column."""
    # 1 - RSS / TSS on people not fitted on: it is negative where the prediction is worse than their mean.
    left = np.square(true - predicted).sum(axis=0)
    total = np.square(true - true.mean(axis=0)).sum(axis=0)
    found: Array = np.where(total > 0, 1 - left / np.where(total > 0, total, 1.0), 0.0)
    return found
