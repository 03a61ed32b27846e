"""Details of invented people: countries, biographies, raters and cartoon faces that follow the latents."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from PIL import Image, ImageDraw

__all__ = ["COUNTRIES", "RATERS", "WORDS", "Rater", "biography", "draw_face", "invent_name", "png", "rate"]


COUNTRIES: tuple[tuple[str, float, float], ...] = (
    ("Mexico", 19.43, -99.13),
    ("United States", 38.90, -77.04),
    ("Canada", 45.42, -75.70),
    ("Colombia", 4.71, -74.07),
    ("Chile", -33.45, -70.67),
    ("Argentina", -34.60, -58.38),
    ("Brazil", -15.79, -47.88),
    ("Senegal", 14.69, -17.44),
    ("Portugal", 38.72, -9.14),
    ("Morocco", 34.02, -6.83),
    ("Spain", 40.42, -3.70),
    ("Ghana", 5.60, -0.19),
    ("United Kingdom", 51.51, -0.13),
    ("France", 48.86, 2.35),
    ("Netherlands", 52.37, 4.90),
    ("Nigeria", 9.08, 7.40),
    ("Norway", 59.91, 10.75),
    ("Italy", 41.90, 12.50),
    ("Germany", 52.52, 13.41),
    ("Namibia", -22.56, 17.08),
    ("Poland", 52.23, 21.01),
    ("Greece", 37.98, 23.73),
    ("Egypt", 30.04, 31.24),
    ("Kenya", -1.29, 36.82),
    ("India", 28.61, 77.21),
    ("Thailand", 13.76, 100.50),
    ("Indonesia", -6.21, 106.85),
    ("China", 39.90, 116.41),
    ("South Korea", 37.57, 126.98),
    ("Japan", 35.68, 139.69),
    ("Australia", -35.28, 149.13),
    ("New Zealand", -41.29, 174.78),
)
"""Name, latitude and longitude in degrees."""


WORDS: Mapping[str, tuple[Sequence[str], Sequence[str]]] = {
    "openness": (("conventional", "uninquisitive"), ("creative", "imaginative", "philosophical")),
    "conscientiousness": (("disorganized", "careless"), ("organized", "thorough", "systematic")),
    "extraversion": (("shy", "quiet", "withdrawn"), ("talkative", "bold", "energetic")),
    "agreeableness": (("cold", "harsh"), ("kind", "warm", "cooperative")),
    "neuroticism": (("relaxed", "unenvious"), ("moody", "anxious", "temperamental")),
}
"""Trait -> adjectives of its low and of its high end; Saucier 1994, doi:10.1207/s15327752jpa6303_8."""

_FIRST = ("Ada", "Zoë", "Émile", "Søren", "Lin", "Kofi", "Marisol", "Ngozi", "Yusuf", "Ingrid", "Dimitra", "Hana",
          "Tomasz", "Ravi", "Amina", "Þóra", "Iñaki", "Jürgen", "Mei", "Oluwa")  # fmt: skip
_LAST = ("Example", "Quillfeather", "Nowhere", "O'Invented", "Paperman", "Müßig", "Vandermade", "Imagina", "Fictor",
         "Silhouette", "Sketcher", "Łagodny", "Nemo", "Drawn-Smith", "Figment", "Modelo")  # fmt: skip

_OPENINGS = (
    "{name} works in {occupation} and was born in {country} in {year}.",
    "Born in {country} in {year}, {name} made a career in {occupation}.",
    "{name}, from {country} (born {year}), is known for work in {occupation}.",
)
_REMARKS = ("Colleagues call {name} {words}.", "Profiles describe {name} as {words}.", "{name} is said to be {words}.")
_SILENCE = "Little is written about {name} as a person."


def invent_name(rng: np.random.Generator) -> str:
    """Return a name that nobody bears."""
    return f"{rng.choice(_FIRST)} {rng.choice(_LAST)}"


Words = Mapping[str, tuple[Sequence[str], Sequence[str]]]
"""Trait -> adjectives of its low and of its high end."""


def biography(
    facts: Mapping[str, str], traits: Mapping[str, float], *, rng: np.random.Generator, adjectives: Words = WORDS
) -> str:
    """Write two or three sentences about an invented person.

    Parameters
    ----------
    facts
        ``name``, ``occupation``, ``country``, ``year``.
    traits
        Trait -> standardised value; only those beyond 0.6 are put into words.
    adjectives
        Of each trait's ends, in the order in which they are written.

    Examples
    --------
    >>> facts = {"name": "Ada Nemo", "occupation": "music", "country": "Chile", "year": "1980"}
    >>> biography(facts, {"extraversion": 2.0}, rng=np.random.default_rng(3)).count("Ada")
    2
    """
    told = [trait for trait in adjectives if abs(traits.get(trait, 0)) > 0.6]
    words = [str(rng.choice(adjectives[trait][int(traits[trait] > 0)])) for trait in told]
    opening = str(rng.choice(_OPENINGS)).format(**facts)
    if not words:
        return f"{opening} {_SILENCE.format(**facts)}"
    listed = words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
    return f"{opening} {str(rng.choice(_REMARKS)).format(words=listed, **facts)}"


@dataclass(frozen=True, slots=True)
class Rater:
    """How a rater rates: bias and noise in standard deviations of the trait, shares of answers without a score."""

    name: str
    bias: float
    noise: float
    insufficient: float
    refused: float


RATERS = (
    Rater("steady", bias=0.0, noise=0.4, insufficient=0.05, refused=0.0),
    Rater("lenient", bias=0.5, noise=0.6, insufficient=0.02, refused=0.0),
    Rater("reticent", bias=0.0, noise=0.5, insufficient=0.10, refused=0.12),
)

CUTS = (-0.6, 0.6)
"""A perceived trait below the first is scored 1, above the second 3."""


def rate(traits: Mapping[str, NDArray[np.float64]], people: list[str], *, rng: np.random.Generator) -> pl.DataFrame:
    """Let every rater score every trait of every person on 1 to 3.

    Parameters
    ----------
    traits
        True trait -> value, shape (n,), in standard deviations of the model.
    people
        Ids, length n.

    Returns
    -------
    polars.DataFrame
        The rows of annotations.parquet. Without information or on refusal the score is null, never a number.
    """
    return pl.concat(
        _answers(rater, trait, values, people, rng) for rater in RATERS for trait, values in traits.items()
    )


def _answers(
    rater: Rater, trait: str, values: NDArray[np.float64], people: list[str], rng: np.random.Generator
) -> pl.DataFrame:
    seen = values + rater.bias + rater.noise * rng.standard_normal(len(values))
    fate = rng.random(len(values))
    refused = fate < rater.refused
    silent = ~refused & (fate < rater.refused + rater.insufficient)
    status = np.where(refused, "refused", np.where(silent, "insufficient", "ok"))
    score = pl.Series(1.0 + np.digitize(seen, CUTS)).set(pl.Series(refused | silent), None)
    n = len(values)
    return pl.DataFrame(
        {
            "person": people,
            "model": [rater.name] * n,
            "prompt": ["simulated"] * n,
            "repeat": pl.Series([0] * n, dtype=pl.Int64),
            "trait": [trait] * n,
            "score": score.cast(pl.Float64),
            "text": [""] * n,
            "status": status.tolist(),
            "latency": pl.Series([None] * n, dtype=pl.Float64),
            "tokens": pl.Series([None] * n, dtype=pl.Int64),
            "cost": pl.Series([None] * n, dtype=pl.Float64),
        }
    )


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
