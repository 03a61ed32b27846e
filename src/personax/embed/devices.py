"""Where a model runs, and in which precision."""

from __future__ import annotations

from typing import Any, Literal

from personax.errors import InputError, require

__all__ = ["Precision", "place"]

Precision = Literal["auto", "float32", "bfloat16", "float16"]


def place(device: str | None, precision: Precision) -> tuple[str, Any]:
    """Return the device, and the type of a model's numbers.

    Parameters
    ----------
    device
        As torch calls it; a GPU where there is one if None.
    precision
        ``auto`` is bfloat16 on a GPU that has it, float16 on one that has not, float32 elsewhere.

    Raises
    ------
    InputError
        For a device that this machine lacks.
    """
    torch = require("torch", extra="embed")
    if device is None:
        device = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"embed.device: {device} cannot be used here ({str(error).splitlines()[0]})") from None
    if precision == "auto":
        if not device.startswith("cuda"):
            return device, torch.float32
        return device, torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    return device, getattr(torch, precision)
