"""YAML with its lines, and the faults of settings as sentences that name file, line and key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from personax.errors import PlanError
from personax.strict import Strict, fault_text, nearest

__all__ = ["Document", "parse", "read_text", "validated"]

Section = TypeVar("Section", bound=Strict)


@dataclass(frozen=True)
class Document:
    """A file of settings.

    Parameters
    ----------
    path
        The file.
    settings
        What it says; of a key that stands twice, the last.
    root
        The same as nodes that know their lines.
    """

    path: Path
    settings: dict[str, Any]
    root: yaml.Node


@dataclass(frozen=True, order=True)
class _Fault:
    """One sentence, and where it belongs: line and column, from 1, and the dotted key."""

    line: int
    column: int
    key: str
    text: str

    def sentence(self, path: Path) -> str:
        return f"{path}, line {self.line}, {self.key or 'top level'}: {self.text}"


def read_text(path: Path, what: str = "study file", otherwise: str = "personax init FOLDER writes a new one") -> str:
    """Return the text of a file of settings; ``what`` it is and ``otherwise`` go into the sentence of a fault."""
    if path.is_dir():
        text = f"{path} is a folder; name the {what} in it, for example {path / 'study.yaml'}"
        raise PlanError(text)
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        near = sorted(p.name for p in path.parent.glob("*.yaml")) if path.parent.is_dir() else []
        hint = nearest(path.name, near) if near else otherwise
        text = f"there is no {what} {path}; {hint}"
        raise PlanError(text) from None
    except UnicodeDecodeError as error:
        text = f"{path} is not UTF-8 text (byte {error.start}); save it as UTF-8"
        raise PlanError(text) from None


def parse(
    path: Path, text: str, example: str = "personax init FOLDER writes a commented study.yaml to start from"
) -> Document:
    """Return what a file of settings holds.

    Raises
    ------
    PlanError
        When it is no YAML, or holds no settings.
    """
    try:
        settings = yaml.safe_load(text)
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        problem = "a key is no plain word" if error.problem == "found unhashable key" else error.problem
        sentence = f"{path}, line {line}: not readable as YAML, {problem}; check indentation, colons and quotes"
        raise PlanError(sentence) from None
    except yaml.YAMLError as error:
        raise PlanError(f"{path}: not readable as YAML, {error}".replace("\n", " ")) from None
    except ValueError:  # of a builtin: a date that no calendar has, an integer of thousands of digits
        raise PlanError(
            f"{path}: a number or a date in it is none that can be; correct it, or put it in quotes"
        ) from None
    if not isinstance(settings, dict) or root is None:
        sentence = f"{path} holds no settings; {example}"
        raise PlanError(sentence)
    return Document(path, settings, root)


def validated(model: type[Section], document: Document) -> Section:
    """Return the section that settings make; all their faults are one PlanError, a sentence a line."""
    faults = list(_keys_twice(document.root))
    try:
        section = model.model_validate(document.settings)
    except ValidationError as error:
        faults += _faults(document.root, [dict(fault) for fault in error.errors()])
    if faults:
        raise PlanError("\n".join(fault.sentence(document.path) for fault in sorted(set(faults))))
    return section


def _keys_twice(node: yaml.Node, above: str = "") -> Iterator[_Fault]:
    """Yield the keys that stand twice in one block; YAML itself is silent about them."""
    seen = set()
    for name, key, value in _children(node):
        place = _joined(above, name)
        if isinstance(node, yaml.MappingNode) and name in seen:
            yield _Fault(key.line + 1, key.column + 1, place, f"the key {name} stands twice; keep one")
        seen.add(name)
        yield from _keys_twice(value, place)


def _children(node: yaml.Node) -> Iterator[tuple[str, yaml.Mark, yaml.Node]]:
    """Yield name, place and node of what a block holds; the elements of a list are called ``[0]``, ``[1]`` ..."""
    if isinstance(node, yaml.MappingNode):
        yield from ((str(key.value), key.start_mark, value) for key, value in node.value)
    elif isinstance(node, yaml.SequenceNode):
        yield from ((f"[{i}]", value.start_mark, value) for i, value in enumerate(node.value))


def _joined(above: str, name: str) -> str:
    return above + name if name.startswith("[") or not above else f"{above}.{name}"


def _faults(root: yaml.Node, errors: Sequence[Mapping[str, Any]]) -> Iterator[_Fault]:
    """Yield what pydantic found, each fault with its place.

    A setting that can be several things fails as each of them; only the one that it comes nearest to is told.
    """
    alternatives: dict[tuple[Any, ...], dict[Any, int]] = {}
    for error in errors:
        for place, branch in _branches(root, error):
            depth = alternatives.setdefault(place, {})
            depth[branch] = max(depth.get(branch, 0), len(error["loc"]) + (error["type"] == "unknown_key"))
    nearest_to = {place: max(depths, key=lambda branch: depths[branch]) for place, depths in alternatives.items()}
    for error in errors:
        if all(nearest_to[place] == branch for place, branch in _branches(root, error)):
            ends = [error["ctx"]["key"]] if error["type"] == "unknown_key" else []
            yield _fault(root, [*error["loc"], *ends], fault_text(error))


def _branches(root: yaml.Node, error: Mapping[str, Any]) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Yield (place, kind) where a location of pydantic names no key, but one of the kinds that a setting can be of."""
    loc, node = error["loc"], root
    for i, part in enumerate(loc):
        inner = _child(node, part)
        if inner is not None:
            node = inner[1]
        elif error["type"] != "missing" or i + 1 < len(loc):
            yield tuple(loc[:i]), part


def _child(node: yaml.Node, part: object) -> tuple[yaml.Mark, yaml.Node] | None:
    name = f"[{part}]" if isinstance(node, yaml.SequenceNode) else str(part)
    found = [(mark, value) for key, mark, value in _children(node) if key == name]
    return found[-1] if found else None


def _fault(root: yaml.Node, loc: Sequence[object], text: str) -> _Fault:
    """Return a fault at a location, of which parts that are not in the file are passed over."""
    node, mark, key = root, root.start_mark, ""
    for part in loc:
        inner = _child(node, part)
        if inner is not None:
            key = _joined(key, f"[{part}]" if isinstance(node, yaml.SequenceNode) else str(part))
            mark, node = inner
    return _Fault(mark.line + 1, mark.column + 1, key, text)
