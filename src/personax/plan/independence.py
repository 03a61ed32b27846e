"""Level I: which features are tested against which traits, and by what."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from personax.plan.amounts import Alpha
from personax.plan.parts import part_name
from personax.strict import Strict

TestName = Annotated[str, part_name("tests")]
"""A registered test of independence, ours or of another installed package."""


class Independence(Strict):
    """Level I: which features depend on which traits."""

    features: list[str] | None = None
    targets: list[str] | None = None
    tests: list[TestName] = ["kci", "chisq", "gsq"]
    given: list[str] = []
    by: str | None = None
    alpha: Alpha = 0.05
    correction: Literal["fdr_bh", "fdr_by", "holm", "none"] = "fdr_bh"
    options: dict[TestName, dict[str, str | int | float | bool]] = {}
    per_model: bool = True
    imputations: int = Field(default=0, ge=0, le=20)
    figures: bool = True
