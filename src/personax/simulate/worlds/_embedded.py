"""From a world's texts and pictures to vectors, once: equal texts once, and vectors kept in a folder."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from personax.data.arrays import float32_rows
from personax.errors import InputError
from personax.files import written_aside
from personax.simulate._latent_data import LatentData
from personax.simulate.worlds._pictures import PIXELS
from personax.simulate.worlds._world import World, WorldOptions, draw_world

__all__ = [
    "EncodePictures",
    "EncodeTexts",
    "embed_world",
    "kept_world",
    "load_world",
    "save_world",
    "world_data",
    "world_key",
]

Vectors = NDArray[np.float32]
Views = dict[str, dict[str, Vectors]]
EncodeTexts = Callable[[Sequence[str]], Vectors]
EncodePictures = Callable[[NDArray[np.uint8]], Vectors]

REVISION: Final = 1
"""Raised when words, drawings or draws change, so that vectors of older ones are not taken."""

BATCH: Final = 2048
"""Texts given to an encoder at once, of like length."""

IMAGE: Final = (1, PIXELS, PIXELS)


def embed_world(
    world: World,
    encoders: Mapping[str, EncodeTexts],
    *,
    pictures: EncodePictures | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> LatentData:
    """Embed a world's texts.

    Parameters
    ----------
    world
        From `draw_world`.
    encoders
        Name -> texts to vectors; measurement k of a modality is embedded by the k-th of them, beginning again after the
        last. Equal texts are encoded once by each.
    pictures
        Pictures, shape (n, 32, 32) of uint8, to vectors; None leaves them as pixels between 0 and 1.
    progress
        Called with texts done and in all.

    Returns
    -------
    LatentData
        Vectors in the precision of 16 bits, as `save_world` keeps them; answers to questionnaires as they are.

    Raises
    ------
    InputError
        When an encoder returns another number of vectors than texts, or numbers that are not finite.
    """
    if not encoders and world.texts:
        raise InputError("a world of texts needs an encoder; give simulated_encoder() or one of personax.embed")
    names = list(encoders)
    wanted = {(m, k): names[i % len(names)] for m, by in world.texts.items() for i, k in enumerate(by)}
    known: dict[str, dict[str, Vectors]] = {name: {} for name in names}
    total = len({(wanted[m, k], text) for m, by in world.texts.items() for k, texts in by.items() for text in texts})
    views: Views = {modality: {} for modality in _modalities(world)}
    done = 0
    for m, by in world.texts.items():
        for k, texts in by.items():
            found = known[wanted[m, k]]
            new = sorted({text for text in texts if text not in found}, key=lambda text: (len(text), text))
            for start in range(0, len(new), BATCH):
                some = new[start : start + BATCH]
                found.update(zip(some, _checked(wanted[m, k], encoders[wanted[m, k]](some), len(some)), strict=True))
                done += len(some)
                if progress is not None:
                    progress(done, total)
            views[m][k] = np.stack([found[text] for text in texts])
    image = {}
    for m, shown in world.pictures.items():
        for k, pixels in shown.items():
            flat = (pixels.reshape(len(pixels), -1) / 255).astype(np.float16).astype(np.float32)
            views[m][k] = flat if pictures is None else _checked("pictures", pictures(pixels), len(pixels))
        if pictures is None:
            image[m] = IMAGE
    for m, filled in world.answers.items():
        views[m] |= filled
    return world_data(world, views, image, f"embedded by {', '.join(names)}" if world.texts else "")


def world_data(world: World, views: Views, image: Mapping[str, tuple[int, int, int]], embedded: str) -> LatentData:
    """Return vectors with the truth of a world."""
    none = {m: {k: np.zeros((len(world.latents), 0)) for k in by} for m, by in views.items()}
    source = f"worlds: {' and '.join(world.options.families)}{', ' + embedded if embedded else ''}."
    return LatentData(views, world.latents, world.names, world.adjacency, none, image, source)


def _modalities(world: World) -> list[str]:
    order = dict.fromkeys(name.rpartition("_")[0] for name in world.names if not name.startswith("shared_"))
    return list(order)


def _checked(name: str, vectors: Vectors, count: int) -> Vectors:
    vectors = np.asarray(vectors)
    if vectors.ndim != 2 or len(vectors) != count:
        raise InputError(f"the encoder {name} made vectors of shape {vectors.shape} of {count} items; give it one each")
    if not np.isfinite(vectors).all():
        raise InputError(f"the encoder {name} made numbers that are not finite; choose another precision or encoder")
    return vectors.astype(np.float16).astype(np.float32)


def world_key(options: WorldOptions, seed: int, encoders: Sequence[str], pictures: str = "") -> str:
    """Return the name of a world's file: the hash of all that its vectors depend on, people left out.

    Examples
    --------
    >>> few, many = WorldOptions(people=500), WorldOptions(people=6000)
    >>> world_key(few, 0, ["a"]) == world_key(many, 0, ["a"]) != world_key(few, 1, ["a"])
    True
    """
    facts = {name: value for name, value in asdict(options).items() if name != "people"}
    told = json.dumps([REVISION, facts, seed, list(encoders), pictures], sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()[:32]


def save_world(path: Path, data: LatentData, texts: Mapping[str, Mapping[str, list[str]]] | None = None) -> None:
    """Write vectors, each once and in 16 bits, with the truth and the texts; nobody sees half a file.

    Parameters
    ----------
    path
        An NPZ file; its folder is made.
    data
        From `embed_world`.
    texts
        Of the same people; None keeps none.
    """
    arrays: dict[str, NDArray[Any]] = {
        "latents": data.latents,
        "names": np.array(data.names, dtype=np.str_),
        "adjacency": data.adjacency,
        "source": np.array(data.source, dtype=np.str_),
        "measurements": np.array([f"{m}/{k}" for m, by in data.views.items() for k in by], dtype=np.str_),
        "images": np.array([m for m in data.views if m in data.image], dtype=np.str_),
    }
    for m, by in data.views.items():
        for k, x in by.items():
            said = (texts or {}).get(m, {}).get(k)
            if said is not None:
                unique, first, of = np.unique(np.array(said, dtype=np.str_), return_index=True, return_inverse=True)
                arrays |= {f"{k}_text": unique, k: x[first].astype(np.float16), f"{k}_of": of.astype(np.int32)}
            else:
                arrays[k] = x.astype(np.float16)
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_aside(path) as aside, aside.open("wb") as stream:
        np.savez_compressed(stream, **arrays)  # type: ignore[arg-type] # its stub takes the names for its own options


def load_world(path: Path, *, people: int | None = None) -> LatentData:
    """Read a world with its vectors.

    Parameters
    ----------
    path
        A file of `save_world`; or one with ``latents``, ``names``, ``adjacency`` and measurements ``<modality>_<k>``.
    people
        Only the first so many.

    Raises
    ------
    InputError
        When the file cannot be read as one, or has fewer people.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            found = {name: file[name] for name in file.files if not name.endswith("_text")}
        latents, names, graph = found["latents"], found["names"].tolist(), found["adjacency"].astype(bool)
        views = _views(found, len(latents))
    except (OSError, ValueError, KeyError, IndexError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"{path} cannot be read as a world ({error}); remove it, and it is made anew") from None
    if people is not None and people > len(latents):
        raise InputError(f"{path} has {len(latents):,} people, not {people:,}; ask for fewer or draw the world anew")
    image = dict.fromkeys(found["images"].tolist(), IMAGE) if "images" in found else {}
    none = {m: {k: np.zeros((len(latents), 0)) for k in by} for m, by in views.items()}
    source = str(found.get("source", np.array(f"vectors of {path.name}.")))
    names = _latent_names(names, list(views), found)
    data = LatentData(views, latents.astype(np.float64), names, graph, none, image, source)
    return data if people is None else data.rows(np.arange(people))


