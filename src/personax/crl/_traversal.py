"""Latent traversal: the mean measurement as one latent moves, to interpret latents of images.

Methods here encode and need not decode, so the mean is a regression of the measurement on the latents, held out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from personax.crl._ridge import fit_ridge
from personax.crl._split import Array, check_latents, split_half
from personax.errors import InputError

__all__ = ["Traversal", "traverse", "traverse_all"]

QUANTILES: Final = (0.025, 0.1, 0.3, 0.5, 0.7, 0.9, 0.975)

PEOPLE: Final = 2000
"""Half to fit, half to score; kernel ridge costs their cube."""

COMPONENTS: Final = 40
"""Of the measurement at most."""

REACH: Final = 0.5
"""Standard deviations in every latent within which a person stands near a place of the traversal."""


@dataclass(frozen=True)
class Traversal:
    """One latent moved, the others held at their medians.

    Parameters
    ----------
    values
        Of the latent, shape (k,).
    means
        Of the measurement there, shape (k, dim).
    people
        Who stand near each place, shape (k,): where there are none, the mean is an extrapolation.
    r2
        Share of the measurement's variance that the latents explain, held out.
    """

    values: Array
    means: Array
    people: NDArray[np.intp]
    r2: float


def traverse(
    latents: ArrayLike,
    measurement: ArrayLike,
    which: Sequence[int],
    *,
    quantiles: Sequence[float] = QUANTILES,
    rng: np.random.Generator,
) -> list[Traversal]:
    """Return the measurement's mean as each of some latents moves through its quantiles, the others at their medians.

    The mean is kernel ridge from all latents to the leading principal components of the measurement (at most 40), so it
    is smooth and shows only what people have in common; nothing is said of what a single person would look like.

    Parameters
    ----------
    latents
        Shape (n, d).
    measurement
        Of the same people, shape (n, dim): the pixels of an image, say.
    which
        Columns of the latents that are moved.
    quantiles
        From 0 to 1.
    rng
        Draws 2,000 people at most, half to fit on.

    Raises
    ------
    InputError
        Missing or infinite numbers, other people, too few, a latent or quantile that does not exist.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> z = rng.normal(size=(600, 2))
    >>> first, second = traverse(z, z @ [[1.0, 0.0, 2.0], [0.0, 1.0, 0.0]], [0, 1], quantiles=[0.1, 0.9], rng=rng)
    >>> np.abs(np.diff(first.means, axis=0) / np.diff(first.values)).round(1).tolist()
    [[1.0, 0.0, 2.0]]
    """
    return traverse_all(latents, {"": measurement}, which, quantiles=quantiles, rng=rng)[""]


def traverse_all(
    latents: ArrayLike,
    measurements: Mapping[str, ArrayLike],
    which: Sequence[int],
    *,
    quantiles: Sequence[float] = QUANTILES,
    rng: np.random.Generator,
) -> dict[str, list[Traversal]]:
    """Return `traverse` of several measurements of the same people, by one regression.

    Parameters
    ----------
    latents, which, quantiles, rng
        As `traverse`.
    measurements
        Name -> shape (n, dim).

    Raises
    ------
    InputError
        As `traverse`.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> z = rng.normal(size=(300, 1))
    >>> found = traverse_all(z, {"twice": 2 * z, "none": rng.normal(size=(300, 1))}, [0], rng=rng)
    >>> found["twice"][0].r2 > 0.99 > 0.2 > found["none"][0].r2
    True
    """
    both = {name: check_latents(latents, x) for name, x in measurements.items()}
    if not both:
        raise InputError("give at least one measurement")
    z = next(iter(both.values()))[0]
    if not set(which) <= set(range(z.shape[1])):
        raise InputError(f"there are {z.shape[1]} latents, counted from 0; {sorted(set(which))} are asked for")
    if not quantiles or min(quantiles) < 0 or max(quantiles) > 1:
        raise InputError("give quantiles from 0 to 1")
    rows = rng.permutation(len(z))[:PEOPLE]
    fitted, scored = (rows[part] for part in split_half(len(rows), rng))
    parts = {name: _Part.of(x[fitted]) for name, (_, x) in both.items()}
    regression = fit_ridge(z[fitted], np.hstack([part.scores for part in parts.values()]))
    places = [_places(z, at, quantiles) for at in which]
    spread = np.where(z.std(axis=0) > 0, z.std(axis=0), 1.0)
    near = [(np.abs(z[None] - at[:, None]) <= REACH * spread).all(axis=2).sum(axis=1) for at in places]
    predicted = regression.predict(np.vstack([z[scored], *places]))
    found: dict[str, list[Traversal]] = {}
    start = 0
    for name, part in parts.items():
        mean = part.centre + predicted[:, start : start + len(part.directions)] @ part.directions
        start += len(part.directions)
        r2 = _share(both[name][1][scored], mean[: len(scored)])
        moved = mean[len(scored) :].reshape(len(places), len(quantiles), -1)
        found[name] = [
            Traversal(place[:, at], means, people, r2)
            for at, place, means, people in zip(which, places, moved, near, strict=True)
        ]
    return found


def _places(z: Array, at: int, quantiles: Sequence[float]) -> Array:
    """Return latents of which one moves through its quantiles, the others at their medians."""
    places = np.tile(np.median(z, axis=0), (len(quantiles), 1))
    places[:, at] = np.quantile(z[:, at], quantiles)
    return places


@dataclass(frozen=True)
class _Part:
    """A measurement's leading principal components."""

    centre: Array
    directions: Array
    scores: Array

    @classmethod
    def of(cls, x: Array) -> _Part:
        centre = x.mean(axis=0)
        directions = np.linalg.svd(x - centre, full_matrices=False)[2][:COMPONENTS]
        return cls(centre, directions, (x - centre) @ directions.T)


def _share(x: Array, predicted: Array) -> float:
    total = np.square(x - x.mean(axis=0)).sum()
    return float(1 - np.square(x - predicted).sum() / total) if total > 0 else 0.0
