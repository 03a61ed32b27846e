"""An encoder of the worlds' texts that needs no model: phrases as smooth curves, summed."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Final

import numpy as np
from numpy.typing import NDArray

from personax.simulate.worlds._vocabulary import GRADES, PHRASES

__all__ = ["SimulatedEncoder", "simulated_encoder"]

Vectors = NDArray[np.float32]

PIECE: Final = re.compile(r"[^\W\d_]+|\d[\d,]*")
CURVES: Final = 4
"""Functions of a grade along which a concept's phrases lie: linear, square, cubic and a wave."""

NUISANCE: Final = 0.35
"""Length of the vector of a word that says no latent, where a concept's curve is about 1 long."""

SYNONYM: Final = 0.25
"""How far synonyms of a grade lie from its curve, each in a direction of its own."""


class SimulatedEncoder:
    """Texts by the phrases in them, see `simulated_encoder`."""

    def __init__(self, dim: int, seed: int, bend: float, unit_length: bool) -> None:
        self.dim, self.seed, self.bend, self.unit_length = dim, seed, bend, unit_length
        self.name = f"simulated {dim} {seed} {bend:g} {unit_length:d}"
        self._phrases = self._all_phrases()
        # the longest first, so that "calm" is not found in what only contains it
        longest = sorted(self._phrases, key=lambda phrase: (-len(phrase), phrase))
        self._find = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest))})(?!\w)|{PIECE.pattern}")
        self._words: dict[str, Vectors] = {}
        self._mixing = self._draw("mixing", (dim, dim)) / np.float32(np.sqrt(dim))

    def __call__(self, texts: Sequence[str]) -> Vectors:
        """Return one vector a text, shape (texts, dim)."""
        summed = np.zeros((len(texts), self.dim), dtype=np.float32)
        for row, text in zip(summed, texts, strict=True):
            for found in self._find.finditer(text):
                row += self._vector(found.group())
        bent = summed + np.float32(self.bend) * np.tanh(summed @ self._mixing * np.float32(np.sqrt(self.dim)))
        if self.unit_length:
            bent /= np.maximum(np.linalg.norm(bent, axis=1, keepdims=True), 1e-12)
        return np.asarray(bent, dtype=np.float32)

    def _vector(self, piece: str) -> Vectors:
        found = self._phrases.get(piece)
        if found is None:
            found = self._words.get(piece)
        if found is None:
            found = self._words[piece] = self._of_number(piece) if piece[0].isdigit() else self._of_word(piece)
        return found

    def _of_word(self, word: str) -> Vectors:
        return np.float32(NUISANCE) * self._unit(word.lower())

    def _of_number(self, number: str) -> Vectors:
        """Return a number's vector, a curve of its logarithm, with what is its own."""
        size = np.log10(1 + int(number.replace(",", "")) % 10**15) / 4 - 1
        return self._on_curve("a number", size) + np.float32(SYNONYM) * self._unit(number)

    def _all_phrases(self) -> dict[str, Vectors]:
        found = {}
        for language, concepts in PHRASES.items():
            for concept, grades in concepts.items():
                for grade, ways in enumerate(grades):
                    place = 2 * grade / (GRADES - 1) - 1
                    for way in ways:
                        own = self._on_curve(f"{language} {concept}", place)
                        found[way] = own + np.float32(SYNONYM) * self._unit(f"{concept} {way}")
        return found

    def _on_curve(self, name: str, place: float) -> Vectors:
        directions = self._draw(name, (CURVES, self.dim)) / np.float32(np.sqrt(self.dim))
        heights = np.array([place, 0.5 * place**2, 0.4 * place**3, 0.4 * np.sin(3 * place)], dtype=np.float32)
        return np.asarray(heights @ directions, dtype=np.float32)

    def _unit(self, name: str) -> Vectors:
        drawn = self._draw(name, (self.dim,))
        return np.asarray(drawn / np.linalg.norm(drawn), dtype=np.float32)

    def _draw(self, name: str, shape: tuple[int, ...]) -> Vectors:
        key = int.from_bytes(blake2b(name.encode("utf-8", "replace"), digest_size=8).digest(), "little")
        return np.random.default_rng([key, self.seed]).standard_normal(shape, dtype=np.float32)


def simulated_encoder(
    *, dim: int = 128, seed: int = 0, bend: float = 0.3, unit_length: bool = True
) -> Callable[[Sequence[str]], Vectors]:
    """Return an encoder of the worlds' texts, without any model.

    A phrase of a latent is a point on its concept's smooth curve, with a small vector of its own; every other word
    has a vector that belongs to it alone, and a number lies on a curve of its logarithm. A text is the sum s of these,
    in which order plays no part, then ``s + bend * tanh(W s)``, by default of unit length. As with sentence encoders,
    what is said of two latents enters nearly as a sum, and words that say nothing are nuisance.

    Parameters
    ----------
    dim
        Length of a vector.
    seed
        Two seeds are two encoders.
    bend
        Strength of the nonlinearity; with 0 and without unit length a text is exactly a sum.
    unit_length
        Whether vectors have length 1.

    Returns
    -------
    Callable
        Texts -> vectors, shape (texts, dim), float32; the same text has the same vector, whatever else is encoded.

    Raises
    ------
    ValueError
        When dim is less than 2 or bend is negative.

    Examples
    --------
    >>> encode = simulated_encoder(dim=64)
    >>> vectors = encode(["Kim is calm.", "Kim is composed.", "Kim is very anxious."])
    >>> bool(vectors[0] @ vectors[1] > vectors[0] @ vectors[2])
    True
    """
    if dim < 2 or not 0 <= bend < np.inf:
        raise ValueError(f"the simulated encoder needs dim from 2 and bend from 0, not {dim} and {bend:g}")
    return SimulatedEncoder(dim, seed, bend, unit_length)
