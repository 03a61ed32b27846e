"""Variant MNIST: a digit and a shoe whose places and brightnesses cause one another."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from personax.errors import InputError
from personax.simulate.idx import find_idx, read_idx
from personax.simulate.latent_data import LatentData
from personax.simulate.mechanisms import MechanismName, NoiseName
from personax.simulate.sprites import drawn_shoes, small_digits
from personax.simulate.structure import draw_latents

__all__ = ["variant_mnist"]

Array = NDArray[np.float64]

NAMES = ["digit_1", "digit_2", "clothing_1", "clothing_2"]
GRAPH = ((0, 0, 0, 0), (1, 0, 0, 0), (1, 0, 0, 0), (0, 0, 1, 0))

COLOURS = {"red": (1.0, 0.2, 0.2), "green": (0.2, 1.0, 0.2), "blue": (0.2, 0.2, 1.0)}
SHOES = (5, 7, 9)
"""Fashion-MNIST's labels of sandals, sneakers and ankle boots."""

FRAME, SPRITE = 28, 14
FAINTEST = 0.2
CHUNK = 2_000
"""People drawn at a time, which bounds the memory."""


def variant_mnist(
    *,
    n: int = 10_000,
    digits: Path | None = None,
    clothes: Path | None = None,
    instances: Literal["fixed", "shared", "random"] = "fixed",
    graph: ArrayLike = GRAPH,
    mechanism: MechanismName = "additive",
    noise: NoiseName = "gaussian",
    noise_scale: float = 0.7,
    pixel_noise: float = 0.0,
    size: Literal[14, 28] = 14,
    rng: np.random.Generator,
) -> LatentData:
    """Draw digits in three colours and shoes: two modalities, three measurements of the first and one of the second.

    ``digit_1`` is the digit's horizontal position, ``digit_2`` its transparency, ``clothing_1`` the shoe's vertical
    position, ``clothing_2`` its grayscale intensity. A position is 14 logistic(z / 1.25) pixels of a frame of 28 in
    which a sprite of 14 moves; opacity and intensity go from 0.2 to 1 in the same way, opacity downwards.

    Parameters
    ----------
    n
        People.
    digits, clothes
        Folders with MNIST's and Fashion-MNIST's files; without one, scikit-learn's digits of 8 x 8 pixels and drawn
        silhouettes stand in, and ``source`` says so.
    instances
        ``fixed``: one digit and one shoe for all; ``shared``: everybody has a digit, the same in all colours, and a
        shoe; ``random``: a fresh digit a measurement.
    graph
        Shape (4, 4), rows are children, in the order of the names above; the default is MMCRL's.
    mechanism, noise, noise_scale
        Of the latents; see `personax.simulate.mechanisms`.
    pixel_noise
        Standard deviation of independent noise on every pixel.
    size
        Pixels a side; 14 is the mean of 2 x 2 pixels of 28.
    rng
        Draws everything.

    References
    ----------
    Sun et al. 2025, arXiv:2411.06518, section 6.2; Li et al. 2026, arXiv:2509.11362. Positions, ranges and noise are
    this package's own: the papers publish no generator.
    """
    if instances not in ("fixed", "shared", "random"):
        raise ValueError(f"instances is {instances!r}; choose from fixed, shared, random")
    if size not in (14, 28):
        raise ValueError(f"size is {size}; choose 14 or 28")
    latent_rng, digit_rng, shoe_rng, pixel_rng = rng.spawn(4)
    adjacency = np.array(graph, bool)
    z = draw_latents(adjacency, n, mechanism=mechanism, noise=noise, noise_scale=noise_scale, rng=latent_rng)
    place, level = _logistic(z[:, [0, 2]]) * SPRITE, FAINTEST + (1 - FAINTEST) * _logistic(z[:, [1, 3]])
    level[:, 0] = 1 + FAINTEST - level[:, 0]
    numerals, numerals_from = _digits(digits)
    shoes, shoes_from = _shoes(clothes)
    chosen = _choose(len(numerals), len(COLOURS), n, instances, digit_rng)
    views: dict[str, dict[str, NDArray[np.float32]]] = {"digit": {}, "clothing": {}}
    for column, (name, colour) in enumerate(COLOURS.items()):
        grey = _draw(numerals, chosen[:, column], place[:, 0], level[:, 0], size, across=True)
        painted = np.concatenate([np.float32(part) * grey for part in colour], axis=1)
        views["digit"][name] = _noisy(painted, pixel_noise, pixel_rng)
    worn = _choose(len(shoes), 1, n, instances, shoe_rng)[:, 0]
    shoe = _draw(shoes, worn, place[:, 1], level[:, 1], size, across=False)
    views["clothing"]["grey"] = _noisy(shoe, pixel_noise, pixel_rng)
    return LatentData(
        views=views,
        latents=z,
        names=NAMES,
        adjacency=adjacency,
        eta={m: {k: np.zeros((n, 0)) for k in by} for m, by in views.items()},
        image={"digit": (3, size, size), "clothing": (1, size, size)},
        source=f"Variant MNIST, {instances} instances: {numerals_from}; {shoes_from}.",
    )


