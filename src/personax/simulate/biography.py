"""Short English biographies whose words follow the traits; who is in the middle is not described."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from personax.schema import TRAITS

__all__ = ["WORDS", "biography", "invent_name"]

WORDS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
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


def biography(facts: Mapping[str, str], traits: Mapping[str, float], *, rng: np.random.Generator) -> str:
    """Write two or three sentences about an invented person.

    Parameters
    ----------
    facts
        ``name``, ``occupation``, ``country``, ``year``.
    traits
        Trait -> standardised value; only those beyond 0.6 are put into words.

    Examples
    --------
    >>> facts = {"name": "Ada Nemo", "occupation": "music", "country": "Chile", "year": "1980"}
    >>> biography(facts, {"extraversion": 2.0}, rng=np.random.default_rng(3)).count("Ada")
    2
    """
    words = [str(rng.choice(WORDS[trait][traits[trait] > 0])) for trait in TRAITS if abs(traits.get(trait, 0)) > 0.6]
    opening = str(rng.choice(_OPENINGS)).format(**facts)
    if not words:
        return f"{opening} {_SILENCE.format(**facts)}"
    listed = words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
    return f"{opening} {str(rng.choice(_REMARKS)).format(words=listed, **facts)}"
