"""What the pages name is there: imports of their Python blocks, files of the repository."""

from __future__ import annotations

import ast
import html
import importlib
import importlib.util
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from personax import registry

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
IMPORT = re.compile(r"^from (personax[\w.]*) import (\w+(?:, \w+)*)", re.MULTILINE)
FILE = re.compile(r"`((?:src|tests|docs|benchmarks)/[\w./-]+\.\w+)`")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_names_is_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    gone = [f"{name} of {module}" for module, names in IMPORT.findall(text) for name in names.split(", ")
            if not hasattr(importlib.import_module(module), name)]  # fmt: skip
    gone += [path for path in FILE.findall(text) if not (ROOT / path).exists()]
    assert not gone, f"{page.name} names what is not there: {gone}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_blocks_are_python(page: Path) -> None:
    for block in re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
        compile(block, page.name, "exec", flags=ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


def test_the_glossary_names_files_that_are_there() -> None:
    """A file without a folder is in the folder of the file before it in its row."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (?!term |-|kind |Entry)(.+?) \| (.+?) \|$", text, re.MULTILINE)
    gone = []
    for term, where in rows:
        folder = ""
        for path in re.findall(r"`((?:\w+/)*\w+(?:\.py|/))`", where):
            folder = path.rpartition("/")[0] if "/" in path else folder
            full = ROOT / "src" / "personax" / (path if "/" in path or not folder else f"{folder}/{path}")
            gone += [f"{term}: {path}"] if not full.exists() else []
    assert len(rows) > 80
    assert not gone


def test_the_sentences_of_the_page_of_errors_are_said() -> None:
    """What stands between code marks in its first column is somewhere in the package, as far as it is not a value."""
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "src" / "personax").rglob("*.py"))
    code = re.sub(r'"\s*\n\s*f?"', "", code)
    rows = re.findall(r"^\| `(.+?)` \|", (ROOT / "docs" / "errors.md").read_text(encoding="utf-8"), re.MULTILINE)
    parts = [part.strip() for row in rows for part in row.split("...") if part.strip()]
    gone = [part for part in parts if part not in code and part not in VALUED]
    assert len(rows) > 12
    assert not gone


VALUED = {
    "unknown key alfa; did you mean alpha?",
    "do not apply to a study, whose study.yaml says it",
    "no column has the role target",
    "another process",
    "stopped by Ctrl-C: kept",
}
"""Sentences with values in them; tests of the commands hold them."""


def test_the_gallery_is_what_its_script_makes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("gallery", ROOT / "scripts" / "gallery.py")
    assert spec is not None
    assert spec.loader is not None
    gallery = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(gallery)
    page = (ROOT / "docs" / "gallery.md").read_text(encoding="utf-8")
    assert page == gallery.page()
    shown = re.findall(r"^!\[.*?\]\((.+?)\)", page, re.MULTILINE)
    assert len(shown) > 16
    assert [name for name in shown if not (ROOT / "docs" / name).is_file()] == []
    monkeypatch.setattr("sys.argv", ["gallery.py", "pc-graph", "--out", str(tmp_path)])
    gallery.main()
    assert (tmp_path / "pc-graph.svg").stat().st_size > 1000


UNMEASURED = {"standard", "auto", "wgcm", "pcm"}
"""A step of transforms, which no campaign attacks by itself."""


@pytest.mark.parametrize("kind", ["tests", "methods", "transforms", "attacks"])
def test_every_part_has_its_equation_what_it_assumes_what_was_measured_and_a_reference(kind: str) -> None:
    text = (ROOT / "docs" / f"methods-{'objectives' if kind == 'methods' else kind}.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## `([\w-]+)`\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))
    assert set(sections) == {part.name for part in registry.parts(kind) if part.package == "personax"}
    for name, told in sections.items():
        assert re.search(r"^\$\$\n.+?\n\$\$$", told, re.MULTILINE | re.DOTALL), f"{name} has no equation"
        figure = f"images/methods/{kind}-{name}.svg"
        assert (figure in told) == (ROOT / "docs" / figure).is_file(), f"{name}: python scripts/methods_figures.py"
        assert figure in told or name in UNMEASURED, f"{name} has no figure"
        for head in ("Needs" if kind == "attacks" else "Assumes", "Measured", "Reference"):
            assert f"- **{head}** " in told, f"{name}: {head}"


@pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium (apt-get install chromium)")
def test_equations_are_typeset_from_disk(tmp_path: Path) -> None:
    """As a page of the built site does: by the KaTeX beside it, which is loaded where there is an equation."""
    found = [
        eq for page in PAGES for eq in re.findall(r"^\$\$\n(.+?)\n\$\$$", page.read_text(encoding="utf-8"), re.M | re.S)
    ]
    for folder in ("katex", "javascripts"):
        (tmp_path / folder).symlink_to(ROOT / "docs" / folder)
    shown = "".join(f'<div class="arithmatex">\\[\n{html.escape(equation)}\n\\]</div>' for equation in found)
    page = tmp_path / "page.html"
    page.write_text(
        f'<!doctype html><meta charset="utf-8">{shown}<script src="javascripts/equations.js"></script>', "utf-8"
    )
    words = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=5000", "--dump-dom"]
    read = subprocess.run([*words, page.as_uri()], capture_output=True, text=True, check=True, timeout=60).stdout
    assert len(found) > 40
    assert read.count('class="katex-display"') == len(found)
    assert "katex-error" not in read
