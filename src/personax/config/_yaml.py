"""YAML with its lines, and the faults of settings as sentences that name file, line and key."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from personax.data.bounded_yaml import read_yaml
from personax.errors import PlanError
from personax.strict import Strict, fault_text, nearest

__all__ = ["Document", "parse", "read_text", "validated"]

Section = TypeVar("Section", bound=Strict)

MAX_BYTES = 2**20
"""Of a file of settings; one with 5,000 described columns has half of that."""

MAX_FAULTS = 50
"""Faults of one file that are told."""

MAX_KEY = 200
"""Characters of a key that a sentence repeats."""

MAX_READINGS = 8
"""Occurrences of one key whose faults are told."""


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
    """One sentence, and where it belongs: line and column, from 1, and the dotted key; of a key, which occurrence."""

    line: int
    column: int
    key: str
    text: str
    times: int = 1

    def sentence(self, path: Path) -> str:
        key = self.key if len(self.key) <= MAX_KEY else f"{self.key[:MAX_KEY]} ..."
        whole = f"{path}, line {self.line}, {key or 'top level'}: {self.text}"
        return re.sub(r"\s", " ", whole)  # a key in quotes may hold line breaks, and a fault is one line


def read_text(path: Path, what: str = "study file", otherwise: str = "personax init FOLDER writes a new one") -> str:
    """Return the text of a file of settings; ``what`` it is and ``otherwise`` go into the sentence of a fault."""
    if path.is_dir():
        text = f"{path} is a folder; name the {what} in it, for example {path / 'study.yaml'}"
        raise PlanError(text)
    if path.exists() and not path.is_file():
        raise PlanError(f"{path} is a device or pipe; give a {what} that is a file")
    try:
        if path.stat().st_size > MAX_BYTES:
            raise PlanError(f"{path} has more than {MAX_BYTES:,} bytes; a {what} is shorter, data stand in other files")
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
        root, settings = read_yaml(text)
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
    except RecursionError:
        raise PlanError(f"{path}: a block of it contains itself; write it out without anchors") from None
    if not isinstance(settings, dict) or root is None:
        sentence = f"{path} holds no settings; {example}"
        raise PlanError(sentence)
    return Document(path, settings, root)


def validated(model: type[Section], document: Document) -> Section:
    """Return the section that settings make; all their faults are one PlanError, a sentence a line.

    Of a key that stands twice each occurrence is read, so that the last hides no fault of those before it.
    """
    faults = set(_keys_twice(document.root))
    section: Section | None = None
    untold = 0
    for root, settings in _readings(document, most=max((fault.times for fault in faults), default=1)):
        try:
            section = model.model_validate(settings)
        except ValidationError as error:
            errors = error.errors(include_url=False)
            untold += max(0, len(errors) - 4 * MAX_FAULTS)
            faults.update(_faults(root, [dict(fault) for fault in errors[: 4 * MAX_FAULTS]]))
    if faults or section is None:
        told = [fault.sentence(document.path) for fault in sorted(faults)]
        untold += max(0, len(told) - MAX_FAULTS)
        more = [f"{document.path}: and {untold} more faults"] if untold else []
        raise PlanError("\n".join([*told[:MAX_FAULTS], *more]))
    return section


def _readings(document: Document, most: int) -> Iterator[tuple[yaml.Node, Any]]:
    """Yield the document with the first occurrence of every key that stands twice, with the second ..., as it is."""
    for kth in range(min(most, MAX_READINGS) - 1):
        root = _with_occurrence(document.root, kth)
        yield root, yaml.SafeLoader("").construct_document(root)
    yield document.root, document.settings


def _with_occurrence(node: yaml.Node, kth: int) -> yaml.Node:
    """Return a copy of a block in which each key stands once: its occurrence of this number, or its last."""
    if isinstance(node, yaml.SequenceNode):
        inner = [_with_occurrence(value, kth) for value in node.value]
        return yaml.SequenceNode(node.tag, inner, node.start_mark, node.end_mark, node.flow_style)
    if not isinstance(node, yaml.MappingNode):
        return node
    occurrences: dict[str, list[tuple[yaml.Node, yaml.Node]]] = {}
    for key, value in node.value:
        occurrences.setdefault(str(key.value), []).append((key, value))
    kept = [pairs[min(kth, len(pairs) - 1)] for pairs in occurrences.values()]
    copied = [(key, _with_occurrence(value, kth)) for key, value in kept]
    return yaml.MappingNode(node.tag, copied, node.start_mark, node.end_mark, node.flow_style)


def _keys_twice(node: yaml.Node, above: str = "") -> Iterator[_Fault]:
    """Yield the keys that stand twice in one block; YAML itself is silent about them."""
    seen: dict[str, int] = {}
    for name, key, value in _children(node):
        place = _joined(above, name)
        seen[name] = seen.get(name, 0) + 1
        if isinstance(node, yaml.MappingNode) and seen[name] > 1:
            text = f"the key {name} stands twice; keep one"
            yield _Fault(key.line + 1, key.column + 1, place, text, seen[name])
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
        if error["type"] == "string_type" and error["loc"][-1:] == ("[key]",):
            yield _no_text(root, error)
        elif all(nearest_to[place] == branch for place, branch in _branches(root, error)):
            ends = [error["ctx"]["key"]] if error["type"] == "unknown_key" else []
            yield _fault(root, [*error["loc"], *ends], fault_text(error))


def _no_text(root: yaml.Node, error: Mapping[str, Any]) -> _Fault:
    """Return what to do about a key that YAML reads as something else than text: null, yes, 3."""
    node, above = root, ""
    for part in error["loc"][:-2]:
        inner = _child(node, part)
        if inner is not None:
            node, above = inner[1], _joined(above, str(part))
    for name, mark, _ in _children(node):
        if yaml.safe_load(name) == error["input"]:
            text = f"YAML reads the key {name} as {_YAML_WORDS.get(type(error['input']), 'no text')}; write '{name}':"
            return _Fault(mark.line + 1, mark.column + 1, _joined(above, name), text)
    return _fault(root, error["loc"], fault_text(error))


_YAML_WORDS = {type(None): "nothing", bool: "yes or no", int: "a number", float: "a number"}


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
