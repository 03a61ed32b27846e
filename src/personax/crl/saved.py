"""Fitted methods on disk: safetensors, which nothing can hide code in.

A fit is a tree of a few known classes. Its numbers go to tensors; its shape goes to the header as JSON, in which a
class is a name in a closed list: reading calls nothing that the list does not hold.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import nn

from personax.crl.method import Fitted
from personax.errors import InputError, require
from personax.files import written_aside

__all__ = ["load_fit", "save_fit"]

HEADER: Final = "personax_fit"
FORMAT: Final = 1
TURNED: Final = ".T"
"""What the name of a tensor ends with that is kept transposed."""

CLASSES: Final = {
    "standard": ("Standardiser",),
    "images": ("Pixels",),
    "model": ("Layout",),
    "objective": ("Weights",),
    "prior": ("Prior",),
    "loop": ("TrainLog",),
    "training": ("CRLResult", "FitConfig"),
    "baselines.autoencoder": ("AutoencoderNet",),
    "baselines.base": ("Trained",),
    "baselines.betavae": ("BetaVAENet",),
    "baselines.causalvae": ("CausalVAENet",),
    "baselines.ivae": ("IVAENet",),
    "baselines.linear": ("Linear",),
    "baselines.mcl": ("MCLNet",),
    "baselines.mmcrl": ("First",),
    "baselines.multiview": ("MultiviewNet",),
    "baselines.nets": ("Blocks", "Decoders"),
    "baselines.random": ("RandomNet",),
    "baselines.supervised": ("SupervisedNet",),
    "staged.agreed": ("Agreed",),
    "staged.batched": ("BatchedMLP",),
    "staged.block": ("Block",),
    "staged.chart": ("Chart",),
    "staged.components": ("Components",),
    "staged.contents": ("Content",),
    "staged.conditionals": ("Conditionals",),
    "staged.critic": ("Critic",),
    "staged.fitted": ("StagedFit",),
    "staged.nets": ("Smooth",),
    "staged.orthogonal": ("Straightened",),
    "staged.projection": ("Projection",),
    "staged.structure": ("Structure",),
}
"""What a file may hold, by module."""

LAYERS: Final = ("GELU", "Identity", "Linear", "ModuleList", "Sequential")
"""And of torch's own."""


def save_fit(fitted: Fitted, path: Path) -> None:
    """Write a fitted method, so that nobody sees half of one.

    Raises
    ------
    TypeError
        For a fit that holds something else than the known classes.
    """
    save_file = require("safetensors.torch", extra="crl").save_file
    tensors: dict[str, torch.Tensor] = {}
    shape = _Writer(tensors).tree(fitted)
    tensors = tensors or {"nothing": torch.zeros(0)}
    with written_aside(path) as aside:
        save_file(tensors, aside, metadata={HEADER: json.dumps({"format": FORMAT, "fit": shape})})


def load_fit(path: Path) -> Fitted:
    """Read a fitted method that `save_fit` wrote; it encodes to the same bits.

    Raises
    ------
    InputError
        When the file is no such fit, is damaged, or was written by another version.
    """
    safetensors = require("safetensors", extra="crl")
    try:
        with safetensors.safe_open(path, framework="pt") as archive:
            header = json.loads((archive.metadata() or {})[HEADER])
            tensors = {name: archive.get_tensor(name) for name in archive.keys()}  # noqa: SIM118 - not a mapping
        if header["format"] != FORMAT:
            raise InputError(f"{path} was written by another version of personax; fit again")
        fitted = _Reader(tensors).tree(header["fit"])
        if not hasattr(fitted, "encode"):
            raise InputError(f"{path} holds no fitted method")
    except (safetensors.SafetensorError, OSError, LookupError, ValueError, TypeError, AttributeError) as error:
        raise InputError(f"{path} is not a fit of personax ({error})") from None
    found: Fitted = fitted
    return found


def _known() -> dict[str, type[Any]]:
    own = {
        name: getattr(import_module(f"personax.crl.{home}"), name) for home, names in CLASSES.items() for name in names
    }
    return own | {f"torch.{name}": getattr(nn, name) for name in LAYERS}


