"""IDX files, in which MNIST and Fashion-MNIST are published."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import IO, Literal, cast

import numpy as np
from numpy.typing import NDArray

from personax.errors import InputError

__all__ = ["find_idx", "read_idx"]

LIMIT = 1 << 30
"""Bytes beyond which no file is read: MNIST has 47 million."""

UNSIGNED_BYTE = 0x08
DIMENSIONS = 4

Kind = Literal["images", "labels"]
SUFFIX = {"images": "idx3-ubyte", "labels": "idx1-ubyte"}
FOLDERS = ("", "raw", "MNIST/raw", "FashionMNIST/raw")
"""Where the usual downloaders put the files below the folder that they are given."""


def read_idx(path: Path) -> NDArray[np.uint8]:
    """Read an IDX file of unsigned bytes, gzipped or not.

    Never more is read than the header announces, and that is bounded, whatever the file claims or inflates to.

    Parameters
    ----------
    path
        For example ``t10k-images-idx3-ubyte.gz``.

    Returns
    -------
    numpy.ndarray
        Shape as the header says: (n, rows, columns) for images, (n,) for labels.

    Raises
    ------
    InputError
        When the file is absent, no IDX file of unsigned bytes, or its content does not match its header.

    References
    ----------
    http://yann.lecun.com/exdb/mnist, "The IDX file format".

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "labels"
    ...     _ = file.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 2, 7, 9]))
    ...     read_idx(file)
    array([7, 9], dtype=uint8)
    """
    try:
        with path.open("rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            if not packed:
                return _read(raw, path)
            with gzip.GzipFile(fileobj=raw) as stream:
                return _read(cast(IO[bytes], stream), path)
    except (OSError, EOFError, zlib.error) as error:  # gzip.BadGzipFile is an OSError
        raise InputError(f"cannot read {path}: {error}; download the file again") from error


def find_idx(folder: Path, kind: Kind) -> Path:
    """Find the images or labels of a download of MNIST or Fashion-MNIST.

    Parameters
    ----------
    folder
        Holds ``train-images-idx3-ubyte`` or ``t10k-images-idx3-ubyte`` and the labels, spelt with a dash or a dot
        before ``idx``, gzipped or not; or the ``raw`` folder of torchvision does. The larger training set goes first
        where it has both images and labels.
    kind
        ``images`` or ``labels``.

    Raises
    ------
    InputError
        When there is no such file.
    """
    found = {(split, one): _find(folder, split, one) for split in ("train", "t10k") for one in SUFFIX}
    for split in ("train", "t10k"):
        if all(found[split, one] for one in SUFFIX):
            return cast(Path, found[split, kind])
    for split in ("train", "t10k"):
        if (path := found[split, kind]) is not None:
            return path
    text = f"{folder} has no {kind} of MNIST or Fashion-MNIST; put t10k-{kind}-{SUFFIX[kind]}.gz there"
    raise InputError(text)


def _find(folder: Path, split: str, kind: str) -> Path | None:
    for below in FOLDERS:
        for name in (f"{split}-{kind}-{SUFFIX[kind]}", f"{split}-{kind}.{SUFFIX[kind]}"):
            for path in (folder / below / name, folder / below / f"{name}.gz"):
                if path.is_file():
                    return path
    return None


def _read(stream: IO[bytes], path: Path) -> NDArray[np.uint8]:
    start = stream.read(4)
    if len(start) < 4 or start[:2] != b"\0\0":
        raise InputError(f"{path} is not an IDX file: it must begin with two zero bytes, a type and a number")
    kind, dimensions = start[2], start[3]
    if kind != UNSIGNED_BYTE:
        raise InputError(f"{path} holds numbers of type 0x{kind:02x}; only unsigned bytes, 0x08, can be read")
    if not 1 <= dimensions <= DIMENSIONS:
        raise InputError(f"{path} announces {dimensions} dimensions; images have 3 and labels 1")
    header = stream.read(4 * dimensions)
    if len(header) < 4 * dimensions:
        raise InputError(f"{path} ends within its header; download it again")
    shape = struct.unpack(f">{dimensions}I", header)
    size = math.prod(shape)
    if size > LIMIT:
        raise InputError(f"{path} announces {size} bytes, more than the {LIMIT} that are read at most")
    # In pieces: a header that lies must not reserve memory that no content fills.
    content = bytearray()
    while len(content) <= size and (piece := stream.read(min(1 << 20, size + 1 - len(content)))):
        content += piece
    if len(content) != size:
        have = "more" if len(content) > size else f"only {len(content)}"
        raise InputError(f"{path} announces {size} bytes and holds {have}; download it again")
    return np.frombuffer(bytes(content), dtype=np.uint8).reshape(shape)
