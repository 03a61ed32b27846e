"""Fitted methods on disk: safetensors, which nothing can hide code in.

A fit is a tree of dataclasses, networks and arrays. Its numbers (parameters, buffers, arrays) go to tensors, its
configuration to the header as JSON, in which a class is a name. A name stands for a dataclass or network

- of `personax.crl`, or of ``torch.nn``;
- of a package that registers a method (`personax.registry`), in a module that is imported once its methods are.

Reading makes objects of such classes and calls nothing else.
"""

from __future__ import annotations

import ast
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import nn

from personax import registry
from personax.crl._estimator import Fitted
from personax.errors import InputError, require
from personax.files import written_aside
from personax.strict import Strict

__all__ = ["load_fit", "save_fit"]

HEADER: Final = "personax_fit"
FORMAT: Final = 2
TRANSPOSED: Final = ".T"
"""What the name of a tensor ends with that is kept transposed."""

OWN: Final = "personax"


def save_fit(fitted: Fitted, path: Path) -> None:
    """Write a fitted method, so that nobody sees half of one.

    Parameters
    ----------
    fitted
        A dataclass or network of `personax.crl`, or of a package that registers a method. It may hold numbers, texts,
        arrays, tensors, networks, lists, tuples, dicts and further dataclasses.
    path
        The file.

    Raises
    ------
    InputError
        When the fit holds something else, or a class that no registered package brings.
    """
    save_file = require("safetensors.torch", extra="crl").save_file
    tensors: dict[str, torch.Tensor] = {}
    writer = _Writer(tensors)
    tree = writer.tree(fitted, type(fitted).__name__)
    tensors = tensors or {"nothing": torch.zeros(0)}
    header = {"format": FORMAT, "packages": writer.packages, "fit": tree}
    with written_aside(path) as aside:
        save_file(tensors, aside, metadata={HEADER: json.dumps(header)})


def load_fit(path: str | os.PathLike[str]) -> Fitted:
    """Read a fitted method that `save_fit` wrote, also by earlier versions; it encodes to the same bits.

    Parameters
    ----------
    path
        The file, or a folder that holds one ``.safetensors`` file; of a study: ``analysis/crl``.

    Raises
    ------
    InputError
        When the file is no such fit, is damaged, was written by a later version, or holds a class of a package that is
        not installed.
    """
    safetensors = require("safetensors", extra="crl")
    path = _file_of(path)
    try:
        with safetensors.safe_open(path, framework="pt") as archive:
            header = json.loads((archive.metadata() or {})[HEADER])
            tensors = {name: archive.get_tensor(name) for name in archive.keys()}  # noqa: SIM118 - not a mapping
        if header["format"] not in (1, FORMAT):
            raise InputError(f"{path} was written by a later version of personax: pip install --upgrade personax")
        tree = header["fit"]
        if header["format"] == 1:
            from personax.crl._format1 import converted  # late: only files of earlier versions need it

            tree = converted(tree)
        fitted = _Reader(tensors, path, header.get("packages", {})).tree(tree)
        if not callable(getattr(fitted, "encode", None)):
            raise InputError(f"{path} holds no fitted method")
    except RecursionError:
        raise InputError(f"{path} is not a fit of personax (its header is nested too deep)") from None
    except (safetensors.SafetensorError, OSError, LookupError, ValueError, TypeError, AttributeError) as error:
        raise InputError(f"{path} is not a fit of personax ({error})") from None
    found: Fitted = fitted
    return found


def _file_of(path: str | os.PathLike[str]) -> Path:
    """Return the file, or the only fit of a folder."""
    path = Path(path)
    if not path.is_dir():
        if not path.exists():
            raise InputError(f"there is no file {path}; give the file that save_fit wrote")
        return path
    files = sorted(path.glob("*.safetensors")) or sorted(path.glob("analysis/crl/*.safetensors"))
    if len(files) != 1:
        held = f"{len(files)} fits: {', '.join(file.name for file in files)}" if files else "no .safetensors file"
        raise InputError(f"{path} is a folder that holds {held}; give the file that save_fit wrote")
    return files[0]


@cache
def _own_classes() -> dict[str, str]:
    """Return class -> module of all classes of `personax.crl`, read from its text."""
    root = Path(__file__).parent
    found: dict[str, str] = {}
    for path in sorted(root.rglob("*.py")):
        module = ".".join(("personax.crl", *path.relative_to(root).with_suffix("").parts)).removesuffix(".__init__")
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef):
                found[node.name] = module
    return found


def _packages() -> dict[str, registry.Part]:
    """Return top-level package -> one of the methods that it registers."""
    return {part.module.partition(".")[0]: part for part in registry.parts("methods") if not part.fault}


def _name_of(kind: type[Any], where: str) -> tuple[str, str]:
    """Return what a class is called in a file, and its top-level package; or say why it cannot be saved."""
    package = kind.__module__.partition(".")[0]
    if kind.__module__.startswith("torch.nn.") and getattr(nn, kind.__name__, None) is kind:
        return f"torch.{kind.__name__}", ""
    if _own_classes().get(kind.__name__) == kind.__module__:
        return kind.__name__, ""
    if "." in kind.__qualname__:
        raise InputError(f"{where} is a {kind.__qualname__}, which cannot be saved; define it at a module's top level")
    if package == OWN or package not in _packages():
        text = f'no method of {kind.__module__} is registered: put @register("methods", "a-name") above it'
        raise InputError(f"{where} is a {kind.__qualname__}, which cannot be saved: {text}")
    return f"{kind.__module__}:{kind.__qualname__}", package


