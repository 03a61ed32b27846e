"""Random Fourier features: a few random waves whose products stand for a Gaussian kernel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from personax.independence._counts import Counted
from personax.independence._kernels import Bandwidth, marginal_width, standardise

__all__ = ["fourier_features"]


def fourier_features(
    variable: Counted, number: int, rng: np.random.Generator, bandwidth: Bandwidth = "distance"
) -> NDArray[np.float64]:
    """Return features of the distinct values, each of mean 0 and variance 1 over the rows, shape (a, number).

    ``sqrt(2) cos(w'x + b)`` with w normal of standard deviation 1 / width and b uniform. Categories stand at equal
    distances from one another, on axes of their own.

    References
    ----------
    Rahimi, Recht 2007, Random features for large-scale kernel machines, NeurIPS 20.
    """
    if variable.values is None:
        turns = rng.normal(size=(variable.size, number))
    else:
        values = standardise(variable)
        width = marginal_width(values, variable.counts, bandwidth)
        turns = values @ rng.normal(size=(values.shape[1], number)) / width
        if variable.labels is not None:
            turns += rng.normal(size=(int(variable.labels.max()) + 1, number))[variable.labels]
    waves = np.sqrt(2) * np.cos(turns + rng.uniform(0, 2 * np.pi, number))
    share = variable.counts / variable.n
    waves -= share @ waves
    spread = np.sqrt(share @ np.square(waves))
    return np.asarray(waves / np.where(spread > 0, spread, 1))
