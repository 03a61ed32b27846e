"""Embeddings of invented people as encoders give them: texts by their phrases, pictures by curves, a survey by sums.

Measurements of one person differ in words, poses and answers, and have the person in common. What each says of its
latents decides whether these can be told apart:

- a text says confidence, emotional stability and warmth in phrases; a phrase of each moves its vector along a curve;
- a picture shows skin tone, attractiveness and expression, each along a curve, among its own pose and light;
- every item of the survey asks for culture and mindset at once. Its answers are weighted sums of the two, and any
  other two weighted sums of them explain these as well: nothing in the data tells the two apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from personax.simulate.worlds._families import Writer
from personax.simulate.worlds._simulated_encoder import simulated_encoder
from personax.simulate.worlds._vocabulary import WORDS

__all__ = ["SHOWN", "encode_pictures", "encode_profiles", "encode_survey", "write_profiles"]

Array = NDArray[np.float64]
Vectors = NDArray[np.float32]

SHOWN: Final[Mapping[str, tuple[str, ...]]] = {
    "text": ("confidence", "emotional_stability", "warmth"),
    "image": ("skin_tone", "attractiveness", "facial_expression"),
    "survey": ("culture", "mindset"),
}
"""Modality -> the variables of the model that its measurements say or show."""

PHRASES_OF: Final = ("confidence", "calm", "warmth")
"""Whose phrases say what a text is about."""

WRITERS: Final = ("A colleague", "A neighbour", "A former teacher", "A reporter", "A cousin")
SENTENCES: Final = (
    "{W} says that this person is {p}.",
    "{W} finds that this person is {p}.",
    "This person, says {w}, is {p}.",
)

ITEMS: Final = 12
"""Items of a survey."""

NUISANCE: Final = 4
"""Numbers of a single picture that say nothing of the person: two of pose, two of light."""

REST: Final = 0.6
"""Deviation of what else is in a picture, where a latent's curve is about 1 long in every number."""

FIXED: Final = 20_261_130
"""Seed of encoders and surveys: they are the same for all people."""


def write_profiles(latents: Array, measurement: int, *, rng: np.random.Generator) -> list[str]:
    """Write what somebody says of each person: a sentence a latent in a graded phrase, and one that says nothing.

    Parameters
    ----------
    latents
        Shape (n, 3), as ``SHOWN["text"]``, in standard deviations.
    measurement
        From 0: who writes.
    rng
        Draws judgements, words, and the order of sentences.

    Examples
    --------
    >>> write_profiles(np.array([[2.0, -2.0, 0.0]]), 0, rng=np.random.default_rng(1))[0].count("A colleague")
    3
    """
    writer = Writer(PHRASES_OF, latents, measurement, True, 1, 0.25, 0.0, rng)
    who = WRITERS[measurement % len(WRITERS)]
    frame = SENTENCES[measurement % len(SENTENCES)]
    own = who[0].lower() + who[1:]
    said = [[frame.format(W=who, w=own, p=phrase) for phrase in phrases] for phrases in writer.said()]
    said.append(writer.drawn(WORDS.filler))
    return [" ".join(said[j][i] for j in order) for i, order in enumerate(writer.orders(len(said)).tolist())]


def encode_profiles(texts: list[str], dim: int) -> Vectors:
    """Return the vectors of texts by the simulated encoder, shape (n, dim)."""
    return simulated_encoder(dim=dim)(texts)


def encode_pictures(latents: Array, dim: int, *, rng: np.random.Generator) -> Vectors:
    """Return what an encoder would give of a picture of each person, shape (n, dim).

    With t = tanh(z / 1.5), as far as a drawn face moves, a latent adds t, t^2 and t^3 in directions of its own. Pose
    and light of the picture have directions too, and whatever else is in it moves every number a little.

    Parameters
    ----------
    latents
        Shape (n, 3), as ``SHOWN["image"]``, in standard deviations.
    rng
        Draws pose and light.
    """
    encoder = np.random.default_rng([FIXED, dim])
    vectors = rng.standard_normal((len(latents), NUISANCE)) @ encoder.standard_normal((NUISANCE, dim)) * 0.4
    for latent in latents.T:
        t = np.tanh(latent / 1.5)
        heights = np.column_stack([t, 0.7 * t**2, 0.5 * t**3])
        vectors += heights @ encoder.standard_normal((heights.shape[1], dim))
    vectors += REST * rng.standard_normal(vectors.shape)
    return np.asarray(vectors / np.sqrt(dim), dtype=np.float32)


def encode_survey(latents: Array, form: int, *, rng: np.random.Generator) -> Vectors:
    """Return the answers to a survey on a continuous scale, every one a sum of both latents, shape (n, 12).

    Parameters
    ----------
    latents
        Shape (n, 2), as ``SHOWN["survey"]``, in standard deviations.
    form
        From 0: which items are asked.
    rng
        Draws errors.
    """
    items = np.random.default_rng([FIXED, form]).standard_normal((latents.shape[1], ITEMS))
    return np.asarray(latents @ items + 0.6 * rng.standard_normal((len(latents), ITEMS)), dtype=np.float32)
