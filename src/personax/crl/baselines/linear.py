"""What closed forms have in common: latents that are weighted sums of standardised dimensions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from personax.crl.method import Arrays
from personax.crl.standard import Standardiser, chunks

__all__ = ["Linear", "gram", "principal", "sides", "signed"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Linear:
    """A fitted closed form.

    Parameters
    ----------
    names
        Of the latents.
    objective
        Smaller is better; closed forms have no seed and so no validation people.
    scale
        Of the measurements.
    weights
        Modality -> shape (dimensions of all its measurements, d).
    spread
        Of the weighted sums over the people fitted on, shape (d,).
    """

    names: list[str]
    objective: float
    scale: Standardiser
    weights: Mapping[str, Array]
    spread: Array
    adjacency: None = None

    @classmethod
    def fit(
        cls, names: list[str], objective: float, scale: Standardiser, weights: Mapping[str, Array], views: Arrays
    ) -> Linear:
        """Finish from the weights and the measurements of the people fitted on."""
        spread = _sums(scale, views, weights).std(axis=0)
        return cls(names, objective, scale, weights, np.where(spread > 0, spread, 1.0))

    def encode(self, views: Arrays) -> Array:
        """Return the latents of any people, shape (n, d), on the scale of the people fitted on."""
        self.scale.check_people(views)
        encoded: Array = _sums(self.scale, views, self.weights) / self.spread
        return encoded


def sides(scale: Standardiser, views: Arrays) -> Iterator[dict[str, Array]]:
    """Go through people a chunk at a time: of each modality its standardised measurements side by side."""
    for rows in chunks(len(next(iter(next(iter(views.values())).values())))):
        yield {m: np.column_stack(list(by.values())) for m, by in scale.read(views, rows).items()}


def _sums(scale: Standardiser, views: Arrays, weights: Mapping[str, Array]) -> Array:
    parts = [np.sum([x[m] @ w for m, w in weights.items()], axis=0) for x in sides(scale, views)]
    return np.concatenate(parts)


def gram(parts: Iterable[Array]) -> Array:
    """Return the sum of products of columns, shape (dim, dim), of people a chunk at a time."""
    total = np.zeros(())
    for x in parts:
        total = total + x.T @ x
    return total


def principal(parts: Iterable[Array], people: int, count: int) -> tuple[Array, Array]:
    """Return the directions of largest variance of centred people, shape (dim, count), and their variances.

    Signs are such that the largest entry of a direction is positive. Where there are as many people as dimensions, who
    come a chunk at a time, no more than a chunk and the products of columns are held; else all of them are.

    References
    ----------
    Hotelling 1933, doi:10.1037/h0071325.
    """
    parts = iter(parts)
    first = next(parts)
    if first.shape[1] <= people:
        values, vectors = np.linalg.eigh(gram(chain([first], parts)) / people)
        order = np.argsort(values)[::-1][:count]
        return signed(vectors[:, order]), values[order]
    _, singular, rows = np.linalg.svd(np.concatenate([first, *parts]), full_matrices=False)
    return signed(rows[:count].T), np.square(singular[:count]) / people


def signed(vectors: Array) -> Array:
    """Return columns, each turned so that its entry of largest size is positive."""
    largest = vectors[np.abs(vectors).argmax(axis=0), np.arange(vectors.shape[1])]
    turned: Array = vectors * np.where(largest < 0, -1.0, 1.0)
    return turned
