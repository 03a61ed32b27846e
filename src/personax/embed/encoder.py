"""What an encoder is: items in, one vector an item out, and an honest account of what it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["Card", "Encoder", "Item", "Vectors"]

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
    preprocessing
        All that is done to an item before the model sees it, and to a vector after.
    """

    name: str
    modality: Literal["text", "image"]
    dim: int
    revision: str = ""
    licence: str = ""
    preprocessing: dict[str, str | int | float | bool] = field(default_factory=dict)


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
