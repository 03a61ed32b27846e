"""The worlds of the Level II benchmark: texts embedded by any encoder of `personax.embed`, kept in a folder."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from personax.embed import TextEncoder, image_encoder, local_weights_hash, text_encoder
from personax.errors import PlanError
from personax.simulate import LatentData
from personax.simulate.worlds import FIXED_WORLDS, WorldOptions, kept_world, load_world, simulated_encoder
from personax.strict import nearest

__all__ = ["draw_benchmark_world"]

Vectors = NDArray[np.float32]

SIMULATED: Final = "simulated"
"""The encoder of `simulated_encoder`; all others are those of `personax.embed`."""

OWN: Final = ("encoders", "picture_encoder", "world", "file")
"""Options that are not those of `WorldOptions`."""

BATCH: Final = 128


def draw_benchmark_world(
    options: Mapping[str, Any], *, people: int, seed: int, cache: Path | None = None
) -> LatentData:
    """Return a world with its vectors.

    Parameters
    ----------
    options
        ``world``, the name of a fixed one (`FIXED_WORLDS`); or ``file``, one with vectors (`load_world`); or fields of
        `WorldOptions`. Beside these ``encoders``, names for the measurements of a modality in their order, and
        ``picture_encoder``, without which faces are pixels.
    people, seed
        How many, and of everything that is drawn; a fixed world has its own first seed.
    cache
        Where vectors are kept.

    Raises
    ------
    PlanError
        For a world, an option or an encoder that is none.
    InputError, MissingExtraError
        When an encoder cannot be had.
    """
    if "file" in options:
        return load_world(Path(options["file"]), people=people)
    wanted, names, first = _world(options, people)
    pictures = options.get("picture_encoder", "")
    return kept_world(
        wanted, seed=first + seed, encoders=dict(_text_encoder(name) for name in names),
        pictures=_Pictures(pictures) if pictures else None, pictures_by=pictures, folder=cache,
    )  # fmt: skip


def _world(options: Mapping[str, Any], people: int) -> tuple[WorldOptions, Sequence[str], int]:
    """Return what is drawn, the encoders' names and the first seed."""
    given: dict[str, Any] = {name: _tuples(value) for name, value in options.items() if name not in OWN}
    name = options.get("world")
    if name is None:
        return WorldOptions(**given, people=people), options.get("encoders") or (SIMULATED,), 0
    if name not in FIXED_WORLDS:
        raise PlanError(f"--world: there is no world {name}; {nearest(name, list(FIXED_WORLDS))}")
    fixed = FIXED_WORLDS[name]
    if given:
        raise PlanError(f"--world: {name} has its options; leave out {', '.join(given)} or the name")
    facts = {field: getattr(fixed.options, field) for field in WorldOptions.__dataclass_fields__}
    return WorldOptions(**facts | {"people": people}), options.get("encoders") or fixed.encoders, fixed.first


def _tuples(value: object) -> object:
    return tuple(_tuples(one) for one in value) if isinstance(value, list | tuple) else value


def _text_encoder(name: str) -> tuple[str, Callable[[Sequence[str]], Vectors]]:
    """Return the name that tells its weights apart, and the encoder, which is loaded when it is first needed."""
    if name == SIMULATED:
        return name, simulated_encoder()
    weights = local_weights_hash("text", name)
    return f"{name} {(weights or '')[:12]}", _Texts(name)


class _Texts:
    """An encoder of texts that loads its model with the first text."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._encoder: TextEncoder | None = None

    def __call__(self, texts: Sequence[str]) -> Vectors:
        if self._encoder is None:
            self._encoder = text_encoder(self._name)
        encode = self._encoder.encode
        parts = [encode(texts[start : start + BATCH]) for start in range(0, len(texts), BATCH)]
        return np.concatenate(parts)


class _Pictures:
    """An encoder of pictures of the worlds, which reads them from files as any."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __call__(self, pictures: NDArray[np.uint8]) -> Vectors:
        encoder = image_encoder(self._name)
        parts = []
        with tempfile.TemporaryDirectory() as folder:
            paths = [Path(folder) / f"{i}.png" for i in range(BATCH)]
            for start in range(0, len(pictures), BATCH):
                some = pictures[start : start + BATCH]
                for path, one in zip(paths, some, strict=False):
                    Image.fromarray(one).save(path)
                parts.append(encoder.encode(paths[: len(some)]))
        return np.concatenate(parts)
