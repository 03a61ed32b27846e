"""Every block of code of the README and the pages is run, or says in the page's source why it is not.

A block stands alone in an empty folder with the blocks before it on its page. What is run: Python in one namespace a
page; lines of a shell that call personax, which must end with 0; YAML is read as a study file where its sections are
those of one; TOML and JSON are read. In the page's source, before a block: ``<!-- not run: reason -->``,
``<!-- run by: FILE -->`` (a test that runs it), ``<!-- write: FILE -->`` (the block is that file),
``<!-- setup: NAMES -->`` (`tests.docs_setup`).
"""

from __future__ import annotations

import json
import re
import shlex
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from tests.cli.program import personax
from tests.docs_setup import SETUPS

from personax import registry
from personax.config import SECTIONS, Plan

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"((?:^<!-- [^\n]* -->\n+)*)^```(\w*)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
MARK = re.compile(r"^<!-- (not run|run by|write|setup): (.+?) -->", re.MULTILINE)
TOP = {"version", "name", "seed", "engine", "jobs", *SECTIONS}


@dataclass
class Page:
    """A page while its blocks are run."""

    names: dict[str, Any]

    def run(self, language: str, text: str, marks: dict[str, str]) -> None:
        """Run one block."""
        for name in marks.get("setup", "").split():
            self.names |= SETUPS[name]()
        if "not run" in marks:
            return
        if "run by" in marks:
            assert (ROOT / marks["run by"]).is_file(), f"{marks['run by']} is not there"
            return
        if "write" in marks:
            Path(marks["write"]).parent.mkdir(parents=True, exist_ok=True)
            Path(marks["write"]).write_text(text, encoding="utf-8")
        elif language == "python":
            exec(compile(text, "block", "exec"), self.names)
        if language in ("console", "bash"):
            for line in shell_lines(text):
                call(line)
        elif language in ("yaml", "toml", "json"):
            read(language, text)


def shell_lines(text: str) -> list[str]:
    """Return the commands of a block: lines after ``$`` where there are any, else all."""
    lines = text.replace("\\\n", " ").splitlines()
    prompted = [line[2:] for line in lines if line.startswith("$ ")]
    return [line for line in prompted or lines if line.strip() and not line.startswith("#")]


def call(line: str) -> None:
    """Run one line of a shell."""
    words = shlex.split(line, comments=True)
    if words[:1] == ["python"] and len(words) == 2:
        exec(compile(Path(words[1]).read_text(encoding="utf-8"), words[1], "exec"), {"__name__": "__main__"})
        return
    assert words[0] == "personax", f"`{line}` is not run here; say why by <!-- not run: reason -->"
    done = personax(*words[1:])
    assert done.returncode == 0, f"{line}\n{done.stderr}"


def read(language: str, text: str) -> None:
    """Read settings; those of a study as a study."""
    if language == "toml":
        tomllib.loads(text)
    elif language == "json":
        json.loads(text)
    else:
        found = yaml.safe_load(text)
        if isinstance(found, dict) and set(found) <= TOP:
            sections = {"name": "page", "collect": {"source": "simulate"}, **found}
            Plan.model_validate(sections)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_blocks_of_a_page_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PERSONAX_TRUSTED_FOLDERS", str(tmp_path))
    module = ModuleType("page")
    monkeypatch.setitem(sys.modules, "page", module)
    running = Page(module.__dict__)
    text = page.read_text(encoding="utf-8")
    blocks = [(dict(MARK.findall(marks)), language, code) for marks, language, code in BLOCK.findall(text)]
    assert len(blocks) * 2 == len(re.findall(r"^ *```", text, re.MULTILINE)), "a block is not at the start of its line"
    known, faults = set(registry._loaded), []
    for place, (marks, language, code) in enumerate(blocks, 1):
        try:
            running.run(language, code, marks)
        except Exception as error:  # noqa: BLE001 - whatever a block raises is its fault
            faults.append(f"block {place} ({code.splitlines()[0]}): {type(error).__name__}: {error}")
    for name in set(registry._loaded) - known:  # what a page registers is gone with it
        if registry._loaded[name][0].package != "personax":
            del registry._loaded[name]
    assert not faults, "\n".join(faults)
