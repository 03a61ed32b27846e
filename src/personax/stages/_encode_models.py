"""Encoding by models in a study: which texts and pictures, by whom, and what earlier runs encoded already."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final
from unicodedata import normalize

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.config import EmbedModels, Encoding, ImageEncoding, Plan, TextEncoding
from personax.data.frames import read_ipc, read_parquet, write_ipc
from personax.embed import Encoder, EncoderCard, Truncation, encode_all, image_encoder, local_weights_hash, text_encoder
from personax.errors import InputError, PlanError, StudyError
from personax.names import distinct_names, safe_name
from personax.schema import Notice
from personax.stages._base import Context
from personax.store import StudyFolder
from personax.strict import nearest

__all__ = [
    "encode_measurements",
    "model_hashes",
    "pictures_of",
    "raters_read",
    "some_pictures",
    "spread",
    "write_vectors"
]  # fmt: skip

ENDINGS: Final = (".png", ".jpg", ".jpeg")
KEYS: Final = ("embeddings", "keys.arrow")
"""What each vector is of, so that another run encodes only what is new."""
HASHES: Final = ("cache", "weights.json")
"""Remembers the hashes of models' files, which are large."""

GROUP: Final = 2**22
"""Numbers in a group of rows of a file of vectors: while one is compressed it is in memory twice."""

Vectors = NDArray[np.float32]


def raters_read(plan: Plan) -> Sequence[str]:
    """Return ``annotate`` where a measurement is what a rater wrote."""
    section = plan.embed
    written = isinstance(section, EmbedModels) and any(one.of != "biography" for one in section.text.values())
    return ("annotate",) if written else ()


def model_hashes(plan: Plan, base: Path, folder: StudyFolder) -> Mapping[str, str | None]:
    """Return the hash of the files of every model that a plan names, as they are now; None where they are not here."""
    section = plan.embed
    if not isinstance(section, EmbedModels):
        return {}
    cache = folder.path(*HASHES)
    found: dict[str, str | None] = {}
    for text in section.text.values():
        found[_weights(text)] = local_weights_hash("text", text.model, text.revision, base=base, cache=cache)
    for image in section.image.values():
        found[_weights(image)] = local_weights_hash("image", image.model, image.revision, base=base, cache=cache)
    return found


def _weights(encoding: Encoding) -> str:
    return f"weights of {encoding.model}" + (f" at {encoding.revision}" if encoding.revision else "")


def encode_measurements(context: Context, section: EmbedModels, people: list[str]) -> None:
    """Encode every measurement of the plan, and write vectors, encoders and keys."""
    cards: dict[str, dict[str, Any]] = {}
    keys: list[pl.DataFrame] = []
    texts: dict[str, Vectors] = {}
    images: dict[str, Vectors] = {}
    lacking: dict[str, NDArray[np.bool_]] = {}
    where: dict[str, Any] = {"base": context.base, "cache": context.folder.path(*HASHES)}
    for name, encoding in section.text.items():
        items = _texts(context, encoding, people, name)
        reader = text_encoder(
            encoding.model,
            revision=encoding.revision,
            like=encoding.like,
            pooling=encoding.pooling,
            instruction=encoding.instruction,
            tokens=encoding.tokens,
            dim=encoding.dim,
            device=encoding.device,
            precision=encoding.precision,
            **where,
        )
        hashes = [hashlib.sha256(item.encode("utf-8", "replace")).hexdigest() for item in items]
        texts[name] = _encoded(context, f"text/{name}", reader, items, hashes, encoding.batch, people, keys)
        cut = reader.truncation(items)
        cards[f"text/{name}"] = asdict(reader.card) | {"of": encoding.of, "truncated": asdict(cut)}
        _tell_cut(context, name, cut)
        context.inputs |= {_weights(encoding): reader.card.weights} if reader.card.weights else {}
    for name, image_encoding in section.image.items():
        paths = _pictures(context, image_encoding, people, name)
        viewer = image_encoder(
            image_encoding.model,
            revision=image_encoding.revision,
            dim=image_encoding.dim,
            device=image_encoding.device,
            precision=image_encoding.precision,
            **where,
        )
        there = [(person, path) for person, path in zip(people, paths, strict=True) if path is not None]
        hashes = [hashlib.sha256(path.read_bytes()).hexdigest() for _, path in there]
        found = _encoded(
            context, f"image/{name}", viewer, [path for _, path in there], hashes, image_encoding.batch,
            [person for person, _ in there], keys,
        )  # fmt: skip
        images[name], lacking[name] = spread(found, paths)
        cards[f"image/{name}"] = asdict(viewer.card)
        context.inputs |= {_weights(image_encoding): viewer.card.weights} if viewer.card.weights else {}
    for modality, vectors in (("text", texts), ("image", images)):
        if vectors:
            write_vectors(context, modality, people, vectors, lacking if modality == "image" else {})
    context.write_text(json.dumps(cards, indent=1, sort_keys=True), "embeddings", "encoders.json")
    write_ipc(pl.concat(keys), context.out.path(*KEYS), compression="zstd")


