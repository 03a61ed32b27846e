"""What each registered transform keeps; one that says nothing of it is taken to keep nothing."""

from __future__ import annotations

from collections.abc import Mapping

from personax import registry
from personax.registry import Part
from personax.release.transforms._chain import RegisteredParts, is_preset
from personax.release.transforms._properties import PROPERTIES, Preservation

__all__ = ["PRESERVATION"]


def _keeps(part: Part) -> Mapping[str, Preservation] | None:
    if not is_preset(part):
        return None
    registry.get("transforms", part.name)  # what is no literal is known once the module is there
    nothing: Mapping[str, Preservation] = dict.fromkeys(PROPERTIES, "not")
    return {**nothing, **registry.describe("transforms", part.name).facts.get("keeps", {})}


PRESERVATION: Mapping[str, Mapping[str, Preservation]] = RegisteredParts(_keeps)
"""Transform -> property -> how it is kept."""
