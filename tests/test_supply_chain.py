"""What personax is made of: licences that go with everything, a hash for every pin, an SBOM of what is there."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
HASHED = ROOT / "requirements-hashed.txt"


@pytest.fixture(scope="module")
def supply() -> ModuleType:
    pytest.importorskip("packaging")
    spec = importlib.util.spec_from_file_location("supply_chain", ROOT / "scripts" / "supply_chain.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["supply_chain"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def pinned(supply: ModuleType) -> dict[str, Any]:
    """Return the needed packages; what other versions than the pinned ones say of themselves is not what we state."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = dict(line.replace("_", "-").split("==") for line in lines if "==" in line)
    needed: dict[str, Any] = supply.needed()
    other = sorted(
        name for name, package in needed.items() if pins.get(name) not in (None, package.version.partition("+")[0])
    )
    if other:
        pytest.skip(f"not the pinned version: {', '.join(other[:3])}{' ...' if len(other) > 3 else ''}")
    return needed


def test_every_package_that_is_needed_states_a_licence_that_goes_with_everything(
    supply: ModuleType, pinned: dict[str, Any]
) -> None:
    wrong = {
        name: supply.licence(package)
        for name, package in pinned.items()
        if not supply.licence(package) or not set(supply.parts(supply.licence(package))) <= supply.ALLOWED
    }
    assert wrong == {}


@pytest.mark.parametrize(
    ("said", "licence", "allowed"),
    [
        ("License-Expression: MIT OR GPL-3.0-only", "MIT OR GPL-3.0-only", True),
        ("License-Expression: MIT AND GPL-3.0-only", "MIT AND GPL-3.0-only", False),
        ("License: GPLv3", "GPLv3", False),
        ("License: UNKNOWN", "", False),
        ("License: Apache 2.0", "Apache-2.0", True),
        ("Classifier: License :: OSI Approved :: GNU Affero General Public License v3",
         "GNU Affero General Public License v3", False),
        ("License: The text of a licence\n of several lines\nClassifier: License :: OSI Approved :: MIT License",
         "MIT", True),
    ],
)  # fmt: skip
def test_other_licences_are_seen(supply: ModuleType, tmp_path: Path, said: str, licence: str, allowed: bool) -> None:
    from importlib.metadata import PathDistribution

    folder = tmp_path / "toy-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(f"Metadata-Version: 2.4\nName: toy\nVersion: 1.0\n{said}\n")
    found = supply.licence(PathDistribution(folder))
    assert found == licence
    assert (bool(found) and set(supply.parts(found)) <= supply.ALLOWED) is allowed


def test_the_page_of_licences_names_what_is_installed(supply: ModuleType, pinned: dict[str, Any]) -> None:
    page = (ROOT / "docs" / "licences.md").read_text(encoding="utf-8")
    told = dict(re.findall(r"^\| (\S+) \| (.+) \|$", page, re.MULTILINE))
    assert {name: told.get(name) for name in pinned} == {
        name: supply.licence(package) for name, package in pinned.items()
    }


def test_every_pin_has_a_hash_and_nothing_else_stands_there(supply: ModuleType) -> None:
    lines = HASHED.read_text(encoding="utf-8").splitlines()
    entries = [line for line in lines if not line.startswith("#")]
    assert all(re.fullmatch(r"[a-z0-9-]+==[\w.+!-]+( --hash=sha256:[0-9a-f]{64})+", line) for line in entries)
    pins = {
        f"{supply.normalised(name)}=={version}"
        for name, version in (
            line.split("==")
            for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
            if line and line[0] != "#"
        )
    }
    hashed = {line.split(" ")[0] for line in entries}
    assert {pin for pin in pins if not pin.startswith("torch==")} - hashed == set(), "make hashes"
    names = {pin.split("==")[0] for pin in pins}
    assert {one for one in hashed - pins if one.split("==")[0] in names} == set(), "another version is pinned"


def test_the_sbom_names_every_package_once(supply: ModuleType) -> None:
    told: dict[str, Any] = json.loads(json.dumps(supply.sbom()))
    names = [package["name"] for package in told["packages"]]
    assert sorted(names) == sorted({"personax", *supply.needed()})
    ids = {package["SPDXID"] for package in told["packages"]}
    assert len(ids) == len(names)
    assert all(re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", one) for one in ids)
    assert {relation["relatedSpdxElement"] for relation in told["relationships"]} < ids
    assert "://" not in json.dumps(told).replace("https://spdx.org", "")
