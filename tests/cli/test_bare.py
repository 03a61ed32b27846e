"""Installed without extras: a sentence with the line that installs what is needed, never a traceback."""

from __future__ import annotations

import importlib
import importlib.util
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from tests.cli.program import one_sentence, personax

from personax.cli.doctor import extra_of
from personax.errors import MissingExtraError
from personax.stages import _fit_latents
from personax.study import Study

PLAN = """\
name: bare
collect: {source: simulate, n: 30, text_dim: 8, image_dim: 8, images: false}
embed: {source: simulate}
crl: {latents: {text: 1, image: 1}, method: pca}
"""


@pytest.fixture
def without_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.import_module

    def import_module(name: str, package: str | None = None) -> ModuleType:
        if name.split(".")[0] == "torch":
            raise ModuleNotFoundError(name=name)
        return found(name, package)

    monkeypatch.setattr("personax.errors.importlib.import_module", import_module)


@pytest.mark.usefixtures("without_torch")
def test_level_two_by_a_closed_form_says_what_saving_it_needs(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text(PLAN)
    assert 'the package torch: pip install "personax[crl]"' in one_sentence(personax("run", tmp_path))


def test_any_package_of_an_extra_that_is_missing_is_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def run(*_: Any, **__: Any) -> None:
        import_module("no_such_package_of_ours")

    (tmp_path / "study.yaml").write_text(PLAN)
    monkeypatch.setattr(Study, "run", run)
    with pytest.raises(ModuleNotFoundError):  # a fault of ours is not hidden
        personax("run", tmp_path)
    monkeypatch.setattr("personax.cli.doctor._EXTRAS", (("no_such_package_of_ours", "no-such", "crl", ""),))
    assert 'no_such_package_of_ours: pip install "personax[crl]"' in one_sentence(personax("run", tmp_path))


def test_the_name_of_a_fit_does_not_need_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_fit_latents, "versions", lambda: {"personax": "1"})
    import numpy as np

    from personax.config import CrlSection

    views = {"a": {"k": np.zeros((4, 2), np.float32)}}
    section = CrlSection.model_validate({"latents": {"a": 1}, "method": "pca"})
    assert len(_fit_latents.fingerprint(views, section, np.random.default_rng(0))) == 16


def test_every_extra_is_known_to_the_doctor() -> None:
    assert extra_of("cv2") == "pictures"
    assert extra_of("matplotlib.figure") == "figures"
    assert extra_of("numpy") is None
    assert extra_of(None) is None
    assert issubclass(MissingExtraError, ImportError)


def test_a_package_that_a_later_stage_needs_is_named_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(
        "personax.stages._plan_checks.find_spec", lambda name: None if name in ("torch", "causallearn") else found(name)
    )
    (tmp_path / "study.yaml").write_text(
        PLAN.replace(", method: pca", "") + "discover: {over: [features], algorithm: ges}\n"
    )
    with pytest.raises(MissingExtraError) as caught:
        Study.load(tmp_path).run()
    assert str(caught.value).splitlines() == [
        'discover: this needs the package causallearn: pip install "personax[discovery]"',
        'crl: this needs the package torch: pip install "personax[crl]"',
    ]
    assert not (tmp_path / "manifests").exists()
    Study.load(tmp_path).run(["embed"])
    assert (tmp_path / "manifests" / "embed.json").exists()
