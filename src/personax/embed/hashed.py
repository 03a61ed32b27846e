"""A small offline text encoder: hashed words and character n-grams under a fixed random projection."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from personax.errors import InputError

__all__ = ["encode_texts"]

BUCKETS = 2**14
_SEED = 20260101
"""Of the projection; fixed, so that the same text always has the same vector."""

_WORD = re.compile(r"\w+")


def encode_texts(texts: Sequence[str], *, dim: int = 384) -> NDArray[np.float32]:
    """Encode texts by the words and the character 3- to 5-grams in them.

    Counts enter as 1 + log(count), signed by a second hash so that collisions cancel on average, and are projected by a
    Gaussian matrix; rows have length 1.

    Parameters
    ----------
    texts
        Any language; compared without regard to case.
    dim
        Length of a vector.

    Returns
    -------
    numpy.ndarray
        Shape (n, dim); a text without letters or digits is all zero.

    Raises
    ------
    InputError
        When dim is not positive.

    References
    ----------
    Weinberger et al. 2009, arXiv:0902.2206.

    Examples
    --------
    >>> same, other = encode_texts(["A quiet painter", "a quiet painter"]), encode_texts(["Handball!"])
    >>> bool(np.allclose(same[0], same[1])), bool(same[0] @ other[0] < 0.5)
    (True, True)
    """
    if dim < 1:
        raise InputError(f"the dimension of an embedding must be positive, not {dim}")
    rows, columns, values = [], [], []
    for row, text in enumerate(texts):
        grams: dict[bytes, int] = {}
        for gram in _grams(text.lower()):
            grams[gram] = grams.get(gram, 0) + 1
        for gram, times in grams.items():
            code = int.from_bytes(blake2b(gram, digest_size=8).digest(), "little")
            rows.append(row)
            columns.append((code >> 1) % BUCKETS)
            values.append((1 + np.log(times)) * (1 if code & 1 else -1))
    counts = sparse.csr_array((values, (rows, columns)), shape=(len(texts), BUCKETS))
    projection = np.random.default_rng(_SEED).standard_normal((BUCKETS, dim)).astype(np.float32)
    vectors = np.asarray(counts.astype(np.float32) @ projection)
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(length > 0, length, 1), dtype=np.float32)


def _grams(text: str) -> Iterator[bytes]:
    for word in _WORD.findall(text):
        yield f"w {word}".encode()
        framed = f"<{word}>"
        for size in (3, 4, 5):
            for start in range(len(framed) - size + 1):
                yield f"c {framed[start : start + size]}".encode()
