"""Where the face in a picture is, by a detector of OpenCV."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from personax.errors import InputError, require
from personax.sources.pictures._decode import Box

__all__ = ["FaceFinder", "face_finder", "padded_square"]

FaceFinder = Callable[[Image.Image], Box | None]
"""Given an RGB picture, where its largest face is; None without one."""

MARGIN = 0.35
"""Of the face's larger side, kept on every side, so that hair and chin are in."""

_MAX_SIDE = 1024
_MIN_SCORE = 0.7


def face_finder(model: Path | None = None) -> FaceFinder:
    """Return a detector.

    Parameters
    ----------
    model
        A YuNet model in ONNX that the person who runs personax trusts. None takes the frontal face cascade that
        OpenCV 4 brings along; OpenCV 5 brings none.

    Raises
    ------
    InputError
        When there is no model of that name, or OpenCV brings none.
    MissingExtraError
        When OpenCV is not installed.
    """
    cv2 = require("cv2", extra="pictures")
    if model is not None:
        if not model.is_file():
            raise InputError(f"there is no face model {model}; check the path")
        return _on_small_copy(_yunet(cv2, model))
    cascade = Path(getattr(cv2.data, "haarcascades", "")) / "haarcascade_frontalface_default.xml"
    if not hasattr(cv2, "CascadeClassifier") or not cascade.is_file():
        raise InputError(
            f"OpenCV {cv2.__version__} brings no face detector; install opencv-python-headless<5 or name a YuNet model"
        )
    return _on_small_copy(_cascade(cv2, cascade))


def padded_square(box: Box, size: tuple[int, int], *, margin: float = MARGIN) -> Box:
    """Return a square around a face with a margin, moved into the picture, and no larger than it.

    Examples
    --------
    >>> padded_square((40, 40, 60, 60), (100, 100), margin=0.5)
    (30, 30, 70, 70)
    >>> padded_square((0, 0, 50, 50), (100, 60))
    (0, 0, 60, 60)
    """
    left, top, right, bottom = box
    side = min(round(max(right - left, bottom - top) * (1 + 2 * margin)), *size)
    x = min(max((left + right - side) // 2, 0), size[0] - side)
    y = min(max((top + bottom - side) // 2, 0), size[1] - side)
    return x, y, x + side, y + side


def _on_small_copy(find: FaceFinder) -> FaceFinder:
    """Search in a small copy: time does not grow with the picture."""

    def found(image: Image.Image) -> Box | None:
        scale = max(1.0, max(image.size) / _MAX_SIDE)
        small = image.resize((round(image.width / scale), round(image.height / scale))) if scale > 1 else image
        box = find(small)
        if box is None:
            return None
        left, top, right, bottom = (round(side * scale) for side in box)
        return max(left, 0), max(top, 0), min(right, image.width), min(bottom, image.height)

    return found


def _cascade(cv2: object, path: Path) -> FaceFinder:
    classifier = cv2.CascadeClassifier(str(path))  # type: ignore[attr-defined]

    def find(image: Image.Image) -> Box | None:
        grey = np.asarray(image.convert("L"))
        least = max(24, min(image.size) // 10)
        found = classifier.detectMultiScale(grey, scaleFactor=1.1, minNeighbors=5, minSize=(least, least))
        return _largest([tuple(int(side) for side in face) for face in found])

    return find


def _yunet(cv2: object, path: Path) -> FaceFinder:
    def find(image: Image.Image) -> Box | None:
        try:
            detector = cv2.FaceDetectorYN.create(str(path), "", image.size, _MIN_SCORE)  # type: ignore[attr-defined]
            _, found = detector.detect(np.asarray(image)[:, :, ::-1].copy())
        except cv2.error:  # type: ignore[attr-defined]
            raise InputError(f"{path} is no YuNet face model that this OpenCV reads; fetch it again") from None
        return _largest([tuple(int(side) for side in face[:4]) for face in ([] if found is None else found)])

    return find


def _largest(faces: list[tuple[int, ...]]) -> Box | None:
    """Return the corners of the largest of boxes (left, top, width, height)."""
    if not faces:
        return None
    left, top, width, height = max(faces, key=lambda face: (face[2] * face[3], face))
    return left, top, left + width, top + height
