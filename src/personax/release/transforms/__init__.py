"""Keyed, invertible transforms of embeddings, one step a file, and what each keeps."""

from personax.release.transforms._chain import PRESERVATION, PRESETS, VERSION, Chain, Preset, is_preset
from personax.release.transforms._properties import PROPERTIES
from personax.release.transforms._step import Batches, Floats, State, TransformStep

__all__ = [
    "PRESERVATION",
    "PRESETS",
    "PROPERTIES",
    "VERSION",
    "Batches",
    "Chain",
    "Floats",
    "Preset",
    "State",
    "TransformStep",
    "is_preset",
]
