"""The house rules that a machine can check: the layers, the public door, what a commit must not hold."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Container
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import personax

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "personax"

GROUND = {"errors", "schema", "strict", "columns", "progress", "files", "graphs", "data", "registry", "statistics"}
LIBRARY = {"simulate", "sources", "traits", "embed", "release", "independence", "crl", "discovery", "figures"}
UPPER = ("plan", "store", "report", "stages", "study", "cli", "testing")
"""Each of these may use the ones before it."""


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    """Return the rooms of personax that a file imports, at the top or inside functions."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("personax."):
            names.add(node.module.split(".")[1])
        elif isinstance(node, ast.ImportFrom) and node.module == "personax":
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("personax.")}
    return names & (GROUND | LIBRARY | set(UPPER))


def files_imported(path: Path, files: Container[str]) -> set[str]:
    """Return the dotted names of the files of personax that a file imports."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            within = [f"{node.module}.{alias.name}" for alias in node.names]
            names |= {name if name in files else node.module for name in within}
    return {name for name in names if name in files}


def allowed(name: str) -> set[str]:
    if name in GROUND:
        return GROUND
    if name in LIBRARY:
        return GROUND | {name}
    return GROUND | LIBRARY | set(UPPER[: UPPER.index(name) + 1])


FILES = sorted(path for path in PACKAGE.rglob("*.py") if not room(path).startswith("__"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_layers_point_one_way(path: Path) -> None:
    assert imported(path) <= allowed(room(path))


def test_no_files_import_in_a_circle() -> None:
    """Imports within functions and for types alone count too: two files that need each other's words are one idea.

    The door itself, which names everything and imports it late, is left out.
    """
    dotted = {path: ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts) for path in FILES}
    files = {name.removesuffix(".__init__"): path for path, name in dotted.items()}
    TopologicalSorter({name: files_imported(path, files) - {name} for name, path in files.items()}).prepare()


def test_the_public_door_opens() -> None:
    assert personax.__all__ == sorted(personax.__all__, key=lambda name: (not name[0].isupper(), name))
    for name in personax.__all__:
        assert getattr(personax, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        personax.nothing  # noqa: B018


def test_importing_personax_imports_nothing_heavy() -> None:
    heavy = ["numpy", "polars", "scipy", "torch", "pydantic", "causallearn", "matplotlib"]
    script = f"import sys, personax; print([name for name in {heavy!r} if name in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert shown.stdout.strip() == "[]"


def test_the_command_line_starts_without_torch() -> None:
    script = "import sys, personax.cli; print('torch' in sys.modules, 'causallearn' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert shown.stdout.strip() == "False False"


def test_importing_the_figures_imports_no_matplotlib() -> None:
    script = "import sys, personax.figures; print('matplotlib' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert shown.stdout.strip() == "False"


@pytest.mark.parametrize("name", sorted(LIBRARY - {"traits", "sources"}))
def test_numbers_do_not_depend_on_the_environment(name: str) -> None:
    files = (PACKAGE / name).rglob("*.py")
    assert [path.name for path in files if re.search(r"\benviron\b|getenv", path.read_text(encoding="utf-8"))] == []


def test_constraints_are_names_and_versions_only() -> None:
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        assert line.startswith("#") or line.count("==") == 1, line
        assert "/" not in line or line.startswith("#"), line


def test_the_guidelines_at_the_root_are_the_packaged_ones() -> None:
    assert (ROOT / "USAGE_GUIDELINES.md").read_text(encoding="utf-8") == (PACKAGE / "usage.md").read_text(
        encoding="utf-8"
    )


def test_the_version_is_one() -> None:
    assert f'version = "{personax.__version__}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f"version: {personax.__version__}" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"## {personax.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
