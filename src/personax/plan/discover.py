"""Causal graphs over latents, traits and biography."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from personax.plan.amounts import Alpha
from personax.plan.causes import Background
from personax.strict import Strict


class Discover(Strict):
    """PC or FCI over latents, traits and biography."""

    over: list[Literal["latents", "traits", "features"]] = ["latents"]
    algorithm: Literal["pc", "fci"] = "pc"
    test: Literal["fisherz", "kci", "chisq", "gsq"] = "fisherz"
    alpha: Alpha = 0.01
    bootstraps: Annotated[int, Field(ge=0)] = 0
    knowledge: Background | None = None