class _Writer:
    """Turns values into JSON, and their numbers into tensors."""

    def __init__(self, tensors: dict[str, torch.Tensor]) -> None:
        self.tensors = tensors
        self.names = {made: name for name, made in _known().items()}

    def tree(self, value: Any) -> Any:  # noqa: ANN401 - whatever a fit holds
        if value is None or isinstance(value, bool | int | float | str):
            return value
        if isinstance(value, np.ndarray):
            return {"array": self._keep(torch.from_numpy(np.array(value, order="K")))}
        if isinstance(value, nn.Module):
            return self._module(value)
        if isinstance(value, torch.Tensor):
            return {"tensor": self._keep(value)}
        if isinstance(value, list | tuple):
            return {type(value).__name__: [self.tree(each) for each in value]}
        if isinstance(value, Mapping):
            return {"dict": [[self.tree(key), self.tree(each)] for key, each in value.items()]}
        name = self._name(value)
        if is_dataclass(value):
            return {"made": name, "fields": {f.name: self.tree(getattr(value, f.name)) for f in fields(value)}}
        raise TypeError(f"a fit that holds a {name} cannot be saved")

    def _module(self, module: nn.Module) -> dict[str, Any]:
        own = {key: value for key, value in vars(module).items() if key not in _OF_TORCH}
        return {
            "module": self._name(module),
            "own": {key: self.tree(value) for key, value in own.items()},
            "parameters": {key: p if p is None else self._keep(p) for key, p in module._parameters.items()},
            "buffers": {key: b if b is None else self._keep(b) for key, b in module._buffers.items()},
            "modules": {key: self.tree(child) for key, child in module._modules.items()},
        }

    def _keep(self, tensor: torch.Tensor) -> str:
        """Keep a tensor, with the order of its numbers in memory: another one rounds products otherwise."""
        held = tensor.detach()
        turned = held.ndim == 2 and held.T.is_contiguous() and not held.is_contiguous()
        name = f"{len(self.tensors)}{TURNED if turned else ''}"
        self.tensors[name] = (held.T if turned else held).clone().contiguous()
        return name

    def _name(self, value: object) -> str:
        if type(value) not in self.names:
            raise TypeError(f"a fit that holds a {type(value).__name__} cannot be saved")
        return self.names[type(value)]


_OF_TORCH: Final = frozenset(vars(nn.Module()))
"""What every module holds by itself."""


class _Reader:
    """The way back."""

    def __init__(self, tensors: Mapping[str, torch.Tensor]) -> None:
        self.tensors, self.classes = tensors, _known()

    def tree(self, shape: Any) -> Any:  # noqa: ANN401 - whatever a fit holds
        if not isinstance(shape, dict):
            return shape
        if "module" in shape:
            return self._module(shape)
        if "made" in shape:
            return self.classes[shape["made"]](**{key: self.tree(each) for key, each in shape["fields"].items()})
        ((kind, held),) = shape.items()
        if kind == "array":
            return self._held(held).numpy()
        if kind == "tensor":
            return self._held(held)
        if kind == "dict":
            return {self.tree(key): self.tree(each) for key, each in held}
        return {"list": list, "tuple": tuple}[kind](self.tree(each) for each in held)

    def _held(self, name: str) -> torch.Tensor:
        return self.tensors[name].T if name.endswith(TURNED) else self.tensors[name]

    def _module(self, shape: Mapping[str, Any]) -> nn.Module:
        made = self.classes[shape["module"]]
        module: nn.Module = object.__new__(made)
        nn.Module.__init__(module)
        for key, value in shape["own"].items():
            setattr(module, key, self.tree(value))
        for key, name in shape["parameters"].items():
            module.register_parameter(key, None if name is None else nn.Parameter(self._held(name)))
        for key, name in shape["buffers"].items():
            module.register_buffer(key, None if name is None else self._held(name))
        for key, child in shape["modules"].items():
            module.add_module(key, self.tree(child))
        return module.eval()
