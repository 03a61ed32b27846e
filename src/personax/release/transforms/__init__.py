"""Keyed, invertible transforms of embeddings, one step a file, and what each keeps."""

from personax.release.transforms.chain import PRESETS, Chain, Preset
from personax.release.transforms.keeps import KEEPS, PROPERTIES

__all__ = ["KEEPS", "PRESETS", "PROPERTIES", "Chain", "Preset"]
