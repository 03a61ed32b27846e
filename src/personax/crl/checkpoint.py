"""Training that was stopped goes on to the same numbers: its state as safetensors, and what it is the state of."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import torch

from personax.errors import InputError, require
from personax.files import written_aside

__all__ = ["read_checkpoint", "write_checkpoint"]

HEADER: Final = "personax_checkpoint"


def write_checkpoint(
    path: Path, tensors: Mapping[str, torch.Tensor], facts: Mapping[str, Any], of: Mapping[str, Any]
) -> None:
    """Write a state, so that nobody sees half of one.

    Parameters
    ----------
    path
        The file.
    tensors, facts
        The state: its tensors, and what else it holds, as JSON can.
    of
        What it is the state of: a name and its value each, which must be the same to go on.
    """
    save_file = require("safetensors.torch", extra="crl").save_file
    with written_aside(path) as aside:
        text = json.dumps({"of": of, "facts": facts})
        save_file({name: x.contiguous() for name, x in tensors.items()}, aside, metadata={HEADER: text})


def read_checkpoint(path: Path, of: Mapping[str, Any]) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Read the state that `write_checkpoint` wrote.

    Raises
    ------
    InputError
        When the file is no checkpoint, is damaged, or is one of something else: another architecture, say.
    """
    safetensors = require("safetensors", extra="crl")
    try:
        with safetensors.safe_open(path, framework="pt") as archive:
            header = json.loads((archive.metadata() or {})[HEADER])
            tensors = {name: archive.get_tensor(name) for name in archive.keys()}  # noqa: SIM118 - not a mapping
        there, facts = dict(header["of"]), dict(header["facts"])
    except (safetensors.SafetensorError, OSError, LookupError, ValueError, TypeError) as error:
        raise InputError(f"{path} is not a checkpoint of personax ({error}); remove it to begin anew") from None
    here = json.loads(json.dumps(of))
    other = [name for name in here if there.get(name) != here[name]]
    if other:
        what = " and ".join(other)
        raise InputError(f"{path} is a checkpoint of another {what}; give another path, or remove it to begin anew")
    return tensors, facts