def _tell_cut(context: Context, name: str, cut: Truncation) -> None:
    if cut.texts:
        text = f"Text {name}: texts longer than the {cut.limit:,} tokens that the model reads are cut there"
        more = f"the longest has {cut.longest:,}, and {cut.unread:.1%} of all tokens are not read"
        context.notices.append(Notice(f"{text}; {more}.", cut.texts))


def _texts(context: Context, encoding: TextEncoding, people: Sequence[str], name: str) -> list[str]:
    """Return the text of everybody; whoever has none has an empty one, and is counted."""
    if encoding.of == "biography":
        if context.folder.output("people", "texts.parquet") is None:
            text = f"embed.text.{name}: the people have no biography; give the people table a column biography"
            raise PlanError(text)
        found = dict(context.frame("people", "texts.parquet").select("id", "biography").iter_rows())
    else:
        found = _written(context, encoding.of, name)
    texts = [found.get(person) or "" for person in people]
    without = sum(not text.strip() for text in texts)
    if without == len(texts):
        raise InputError(f"embed.text.{name}: nobody has a text; see what {encoding.of} is")
    if without:
        context.notices.append(Notice(f"Text {name}: people without a text have the vector of an empty one.", without))
    return texts


def _written(context: Context, rater: str, name: str) -> dict[str, str]:
    """Return what a rater wrote of each person, trait by trait, first repeats only."""
    rows = context.frame("traits", "annotations.parquet")
    raters = rows["model"].unique(maintain_order=True).to_list()
    if rater not in raters:
        known = ["biography", *raters]
        raise PlanError(f"embed.text.{name}.of: there is no rater {rater}; {nearest(rater, known)}")
    first = rows.filter((pl.col("model") == rater) & (pl.col("repeat") == 0) & pl.col("text").is_not_null())
    order = {trait: place for place, trait in enumerate(context.framework().names)}
    texts: dict[str, list[tuple[int, str]]] = {}
    for person, trait, text in first.select("person", "trait", "text").iter_rows():
        if text.strip():
            texts.setdefault(person, []).append((order[trait], f"{trait.capitalize()}: {text.strip()}"))
    return {person: "\n".join(line for _, line in sorted(lines)) for person, lines in texts.items()}


def _pictures(context: Context, encoding: ImageEncoding, people: Sequence[str], name: str) -> list[Path | None]:
    found = pictures_of(context, encoding.of, people)
    if found is None:
        of = encoding.of
        where = context.folder.root / "people" / "images" if of is None else context.external_path(of)
        raise PlanError(f"embed.image.{name}.of: there is no folder {where} with one <id>.png a person")
    return some_pictures(context, found, f"embed.image.{name}")


def pictures_of(context: Context, of: str | None, people: Sequence[str]) -> list[Path | None] | None:
    """Return everybody's picture, of a folder of the owner's or those that were collected; None where there is none.

    Raises
    ------
    InputError
        For an id that is no file name: it comes from somebody's table and must not lead out of the folder.
    """
    if of is not None:
        folder = context.external_path(of)
        there = {path.name: path for path in folder.iterdir() if path.is_file()} if folder.is_dir() else None
    else:
        there = context.folder.outputs("people", "images") or None
    if there is None:
        return None
    return [next((there[name] for name in picture_names(person) if name in there), None) for person in people]


def picture_names(person: str) -> list[str]:
    """Return how the picture of a person may be called.

    Raises
    ------
    InputError
        For an id that is no file name.
    """
    try:
        safe_name(f"{person}.png", "a picture")
    except InputError:
        text = f"id {person!r} is no file name, so no picture can belong to it; give ids without slashes"
        raise InputError(text) from None
    return [f"{name}{ending}" for name in dict.fromkeys((person, normalize("NFC", person), normalize("NFD", person)))
            for ending in ENDINGS]  # fmt: skip


