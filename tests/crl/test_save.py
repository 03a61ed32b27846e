"""Files of fits hold numbers and names of known classes; anything else is refused in one sentence."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed: pip install personax[crl]")

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from personax.crl import identify, load_fit, save_fit
from personax.crl.methods import method
from personax.errors import InputError
from personax.registry import forget, register

FITS = Path(__file__).parent / "fits"


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


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("builtins.eval", "holds a builtins.eval, which this version of personax does not have"),
        ("Path", "holds a Path, which this version of personax does not have; install the version"),
        ("torch.load", "is not a fit of personax"),
        ("torch.Module", "torch.Module is no dataclass"),
        ("MCLNet", "MCLNet is no dataclass"),
        ("pathlib:Path", "holds a Path of the package pathlib, which is not installed here or registers no method"),
        ("toy_methods.nets:Toy", "pip install toy-methods"),
    ],
)
def test_only_dataclasses_of_packages_that_bring_methods_are_made(path: Path, name: str, says: str) -> None:
    held, tensors = header(path)
    held["fit"]["made"] = name
    held["packages"] = {"toy_methods": "toy-methods"}
    write(path, held, tensors)
    with pytest.raises(InputError, match=says):
        load_fit(path)


def test_what_was_fitted_otherwise_is_refused(path: Path) -> None:
    held, tensors = header(path)
    write(path, held | {"format": 3}, tensors)
    with pytest.raises(InputError, match="a later version of personax: pip install --upgrade personax"):
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
    with pytest.raises(InputError, match="there is no file"):
        load_fit(tmp_path / "absent")


@dataclass(frozen=True)
class Mine:
    names: list[str]
    reader: object = None


def test_what_no_registered_package_brings_is_not_written(tmp_path: Path) -> None:
    @dataclass(frozen=True)
    class Inner:
        names: list[str]

    fits: dict[str, Any] = {
        "define it at a module's top level": Inner([]),
        'put @register("methods", "a-name") above it': Mine([]),
    }
    for says, fit in fits.items():
        with pytest.raises(InputError, match=re.escape(says)):
            save_fit(fit, tmp_path / "fit")
    assert list(tmp_path.iterdir()) == []


def test_a_class_of_a_registered_module_is_written_and_named_by_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = Mine.__module__.partition(".")[0]
    monkeypatch.setitem(sys.modules, package, sys.modules.get(package) or ModuleType(package))
    register("methods", "mine")(Mine)
    try:
        with pytest.raises(InputError, match=r"Mine\.reader is a function, which cannot be saved"):
            save_fit(Mine([], lambda: 0), tmp_path / "fit")  # type: ignore[arg-type]
        save_fit(Mine(["a"]), tmp_path / "fit")  # type: ignore[arg-type]
        assert header(tmp_path / "fit")[0]["fit"]["made"] == f"{Mine.__module__}:Mine"
        with pytest.raises(InputError, match="holds no fitted method"):
            load_fit(tmp_path / "fit")
    finally:
        forget("methods", "mine")
    with pytest.raises(InputError, match="or import the module"):
        load_fit(tmp_path / "fit")


@pytest.mark.parametrize("name", ["betavae", "default"])
@pytest.mark.parametrize("version", ["0.1", "0.2"])
def test_fits_of_earlier_versions_encode_as_they_did(version: str, name: str) -> None:
    """Written by these versions; each with the latents of its first people then."""
    rng = np.random.default_rng(0)
    z = rng.normal(size=(60, 2))

    def measured(at: int) -> np.ndarray[Any, Any]:
        vectors: np.ndarray[Any, Any] = z[:, [at]] @ rng.normal(size=(1, 4)) + 0.1 * rng.normal(size=(60, 4))
        return vectors.astype(np.float32)

    views = {m: {k: measured(at) for k in "ab"} for at, m in enumerate(("text", "image"))}
    found = load_fit(FITS / f"{version}-{name}.safetensors")
    assert found.names == ["text_1", "image_1"]
    then = {
        "betavae": [[-0.09776927883085501, 0.651851869545248], [0.2620462680477794, 0.7402319900005198]],
        "default": [[0.003436522325500846, 0.10246600955724716], [-0.5288817882537842, -0.020522072911262512]],
    }
    np.testing.assert_allclose(found.encode(views)[:2], then[name], atol=1e-5)
    row = identify(found)[0]
    assert row.verdict != "identified", "nothing was diagnosed then"
