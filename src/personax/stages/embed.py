"""embed: texts and images as vectors, one file a modality, one column a measurement."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.embed import encode_images, encode_texts, read_vectors
from personax.errors import InputError, PlanError
from personax.plan import EmbedFiles, EmbedOffline, EmbedSimulated, Plan
from personax.stages.base import Context, Stage

__all__ = ["EMBED"]


def _reads(plan: Plan) -> Sequence[str]:
    match plan.embed:
        case EmbedFiles(files=files):
            return [path for measurements in files.values() for path in measurements.values()]
        case EmbedOffline(images=str(folder)):
            return [folder]
        case _:
            return ()


def _run(context: Context) -> None:
    """Turn texts and images into vectors, or take vectors made elsewhere."""
    people = context.frame("people", "people.parquet")["id"].to_list()
    match context.plan.embed:
        case EmbedSimulated():
            _simulated(context)
        case EmbedFiles() as section:
            for modality, measurements in section.files.items():
                vectors = {name: read_vectors(context.outside(path), people) for name, path in measurements.items()}
                _write(context, modality, people, vectors)
        case EmbedOffline() as section:
            _offline(context, section, people)


def _simulated(context: Context) -> None:
    folder = context.folder.path("people", "simulation")
    found = sorted(folder.glob("embeddings_*.parquet"))
    if not found:
        text = "embed.source: simulate needs simulated people (collect.source: simulate)"
        raise PlanError(text)
    for path in found:
        frame = pl.read_parquet(path)
        modality = path.stem.removeprefix("embeddings_")
        context.write_frame(frame, "embeddings", f"{modality}.parquet")
        context.counts[modality] = frame.width - 1


def _offline(context: Context, section: EmbedOffline, people: list[str]) -> None:
    texts = context.folder.path("people", "texts.parquet")
    folder = context.folder.path("people", "images") if section.images is None else context.outside(section.images)
    images = [_image(folder, person) for person in people] if folder.is_dir() else []
    pictured = [image for image in images if image.is_file()]
    if not texts.is_file() and not pictured:
        text = "embed.source: offline needs a biography column, or embed.images with one <id>.png a person"
        raise InputError(text)
    if texts.is_file():
        written = dict(pl.read_parquet(texts).select("id", "biography").iter_rows())
        vectors = encode_texts([written.get(person) or "" for person in people], dim=section.text_dim)
        _write(context, "text", people, {"hashed": vectors})
    if pictured:
        if len(pictured) < len(people):
            text = f"{len(people) - len(pictured)} people have no <id>.png in {folder}; all or none are needed"
            raise InputError(text)
        _write(context, "image", people, {"descriptors": encode_images(pictured, dim=section.image_dim)})


def _image(folder: Path, person: str) -> Path:
    """Return where a person's picture is; an id comes from somebody's table and must not lead out of the folder."""
    name = f"{person}.png"
    if "\0" in name or "\\" in name or name != PurePosixPath(name).name:
        text = f"id {person!r} is no file name, so no picture can belong to it; give ids without slashes"
        raise InputError(text)
    return folder / name


def _write(context: Context, modality: str, people: list[str], vectors: dict[str, NDArray[np.float32]]) -> None:
    columns = {
        name: pl.Series(array, dtype=pl.Array(pl.Float32, array.shape[1]), strict=False)
        for name, array in vectors.items()
    }
    context.write_frame(pl.DataFrame({"id": people, **columns}), "embeddings", f"{modality}.parquet")
    context.counts[modality] = len(columns)


EMBED = Stage("embed", revision=1, needs=("collect",), run=_run, reads=_reads)
