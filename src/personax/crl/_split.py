"""What all scores against a truth share: checked arrays, a random split of the people, standardised columns."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from personax.errors import InputError

__all__ = ["Array", "check_latents", "split_half", "standardise"]

Array = NDArray[np.float64]

FEWEST = 8
"""Below this many people there is nothing to split, let alone to fit."""


def check_latents(learned: ArrayLike, true: ArrayLike) -> tuple[Array, Array]:
    """Return both as float arrays of shape (n, d) and (n, k), checked.

    Raises
    ------
    InputError
        Not two-dimensional, no column, unequal numbers of people, too few of them, missing or infinite numbers.
    """
    a, b = np.asarray(learned, dtype=np.float64), np.asarray(true, dtype=np.float64)
    for name, x in (("learned", a), ("true", b)):
        if x.ndim != 2 or x.shape[1] == 0:
            raise InputError(f"the {name} latents have shape {x.shape}; give one row a person, one column a latent")
        if not np.isfinite(x).all():
            raise InputError(f"the {name} latents hold missing or infinite numbers; a score of them means nothing")
    if len(a) != len(b):
        raise InputError(f"{len(a)} people have learned latents and {len(b)} have true ones; give the same people")
    if len(a) < FEWEST:
        raise InputError(f"{len(a)} people are too few to score latents on; at least {FEWEST} are needed")
    return a, b


def split_half(n: int, rng: np.random.Generator) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return a random half of n people to fit on and the other half to score on."""
    order = rng.permutation(n)
    return order[: n // 2], order[n // 2 :]


def standardise(x: Array) -> Array:
    """Return columns of mean 0 and sd 1; a constant column becomes 0."""
    spread = x.std(axis=0)
    scaled: Array = (x - x.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    return scaled