def _logistic(z: Array) -> Array:
    grown: Array = 1 / (1 + np.exp(-z / 1.25))
    return grown


def _choose(choices: int, measurements: int, n: int, instances: str, rng: np.random.Generator) -> NDArray[np.intp]:
    """Return which sprite each measurement of each person shows, shape (n, measurements)."""
    if instances == "fixed":
        return np.full((n, measurements), rng.integers(choices))
    if instances == "shared":
        return np.repeat(rng.integers(choices, size=(n, 1)), measurements, axis=1)
    return rng.integers(choices, size=(n, measurements))


def _draw(
    sprites: Array, chosen: NDArray[np.intp], place: Array, level: Array, size: int, *, across: bool
) -> NDArray[np.float32]:
    """Put sprites of 14 x 14 at places, 0 to 14 pixels from the left or the top of a frame of 28; flattened."""
    drawn = [
        _shift(sprites[chosen[i : i + CHUNK]], place[i : i + CHUNK], across=across)
        * level[i : i + CHUNK, None, None].astype(np.float32)
        for i in range(0, len(place), CHUNK)
    ]
    frames = np.concatenate(drawn)
    if size < FRAME:
        frames = frames.reshape(len(frames), size, 2, size, 2).mean(axis=(2, 4))
    return frames.reshape(len(frames), -1)


def _shift(sprites: Array, place: Array, *, across: bool) -> NDArray[np.float32]:
    """Shift by whole pixels and, linearly between them, by the rest: pixels are continuous in the place."""
    upright = sprites if across else sprites.transpose(0, 2, 1)
    padded = np.pad(upright, ((0, 0), (0, 0), (FRAME, FRAME)))
    whole = np.floor(place).astype(int)
    rest = (place - whole)[:, None, None]
    column = FRAME + np.arange(FRAME)[None, :] - whole[:, None]
    near, far = (np.take_along_axis(padded, (column - k)[:, None, :], axis=2) for k in (0, 1))
    strip = (1 - rest) * near + rest * far
    margin = (FRAME - SPRITE) // 2
    frame = np.pad(strip, ((0, 0), (margin, margin), (0, 0))).astype(np.float32)
    return frame if across else frame.transpose(0, 2, 1)


def _noisy(x: NDArray[np.float32], sd: float, rng: np.random.Generator) -> NDArray[np.float32]:
    if sd == 0:
        return x
    return x + np.float32(sd) * rng.standard_normal(x.shape, dtype=np.float32)


def _digits(folder: Path | None) -> tuple[Array, str]:
    if folder is None:
        return small_digits(SPRITE), "scikit-learn's digits of 8 x 8 pixels stand in for MNIST"
    return _halved(_images(folder)), "MNIST digits"


def _shoes(folder: Path | None) -> tuple[Array, str]:
    if folder is None:
        return drawn_shoes(SPRITE), "drawn silhouettes stand in for Fashion-MNIST"
    images, labels = _images(folder), read_idx(find_idx(folder, "labels"))
    if labels.shape != (len(images),):
        raise InputError(f"{folder} holds {len(images)} images and {len(labels)} labels; download them again")
    worn = np.isin(labels, SHOES)
    if not worn.any():
        raise InputError(f"{folder} holds no shoes (labels {', '.join(map(str, SHOES))}); is it Fashion-MNIST?")
    return _halved(images[worn]), "Fashion-MNIST shoes"


def _images(folder: Path) -> NDArray[np.uint8]:
    images = read_idx(find_idx(folder, "images"))
    if images.ndim != 3 or images.shape[1:] != (FRAME, FRAME):
        raise InputError(f"{folder} holds images of shape {images.shape[1:]}; 28 x 28 pixels are needed")
    return images


def _halved(images: NDArray[np.uint8]) -> Array:
    blocks = images.reshape(len(images), SPRITE, 2, SPRITE, 2)
    mean: Array = blocks.mean(axis=(2, 4)) / 255
    return mean
