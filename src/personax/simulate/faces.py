"""Cartoon faces whose features follow the image latents, so that people can look at something."""

from __future__ import annotations

import io
from collections.abc import Mapping

import numpy as np
from PIL import Image, ImageDraw

__all__ = ["draw_face", "png"]

SIZE = 64
_SCALE = 4
"""Drawn four times as large and made smaller, for smooth lines."""

_LIGHT, _DARK = np.array([247, 218, 190]), np.array([92, 58, 40])
_HAIR = ((45, 34, 30), (98, 66, 42), (158, 110, 62), (120, 120, 125))
_GROUND = ((226, 236, 240), (240, 232, 222), (230, 238, 228))


def draw_face(latents: Mapping[str, float], *, rng: np.random.Generator) -> Image.Image:
    """Draw an invented person, 64 x 64 pixels.

    Parameters
    ----------
    latents
        ``skin_tone`` (higher is darker), ``attractiveness`` (higher: narrower face, larger eyes, higher brows) and
        ``facial_expression`` (higher: smile), in standard deviations.
    rng
        Draws what means nothing: hair, background.
    """
    tone, look, mood = (_squash(latents[k]) for k in ("skin_tone", "attractiveness", "facial_expression"))
    side = SIZE * _SCALE
    skin = _colour(_LIGHT + (_DARK - _LIGHT) * (tone + 1) / 2)
    line = _colour(np.array(skin) * 0.45)
    hair = _HAIR[rng.integers(len(_HAIR))]
    image = Image.new("RGB", (side, side), _GROUND[rng.integers(len(_GROUND))])
    draw = ImageDraw.Draw(image)
    middle, width, top, bottom = side / 2, side * (0.29 - 0.04 * look), side * 0.18, side * 0.86
    draw.ellipse((middle - width * 1.12, top - side * 0.08, middle + width * 1.12, side * 0.62), fill=hair)
    draw.ellipse((middle - width, top, middle + width, bottom), fill=skin, outline=line, width=3)
    draw.chord((middle - width, top - side * 0.02, middle + width, top + side * 0.26), 180, 360, fill=hair)
    _eyes(draw, middle, side, look, line)
    draw.line((middle, side * 0.50, middle - side * 0.02, side * 0.59, middle + side * 0.015, side * 0.60), line, 4)
    _mouth(draw, middle, side, mood, line)
    return image.resize((SIZE, SIZE), Image.Resampling.LANCZOS)


def png(image: Image.Image) -> bytes:
    """Return an image as PNG, without a time stamp."""
    stream = io.BytesIO()
    image.save(stream, format="PNG", optimize=False)
    return stream.getvalue()


def _squash(value: float) -> float:
    return float(np.tanh(value / 1.5))


def _colour(rgb: np.ndarray) -> tuple[int, int, int]:
    red, green, blue = (int(value) for value in np.clip(rgb, 0, 255))
    return red, green, blue


def _eyes(draw: ImageDraw.ImageDraw, middle: float, side: int, look: float, line: tuple[int, int, int]) -> None:
    height, radius, brow = side * 0.46, side * (0.034 + 0.010 * look), side * (0.375 - 0.018 * look)
    for x in (middle - side * 0.11, middle + side * 0.11):
        draw.ellipse((x - radius * 1.5, height - radius, x + radius * 1.5, height + radius), fill=(252, 252, 250))
        draw.ellipse(
            (x - radius * 0.75, height - radius * 0.8, x + radius * 0.75, height + radius * 0.8), fill=(40, 32, 30)
        )
        draw.line((x - radius * 2, brow + 4, x, brow, x + radius * 2, brow + 4), line, 7)


def _mouth(draw: ImageDraw.ImageDraw, middle: float, side: int, mood: float, line: tuple[int, int, int]) -> None:
    """Draw a parabola whose corners rise with the mood."""
    half, y, bend = side * 0.11, side * 0.71, side * 0.06 * mood
    steps = np.linspace(-1, 1, 17)
    points = [(middle + half * step, y + bend * (1 - 2 * step**2)) for step in steps]
    draw.line(points, line, 8, joint="curve")
