"""Hooks of mkdocs: tables of the registered parts, a page of all commands, and a reference page for each package.

``<!-- registered: tests -->`` in a page becomes the table of that kind. The reference has no files of its own: a name
that a package adds to ``__all__`` is in it.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

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


def commands_page() -> str:
    """Return the reference of the command line, from the commands themselves."""
    from typer.main import get_command

    from personax.cli import app
    from personax.cli.lazy import COMMANDS

    group: Any = get_command(app)
    lines = ["# Commands", "", EXIT_CODES, ""]
    for panel, commands in COMMANDS.items():
        lines += [f"## {panel}", ""]
        for name in commands:
            group.load(name)
            lines += [*command_lines(group.commands[name], f"personax {name}"), ""]
    return "\n".join(lines)


EXIT_CODES = (
    "Every command takes `--help` (`-h`), `--quiet`, `--verbose` and `--json`. Exit codes: 0 done; 1 something you can "
    "mend, said in one sentence; 2 wrong usage, also an option that does not apply; 3 a study of somebody else that you "
    "have not allowed (`personax trust`); 130 Ctrl-C, 143 SIGTERM: what was finished is kept. "
    "`personax --install-completion` teaches your shell the names."
)
EVERYWHERE = {"--help", "--quiet", "--verbose", "--json"}


def command_lines(command: Any, words: str) -> Iterator[str]:
    """Yield the lines about a command, or about all of a group."""
    text = " ".join((command.help or "").split()).replace("``", "`")
    yield from (f"### {words}", "", text, "")
    if hasattr(command, "commands"):
        for name, one in command.commands.items():
            yield from command_lines(one, f"{words} {name}")
        return
    params = [one for one in command.params if not EVERYWHERE & set(one.opts) and not getattr(one, "hidden", False)]
    if params:
        yield from ("| argument, option | default | |", "|---|---|---|")
    for one in params:
        option = one.param_type_name == "option"
        name = (
            ", ".join(f"`{word}`" for word in (*one.opts, *one.secondary_opts)) if option else f"`{one.name.upper()}`"
        )
        default = "" if one.default in (None, "", (), False) or not option else f"`{one.default}`"
        yield f"| {name} | {default} | {(one.help or '').replace('|', '&#124;')} |"
    if command.epilog:
        yield from ("", " ".join(f"`{one.strip()}`" if one.strip().startswith("personax") else one.strip()
                                 for one in re.split(r"(personax [^|,()]*)", command.epilog) if one.strip(" |")))  # fmt: skip
    yield ""


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the reference behind the pages that people wrote."""
    pages = [{f"personax.{name}": f"reference/{name}.md"} for name, _ in packages()]
    assert config.nav is not None
    reference = next(part["Reference"] for part in config.nav if "Reference" in part)
    reference.append({"Python": [{"personax": "reference/index.md"}, *pages]})
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add a page a package."""
    from mkdocs.structure.files import File

    files.append(File.generated(config, "commands.md", content=commands_page()))
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
