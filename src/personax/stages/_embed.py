"""embed: texts and images as vectors, one file a modality, one column a measurement."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.config import (
    CollectRelease,
    EmbedFiles,
    EmbedModels,
    EmbedOffline,
    EmbedRelease,
    EmbedSimulated,
    Plan,
)
from personax.data.frames import read_parquet
from personax.embed import encode_images, encode_texts, read_vectors
from personax.errors import InputError, PlanError
from personax.schema import Notice
from personax.stages._base import Context, Stage
from personax.stages._collect_release import write_release_vectors
from personax.stages._encode_models import (
    encode_measurements,
    model_hashes,
    pictures_of,
    raters_read,
    some_pictures,
    spread,
    write_vectors,
)

__all__ = ["EMBED"]

Vectors = NDArray[np.float32]

MAPPED_FROM = 2**25
"""Bytes of a measurement from which it waits on the disk until all of its modality are there."""


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
    everybody = context.frame("people", "people.parquet")
    people = everybody["id"].to_list()
    match context.plan.embed:
        case EmbedSimulated():
            _simulated(context)
        case EmbedFiles() as section:
            for modality, measurements in section.files.items():
                vectors, lacking = dict[str, Vectors](), dict[str, NDArray[np.bool_]]()
                for name, path in measurements.items():
                    rows = read_vectors(
                        context.external_path(path), people, lacking=True, others=everybody.select(pl.exclude("id"))
                    )
                    lacking |= _lacking(context, modality, name, rows)
                    vectors[name] = _mapped(rows, context.out.root)
                    del rows
                write_vectors(context, modality, people, vectors, lacking)
        case EmbedOffline() as section:
            _offline(context, section, people)
        case EmbedModels() as section:
            encode_measurements(context, section, people)
        case EmbedRelease():
            write_release_vectors(context)


def _lacking(context: Context, modality: str, name: str, rows: Vectors) -> dict[str, NDArray[np.bool_]]:
    """Return who lacks a measurement, where anybody does, and say how many do; who has it has finite numbers."""
    without = np.asarray(np.isnan(rows[:, :1]).all(axis=1))
    if not without.any():
        return {}
    text = f"{without.sum()} of {len(without)} people have no vector of {modality}/{name}."
    context.notices.append(Notice(text, int(without.sum())))
    return {name: without}


def _mapped(rows: Vectors, folder: Path) -> Vectors:
    """Return long vectors as a memory map of a file without a name, so that one measurement at a time takes memory."""
    if rows.nbytes < MAPPED_FROM:
        return rows
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(np.ascontiguousarray(rows).data.cast("B"))
        file.flush()
        return np.memmap(file, dtype=rows.dtype, mode="r", shape=rows.shape)


def _simulated(context: Context) -> None:
    simulated = context.folder.outputs("people", "simulation")
    found = {name: path for name, path in simulated.items() if name.startswith("embeddings_")}
    if not found:
        text = "embed.source: simulate needs simulated people (collect.source: simulate)"
        raise PlanError(text)
    for name, path in found.items():
        frame = read_parquet(path)
        modality = name.removeprefix("embeddings_").removesuffix(".parquet")
        context.write_frame(frame, "embeddings", f"{modality}.parquet")
        context.counts[modality] = frame.width - 1


def _offline(context: Context, section: EmbedOffline, people: list[str]) -> None:
    texts = context.folder.output("people", "texts.parquet")
    pictures = pictures_of(context, section.images, people)
    pictured = any(picture is not None for picture in pictures or ())
    if texts is None and not pictured:
        text = "embed.source: offline needs a biography column, or embed.images with one <id>.png a person"
        raise InputError(text)
    if texts is not None:
        written = dict(read_parquet(texts).select("id", "biography").iter_rows())
        vectors = encode_texts([written.get(person) or "" for person in people], dim=section.text_dim)
        write_vectors(context, "text", people, {"hashed": vectors})
    if pictures is not None and pictured:
        paths = some_pictures(context, pictures, "embed.images")
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
