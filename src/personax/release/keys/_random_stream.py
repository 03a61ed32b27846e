"""Random numbers that a seed fixes on every machine: SHAKE-256, read as uniform numbers.

NumPy promises the bits of its generators for ever, not what its distributions make of them; a release must come back
under its key in ten years. And SHAKE-256 is a cryptographic function: parameters that leak tell nothing of the others.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

__all__ = ["RandomStream"]

Floats = NDArray[np.float64]


class RandomStream:
    """Named random arrays of one seed, independent of the order of calls.

    Examples
    --------
    >>> draws = RandomStream(bytes(32))
    >>> bool((draws.normal("a", 3) == RandomStream(bytes(32)).normal("a", 3)).all())
    True
    >>> sorted(draws.permutation("p", 4).tolist())
    [0, 1, 2, 3]
    """

    def __init__(self, seed: bytes) -> None:
        self._seed = seed

    def __repr__(self) -> str:
        return "RandomStream(...)"

    def _words(self, name: str, size: int) -> NDArray[np.uint64]:
        raw = hashlib.shake_256(self._seed + name.encode()).digest(8 * size)
        return np.frombuffer(raw, dtype="<u8").astype(np.uint64)

    def uniform(self, name: str, *shape: int) -> Floats:
        """Return numbers strictly between 0 and 1, of 53 bits."""
        words = self._words(name, int(np.prod(shape))) >> np.uint64(11)
        # the largest word and a half would round up to 1
        return np.minimum((words.astype(np.float64) + 0.5) * 2.0**-53, 1 - 2.0**-53).reshape(shape)

    def normal(self, name: str, *shape: int) -> Floats:
        """Return standard normal numbers, by the inverse of the distribution function."""
        return np.asarray(ndtri(self.uniform(name, *shape)), dtype=np.float64)

    def signs(self, name: str, size: int) -> Floats:
        """Return -1 and 1, each with probability one half."""
        return np.where(self._words(name, size) >> np.uint64(63), 1.0, -1.0)

    def permutation(self, name: str, size: int) -> NDArray[np.intp]:
        """Return the numbers below `size` in random order."""
        return np.argsort(self._words(name, size), kind="stable")
