"""Whitening: an affine map, fitted on the data, after which the covariance is the identity."""

from __future__ import annotations

import numpy as np

from personax.errors import InputError
from personax.registry import register
from personax.release.keys._random_stream import RandomStream
from personax.release.transforms._properties import SMOOTH
from personax.release.transforms._step import Batches, Floats, State, TransformStep

__all__ = ["SingleWhitening", "Whitening"]

EIGENVALUE_FLOOR = 1e-8
"""Directions that vary less, relative to the one that varies most, are not stretched to size one."""


class Whitening(TransformStep):
    """Centre, turn to the principal axes, divide each by its standard deviation.

    It has no key of its own: whoever knows the originals can compute it. Always in float64, as releases of version 1
    were made. Its state, a d x d matrix, belongs with the key.

    References
    ----------
    Kessy, Lewin, Strimmer 2018, doi:10.1080/00031305.2016.1277159 (PCA whitening).
    """

    def __init__(self, dim: int, stream: RandomStream) -> None:
        super().__init__(dim, stream)
        self._mean = np.zeros(dim)
        self._axes = np.eye(dim)
        self._sizes = np.ones(dim)

    def fit_batches(self, batches: Batches) -> None:
        """Take mean and covariance from the rows, in two passes."""
        self.forget_cast()
        count, total = 0, np.zeros(self.dim)
        for x in batches():
            count, total = count + len(x), total + x.sum(axis=0, dtype=np.float64)
        self._mean = total / count
        scatter = np.zeros((self.dim, self.dim))
        for x in batches():
            centred = x.astype(np.float64) - self._mean
            scatter += centred.T @ centred
        # Cov = V diag(l) V' gives y = (x - mean) V diag(l)^(-1/2) the covariance of the identity, and distances between
        # people become those of Mahalanobis. Directions without variance would be divided by 0: under the floor they
        # stay small instead, and come back as they were.
        values, self._axes = np.linalg.eigh(scatter / count)
        if values[-1] <= 0:
            raise InputError("all rows of the embeddings are the same; there is nothing to whiten")
        self._sizes = np.sqrt(np.maximum(values, EIGENVALUE_FLOOR * values[-1]))

    def state(self) -> State:
        """Return mean, axes and sizes."""
        return {"mean": self._mean, "axes": self._axes, "sizes": self._sizes}

    def load(self, state: State) -> None:
        """Take mean, axes and sizes."""
        self.forget_cast()
        self._mean, self._axes, self._sizes = state["mean"], state["axes"], state["sizes"]

    def transform(self, x: Floats) -> Floats:
        """Whiten rows."""
        y: Floats = (x.astype(np.float64) - self._mean) @ (self._axes / self._sizes)
        return y

    def inverse_transform(self, y: Floats) -> Floats:
        """Give them back their sizes and axes."""
        x: Floats = (y.astype(np.float64) * self._sizes) @ self._axes.T + self._mean
        return x


@register(
    "transforms",
    "whitening",
    title="Whitening",
    help="principal axes of size one, then a rotation",
    order=30,
    preset=("whitening", "rotation"),
    fitted=True,
    mixes=True,
    former={1: Whitening},
    keeps={**SMOOTH, "linear": "exactly", "linear mixing": "exactly"},
)
class SingleWhitening(Whitening):
    """The same map in the precision of the rows; only the fit is computed in float64.

    Notes
    -----
    It turns first and divides after. A product with all of ``axes / sizes`` rotated would be one matrix, but in float32
    its rounding, of the size of the largest entry, spreads over all coordinates: with sizes from 1 to 1e-4 it comes
    back 1e4 times as large along the largest axis. Rounding made before the division comes back as it was made.
    """

    def transform(self, x: Floats) -> Floats:
        """Whiten rows."""
        own = self.cast(x.dtype)
        y: Floats = (x - own["mean"]) @ own["axes"]
        y *= own["stretch"]
        return y

    def inverse_transform(self, y: Floats) -> Floats:
        """Give them back their sizes and axes."""
        own = self.cast(y.dtype)
        x: Floats = (y * own["sizes"]) @ own["axes"].T
        x += own["mean"]
        return x

    def constants(self) -> State:
        """Return what is cast."""
        return {"mean": self._mean, "axes": self._axes, "sizes": self._sizes, "stretch": 1 / self._sizes}
