"""What is known of causes before looking at the data."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from personax.strict import Strict

CausePair = Annotated[list[str], Field(min_length=2, max_length=2)]
"""[cause, effect]."""


class Beliefs(Strict):
    """What is known of causes between modalities; certain, or so many times as dear to go against."""

    tiers: list[list[str]] = []
    forbidden: list[CausePair] = []
    times: Annotated[float, Field(ge=1, allow_inf_nan=False)] | None = None


class Background(Strict):
    """What is known of causes before looking at the data; also a file of its own."""

    tiers: list[list[str]] | None = None
    forbidden: list[CausePair] = []
    required: list[CausePair] = []
