"""Small pictures of digits and shoes, drawn or read from IDX files, placed between pixels."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import IO, Literal, cast

import numpy as np
from numpy.typing import NDArray

from personax.errors import InputError, require

__all__ = ["FRAME", "SPRITE", "digit_sprites", "find_idx", "place", "read_idx", "shoe_sprites"]


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


Images = NDArray[np.float32]

FRAME, SPRITE = 28, 14
"""Pixels on a side of the picture, and of what moves in it."""

DIGIT_BOX = 20
"""MNIST digits are scaled to fit a box of 20 pixels."""

SHOES = (5, 7, 9)
"""Labels of Fashion-MNIST: sandal, sneaker, ankle boot."""


def digit_sprites(folder: Path | None) -> tuple[Images, str]:
    """Return digits, shape (n, 14, 14) between 0 and 1, and where they come from.

    Parameters
    ----------
    folder
        A download of MNIST; None takes the 8 x 8 digits that come with scikit-learn.

    Raises
    ------
    InputError
        When the folder holds no images of 28 x 28 pixels.
    MissingExtraError
        When there is no folder and scikit-learn is not installed.
    """
    if folder is None:
        bundled = require("sklearn.datasets", extra="discovery").load_digits()
        return _resize(bundled.images / 16), "scikit-learn's 8 x 8 digits, a stand-in for MNIST"
    images = _images(folder)
    boxed = _boxed(images[images.any(axis=(1, 2))])
    return _resize(boxed / 255), f"{len(boxed)} MNIST digits"


def shoe_sprites(folder: Path | None) -> tuple[Images, str]:
    """Return sandals, sneakers and ankle boots, shape (n, 14, 14) between 0 and 1, and where they come from.

    Parameters
    ----------
    folder
        A download of Fashion-MNIST; None draws silhouettes.

    Raises
    ------
    InputError
        When the folder holds no images of 28 x 28 pixels with labels, or no shoes.
    """
    if folder is None:
        drawn = np.stack([_silhouette(kind, step / 7) for kind in range(3) for step in range(8)])
        return _resize(drawn), f"{len(drawn)} drawn silhouettes, a stand-in for Fashion-MNIST"
    images, labels = _images(folder), read_idx(find_idx(folder, "labels"))
    if labels.shape != images.shape[:1]:
        raise InputError(f"{folder} has {len(images)} images and {labels.size} labels; download both files again")
    shoes = images[np.isin(labels, SHOES)]
    shoes = shoes[shoes.any(axis=(1, 2))]
    if not len(shoes):
        raise InputError(f"{folder} has no sandals, sneakers or ankle boots (labels 5, 7, 9); is it Fashion-MNIST?")
    return _resize(shoes / 255), f"{len(shoes)} Fashion-MNIST shoes"


def place(sprites: Images, offset: NDArray[np.float64], *, axis: int) -> Images:
    """Put sprites of 14 x 14 into frames of 28 x 28, centred but for an offset along one axis.

    Pixels between two columns share a sprite's column in proportion, so that the picture is a continuous, piecewise
    linear function of the offset and its sum never changes.

    Parameters
    ----------
    sprites
        Shape (n, 14, 14).
    offset
        Shape (n,), 0 to 14: the sprite's first row or column.
    axis
        1 moves along the rows, downwards; 2 along the columns, to the right.

    Returns
    -------
    numpy.ndarray
        Shape (n, 28, 28).

    Examples
    --------
    >>> dot = np.ones((1, 14, 14), dtype=np.float32)
    >>> place(dot, np.array([0.25]), axis=2)[0, 14, [0, 1, 13, 14, 15]].tolist()
    [0.75, 1.0, 1.0, 0.25, 0.0]
    """
    upright = sprites if axis == 2 else sprites.swapaxes(1, 2)
    whole = np.minimum(np.floor(offset), FRAME - SPRITE).astype(np.intp)
    part = (offset - whole).astype(np.float32)[:, None, None]
    # One empty column before the sprite and one behind; whatever lies outside reads one of them.
    padded = np.pad(upright, ((0, 0), (0, 0), (1, 1)))
    column = np.arange(FRAME)[None, :] - whole[:, None] + 1
    here = np.clip(column, 0, SPRITE + 1)[:, None, :]
    before = np.clip(column - 1, 0, SPRITE + 1)[:, None, :]
    moved = (1 - part) * np.take_along_axis(padded, here, 2) + part * np.take_along_axis(padded, before, 2)
    margin = (FRAME - SPRITE) // 2
    frame = np.pad(moved, ((0, 0), (margin, margin), (0, 0)))
    return frame if axis == 2 else frame.swapaxes(1, 2)


def _images(folder: Path) -> NDArray[np.uint8]:
    path = find_idx(folder, "images")
    images = read_idx(path)
    if images.ndim != 3 or images.shape[1:] != (FRAME, FRAME) or not images.any():
        raise InputError(f"{path} must hold images of 28 x 28 pixels, not an array of shape {images.shape}")
    return images


def _boxed(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the middle of each image's ink, 20 x 20 pixels or more where some ink needs more."""
    edges = [_ends(np.asarray(images.any(axis=axis))) for axis in (2, 1)]
    side = max(DIGIT_BOX, *(int((last - first).max()) + 1 for first, last in edges))
    rows, columns = ((first + last + 1 - side) // 2 for first, last in edges)
    # The box may reach over the frame's border by up to a frame.
    padded = np.pad(images, ((0, 0), (FRAME, FRAME), (FRAME, FRAME)))
    inside = np.arange(side) + FRAME
    down, right = rows[:, None] + inside, columns[:, None] + inside
    boxed: NDArray[np.uint8] = padded[np.arange(len(images))[:, None, None], down[:, :, None], right[:, None, :]]
    return boxed


def _ends(inked: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the first and last true place of every row."""
    return inked.argmax(axis=1), inked.shape[1] - 1 - inked[:, ::-1].argmax(axis=1)


def _resize(images: NDArray[np.floating]) -> Images:
    """Return images of 14 x 14 whose pixels are weighted means of the bilinear neighbours in the original."""
    weights = _bilinear(images.shape[1])
    resized: Images = np.einsum("ij,njk,lk->nil", weights, images, weights, optimize=True).astype(np.float32)
    return resized


def _bilinear(size: int) -> NDArray[np.float64]:
    """Return the weights of ``size`` old pixels in 14 new ones: a tent as wide as the coarser of the two pixels."""
    scale = size / SPRITE
    centre = (np.arange(SPRITE) + 0.5) * scale
    tent = np.maximum(0, 1 - np.abs(np.arange(size) + 0.5 - centre[:, None]) / max(scale, 1))
    weights: NDArray[np.float64] = tent / tent.sum(axis=1, keepdims=True)
    return weights


def _silhouette(kind: int, step: float) -> NDArray[np.float64]:
    """Draw a shoe seen from the side: 0 sandal, 1 sneaker, 2 ankle boot; ``step``, 0 to 1, makes variants."""
    heel, toe, sole = 2 + 3 * step, 26 - 2 * step, 23.0
    sides = {
        0: [(heel, 17), (heel + 3, 17), (heel + 4, 20), (15, 20), (17, 16 - step), (20, 16), (20, 20), (toe, 20)],
        1: [(heel, 12 + step), (heel + 7, 11), (14, 14 + step), (toe - 4, 17), (toe, 20)],
        2: [(heel, 3 + 4 * step), (heel + 9, 3 + 4 * step), (heel + 10, 13), (toe - 4, 16), (toe, 20)],
    }
    outline = np.array([*sides[kind], (toe, sole), (heel, sole)])
    fine = (np.arange(FRAME * 4) + 0.5) / 4
    shoe: NDArray[np.float64] = _inside(outline, fine).reshape(FRAME, 4, FRAME, 4).mean(axis=(1, 3))
    return shoe * (0.75 + 0.25 * step)


def _inside(outline: NDArray[np.float64], at: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Say which points of a grid lie in a polygon: a ray to the right crosses its outline an odd number of times."""
    x, y = at[None, :], at[:, None]
    inside = np.zeros((len(at), len(at)), dtype=bool)
    for (x0, y0), (x1, y1) in zip(outline, np.roll(outline, -1, axis=0), strict=True):
        if y0 != y1:
            inside ^= ((y0 > y) != (y1 > y)) & (x < x0 + (y - y0) * (x1 - x0) / (y1 - y0))
    return inside