def some_pictures(context: Context, found: list[Path | None], field: str) -> list[Path | None]:
    """Return the pictures; whoever has none is counted.

    Raises
    ------
    InputError
        When nobody has one.
    """
    lacking = found.count(None)
    if lacking == len(found):
        raise InputError(f"{field}: nobody has an <id>.png or <id>.jpg there; see how the pictures are called")
    if lacking:
        text = f"{field}: people without a picture have no vector of it; a release and Level II leave them out there"
        context.notices.append(Notice(f"{text}.", lacking))
    return found


def spread(vectors: Vectors, paths: Sequence[Path | None]) -> tuple[Vectors, NDArray[np.bool_]]:
    """Return vectors with a row for everybody, shape (people, d), and who has none."""
    lacking = np.array([path is None for path in paths])
    rows = np.zeros((len(paths), vectors.shape[1]), dtype=np.float32)
    rows[~lacking] = vectors
    return rows, lacking


def _encoded(
    context: Context,
    measurement: str,
    encoder: Encoder[Any],
    items: Sequence[Any],
    hashes: Sequence[str],
    batch: int,
    people: Sequence[str],
    keys: list[pl.DataFrame],
) -> Vectors:
    made_by = _fingerprint(encoder.card)
    known = _earlier(context.folder, measurement, made_by)
    keep = context.folder.checkpoint_folder("embed", f"vectors-{EMBED_REVISION}") / made_by
    keep.mkdir(exist_ok=True)
    vectors = encode_all(encoder, items, hashes, batch=batch, keep=keep, known=known, progress=context.progress)
    new = len(set(hashes) - set(known))
    context.counts[f"{measurement} encoded"] = new
    modality, name = measurement.split("/", 1)
    keys.append(
        pl.DataFrame({"id": people, "modality": modality, "measurement": name, "key": hashes, "encoder": made_by})
    )
    return vectors


EMBED_REVISION: Final = 2
"""Grows when vectors of the same model and content would differ."""


def _fingerprint(card: EncoderCard) -> str:
    text = json.dumps([EMBED_REVISION, asdict(card)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _earlier(folder: StudyFolder, measurement: str, made_by: str) -> dict[str, Vectors]:
    """Return the vectors, by key, that the last run made with the same encoder."""
    manifest = folder.manifest("embed")
    modality, name = measurement.split("/", 1)
    wanted = {"/".join(KEYS), f"embeddings/{modality}.parquet"}
    if manifest is None or not wanted <= set(manifest.outputs):
        return {}
    try:
        files = {one: folder.verified(manifest, one) for one in wanted}
    except StudyError:
        return {}
    keys = read_ipc(files["/".join(KEYS)])
    own = keys.filter(
        (pl.col("modality") == modality) & (pl.col("measurement") == name) & (pl.col("encoder") == made_by)
    )
    if own.is_empty():
        return {}
    vectors = read_parquet(files[f"embeddings/{modality}.parquet"])
    vectors = vectors.select("id", name).drop_nulls()
    by_id: Mapping[str, Vectors] = dict(zip(vectors["id"], vectors[name].to_numpy(), strict=True))
    return {key: by_id[person] for person, key in own.select("id", "key").iter_rows() if person in by_id}


def write_vectors(
    context: Context,
    modality: str,
    people: list[str],
    vectors: Mapping[str, Vectors],
    lacking: Mapping[str, NDArray[np.bool_]] | None = None,
) -> None:
    """Write one file of a modality: the id and a column of fixed-length vectors a measurement, null where one lacks.

    Raises
    ------
    InputError
        A measurement has a name that no column or file can have: of a release that somebody else made.
    """
    distinct_names([safe_name(name, "a measurement") for name in ("id", *vectors)], "measurements")
    if "id" in vectors:
        raise InputError(f"{modality}: a measurement cannot be called id; choose another name")
    frame = pl.DataFrame(
        {"id": people}
        | {name: pl.Series(rows, dtype=pl.Array(pl.Float32, rows.shape[1])) for name, rows in vectors.items()}
    )
    for name, without in (lacking or {}).items():
        frame = frame.with_columns(pl.when(~pl.Series(without)).then(pl.col(name)).alias(name))
    width = sum(rows.shape[1] for rows in vectors.values())
    context.write_frame(frame, "embeddings", f"{modality}.parquet", rows=max(256, GROUP // max(1, width)))
    context.counts[modality] = len(vectors)
