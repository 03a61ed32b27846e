"""What an encoder is: items in, one vector an item out, and an honest account of what it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["Card", "Encoder", "Item", "TextEncoder", "Truncation", "Vectors"]

Vectors = NDArray[np.float32]

Item = TypeVar("Item", contravariant=True)
"""A text, or the path of a picture."""


@dataclass(frozen=True)
class Card:
    """What the manifest and a release say of an encoder.

    Parameters
    ----------
    name
        Of the model, as its hub or package calls it.
    modality
        What it reads.
    dim
        Length of a vector.
    revision
        Which version of the weights; empty where nothing says so.
    licence
        Of the weights, which vectors inherit; empty where nobody has looked.
    weights
        SHA-256 of the files of the model; empty for an encoder without any.
    preprocessing
        All that is done to an item before the model sees it, and to a vector after.
    """

    name: str
    modality: Literal["text", "image"]
    dim: int
    revision: str = ""
    licence: str = ""
    preprocessing: dict[str, str | int | float | bool] = field(default_factory=dict)
    weights: str = ""


@dataclass(frozen=True)
class Truncation:
    """What an encoder does not read of some texts.

    Parameters
    ----------
    limit
        Tokens that it reads of a text, its prompt and special tokens among them; 0 where it reads all.
    texts
        How many are longer.
    longest
        Tokens of the longest.
    unread
        Share of all tokens of all texts that is cut off.
    """

    limit: int = 0
    texts: int = 0
    longest: int = 0
    unread: float = 0.0


class Encoder(Protocol[Item]):
    """Turns items into vectors; the same item has the same vector, whatever else is in its batch."""

    card: Card

    def encode(self, items: Sequence[Item]) -> Vectors:
        """Return shape (len(items), card.dim).

        Raises
        ------
        MemoryError, torch.OutOfMemoryError
            When the batch is too large for the device; smaller ones are tried then.
        """


class TextEncoder(Encoder[str], Protocol):
    """An encoder of texts, which says what it cuts off."""

    def truncation(self, texts: Sequence[str]) -> Truncation:
        """Return how many texts are longer than the encoder reads, and by how much."""
