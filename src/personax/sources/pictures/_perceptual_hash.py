"""Pictures that are the same or nearly so: a hash of brightness steps, and pairs within a few bits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
from PIL import Image

__all__ = ["NEAR", "near_pairs", "perceptual_hash"]

NEAR = 3
"""Hashes that differ in at most so many of 64 bits are of nearly the same picture."""

_BANDS = NEAR + 1


def perceptual_hash(image: Image.Image) -> str:
    """Return 64 bits as 16 hexadecimal digits: whether brightness falls from left to right, on a grid of 9 x 8.

    Brighter, smaller or newly compressed copies of a picture keep most bits; turned or mirrored ones do not.

    Examples
    --------
    >>> perceptual_hash(Image.new("RGB", (50, 50)))
    '0000000000000000'
    """
    grid = np.asarray(image.convert("L").resize((9, 8), Image.Resampling.BOX), dtype=np.int16)
    return np.packbits((grid[:, :-1] > grid[:, 1:]).ravel()).tobytes().hex()


def near_pairs(hashes: Mapping[str, str]) -> Sequence[tuple[str, str, int]]:
    """Return the pairs of names whose hashes differ in at most `NEAR` bits, with the number of bits.

    Of four bands of 16 bits, two hashes that differ in three bits share at least one; only such pairs are compared.

    Examples
    --------
    >>> near_pairs({"a": "00000000000000ff", "b": "00000000000000fe", "c": "ffffffffffffffff"})
    [('a', 'b', 1)]
    """
    bits = {name: int(text, 16) for name, text in hashes.items()}
    bands: dict[tuple[int, int], list[str]] = defaultdict(list)
    for name in sorted(bits):
        for band in range(_BANDS):
            bands[band, bits[name] >> (16 * band) & 0xFFFF].append(name)
    found = {}
    for members in bands.values():
        for a, b in combinations(members, 2):
            distance = (bits[a] ^ bits[b]).bit_count()
            if distance <= NEAR:
                found[a, b] = distance
    return [(a, b, distance) for (a, b), distance in sorted(found.items())]
