"""Pictures of people: downloaded through the fetcher, normalised, kept in the private part of a study."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import polars as pl

from personax.errors import FetchError, InputError
from personax.files import written_aside
from personax.http import Fetch, Request
from personax.schema import Notice
from personax.sources.pictures._decode import MAX_BYTES, crop_and_resize, encode, open_picture, upright_rgb
from personax.sources.pictures._faces import FaceFinder, padded_square
from personax.sources.pictures._perceptual_hash import near_duplicates, perceptual_hash

__all__ = [
    "PICTURES",
    "TYPES",
    "DownloadedPictures",
    "StoredPictures",
    "download_headshots",
    "file_name",
    "keep_pictures",
    "read_folder",
]


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
    name = f"{person}.png"
    unsafe = (
        set(person) & _FORBIDDEN or not person.isprintable() or person.startswith((".", " ")) or person.endswith(" ")
    )
    if not person or unsafe or len(name.encode()) > 200 or name != PurePosixPath(name).name:
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
        for ending in (".jpg", ".jpeg", ".png", ".webp"):
            path = folder / f"{stem}{ending}"
            if path.is_file():
                with path.open("rb") as stream:
                    yield person, stream.read(MAX_BYTES + 1)
                break


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
