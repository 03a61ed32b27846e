"""What a method may spend on training; the same for all that are compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["STANDARD", "Budget", "Device"]

Device = Literal["auto", "cpu", "cuda"]
"""Where training runs; ``auto`` is a GPU where there is one."""


@dataclass(frozen=True)
class Budget:
    """How long, how fast and where to train.

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
        ``cpu``, ``cuda``, or ``auto``: a GPU where there is one. Random numbers are the same everywhere, but a GPU
        rounds sums in other ways, so that only ``cpu`` gives the same numbers on every machine.
    compiled
        Compile the training step (`torch.compile`): faster once it is compiled, which takes seconds and a C++
        compiler. Where that fails the fit goes on without, and says why. Numbers differ in their last digits. Methods
        that have no such steps refuse it.
    half
        Matrix products of encoders and decoders in bfloat16 (mixed precision): faster on processors that support it.
        Methods that have no such steps refuse it.
    """

    epochs: int = 60
    batch: int = 256
    rate: float = 1e-3
    hidden: int = 96
    held_out: float = 0.1
    patience: int = 15
    threads: int = 1
    device: Device = "cpu"
    compiled: bool = False
    half: bool = False


STANDARD = Budget()
"""What methods are compared with unless something else is said."""
