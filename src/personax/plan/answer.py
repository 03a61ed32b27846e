"""What requests of others may ask of the originals of a study; its owner says it, nobody else."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from personax.plan.amounts import Count
from personax.strict import Strict


class Answer(Strict):
    """The limits of `personax answer`; see docs/answering.md."""

    columns: list[str] | None = None
    withheld: list[str] = []
    modalities: list[str] | None = None
    least: Annotated[int, Field(ge=3)] = 10
    requests: Count = 20
    tests: Count = 2000
    subgroups: Count = 20
    bootstraps: Annotated[int, Field(ge=0)] = 100
    latents: Count = 32
    seeds: Count = 3
    epochs: Count = 60
