"""Where training runs, and its random numbers: drawn on the processor, so that every device gets the same ones."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from personax.crl._budget import Device
from personax.errors import InputError

__all__ = ["CPU", "integers", "normal", "permutation", "torch_device", "uniform"]

CPU: Final = torch.device("cpu")
"""Where generators and fitted models are; as a context, where tensors are made that name no device."""


def torch_device(device: Device) -> torch.device:
    """Return the torch device of a name.

    Parameters
    ----------
    device
        ``auto`` is a GPU where torch sees one, and the processor elsewhere.

    Raises
    ------
    InputError
        For a GPU where torch sees none, and for a device that has no name here.

    Examples
    --------
    >>> torch_device("cpu")
    device(type='cpu')
    """
    if device not in ("auto", "cpu", "cuda"):
        raise InputError(f"device is auto, cpu or cuda, not {device}")
    there = torch.cuda.is_available()
    if device == "cuda" and not there:
        raise InputError("device: torch sees no GPU here; give auto or cpu, or install a torch that is built for it")
    return torch.device("cuda" if device != "cpu" and there else "cpu")


def normal(*shape: int, generator: torch.Generator) -> Tensor:
    """Draw standard normal numbers."""
    return torch.randn(shape, generator=generator, device=generator.device)


def uniform(*shape: int, generator: torch.Generator) -> Tensor:
    """Draw numbers from 0 to 1."""
    return torch.rand(shape, generator=generator, device=generator.device)


def integers(below: int, *shape: int, generator: torch.Generator) -> Tensor:
    """Draw whole numbers from 0 on."""
    return torch.randint(below, shape, generator=generator, device=generator.device)


def permutation(n: int, *, generator: torch.Generator) -> Tensor:
    """Draw an order of n things."""
    return torch.randperm(n, generator=generator, device=generator.device)
