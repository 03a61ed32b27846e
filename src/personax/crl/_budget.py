"""What a method may spend on training; the same for all that are compared."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from personax.strict import Strict

__all__ = ["STANDARD", "Budget", "Device", "Training"]

Device = Literal["auto", "cpu", "cuda"]
"""Where training runs; ``auto`` is a GPU where there is one."""


class Training(Strict):
    """How long and where to train: what a study chooses.

    Parameters
    ----------
    epochs
        Passes over the people.
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

    epochs: Annotated[int, Field(ge=1)] = 60
    threads: Annotated[int, Field(ge=1)] = 1
    device: Device = "cpu"
    compiled: bool = False
    half: bool = False


class Budget(Training):
    """How long, how fast and where to train; the same for all methods that are compared.

    Parameters
    ----------
    epochs, threads, device, compiled, half
        See `Training`.
    batch, rate
        People a step, highest learning rate (Adam, cosine to zero).
    hidden
        Width of encoders and decoders.
    held_out
        Share of people kept for validation; the epoch with the best validation loss is kept.
    patience
        Epochs without improvement after which training stops.
    """

    batch: Annotated[int, Field(ge=1)] = 256
    rate: Annotated[float, Field(gt=0)] = 1e-3
    hidden: Annotated[int, Field(ge=1)] = 96
    held_out: Annotated[float, Field(ge=0, lt=1)] = 0.1
    patience: Annotated[int, Field(ge=0)] = 15


STANDARD = Budget()
"""What methods are compared with unless something else is said."""
