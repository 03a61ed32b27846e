"""The small offline encoders under the interface of all others."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from personax.embed.descriptors import encode_images
from personax.embed.encoder import Card, Truncation, Vectors
from personax.embed.hashed import encode_texts

__all__ = ["DescriptorEncoder", "HashedEncoder"]


class HashedEncoder:
    """Texts by hashed words and n-grams; see `encode_texts`."""

    def __init__(self, dim: int = 384) -> None:
        self.card = Card("hashed n-grams", "text", dim, "1", "Apache-2.0", {"case": "lower", "normalise": True})

    def encode(self, items: Sequence[str]) -> Vectors:
        """Return one vector a text, shape (texts, dim)."""
        return encode_texts(items, dim=self.card.dim)

    def truncation(self, texts: Sequence[str]) -> Truncation:
        """Return that nothing is cut off."""
        return Truncation()


class DescriptorEncoder:
    """Pictures by colours and edges; see `encode_images`."""

    def __init__(self, dim: int = 512) -> None:
        self.card = Card(
            "colours and edges", "image", dim, "2", "Apache-2.0", {"orientation": "as its EXIF says", "size": "64 x 64"}
        )

    def encode(self, items: Sequence[Path]) -> Vectors:
        """Return one vector a picture, shape (pictures, dim)."""
        return encode_images(items, dim=self.card.dim)
