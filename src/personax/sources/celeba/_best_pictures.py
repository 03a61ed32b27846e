"""The best picture of each identity: the face is frontal, large and sharp, by simple measures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.data.pictures import decode_picture
from personax.errors import InputError

__all__ = ["face_size", "frontality", "select_images", "sharpness"]

HALF_SHARPNESS = 100.0
"""Variance of the Laplacian that counts for a half."""

ALIGNED_PIXELS = 178 * 218
"""Pixels of an aligned picture of CelebA; a face box of this size counts in full."""


def frontality(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how frontal faces are, from 0 (profile, or no face) to 1.

    The nose of a frontal face lies half way between the eyes, and so does the middle of the mouth. Both distances are
    measured along the line of the eyes, so that a tilted head counts as frontal.

    Parameters
    ----------
    points
        Shape (n, 10): x and y of left eye, right eye, nose, left and right corner of the mouth.

    Examples
    --------
    >>> frontality(np.array([[70, 110, 106, 110, 88, 136, 72, 152, 104, 152.0]])).tolist()
    [1.0]
    """
    left, right, nose, mouth_left, mouth_right = (points[:, place : place + 2] for place in range(0, 10, 2))
    across = right - left
    apart = np.hypot(across[:, 0], across[:, 1])
    with np.errstate(invalid="ignore", divide="ignore"):
        along = across / apart[:, None]
        middle = (left + right) / 2
        off_nose = np.abs(((nose - middle) * along).sum(axis=1)) / apart
        off_mouth = np.abs((((mouth_left + mouth_right) / 2 - middle) * along).sum(axis=1)) / apart
    turned = np.maximum(off_nose, off_mouth)
    return np.where(apart > 0, np.clip(1 - 2 * turned, 0, 1), 0.0)


def face_size(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how large faces are, from 0 to 1: the side of the box against an aligned picture's.

    Parameters
    ----------
    boxes
        Shape (n, 4): x, y, width, height.

    Examples
    --------
    >>> face_size(np.array([[0, 0, 89, 109.0]])).tolist()
    [0.5]
    """
    area = np.maximum(boxes[:, 2], 0) * np.maximum(boxes[:, 3], 0)
    return np.minimum(1.0, np.sqrt(area / ALIGNED_PIXELS))


def sharpness(path: Path) -> float:
    """Return how sharp a picture is, from 0 to 1: v / (v + 100), v the variance of its Laplacian.

    Raises
    ------
    InputError
        When it cannot be decoded; see `personax.data.pictures.decode_picture`.
    """
    grey = _grey(path)
    if min(grey.shape) < 3:
        raise InputError(f"{path.name}: smaller than 3 by 3 pixels")
    around = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]
    variance = float((around - 4 * grey[1:-1, 1:-1]).var())
    return variance / (variance + HALF_SHARPNESS)


def _grey(path: Path) -> NDArray[np.float64]:
    try:
        return np.asarray(decode_picture(path, formats=("JPEG", "PNG")).convert("L"), dtype=np.float64)
    except InputError as error:
        raise InputError(f"{path.name}: {error}") from None


def select_images(
    images: pl.DataFrame,
    *,
    landmarks: pl.DataFrame | None = None,
    boxes: pl.DataFrame | None = None,
    folder: Path | None = None,
) -> tuple[pl.DataFrame, list[tuple[str, str]]]:
    """Choose a picture of each identity: the one with the largest product of the measures there are.

    Parameters
    ----------
    images
        ``identity`` and ``image``, one row a picture.
    landmarks, boxes
        As `read_landmarks` and `read_boxes` return them; a picture that they lack is chosen last.
    folder
        With the pictures; those that are not there or cannot be decoded are not chosen.

    Returns
    -------
    chosen
        ``identity``, ``image``, ``score``, and the measures ``frontality``, ``size``, ``sharpness`` as far as they were
        taken. Of equal scores the first name is chosen.
    refused
        Pictures of the folder that cannot be decoded, and why.

    Raises
    ------
    InputError
        When nothing is given to choose by.
    """
    if landmarks is None and boxes is None and folder is None:
        raise InputError("nothing to choose a picture by; give landmarks, boxes or the folder of pictures")
    rated, measures = images.select("identity", "image"), []
    refused: list[tuple[str, str]] = []
    for name, frame, measure in (("frontality", landmarks, frontality), ("size", boxes, face_size)):
        if frame is not None:
            numbers = frame.drop("image").to_numpy().astype(np.float64)
            rated = rated.join(frame.select("image", pl.Series(name, measure(numbers))), on="image", how="left")
            measures.append(name)
    if folder is not None:
        sharp, refused = _sharp(folder, rated["image"].to_list())
        rated = rated.join(sharp, on="image", how="inner")
        measures.append("sharpness")
    score = pl.lit(1.0)
    for name in measures:
        score = score * pl.col(name).fill_null(0.0)
    ordered = rated.with_columns(score=score).sort("identity", "score", "image", descending=[False, True, False])
    chosen = ordered.group_by("identity", maintain_order=True).first()
    return chosen.select("identity", "image", "score", *measures), refused


def _sharp(folder: Path, names: list[str]) -> tuple[pl.DataFrame, list[tuple[str, str]]]:
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder; give the one with CelebA's pictures")
    refused: list[tuple[str, str]] = []

    def rows() -> Iterator[tuple[str, float]]:
        for name in names:
            path = folder / name
            if not path.is_file() or path.is_symlink():
                continue
            try:
                yield name, sharpness(path)
            except InputError as error:
                refused.append((name, str(error)))

    schema: dict[str, Any] = {"image": pl.String, "sharpness": pl.Float64}
    return pl.DataFrame(list(rows()), schema=schema, orient="row"), refused
