"""Read IDX files, the format of MNIST and Fashion-MNIST."""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from personax.errors import InputError

__all__ = ["find_idx", "read_idx"]

UNSIGNED_BYTES = 0x08

LARGEST = 1 << 30
"""Bytes; no such data set is larger, and a crafted header or a bomb must not fill the memory."""


def read_idx(path: Path) -> NDArray[np.uint8]:
    """Read an IDX file of unsigned bytes, gzipped or not.

    Raises
    ------
    InputError
        When the file cannot be read, is no IDX file of unsigned bytes, or is not as long as its header says.

    References
    ----------
    LeCun, Cortes, Burges, The MNIST database, http://yann.lecun.com/exdb/mnist.
    """
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rb") as file:
            raw = file.read(LARGEST + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path} cannot be read ({error})") from None
    if len(raw) < 4 or raw[:2] != b"\0\0" or raw[2] != UNSIGNED_BYTES or not 1 <= raw[3] <= 4:
        raise InputError(f"{path} is not an IDX file of unsigned bytes")
    start = 4 + 4 * raw[3]
    shape = tuple(int.from_bytes(raw[i : i + 4], "big") for i in range(4, min(start, len(raw) - 3), 4))
    if len(shape) != raw[3] or len(raw) - start != math.prod(shape):
        raise InputError(f"{path} is not as long as its header says; download it again")
    return np.frombuffer(raw, np.uint8, offset=start).reshape(shape)


def find_idx(folder: Path, what: str) -> Path:
    """Return the file of ``images`` or ``labels`` in a folder, the test set before the training set.

    Raises
    ------
    InputError
        When there is none.
    """
    dims = {"images": 3, "labels": 1}[what]
    for part in ("t10k", "train"):
        for joint in ("-", "."):
            for end in (".gz", ""):
                path = folder / f"{part}-{what}{joint}idx{dims}-ubyte{end}"
                if path.is_file():
                    return path
    raise InputError(f"{folder} holds no {what} of MNIST's format, such as t10k-{what}-idx{dims}-ubyte.gz")
