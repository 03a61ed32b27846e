"""Hooks of mkdocs: tables of parts, a page a part and one of all commands, a reference page for each package.

``<!-- registered: tests -->`` in a page becomes the table of that kind. The reference has no files of its own: a name
that a package adds to ``__all__`` is in it.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from typer.core import TyperCommand, TyperGroup

import personax
from personax import registry

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

DOCS = Path(__file__).parent
MARK = re.compile(r"<!-- registered: (\w+) -->")
INTERNAL = {"cli", "figures", "stages"}
"""The command line and the glue, whose reference is `personax --help` and the pages of stages; an earlier name."""


ONE_BY_ONE = {"tests": "Tests", "objectives": "Objectives", "transforms": "Transforms", "attacks": "Attacks"}
"""Kind of part -> its title; `methods-<kind>.md` has a section a part, of which each becomes a page of its own."""
SECTION = re.compile(r"^## `([\w-]+)`\n\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)


def parts_of(kind: str) -> dict[str, str]:
    """Return what is written of each part of a kind."""
    return dict(SECTION.findall((DOCS / f"methods-{kind}.md").read_text(encoding="utf-8")))


def on_page_markdown(markdown: str, *, page: Page, **_: object) -> str:
    """Return the page with its tables of parts; one that tells of parts one by one lists their pages."""
    kind = page.file.src_uri.removeprefix("methods-").removesuffix(".md")
    if kind in ONE_BY_ONE:
        rows = [f"| [`{name}`]({kind}-{name}.md) | {told.splitlines()[0]} |" for name, told in parts_of(kind).items()]
        markdown = "\n".join([markdown.partition("\n## `")[0], "", "| | |", "|---|---|", *rows])
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
    from personax.cli.lazy import COMMANDS, LazyCommands

    group = cast(LazyCommands, get_command(app))
    lines = ["# Commands", "", EXIT_CODES, ""]
    for panel, commands in COMMANDS.items():
        lines += [f"## {panel}", ""]
        for name in commands:
            group.load(name)
            lines += [*command_lines(cast("TyperCommand", group.commands[name]), f"personax {name}"), ""]
    return "\n".join(lines)


EXIT_CODES = (
    "Every command takes `--help` (`-h`), `--quiet`, `--verbose` and `--json`. Exit codes: 0 done; 1 something you can "
    "mend, said in one sentence; 2 wrong usage, also an option that does not apply; 3 a study of somebody else that "
    "you have not allowed (`personax trust`); 130 Ctrl-C, 143 SIGTERM: what was finished is kept. "
    "`personax --install-completion` teaches your shell the names."
)
EVERYWHERE = {"--help", "--quiet", "--verbose", "--json"}


def command_lines(command: TyperCommand | TyperGroup, words: str) -> Iterator[str]:
    """Yield the lines about a command, or about all of a group."""
    text = " ".join((command.help or "").split()).replace("``", "`")
    yield from (f"### {words}", "", text, "")
    if isinstance(command, TyperGroup):
        for name, one in command.commands.items():
            yield from command_lines(cast("TyperCommand", one), f"{words} {name}")
        return
    params = [one for one in command.params if not EVERYWHERE & set(one.opts)]
    if params:
        yield from ("| argument, option | default | |", "|---|---|---|")
    yield from map(param_row, params)
    yield ""
    if command.epilog:
        examples = command.epilog.partition(":")[2]
        yield from ("```text", *(f"personax {one.strip(' |,;')}" for one in examples.split("personax ")[1:]), "```", "")


def param_row(param: Any) -> str:  # noqa: ANN401 - typer hides its types
    """Return an argument or an option as a row of a table."""
    if param.param_type_name != "option":
        return f"| `{(param.metavar or param.name).upper()}` | | {cell(param.help)} |"
    names = ", ".join(f"`{word}`" for word in (*param.opts, *param.secondary_opts))
    default = "" if param.default is None or param.default is False or param.default == "" else f"`{param.default}`"
    return f"| {names} | {default} | {cell(param.help)} |"


def cell(text: str | None) -> str:
    """Return a help text as a cell of a table."""
    return (text or "").replace("|", "&#124;")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the reference behind the pages that people wrote."""
    pages = [{f"personax.{name}": f"reference/{name}.md"} for name, _ in packages()]
    assert config.nav is not None
    reference = next(part["Reference"] for part in config.nav if "Reference" in part)
    reference.append({"Python": [{"personax": "reference/index.md"}, *pages]})
    methods = next(part["Methods"] for part in config.nav if "Methods" in part)
    alone = [
        {title: [f"methods-{kind}.md", *({name: f"{kind}-{name}.md"} for name in parts_of(kind))]}
        for kind, title in ONE_BY_ONE.items()
    ]
    next(part for part in methods if "One by one" in part)["One by one"] = alone
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add a page a part and a page a package."""
    from mkdocs.structure.files import File

    for kind, title in ONE_BY_ONE.items():
        for name, told in parts_of(kind).items():
            text = f"# `{name}`\n\n[{title}, one by one](methods-{kind}.md)\n\n{told}"
            files.append(File.generated(config, f"{kind}-{name}.md", content=text))
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
