"""A few drawn faces of invented people, along an image latent; a real person's photo is never read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

import polars as pl

from personax.data.frames import read_parquet
from personax.report._data import Faces

__all__ = ["drawn_faces"]

FACES_PER_ROW = 6
MAX_BYTES = 200_000
"""Bytes; a drawing of 64 x 64 pixels has far fewer, and the page carries every one of them."""

PNG = b"\x89PNG\r\n\x1a\n"


def drawn_faces(people: Mapping[str, Path], crl: Mapping[str, Path], true_latents: Sequence[str] = ()) -> Faces | None:
    """Return two rows of faces, lowest and highest on the first image latent, or one row where no latent is known.

    Parameters
    ----------
    people, crl
        Files of a study of *simulated* people; a real person's photo is never shown.
    true_latents
        Names of the true image latents; the first one orders the faces where none was learned.
    """
    drawings = {PurePosixPath(name): path for name, path in people.items() if name.startswith("images/")}
    files = {name.stem: path for name, path in drawings.items() if name.suffix == ".png"}
    if not files:
        return None
    latent = _image_latent((crl.get("latents.parquet"), people.get("simulation/latents.parquet")), true_latents)
    if latent is None:
        return Faces([("Some of them", _images(files, list(files)))])
    name, ids = latent
    drawn = [person for person in ids if person in files]
    rows = [(f"Lowest on {name}", drawn[:FACES_PER_ROW]), (f"Highest on {name}", drawn[-FACES_PER_ROW:])]
    return Faces([(caption, _images(files, shown)) for caption, shown in rows])


def _image_latent(tables: Sequence[Path | None], true_latents: Sequence[str]) -> tuple[str, list[str]] | None:
    """Return the name of a learned (or else true) image latent and all ids from its lowest to its highest value."""
    for path in tables:
        frame = read_parquet(path) if path is not None else pl.DataFrame()
        names = [name for name in frame.columns if name.startswith("image_") or name in true_latents]
        if names:
            return names[0], frame.drop_nulls(names[0]).sort(names[0], "id")["id"].to_list()
    return None


def _images(files: Mapping[str, Path], people: list[str]) -> list[bytes]:
    images = [files[person].read_bytes() for person in people[:FACES_PER_ROW]]
    return [image for image in images if image.startswith(PNG) and len(image) <= MAX_BYTES]
