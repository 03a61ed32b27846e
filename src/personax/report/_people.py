"""Who is in the study: columns and their values, and a few drawn faces of invented people."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl
from markupsafe import Markup

from personax.registry import register
from personax.report._data import Faces
from personax.report._sections import SectionInput

__all__ = ["choose_faces"]

ACROSS = 6
LARGEST = 200_000
"""Bytes; a drawing of 64 x 64 pixels has far fewer, and the page carries every one of them."""

PNG = b"\x89PNG\r\n\x1a\n"


def choose_faces(root: Path, true_latents: Sequence[str] = ()) -> Faces | None:
    """Return two rows of faces, lowest and highest on the first image latent, or one row where no latent is known.

    Parameters
    ----------
    root
        Folder of a study of *simulated* people; a real person's photo is never shown.
    true_latents
        Names of the true image latents; the first one orders the faces where none was learned.
    """
    files = {path.stem: path for path in sorted((root / "people" / "images").glob("*.png"))}
    if not files:
        return None
    latent = _image_latent(root, true_latents)
    if latent is None:
        return Faces([("Some of them", _images(files, list(files)))])
    name, ids = latent
    drawn = [person for person in ids if person in files]
    rows = [(f"Lowest on {name}", drawn[:ACROSS]), (f"Highest on {name}", drawn[-ACROSS:])]
    return Faces([(caption, _images(files, people)) for caption, people in rows])


def _image_latent(root: Path, true_latents: Sequence[str]) -> tuple[str, list[str]] | None:
    """Return the name of a learned (or else true) image latent and all ids from its lowest to its highest value."""
    for path in (root / "analysis" / "crl" / "latents.parquet", root / "people" / "simulation" / "latents.parquet"):
        frame = pl.read_parquet(path) if path.is_file() else pl.DataFrame()
        names = [name for name in frame.columns if name.startswith("image_") or name in true_latents]
        if names:
            return names[0], frame.drop_nulls(names[0]).sort(names[0], "id")["id"].to_list()
    return None


def _images(files: Mapping[str, Path], people: list[str]) -> list[bytes]:
    images = [files[person].read_bytes() for person in people[:ACROSS]]
    return [image for image in images if image.startswith(PNG) and len(image) <= LARGEST]


def _data_addresses(faces: Faces) -> list[tuple[str, list[str]]]:
    """Return the faces as ``data:`` addresses, row by row."""
    return [
        (caption, [f"data:image/png;base64,{base64.b64encode(image).decode()}" for image in images])
        for caption, images in faces.rows
    ]


@register("report_sections", "people", title="People", help="who is in the study, column by column", order=10)
def _people(study: SectionInput) -> Markup | None:
    faces = _data_addresses(study.data.faces) if study.data.faces else []
    return study.render("people.html.j2", faces=faces) if study.data.people else None