def _views(found: Mapping[str, NDArray[Any]], n: int) -> Views:
    views: Views = {}
    if "measurements" in found:
        listed = [tuple(one.split("/")) for one in found["measurements"].tolist()]
    else:
        listed = [(name.rpartition("_")[0], name) for name in found if f"{name}_of" in found]
    for modality, name in listed:
        x = found[name][found[f"{name}_of"]] if f"{name}_of" in found else found[name]
        if len(x) != n:
            raise ValueError(f"{name} has {len(x)} people and the latents {n}")
        views.setdefault(modality, {})[name] = float32_rows(name, x)
    if not views:
        raise ValueError("it has no measurements")
    return views


def _latent_names(names: list[str], modalities: list[str], found: Mapping[str, NDArray[Any]]) -> list[str]:
    """Return names ``<modality>_<i>``; in a file made elsewhere latents are shared out in the modalities' order."""
    if "measurements" in found or all(name.rpartition("_")[0] in (*modalities, "shared") for name in names):
        return names
    if len(names) % len(modalities):
        raise InputError(f"nothing says which of the latents {', '.join(names)} belong to which modality")
    each = len(names) // len(modalities)
    return [f"{m}_{i + 1}" for m in modalities for i in range(each)]


def kept_world(
    options: WorldOptions,
    *,
    seed: int,
    encoders: Mapping[str, EncodeTexts],
    pictures: EncodePictures | None = None,
    pictures_by: str = "",
    folder: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> LatentData:
    """Return a world's vectors, from the folder where it has them, and keep them there where it has not.

    Parameters
    ----------
    options, seed
        What the world is.
    encoders
        Name -> encoder; a name stands for the encoder in the file's name, so it must tell its weights apart.
    pictures, pictures_by
        An encoder of pictures and its name; see `embed_world`.
    folder
        Where vectors are kept; None keeps none.
    progress
        See `embed_world`.

    Examples
    --------
    >>> from personax.simulate.worlds import simulated_encoder
    >>> data = kept_world(WorldOptions(people=30), seed=0, encoders={"simulated": simulated_encoder(dim=16)})
    >>> data.counts, data.views["life"]["life_t2"].shape
    ({'character': 2, 'life': 2}, (30, 16))
    """
    options.check()
    path = None if folder is None else folder / f"{world_key(options, seed, list(encoders), pictures_by)}.npz"
    if path is not None and path.is_file():
        try:
            return load_world(path, people=options.people)
        except InputError:  # of fewer people, or half a file of another program: made anew
            pass
    world = draw_world(options, seed=seed)
    data = embed_world(world, encoders, pictures=pictures, progress=progress)
    if path is not None:
        save_world(path, data, world.texts)
    return data