class _Writer:
    """Turns values into JSON, and their numbers into tensors."""

    def __init__(self, tensors: dict[str, torch.Tensor]) -> None:
        self.tensors = tensors
        self.packages: dict[str, str] = {}

    def tree(self, value: Any, where: str) -> Any:  # noqa: ANN401 - whatever a fit holds
        if value is None or isinstance(value, bool | int | float | str):
            return value
        if isinstance(value, np.ndarray):
            return {"array": self._keep(torch.from_numpy(np.array(value, order="K")))}
        if isinstance(value, nn.Module):
            return self._module(value, where)
        if isinstance(value, torch.Tensor):
            return {"tensor": self._keep(value)}
        if isinstance(value, list | tuple):
            return {type(value).__name__: [self.tree(each, f"{where}[{i}]") for i, each in enumerate(value)]}
        if isinstance(value, Mapping):
            return {
                "dict": [[self.tree(key, where), self.tree(each, f"{where}[{key!r}]")] for key, each in value.items()]
            }
        if isinstance(value, Strict) or (is_dataclass(value) and not isinstance(value, type)):
            name = self._name(type(value), where)
            names = list(type(value).model_fields) if isinstance(value, Strict) else [f.name for f in fields(value)]
            own = {f: self.tree(getattr(value, f), f"{where}.{f}") for f in names}
            return {"made": name, "fields": own}
        raise InputError(f"{where} is a {type(value).__qualname__}, which cannot be saved; make it a dataclass")

    def _module(self, module: nn.Module, where: str) -> dict[str, Any]:
        own = {key: value for key, value in vars(module).items() if key not in _OF_TORCH}
        return {
            "module": self._name(type(module), where),
            "own": {key: self.tree(value, f"{where}.{key}") for key, value in own.items()},
            "parameters": {key: p if p is None else self._keep(p) for key, p in module._parameters.items()},
            "buffers": {key: b if b is None else self._keep(b) for key, b in module._buffers.items()},
            "modules": {key: self.tree(child, f"{where}.{key}") for key, child in module._modules.items()},
        }

    def _keep(self, tensor: torch.Tensor) -> str:
        """Keep a tensor, with the order of its numbers in memory: another one rounds products otherwise."""
        held = tensor.detach()
        transposed = held.ndim == 2 and held.T.is_contiguous() and not held.is_contiguous()
        name = f"{len(self.tensors)}{TRANSPOSED if transposed else ''}"
        self.tensors[name] = (held.T if transposed else held).clone().contiguous()
        return name

    def _name(self, kind: type[Any], where: str) -> str:
        name, package = _name_of(kind, where)
        if package:
            self.packages[package] = next(iter(packages_distributions().get(package, [package])))
        return name


_OF_TORCH: Final = frozenset(vars(nn.Module()))
"""What every module holds by itself."""


class _Reader:
    """The way back."""

    def __init__(self, tensors: Mapping[str, torch.Tensor], path: Path, packages: Mapping[str, str]) -> None:
        self.tensors, self.path, self.packages = tensors, path, packages

    def tree(self, shape: Any) -> Any:  # noqa: ANN401 - whatever a fit holds
        if not isinstance(shape, dict):
            return shape
        if "module" in shape:
            return self._module(shape)
        if "made" in shape:
            kind = self._class(shape["made"])
            if not is_dataclass(kind) and not issubclass(kind, Strict):
                raise ValueError(f"{shape['made']} is no dataclass")
            return kind(**{key: self.tree(each) for key, each in shape["fields"].items()})
        ((kind, held),) = shape.items()
        if kind == "array":
            return self._held(held).numpy()
        if kind == "tensor":
            return self._held(held)
        if kind == "dict":
            return {self.tree(key): self.tree(each) for key, each in held}
        return {"list": list, "tuple": tuple}[kind](self.tree(each) for each in held)

    def _held(self, name: str) -> torch.Tensor:
        return self.tensors[name].T if name.endswith(TRANSPOSED) else self.tensors[name]

    def _class(self, name: str) -> type[Any]:
        """Return a class by its name in the file, or say which package to install for it."""
        module, _, kind = name.rpartition(":")
        if not module:
            return self._own_class(name)
        package = module.partition(".")[0]
        if package not in _packages():
            brought = self.packages.get(package, package)
            raise InputError(
                f"{self.path} holds a {kind} of the package {brought}, which is not installed here or registers no "
                f"method: pip install {brought}, or import the module {module} first"
            )
        registry.get("methods", _packages()[package].name)  # imports what the package imports by itself
        found = getattr(sys.modules.get(module), kind, None)
        if not isinstance(found, type) or found.__module__ != module:
            raise InputError(
                f"{self.path} holds a {kind} of {module}, which this version of {package} does not have; install the "
                "version that it was saved with, or fit again"
            )
        return found

    def _own_class(self, name: str) -> type[Any]:
        if name.startswith("torch."):
            found = getattr(nn, name.removeprefix("torch."))
        elif name in _own_classes():
            found = getattr(import_module(_own_classes()[name]), name)
        else:
            raise InputError(
                f"{self.path} holds a {name}, which this version of personax does not have; install the version that "
                "it was saved with, or fit again"
            )
        if not isinstance(found, type):
            raise ValueError(f"{name} is no class")
        return found

    def _module(self, shape: Mapping[str, Any]) -> nn.Module:
        kind = self._class(shape["module"])
        if not issubclass(kind, nn.Module):
            raise ValueError(f"{shape['module']} is no network")
        module: nn.Module = object.__new__(kind)
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
