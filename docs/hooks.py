"""Hooks of mkdocs: tables of the registered parts, and a reference page for each package, from the names it exports.

``<!-- registered: tests -->`` in a page becomes the table of that kind. The reference has no files of its own: a name
that a package adds to ``__all__`` is in it.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import personax
from personax import registry

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

MARK = re.compile(r"<!-- registered: (\w+) -->")
INTERNAL = {"cli", "stages"}
"""The command line and the glue: `personax --help` and the pages of the stages are their reference."""


def on_page_markdown(markdown: str, **_: object) -> str:
    """Return the page with its tables of parts."""
    return MARK.sub(lambda found: listing(found[1]), markdown)


def listing(kind: str) -> str:
    """Return the parts of a kind as a table; what another package brings is there where it is installed."""
    rows = [f"| `{part.name}` | {part.title} | {part.help} | {part.package} |" for part in registry.parts(kind)]
    return "\n".join(["| name | | what | package |", "|---|---|---|---|", *rows])


def packages() -> Iterator[tuple[str, list[str]]]:
    """Yield the public modules at the top of personax, and what each exports."""
    for found in pkgutil.iter_modules(personax.__path__):
        if not found.name.startswith("_") and found.name not in INTERNAL:
            module = importlib.import_module(f"personax.{found.name}")
            if names := list(getattr(module, "__all__", [])):
                yield found.name, names


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the reference behind the pages that people wrote."""
    pages = [{f"personax.{name}": f"reference/{name}.md"} for name, _ in packages()]
    assert config.nav is not None
    config.nav.append({"Reference": [{"personax": "reference/index.md"}, *pages]})
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add a page a package."""
    from mkdocs.structure.files import File

    for name, names in packages():
        text = "\n\n".join([f"# personax.{name}", *(f"::: personax.{name}.{word}" for word in names)])
        files.append(File.generated(config, f"reference/{name}.md", content=text))
    home = {id(getattr(importlib.import_module(f"personax.{package}"), word)): f"personax.{package}.{word}"
            for package, names in packages() for word in names}  # fmt: skip
    door = ["# personax", "", "What `import personax` gives; each name is imported when it is first used.", ""]
    alone = []
    for word in (word for word in personax.__all__ if word != "__version__"):
        target = home.get(id(getattr(personax, word)))
        door += [f"- [`{word}`][{target}]"] if target else []
        alone += [] if target else ["", f"::: personax.{word}"]
    files.append(File.generated(config, "reference/index.md", content="\n".join([*door, *alone])))
    return files
