"""What each registered transform keeps; one that says nothing of it is taken to keep nothing."""

from __future__ import annotations

from collections.abc import Mapping

from personax import registry
from personax.registry import Part
from personax.release.transforms._chain import Registered, is_preset
from personax.release.transforms._properties import PROPERTIES, Kept

__all__ = ["KEEPS"]


def _keeps(part: Part) -> Mapping[str, Kept] | None:
    if not is_preset(part):
        return None
    registry.get("transforms", part.name)  # what is no literal is known once the module is there
    nothing: Mapping[str, Kept] = dict.fromkeys(PROPERTIES, "not")
    return {**nothing, **registry.describe("transforms", part.name).facts.get("keeps", {})}


KEEPS: Mapping[str, Mapping[str, Kept]] = Registered(_keeps)
"""Transform -> property -> how it is kept."""
