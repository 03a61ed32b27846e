"""The worlds of the benchmark, fixed before any method was fitted to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from personax.simulate.worlds._world import WorldOptions

__all__ = ["FIXED_WORLDS", "FixedWorld"]


@dataclass(frozen=True)
class FixedWorld:
    """A world of the benchmark.

    Parameters
    ----------
    options
        What it is.
    encoders
        Names of encoders, in the order of a modality's measurements.
    row
        Which row of the table it belongs to: ``several`` measurements, ``one`` in a modality, or ``shared`` latents.
    first
        Seed s of the benchmark draws this world by seed ``first + s``, so that no two worlds share people.
    """

    options: WorldOptions
    encoders: tuple[str, ...] = ("minilm-packaged",)
    row: str = "several"
    first: int = 0


_THREE: Final = ("minilm-packaged", "wordllama", "hashed")

FIXED_WORLDS: Final[Mapping[str, FixedWorld]] = {
    "adjectives": FixedWorld(WorldOptions(), first=1000),
    "filler-1": FixedWorld(WorldOptions(("filler",)), first=2000),
    "adjectives-3": FixedWorld(WorldOptions(latents=(3, 2)), first=3000),
    "clauses": FixedWorld(WorldOptions(("clauses",), measurements=(2, 2)), first=4000),
    "numbers": FixedWorld(WorldOptions(("adjectives", "numbers")), first=5000),
    "german": FixedWorld(WorldOptions(("german",)), first=6000),
    "biographies": FixedWorld(WorldOptions(("adjectives", "biographies"), links=2), first=7000),
    "clauses-3": FixedWorld(WorldOptions(("clauses",), latents=(3, 2)), first=8000),
    "filler-3": FixedWorld(WorldOptions(("filler",), filler=3), first=9000),
    "clauses-biographies": FixedWorld(WorldOptions(("clauses", "biographies"), latents=(3, 2), links=2), first=10000),
    "adjectives-words": FixedWorld(WorldOptions(), ("wordllama",), first=11000),
    "clauses-words": FixedWorld(WorldOptions(("clauses",), latents=(3, 2)), ("wordllama",), first=12000),
    "one-measurement": FixedWorld(WorldOptions(measurements=(1, 2)), row="one", first=13000),
    "one-face": FixedWorld(WorldOptions(("faces", "adjectives"), measurements=(1, 2)), row="one", first=14000),
    "shared": FixedWorld(WorldOptions(shared=1, measurements=(3, 3)), _THREE, row="shared", first=15000),
}
"""Name -> world; character with two latents and one shared has three, so ``shared`` is 3 + 3 with one in common."""
