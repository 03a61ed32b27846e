"""Models on disk: safetensors, which nothing can hide code in."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import torch

from personax.crl.model import LatentModel, Layout
from personax.crl.training import CRLResult
from personax.errors import InputError, require

__all__ = ["load_model", "save_model"]


def save_model(result: CRLResult, path: Path) -> None:
    """Write a fitted model with its layout."""
    save_file = require("safetensors.torch", extra="crl").save_file
    tensors = {name: tensor.contiguous() for name, tensor in result.state.items()}
    save_file(tensors, path, metadata={"personax_layout": json.dumps(asdict(result.layout))})


def load_model(path: Path, *, layout: Layout | None = None) -> LatentModel:
    """Read a model that `save_model` wrote.

    Parameters
    ----------
    path
        The file.
    layout
        When given, the layout that the model must have.

    Raises
    ------
    InputError
        When the file is no such model, or has another layout.
    """
    safetensors = require("safetensors", extra="crl")
    try:
        with safetensors.safe_open(path, framework="pt") as archive:
            stored = Layout(**json.loads((archive.metadata() or {})["personax_layout"]))
            state = {name: archive.get_tensor(name) for name in archive.keys()}  # noqa: SIM118 - not a mapping
    except (safetensors.SafetensorError, OSError, KeyError, ValueError, TypeError) as error:
        raise InputError(f"{path} is not a personax model ({error})") from None
    if layout is not None and asdict(stored) != asdict(layout):
        raise InputError(f"{path} was fitted with another layout: {asdict(stored)}")
    model = LatentModel(stored, generator=torch.Generator())
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        raise InputError(f"{path} does not fit its own layout ({str(error).splitlines()[0]})") from None
    return model
