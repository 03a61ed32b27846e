"""A small offline image encoder: where which colours are, and which way edges run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from personax.embed.pictures import open_picture
from personax.errors import InputError

__all__ = ["encode_images"]

_SIDE = 64
_SEED = 20260102
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
    projection = np.random.default_rng(_SEED).standard_normal((features.shape[1], dim)) / np.sqrt(features.shape[1])
    return np.asarray(features @ projection, dtype=np.float32)


_LENGTH = 3 * _COARSE**2 + _CELLS**2 * _BINS


def _read(path: Path) -> NDArray[np.float32]:
    return np.asarray(open_picture(path, (_SIDE, _SIDE)), dtype=np.float32) / np.float32(255)


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
