"""Causal graphs over latents, traits and biography."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from personax import registry
from personax.plan.amounts import Alpha
from personax.plan.causes import Background
from personax.plan.parts import part_name
from personax.registry import Part
from personax.strict import Strict

FISHERZ = "fisherz"
"""causal-learn's test of linear dependence, beside the registered ones."""


def _with_and_without_z(part: Part) -> bool:
    return bool(part.facts.get("given", "either") == "either")


def search_tests() -> list[str]:
    """Return the names of the tests that a search for causal graphs can ask."""
    return [part.name for part in registry.parts("tests") if _with_and_without_z(part) and not part.fault] + [FISHERZ]


SearchTest = Annotated[str, part_name("tests", FISHERZ, fits=_with_and_without_z)]
"""causal-learn's Fisher z, or a registered test of independence that runs with and without given columns."""


class Discover(Strict):
    """PC or FCI over latents, traits and biography."""

    over: list[Literal["latents", "traits", "features"]] = ["latents"]
    algorithm: Literal["pc", "fci"] = "pc"
    test: SearchTest = FISHERZ
    alpha: Alpha = 0.01
    bootstraps: Annotated[int, Field(ge=0)] = 0
    knowledge: Background | None = None
