"""Variant MNIST: a coloured digit and a shoe whose places and shades cause one another."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from personax.simulate._latent_data import LatentData
from personax.simulate._mechanisms import Mechanism, Mechanisms, Noise, components
from personax.simulate._sprites import FRAME, SPRITE, digit_sprites, place, shoe_sprites

__all__ = ["GRAPH", "variant_mnist"]

Array = NDArray[np.float64]
Images = NDArray[np.float32]
Instances = Literal["fixed", "shared", "random"]

NAMES = ["digit_1", "digit_2", "clothing_1", "clothing_2"]
COLOURS = ("red", "green", "blue")

GRAPH: NDArray[np.bool_] = np.array([[0, 0, 0, 0], [1, 0, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0]], dtype=bool)
"""The digit's place causes its transparency and the shoe's place, which causes the shoe's shade; rows are children."""

WAVES = 3
"""Cosines along a side of a background, of no, half a and a whole period."""

SQUASH = 2.0
"""Deviations over which the hyperbolic tangent bends: a latent of 2.9 has lost four fifths of the slope at 0."""


def variant_mnist(
    *,
    n: int = 10_000,
    digits: Path | None = None,
    clothes: Path | None = None,
    instances: Instances = "fixed",
    mechanism: Mechanism = "additive",
    noise: Noise = "gaussian",
    noise_scale: float = 1.0,
    graph: NDArray[np.bool_] = GRAPH,
    size: int = 14,
    pixel_noise: float = 0.0,
    background: float = 0.0,
    rng: np.random.Generator,
) -> LatentData:
    """Draw pictures of digits in three colours and of shoes, from four causally linked latents.

    With z a standardised latent and t = tanh(z / 2), which is strictly monotone: ``digit_1`` puts the digit's left edge
    at 7 + 7 t of 28 pixels, from 0 to 14, half the frame being its width; ``digit_2`` multiplies its brightness by
    0.6 + 0.4 t; ``clothing_1`` puts the shoe's upper edge at 7 + 7 t, so that it moves downwards; ``clothing_2``
    multiplies its brightness by 0.6 + 0.4 t. Between pixels, sprites are interpolated linearly, and the frame is
    averaged to 14 x 14 in blocks of four. The published generator was never released: places, ranges and
    noise are ours.

    Parameters
    ----------
    n
        People.
    digits, clothes
        Folders with MNIST and Fashion-MNIST as downloaded; None: stand-ins, which the source names.
    instances
        ``fixed``: one digit and one shoe for everybody; ``shared``: a digit and a shoe a person, the digit the same in
        all colours; ``random``: a fresh digit for every measurement.
    mechanism, noise, noise_scale
        See `Mechanisms`.
    graph
        Shape (4, 4), bool, rows are children, without cycles; the default is the published graph.
    size
        14 or 28 pixels on a side.
    pixel_noise
        Deviation of Gaussian noise on every pixel, after which pixels are cut off at 0 and 1.
    background
        Brightness of what lies behind, below 1: a smooth picture of each measurement's own, the same for everybody, to
        which ``1 - background`` times the sprite is added, so that nothing is cut off. No method is told of it.
    rng
        Draws everything, by generators that it spawns; without pixel noise too, the first people do not depend on n.

    Returns
    -------
    LatentData
        Modality ``digit`` with measurements ``red``, ``green``, ``blue``, each an RGB picture in which only one channel
        is lit, flattened from (3, size, size); modality ``clothing`` with ``grey``, from (1, size, size). Between 0
        and 1. eta has no coordinates: instances and pixel noise are not numbered.

    Raises
    ------
    ValueError
        When an argument is not one of the above.
    InputError
        When a folder does not hold what it should.
    MissingExtraError
        When scikit-learn, whose digits stand in for MNIST, is not installed.

    References
    ----------
    Sun et al. 2025, arXiv 2411.06518, section 6.2; Li et al. 2026, arXiv 2509.11362. LeCun et al. 1998, MNIST; Xiao et
    al. 2017, Fashion-MNIST, arXiv 1708.07747.

    Examples
    --------
    >>> data = variant_mnist(n=5, rng=np.random.default_rng(0))
    >>> list(data.views["digit"]), data.views["digit"]["red"].shape, data.image["clothing"]
    (['red', 'green', 'blue'], (5, 588), (1, 14, 14))
    """
    _check(n, instances, graph, size, pixel_noise, background)
    model_rng, people_rng, digit_rng, shoe_rng, pixel_rng, room_rng = rng.spawn(6)
    room = partial(_before_background, background=background, rng=room_rng)
    model = Mechanisms(graph, mechanism=mechanism, noise=noise, noise_scale=noise_scale, rng=model_rng)
    latents = model.solve(model.draw(n, rng=people_rng))
    sprites, digits_from = digit_sprites(digits)
    shoes, shoes_from = shoe_sprites(clothes)
    views: dict[str, dict[str, Images]] = {"digit": {}, "clothing": {}}
    chosen = _choose(len(sprites), n, instances, digit_rng)
    for channel, colour in enumerate(COLOURS):
        if instances == "random" and channel:
            chosen = _choose(len(sprites), n, instances, digit_rng)
        if instances == "random" or not channel:
            grey = _picture(sprites[chosen], latents[:, 0], latents[:, 1], 2, size)
        coloured = np.zeros((n, 3, size, size), dtype=np.float32)
        coloured[:, channel] = grey
        views["digit"][colour] = _flat(room(coloured), pixel_noise, pixel_rng)
    worn = shoes[_choose(len(shoes), n, instances, shoe_rng)]
    shown = _picture(worn, latents[:, 2], latents[:, 3], 1, size)
    views["clothing"]["grey"] = _flat(room(shown[:, None]), pixel_noise, pixel_rng)
    none = {m: {k: np.zeros((n, 0)) for k in by} for m, by in views.items()}
    source = f"{digits_from} and {shoes_from}; instances {instances}, {mechanism} mechanisms, {noise} noise."
    image = {"digit": (3, size, size), "clothing": (1, size, size)}
    return LatentData(views, latents, list(NAMES), graph.copy(), none, image, source)


