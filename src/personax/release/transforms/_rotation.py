"""A random orthogonal map as a product of Householder reflections: distances and angles stay."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular

from personax.errors import InputError
from personax.registry import register
from personax.release.keys._random_stream import RandomStream
from personax.release.transforms._properties import ORTHOGONAL
from personax.release.transforms._step import Floats, State, TransformStep

__all__ = ["Rotation"]


@register(
    "transforms",
    "rotation",
    title="Rotation",
    help="a random orthogonal map: distances and angles stay",
    order=10,
    mixes=True,
    keeps=ORTHOGONAL,
)
class Rotation(TransformStep):
    """Rotate, in O(d k) a row for k reflections.

    Parameters
    ----------
    dim, stream
        Length of a row d, and where its numbers come from.
    reflections
        k; by default d, which is uniform over all orthogonal maps. Fewer leave every direction that is orthogonal to
        all k of them where it was: cheap, and little hidden.

    Raises
    ------
    InputError
        Less than one or more than d reflections.

    Notes
    -----
    Reflection i acts on the last d - i coordinates only, along a Gaussian vector; with random signs at the end, d of
    them are uniform. A product of reflections along the columns of V is I - V U^-1 V', where U is the upper triangle of
    V'V with half of its diagonal.

    References
    ----------
    Stewart 1980, doi:10.1137/0717034. Schreiber, Van Loan 1989, doi:10.1137/0910005.
    """

    def __init__(self, dim: int, stream: RandomStream, reflections: int | None = None) -> None:
        super().__init__(dim, stream)
        self.reflections = reflections
        count = dim if reflections is None else reflections
        if not 1 <= count <= dim:
            raise InputError(f"a rotation of {dim} dimensions has 1 to {dim} reflections, not {count}")
        vectors = np.tril(stream.normal("reflections", dim, count))
        norms = np.sqrt(np.square(vectors).sum(axis=0))
        heads = np.arange(count)
        vectors[heads, heads] += np.where(vectors[heads, heads] < 0, -norms, norms)
        vectors /= np.sqrt(np.square(vectors).sum(axis=0))
        gram = np.triu(vectors.T @ vectors)
        gram[heads, heads] = 0.5
        # U^-1 V', k x d
        self._right = solve_triangular(gram, vectors.T)
        self._left = vectors
        self._signs = stream.signs("signs", dim)
        self._dense: NDArray[np.float64] | None = None
        if 2 * count >= dim:
            self._dense = self._left @ self._right
            # of some thousand dimensions each of these matrices takes 100 MB: only one stays
            self._left = self._right = np.empty((0, 0))
            np.subtract(np.eye(dim), self._dense, out=self._dense)
            self._dense *= self._signs

    def constants(self) -> State:
        """Return the matrix, where there is one."""
        return {} if self._dense is None else {"matrix": self._dense}

    def transform(self, x: Floats) -> Floats:
        """Rotate rows."""
        if self._dense is not None:
            return x @ self.cast(x.dtype)["matrix"]
        return (x - (x @ self._left.astype(x.dtype)) @ self._right.astype(x.dtype)) * self._signs.astype(x.dtype)

    def inverse_transform(self, y: Floats) -> Floats:
        """Rotate rows back."""
        if self._dense is not None:
            return y @ self.cast(y.dtype)["matrix"].T
        plain = y * self._signs.astype(y.dtype)
        return plain - (plain @ self._right.T.astype(y.dtype)) @ self._left.T.astype(y.dtype)
