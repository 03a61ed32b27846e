"""Where people come from; the sections of real sources live with those sources."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from personax.plan.amounts import Count
from personax.sources.sections import (
    CollectCelebA,
    CollectNflPlayers,
    CollectOpenfootball,
    CollectSeveral,
    CollectTable,
)
from personax.strict import Strict

VectorLength = Annotated[int, Field(ge=8)]
"""Room for the latents and noises that a simulated vector mixes."""


class CollectSimulated(Strict):
    """Invented people whose causes are known."""

    source: Literal["simulate"]
    n: Count = 1000
    text_dim: VectorLength = 384
    image_dim: VectorLength = 512
    text_measurements: Annotated[int, Field(ge=1, le=26)] = 3
    image_measurements: Annotated[int, Field(ge=1, le=26)] = 1
    images: bool = True


class CollectRelease(Strict):
    """A published set: a folder, a file, or a data set of a hub; see docs/reading.md.

    ``from`` in study.yaml: a path, or ``user/name``. ``mapping``: column -> id, feature, target, embedding:<modality>
    or leave, for layouts that are not known. ``revision``: of a hub.
    """

    source: Literal["release"]
    place: str = Field(alias="from", min_length=1)
    mapping: dict[str, str] = {}
    revision: str | None = None


Collect = Annotated[
    CollectSimulated
    | CollectTable
    | CollectOpenfootball
    | CollectNflPlayers
    | CollectCelebA
    | CollectSeveral
    | CollectRelease,
    Field(discriminator="source"),
]
