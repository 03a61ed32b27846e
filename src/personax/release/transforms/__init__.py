"""Keyed, invertible transforms of embeddings, one step a file, and what each keeps."""

from personax.release.transforms.chain import PRESETS, Chain, Preset, is_preset
from personax.release.transforms.keeps import KEEPS
from personax.release.transforms.properties import PROPERTIES
from personax.release.transforms.step import Batches, Floats, State, Step

__all__ = ["KEEPS", "PRESETS", "PROPERTIES", "Batches", "Chain", "Floats", "Preset", "State", "Step", "is_preset"]
