"""Options of Level II that say where and how fast it trains, the same for data of one's own and for the benchmark."""

from __future__ import annotations

from typing import Annotated, cast, get_args

import typer

from personax.crl._budget import Device
from personax.errors import PlanError

__all__ = ["CompiledOption", "DeviceOption", "HalfOption", "device_of"]

DeviceOption = Annotated[str, typer.Option(help="cpu, cuda, or auto: a GPU where there is one.")]
CompiledOption = Annotated[
    bool, typer.Option("--compiled", help="Compile the steps of paper and mmcrl: faster in long fits.")
]
HalfOption = Annotated[bool, typer.Option("--half", help="Products of matrices of paper and mmcrl in bfloat16.")]


def device_of(asked: str) -> Device:
    """Return the device that was asked for.

    Raises
    ------
    PlanError
        For one that has no name here.
    """
    if asked not in get_args(Device):
        raise PlanError(f"--device is auto, cpu or cuda, not {asked}")
    return cast(Device, asked)
