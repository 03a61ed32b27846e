"""The house in numbers: ``python benchmarks/house.py`` prints the table of "Shown by", from the sources alone.

A file has one user when exactly one other module imports it and none of its users is a package's ``__init__``. A public
class name has one meaning when one module defines it. A submodule is shadowed when the attribute of that name on its
package is something else. Files entered are those of personax of which a function runs; a
template of a page is no module.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import sys
import types
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

SOURCE = Path(__file__).parents[1] / "src"

WANTED = {
    "files": "330",
    "lines": "43,000",
    "files with one user": "<= 10 %",
    "public class names with one meaning": ">= 99 %",
    "imports, share of lines": "as small as can be",
    "comments, share of lines": "",
    "submodules hidden by a function": "0",
    "Adam(": "1",
    "files entered by kci(x, y)": "<= 5",
    "files entered by a default fit": "<= 12",
    "files entered by a small study": "<= 80",
}


@dataclass(frozen=True)
class Module:
    """A module's file and its syntax tree."""

    path: Path
    tree: ast.Module


def modules(package: str = "personax") -> dict[str, Module]:
    """Return dotted name -> module of a package of the source tree; a package has the name of its folder."""
    found = {}
    for path in sorted((SOURCE / package.replace(".", "/")).rglob("*.py")):
        dotted = ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")
        found[dotted] = Module(path, ast.parse(path.read_text(encoding="utf-8")))
    return found


def imports(module: Module, known: Mapping[str, Module]) -> set[str]:
    """Return the modules of personax that one imports, at the top or within functions."""
    found = set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            within = (f"{node.module}.{alias.name}" for alias in node.names)
            found |= {name if name in known else node.module for name in within}
    return found & set(known)


def one_user(known: Mapping[str, Module]) -> list[str]:
    """Return the modules that one other module uses, and no package exports."""
    users: dict[str, set[str]] = defaultdict(set)
    for name, module in known.items():
        for other in imports(module, known) - {name}:
            users[other].add(name)
    return [
        name
        for name in leaves(known)
        if len(users[name]) == 1 and all(known[user].path.name != "__init__.py" for user in users[name])
    ]


def leaves(known: Mapping[str, Module]) -> list[str]:
    """Return the modules that are no packages."""
    return [name for name, module in known.items() if module.path.name != "__init__.py"]


def classes(known: Mapping[str, Module]) -> dict[str, list[str]]:
    """Return public class name -> modules that define it."""
    found: dict[str, list[str]] = defaultdict(list)
    for name, module in known.items():
        for node in module.tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found[node.name].append(name)
    return found


def shadowed(package: str = "personax") -> list[str]:
    """Return the submodules that their package hides behind something else of the same name."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return list(_shadowed(importlib.import_module(package)))


def _shadowed(package: types.ModuleType) -> Iterator[str]:
    for found in pkgutil.iter_modules(package.__path__):
        name = f"{package.__name__}.{found.name}"
        if found.name == "__main__":
            continue
        try:
            module = importlib.import_module(name)
        except ModuleNotFoundError as error:  # an extra that is not installed
            if (error.name or "personax").startswith("personax"):
                raise
            continue
        if not isinstance(getattr(package, found.name, module), types.ModuleType):
            yield name
        if found.ispkg:
            yield from _shadowed(module)


def entered(call: Callable[[], object]) -> int:
    """Return of how many files of personax a function runs during a call; what is imported only does not count."""
    files: set[str] = set()

    def see(frame: types.FrameType, event: str, arg: Any) -> None:
        name = frame.f_code.co_filename
        if event == "call" and "/personax/" in name and name.endswith(".py") and frame.f_code.co_name != "<module>":
            files.add(name)

    call()  # what is imported or made once is no part of the walk
    before = sys.getprofile()
    sys.setprofile(see)
    try:
        call()
    finally:
        sys.setprofile(before)
    return len(files)


def share(part: float, whole: float) -> str:
    """Return a share in percent, with one decimal."""
    return f"{100 * part / whole:.1f} %"


def table(*, walks: bool = True) -> dict[str, str]:
    """Return the figures by name."""
    known = modules()
    texts = [module.path.read_text(encoding="utf-8") for module in known.values()]
    lines = sum(text.count("\n") for text in texts)
    imported = sum(
        (node.end_lineno or node.lineno) - node.lineno + 1
        for module in known.values()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
    )
    comments = sum(line.lstrip().startswith("#") for text in texts for line in text.splitlines())
    names = classes(known)
    clear = sum(len(homes) == 1 for homes in names.values())
    alone = one_user(known)
    figures = {
        "files": f"{len(known):,}",
        "lines": f"{lines:,}",
        "files with one user": f"{len(alone)} = {share(len(alone), len(leaves(known)))}",
        "public class names with one meaning": share(clear, len(names)),
        "imports, share of lines": share(imported, lines),
        "comments, share of lines": share(comments, lines),
        "submodules hidden by a function": str(len(shadowed())),
        "Adam(": str(sum(len(re.findall(r"\bAdamW?\(", text)) for text in texts)),
    }
    return figures | (_walks() if walks else {})


def _walks() -> dict[str, str]:
    import numpy as np

    from personax.independence import kci

    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 100))
    figures = {"files entered by kci(x, y)": str(entered(lambda: kci(x, y)))}
    try:
        from personax.crl import fit
    except ImportError:
        fit = None  # type: ignore[assignment]
    if fit is not None:
        views = {"a": {"1": rng.normal(size=(80, 5))}, "b": {"1": rng.normal(size=(80, 5))}}
        figures["files entered by a default fit"] = str(
            entered(lambda: fit(views, latents={"a": 1, "b": 1}, rng=np.random.default_rng(0)))
        )
    return figures | {"files entered by a small study": str(entered(_study))}


def _study() -> None:
    from personax.study import Study

    text = (
        "{name: small, collect: {source: simulate, n: 40, images: false}, annotate: {source: simulate}, "
        "embed: {source: simulate}, release: {}, independence: {tests: [chisq]}}"
    )
    with TemporaryDirectory() as folder:
        file = Path(folder) / "study.yaml"
        file.write_text(text, encoding="utf-8")
        Study.load(file).run()


def main() -> None:
    """Print the table."""
    print(f"| {'figure':37} | {'now':>13} | {'wanted':>18} |")
    print(f"|{'-' * 39}|{'-' * 14}:|{'-' * 19}:|")
    for name, now in table().items():
        print(f"| {name:37} | {now:>13} | {WANTED[name]:>18} |")


if __name__ == "__main__":
    main()
