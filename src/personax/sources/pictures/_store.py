"""Pictures of people: downloaded through the fetcher, normalised, kept in the private part of a study."""

from __future__ import annotations

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

import numpy as np
import polars as pl
from PIL import Image

from personax.errors import FetchError, InputError, require
from personax.files import written_aside
from personax.http import Fetch, Request
from personax.names import safe_name
from personax.schema import Notice
from personax.sources.pictures._decode import MAX_BYTES, Box, crop_and_resize, encode, open_picture, upright_rgb

__all__ = [
    "MAX_DISTANCE",
    "PICTURES",
    "TYPES",
    "DownloadedPictures",
    "FaceFinder",
    "StoredPictures",
    "download_headshots",
    "face_finder",
    "file_name",
    "keep_pictures",
    "near_duplicates",
    "padded_square",
    "perceptual_hash",
    "read_folder",
]

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


TYPES = ("image/jpeg", "image/png", "image/webp")
"""Content types that may come back; what the bytes are is seen by `open_picture`."""


@dataclass
class DownloadedPictures:
    """Downloaded pictures.

    Parameters
    ----------
    pictures
        Id -> bytes, not yet looked at.
    origins
        Id -> url that answered, time, hash of the bytes.
    failed
        Id -> reason why there is no picture.
    """

    pictures: dict[str, bytes] = field(default_factory=dict)
    origins: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)


async def download_headshots(urls: Mapping[str, str], fetch: Fetch, *, concurrency: int = 4) -> DownloadedPictures:
    """Fetch pictures.

    Parameters
    ----------
    urls
        Id -> address. An address comes from a page; only https is requested, and the fetcher restricts the hosts.
    fetch
        Fetches pages; its bounds on hosts, rates and sizes hold.
    concurrency
        Downloads under way together.
    """
    found = DownloadedPictures()
    slots = asyncio.Semaphore(concurrency)

    async def one(person: str, url: str) -> None:
        if not url.lower().startswith("https://"):
            found.failed[person] = "the address of the picture is not https"
            return
        async with slots:
            try:
                page = await fetch(Request(url, accepts=TYPES))
            except FetchError as error:
                found.failed[person] = str(error)
                return
        if len(page.body) > MAX_BYTES:
            found.failed[person] = f"{len(page.body):,} bytes, more than {MAX_BYTES:,}"
            return
        found.pictures[person] = page.body
        found.origins[person] = (page.url, page.time, page.sha256)

    async with asyncio.TaskGroup() as group:
        for person, url in urls.items():
            group.create_task(one(person, url))
    return found


PICTURES = {
    "id": pl.String, "state": pl.String, "reason": pl.String, "source_sha256": pl.String, "sha256": pl.String,
    "perceptual_hash": pl.String, "width": pl.Int64, "height": pl.Int64, "face": pl.Boolean,
}  # fmt: skip
"""Columns of the table of pictures; state is kept or refused, face is null where none was searched for."""

DUPLICATES = {"id_a": pl.String, "id_b": pl.String, "bits": pl.Int64}
"""Columns of the table of people whose pictures are nearly the same: wrong pictures, placeholders, or one person."""

ENDINGS = (".jpg", ".jpeg", ".png", ".webp")
_FORBIDDEN = set('\0\\/:*?"<>|')


@dataclass(frozen=True, slots=True)
class StoredPictures:
    """The outcome for every picture: see `PICTURES` and `DUPLICATES`."""

    pictures: pl.DataFrame
    duplicates: pl.DataFrame

    def notices(self) -> list[Notice]:
        """Say how many were refused, had no face, and look like another's."""
        refused = self.pictures.filter(pl.col("state") == "refused").height
        faceless = int((~self.pictures["face"]).sum())
        texts = [
            ("Pictures were refused; people/pictures.parquet says why.", refused),
            ("Pictures show no face that was found; they are kept whole.", faceless),
            ("Pairs of people have nearly the same picture; placeholders or mistakes.", self.duplicates.height),
        ]
        return [Notice(text, count) for text, count in texts if count]


