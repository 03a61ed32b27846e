"""embed: texts and images as vectors, one file a modality, one column a measurement."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from personax.config import (
    CollectRelease,
    EmbedFiles,
    EmbedModels,
    EmbedOffline,
    EmbedRelease,
    EmbedSimulated,
    Plan,
)
from personax.embed import encode_images, encode_texts, read_vectors
from personax.errors import InputError, PlanError
from personax.stages._base import Context, Stage
from personax.stages._collect_release import write_release_vectors
from personax.stages._encode_models import (
    encode_measurements,
    model_hashes,
    picture_of,
    pictures_in,
    raters_read,
    spread,
    write_vectors,
)

__all__ = ["EMBED"]


def _external_files(plan: Plan) -> Sequence[str]:
    match plan.embed:
        case EmbedFiles(files=files):
            return [path for measurements in files.values() for path in measurements.values()]
        case EmbedOffline(images=str(folder)):
            return [folder]
        case EmbedModels(image=measurements):
            return list(dict.fromkeys(one.of for one in measurements.values() if one.of is not None))
        case EmbedRelease() if isinstance(plan.collect, CollectRelease):
            return (plan.collect.place,)
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
                vectors = {
                    name: read_vectors(context.external_path(path), people) for name, path in measurements.items()
                }
                write_vectors(context, modality, people, vectors)
        case EmbedOffline() as section:
            _offline(context, section, people)
        case EmbedModels() as section:
            encode_measurements(context, section, people)
        case EmbedRelease():
            write_release_vectors(context)


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
    folder = (
        context.folder.path("people", "images") if section.images is None else context.external_path(section.images)
    )
    pictured = folder.is_dir() and any(picture_of(folder, person).is_file() for person in people)
    if not texts.is_file() and not pictured:
        text = "embed.source: offline needs a biography column, or embed.images with one <id>.png a person"
        raise InputError(text)
    if texts.is_file():
        written = dict(pl.read_parquet(texts).select("id", "biography").iter_rows())
        vectors = encode_texts([written.get(person) or "" for person in people], dim=section.text_dim)
        write_vectors(context, "text", people, {"hashed": vectors})
    if pictured:
        paths = pictures_in(context, folder, people, "embed.images")
        found = encode_images([path for path in paths if path is not None], dim=section.image_dim)
        rows, lacking = spread(found, paths)
        write_vectors(context, "image", people, {"descriptors": rows}, {"descriptors": lacking})


EMBED = Stage(
    "embed",
    revision=2,
    needs=("collect",),
    run=_run,
    external_files=_external_files,
    also_needs=raters_read,
    model_hashes=model_hashes,
)
