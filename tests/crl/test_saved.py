"""Files of fits hold numbers and names of known classes; anything else is refused in one sentence."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from personax.crl import load_fit, save_fit
from personax.crl.baselines import method
from personax.errors import InputError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    views = {m: {"a": np.random.default_rng(i).normal(size=(30, 4))} for i, m in enumerate(("text", "image"))}
    fitted = method("pca").fit(views, latents={"text": 1, "image": 2}, rng=np.random.default_rng(0))
    save_fit(fitted, tmp_path / "fit.safetensors")
    return tmp_path / "fit.safetensors"


def header(path: Path) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    with safe_open(path, framework="pt") as archive:
        return json.loads(archive.metadata()["personax_fit"]), {
            k: archive.get_tensor(k)
            for k in archive.keys()  # noqa: SIM118 - not a mapping
        }


def write(path: Path, changed: dict[str, Any], tensors: dict[str, torch.Tensor]) -> None:
    save_file(tensors, path, metadata={"personax_fit": json.dumps(changed)})


@pytest.mark.parametrize("name", ["builtins.eval", "Path", "torch.load", "LinearRegression"])
def test_only_known_classes_are_made(path: Path, name: str) -> None:
    held, tensors = header(path)
    held["fit"]["made"] = name
    write(path, held, tensors)
    with pytest.raises(InputError, match="is not a fit of personax"):
        load_fit(path)


def test_what_was_fitted_otherwise_is_refused(path: Path) -> None:
    held, tensors = header(path)
    write(path, held | {"format": 2}, tensors)
    with pytest.raises(InputError, match="another version of personax; fit again"):
        load_fit(path)
    write(path, held, dict(list(tensors.items())[1:]))
    with pytest.raises(InputError, match="is not a fit of personax"):
        load_fit(path)
    del held["fit"]["fields"]["weights"]
    write(path, held, tensors)
    with pytest.raises(InputError, match="weights"):
        load_fit(path)
    write(path, {"format": 1, "fit": {"list": []}}, tensors)
    with pytest.raises(InputError, match="holds no fitted method"):
        load_fit(path)


def test_other_files_are_refused(path: Path, tmp_path: Path) -> None:
    for content in (b"", b"12345678no", path.read_bytes()[:-20]):
        (tmp_path / "bad").write_bytes(content)
        with pytest.raises(InputError, match="is not a fit of personax"):
            load_fit(tmp_path / "bad")
    with pytest.raises(InputError, match="is not a fit of personax"):
        load_fit(tmp_path / "absent")


def test_an_unknown_class_is_not_written(tmp_path: Path) -> None:
    @dataclass(frozen=True)
    class Mine:
        names: list[str]

    with pytest.raises(TypeError, match="a fit that holds a Mine cannot be saved"):
        save_fit(Mine([]), tmp_path / "fit")  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []
