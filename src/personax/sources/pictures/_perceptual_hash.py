"""Perceptual hashes (imagehash), and the pairs of pictures whose hashes differ in a few bits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import combinations

from PIL import Image

from personax.errors import require

__all__ = ["MAX_DISTANCE", "near_duplicates", "perceptual_hash"]

MAX_DISTANCE = 3
"""Hamming distance, of 64 bits, up to which two pictures are near duplicates."""

_BANDS = MAX_DISTANCE + 1


def perceptual_hash(image: Image.Image) -> str:
    """Return the difference hash of a picture, 64 bits as 16 hexadecimal digits.

    Each bit says whether brightness rises from one cell of a 9 x 8 grid to the next. Brighter, smaller or newly
    compressed copies of a picture keep most bits; turned or mirrored ones do not.

    Raises
    ------
    MissingExtraError
        Without imagehash.

    Examples
    --------
    >>> perceptual_hash(Image.new("RGB", (50, 50)))
    '0000000000000000'
    """
    return str(require("imagehash", extra="pictures").dhash(image))


def near_duplicates(hashes: Mapping[str, str]) -> Sequence[tuple[str, str, int]]:
    """Return the pairs of names whose hashes differ in at most `MAX_DISTANCE` bits, with the number of bits.

    Locality-sensitive hashing: of four bands of 16 bits, two hashes that differ in three bits share at least one; only
    such pairs are compared.

    Examples
    --------
    >>> near_duplicates({"a": "00000000000000ff", "b": "00000000000000fe", "c": "ffffffffffffffff"})
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
            if distance <= MAX_DISTANCE:
                found[a, b] = distance
    return [(a, b, distance) for (a, b), distance in sorted(found.items())]
