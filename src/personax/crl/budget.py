"""What a method may spend on training; the same for all that are compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["STANDARD", "Budget", "Device"]

Device = Literal["auto", "cpu", "cuda"]
"""Where training runs; ``auto`` is a GPU where there is one."""


@dataclass(frozen=True)
class Budget:
    """How long and how fast to train.

    Parameters
    ----------
    epochs, batch, rate
        Passes over the people, people a step, highest learning rate (Adam, cosine to zero).
    hidden
        Width of encoders and decoders.
    held_out
        Share of people kept for validation; the epoch with the best validation loss is kept.
    patience
        Epochs without improvement after which training stops.
    threads
        Of the processor. One gives the same numbers on every machine, and small models are no slower for it.
    device
        ``cpu``, ``cuda``, or ``auto``: a GPU where there is one. What is random is the same everywhere, but a GPU
        rounds sums in other ways, so that only ``cpu`` gives the same numbers on every machine.
    """

    epochs: int = 60
    batch: int = 256
    rate: float = 1e-3
    hidden: int = 96
    held_out: float = 0.1
    patience: int = 15
    threads: int = 1
    device: Device = "cpu"


STANDARD = Budget()
"""What methods are compared with unless something else is said."""
