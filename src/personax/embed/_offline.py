"""The small offline encoders: hashed words for texts, colours and edges for images."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from personax.data.pictures import read_rgb
from personax.embed._encoder import EncoderCard, EncoderOptions, Truncation, Vectors
from personax.errors import InputError
from personax.registry import register

__all__ = ["DescriptorEncoder", "HashedEncoder", "encode_images", "encode_texts"]


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


_SIDE = 64
_PROJECTION_SEED = 20260102
_COARSE = 8
_CELLS, _BINS = 8, 9


def encode_images(paths: Sequence[Path], *, dim: int = 512) -> NDArray[np.float32]:
    """Encode pictures by a coarse colour map and histograms of edge directions under a fixed random projection.

    Parameters
    ----------
    paths
        Picture files; each is brought to 64 x 64 RGB.
    dim
        Length of a vector.

    Returns
    -------
    numpy.ndarray
        Shape (n, dim).

    Raises
    ------
    InputError
        A file that is no picture, is cut short, or unpacks to more than 50 million pixels.

    References
    ----------
    Dalal, Triggs 2005, doi:10.1109/CVPR.2005.177.
    """
    if dim < 1:
        raise InputError(f"the dimension of an embedding must be positive, not {dim}")
    features = np.stack([_describe(_read(path)) for path in paths]) if paths else np.zeros((0, _LENGTH), np.float32)
    projection = np.random.default_rng(_PROJECTION_SEED).standard_normal((features.shape[1], dim)) / np.sqrt(
        features.shape[1]
    )
    return np.asarray(features @ projection, dtype=np.float32)


_LENGTH = 3 * _COARSE**2 + _CELLS**2 * _BINS


def _read(path: Path) -> NDArray[np.float32]:
    return np.asarray(read_rgb(path, (_SIDE, _SIDE)), dtype=np.float32) / np.float32(255)


def _describe(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    block = _SIDE // _COARSE
    colours = pixels.reshape(_COARSE, block, _COARSE, block, 3).mean(axis=(1, 3)).ravel()
    return np.hstack([colours, _edges(pixels.mean(axis=2))])


def _edges(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return histograms of edge directions, weighted by strength, cell by cell."""
    dy, dx = np.gradient(grey)
    strength = np.hypot(dx, dy)
    direction = ((np.arctan2(dy, dx) % np.pi) / np.pi * _BINS).astype(int) % _BINS
    cell = np.arange(_SIDE) * _CELLS // _SIDE
    place = (cell[:, None] * _CELLS + cell[None, :]) * _BINS + direction
    histogram = np.bincount(place.ravel(), weights=strength.ravel(), minlength=_CELLS**2 * _BINS)
    return np.asarray(histogram / (np.linalg.norm(histogram) + 1e-6), dtype=np.float32)


@register(
    "encoders",
    "hashed",
    title="Hashed n-grams",
    help="384 numbers, no model; `offline` of texts",
    modality="text",
    order=10,
)
def _hashed(options: EncoderOptions) -> HashedEncoder:
    return HashedEncoder(options.dim or 384)


@register(
    "encoders",
    "descriptors",
    title="Colours and edges",
    help="512 numbers, no model; `offline` of pictures",
    modality="image",
    order=11,
)
def _descriptors(options: EncoderOptions) -> DescriptorEncoder:
    return DescriptorEncoder(options.dim or 512)


class HashedEncoder:
    """Texts by hashed words and n-grams; see `encode_texts`."""

    def __init__(self, dim: int = 384) -> None:
        self.card = EncoderCard("hashed n-grams", "text", dim, "1", "Apache-2.0", {"case": "lower", "normalise": True})

    def encode(self, items: Sequence[str]) -> Vectors:
        """Return one vector a text, shape (texts, dim)."""
        return encode_texts(items, dim=self.card.dim)

    def truncation(self, texts: Sequence[str]) -> Truncation:
        """Return that nothing is cut off."""
        return Truncation()


class DescriptorEncoder:
    """Pictures by colours and edges; see `encode_images`."""

    def __init__(self, dim: int = 512) -> None:
        self.card = EncoderCard(
            "colours and edges", "image", dim, "2", "Apache-2.0", {"orientation": "as its EXIF says", "size": "64 x 64"}
        )

    def encode(self, items: Sequence[Path]) -> Vectors:
        """Return one vector a picture, shape (pictures, dim)."""
        return encode_images(items, dim=self.card.dim)