def file_name(person: str) -> str:
    """Return the name of a person's picture; an id is untrusted and must not lead out of a folder.

    Raises
    ------
    InputError
        When the id cannot be part of a file name on every system.

    Examples
    --------
    >>> file_name("nba-7")
    'nba-7.png'
    >>> file_name("../nba-7")
    Traceback (most recent call last):
        ...
    personax.errors.InputError: id '../nba-7' cannot be part of a file name; give ids without slashes and the like
    """
    odd = not person.isprintable() or person.startswith(".") or set(person) & _FORBIDDEN
    try:
        name = safe_name(f"{safe_name(person)}.png")
    except InputError:
        odd = True
    if odd:
        raise InputError(f"id {person[:40]!r} cannot be part of a file name; give ids without slashes and the like")
    return name


def keep_pictures(
    pictures: Iterable[tuple[str, bytes]],
    folder: Path,
    *,
    size: tuple[int, int] = (224, 224),
    find_face: FaceFinder | None = None,
    failed: Mapping[str, str] | None = None,
) -> StoredPictures:
    """Verify, normalise and write pictures, one ``<id>.png`` a person.

    Parameters
    ----------
    pictures
        Id and bytes, one at a time: no more than one picture is in memory.
    folder
        ``people/images`` of a study, which no release reads.
    size
        Width and height.
    find_face
        From `personax.sources.pictures.face_finder`; the picture is cut to the face with a margin where one is.
    failed
        Id -> reason, of pictures that could not be fetched.

    Raises
    ------
    InputError
        When an id is no file name, or two ids are one file. A bad picture is no error: it is refused, with its reason.
    """
    rows: list[dict[str, object]] = []
    seen: dict[str, str] = {}
    for person, data in pictures:
        name = file_name(person)
        if name.casefold() in seen:
            raise InputError(f"ids {seen[name.casefold()]!r} and {person!r} would be one file; give ids that differ")
        seen[name.casefold()] = person
        source = {"id": person, "source_sha256": hashlib.sha256(data).hexdigest()}
        rows.append(source | _kept(data, folder / name, size, find_face))
    rows += [{"id": person, "state": "refused", "reason": reason} for person, reason in sorted((failed or {}).items())]
    table = pl.DataFrame(rows, schema=PICTURES, orient="row")
    hashes = {str(row["id"]): str(row["perceptual_hash"]) for row in rows if row["state"] == "kept"}
    return StoredPictures(table, pl.DataFrame(list(near_duplicates(hashes)), schema=DUPLICATES, orient="row"))


def read_folder(folder: Path, people: Iterable[str]) -> Iterable[tuple[str, bytes]]:
    """Yield id and bytes of ``<id>.jpg``, ``.jpeg``, ``.png`` or ``.webp`` in a folder, for people who have one."""
    for person in people:
        stem = file_name(person).removesuffix(".png")
        # as the disk has it: programs write accents in one form or the other
        names = (f"{one}{ending}" for one in dict.fromkeys((stem, person)) for ending in ENDINGS)
        path = next((folder / name for name in names if (folder / name).is_file()), None)
        if path is not None:
            with path.open("rb") as stream:
                yield person, stream.read(MAX_BYTES + 1)


def _kept(data: bytes, path: Path, size: tuple[int, int], find_face: FaceFinder | None) -> dict[str, object]:
    """Write one picture, or say why it is refused."""
    try:
        image = upright_rgb(open_picture(data))
    except InputError as error:
        path.unlink(missing_ok=True)  # a picture of an earlier run is not this one
        return {"state": "refused", "reason": str(error)}
    face = find_face(image) if find_face else None
    normal = crop_and_resize(image, size, box=padded_square(face, image.size) if face else None)
    written = encode(normal)
    with written_aside(path) as aside:
        aside.write_bytes(written)
    return {
        "state": "kept", "sha256": hashlib.sha256(written).hexdigest(), "perceptual_hash": perceptual_hash(normal),
        "width": image.width, "height": image.height, "face": None if find_face is None else face is not None,
    }  # fmt: skip