def _check(n: int, instances: str, graph: NDArray[np.bool_], size: int, pixel_noise: float, background: float) -> None:
    if n < 1:
        raise ValueError("variant MNIST needs at least one person")
    if instances not in get_args(Instances):
        raise ValueError(f"instances must be one of {', '.join(get_args(Instances))}, not {instances!r}")
    if graph.shape != (4, 4) or graph.dtype != np.bool_ or graph.diagonal().any() or len(components(graph)) != 4:
        raise ValueError("graph must be a 4 x 4 matrix of bool without cycles, rows being children")
    if size not in (SPRITE, FRAME):
        raise ValueError(f"size must be 14 or 28, not {size}")
    if not 0 <= pixel_noise < np.inf:
        raise ValueError(f"pixel_noise must not be negative, not {pixel_noise}")
    if not 0 <= background < 1:
        raise ValueError(f"background must be at least 0 and below 1, not {background}")


def _choose(available: int, n: int, instances: str, rng: np.random.Generator) -> NDArray[np.intp]:
    own = rng.spawn(1)[0]
    if instances == "fixed":
        return np.full(n, own.integers(available), dtype=np.intp)
    return own.integers(available, size=n).astype(np.intp)


def _picture(sprites: Images, position: Array, shade: Array, axis: int, size: int) -> Images:
    """Return frames with a sprite at a position along an axis, in a shade, shape (n, size, size)."""
    room = (FRAME - SPRITE) / 2
    bright = (0.6 + 0.4 * np.tanh(shade / SQUASH)).astype(np.float32)
    frame = place(sprites * bright[:, None, None], room + room * np.tanh(position / SQUASH), axis=axis)
    block = FRAME // size
    shown: Images = frame.reshape(len(frame), size, block, size, block).mean(axis=(2, 4))
    return shown


def _before_background(images: Images, *, background: float, rng: np.random.Generator) -> Images:
    """Return pictures of shape (n, channels, size, size) before a smooth one that is the same for all of them."""
    own = rng.spawn(1)[0]
    if not background:
        return images
    place = np.arange(images.shape[-1]) / images.shape[-1]
    waves = np.cos(np.pi * np.outer(place, np.arange(WAVES)))
    room = np.einsum("xi,yj,cij->cxy", waves, waves, own.standard_normal((images.shape[1], WAVES, WAVES)))
    room = (room - room.min()) / (room.max() - room.min())
    shown: Images = ((1 - background) * images + background * room).astype(np.float32)
    return shown


def _flat(images: Images, pixel_noise: float, rng: np.random.Generator) -> Images:
    own = rng.spawn(1)[0]
    if pixel_noise:
        images = images + np.float32(pixel_noise) * own.standard_normal(images.shape, dtype=np.float32)
    return np.clip(images, 0, 1).reshape(len(images), -1)
