"""Measurements that are no texts: drawn faces and answers to questionnaires."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["FEATURES", "PIXELS", "draw_faces", "draw_forms"]

Array = NDArray[np.float64]

PIXELS: Final = 32
FEATURES: Final = ("smile", "eyes", "brows", "width")
"""What of a face follows the first, second, third and fourth latent."""

CHUNK: Final = 2048
"""Faces drawn together."""


def draw_faces(latents: Array, *, nuisance: bool, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Draw a grey face a person.

    With t = tanh(z / 2) of a latent, in units of half the frame: the mouth bends by 0.22 t, eyes are 0.10 (1.2 + t)
    high, brows tilt by 0.5 t, the head is 0.62 + 0.14 t wide, all strictly monotone. Edges are smooth, so pixels are
    continuous in the latents.

    Parameters
    ----------
    latents
        Shape (n, d), d at most 4, standardised.
    nuisance
        Whether the face's place (within 0.08) and the light (0.75 to 1) vary from picture to picture.
    rng
        Draws the nuisance.

    Returns
    -------
    numpy.ndarray
        Shape (n, 32, 32), uint8.

    Raises
    ------
    ValueError
        For more latents than a face has features.
    """
    if latents.shape[1] > len(FEATURES):
        raise ValueError(f"a drawn face shows at most {len(FEATURES)} latents, not {latents.shape[1]}")
    moved = np.zeros((len(latents), len(FEATURES)))
    moved[:, : latents.shape[1]] = np.tanh(latents / 2)
    place_rng, light_rng = rng.spawn(2)
    place = place_rng.uniform(-0.08, 0.08, (len(latents), 2)) * nuisance
    light = 1 - light_rng.uniform(0, 0.25, len(latents)) * nuisance
    drawn = np.empty((len(latents), PIXELS, PIXELS), dtype=np.uint8)
    for rows in _chunks(len(latents)):
        drawn[rows] = np.round(255 * _faces(moved[rows], place[rows]) * light[rows, None, None])
    return drawn


def _chunks(n: int) -> Iterator[slice]:
    return (slice(start, start + CHUNK) for start in range(0, n, CHUNK))


def _faces(moved: Array, place: Array) -> Array:
    """Return brightness between 0 and 1, shape (n, 32, 32)."""
    axis = (np.arange(PIXELS) + 0.5) / PIXELS * 2 - 1
    x = axis[None, None, :] - place[:, 0, None, None]
    y = axis[None, :, None] - place[:, 1, None, None]
    smile, eyes, brows, width = (moved[:, i, None, None] for i in range(4))
    face = 0.8 * _inside(1 - np.hypot(x / (0.62 + 0.14 * width), y / 0.88), 0.08)
    side = np.abs(x)
    eye = _inside(1 - np.hypot((side - 0.27) / 0.13, (y + 0.15) / (0.10 * (1.2 + eyes))), 0.3)
    brow = _stroke(y + 0.42 - 0.5 * brows * (side - 0.27), side - 0.27, 0.17)
    mouth = _stroke(y - 0.42 + 0.22 * smile * ((x / 0.3) ** 2 - 0.5), x, 0.3)
    return np.clip(face - 0.7 * np.maximum(eye, np.maximum(brow, mouth)), 0, 1)


def _inside(distance: Array, edge: float) -> Array:
    smooth: Array = 1 / (1 + np.exp(-np.clip(distance / edge * 3, -30, 30)))
    return smooth


def _stroke(across: Array, along: Array, half: float) -> Array:
    """Return a line of soft width 0.05 that ends softly at ``half`` on both sides."""
    stroke: Array = np.exp(-((across / 0.05) ** 2) / 2) * _inside(half - np.abs(along), 0.08)
    return stroke


ITEMS: Final = 6
POINTS: Final = 5


def draw_forms(latents: Array, *, form: int, nuisance: bool, rng: np.random.Generator) -> NDArray[np.float32]:
    """Answer a questionnaire: six items a latent on a scale from 1 to 5, half of them reversed.

    An answer is round(3 + sign * loading * z + difficulty + error), cut off at 1 and 5.

    Parameters
    ----------
    latents
        Shape (n, d), standardised.
    form
        Loadings (0.7 to 1.2) and difficulties (-0.5 to 0.5) belong to a form, for all worlds alike.
    nuisance
        Whether people differ in how much they agree with anything (deviation 0.3, anew in every form).
    rng
        Draws errors (deviation 0.5) and agreement.

    Returns
    -------
    numpy.ndarray
        Shape (n, 6 d), float32, whole numbers.
    """
    fixed = np.random.default_rng([form, 20_261_130])
    columns = ITEMS * latents.shape[1]
    loading, difficulty = fixed.uniform(0.7, 1.2, columns), fixed.uniform(-0.5, 0.5, columns)
    loading[1::2] *= -1
    agree_rng, error_rng = rng.spawn(2)
    agreement = 0.3 * agree_rng.standard_normal((len(latents), 1)) * nuisance
    exact = 3 + loading * np.repeat(latents, ITEMS, axis=1) + difficulty + agreement
    answers = np.round(exact + 0.5 * error_rng.standard_normal(exact.shape))
    return np.asarray(np.clip(answers, 1, POINTS), dtype=np.float32)
