"""YAML with its lines, and the faults of settings as sentences that name file, line and key."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from personax.errors import PlanError
from personax.strict import Strict, nearest

Section = TypeVar("Section", bound=Strict)


class _UniqueKeys(yaml.SafeLoader):
    """YAML without the silence about a key that stands twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key_node, _ in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(None, None, "a key is no plain word", key_node.start_mark)
            key = key_node.value
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"the key {key} stands twice", key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


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
) -> tuple[dict[str, Any], yaml.Node]:
    """Return the settings, and the same as nodes that know their lines."""
    try:
        raw = yaml.load(text, Loader=_UniqueKeys)
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        sentence = f"{path}, line {line}: not readable as YAML, {error.problem}; check indentation, colons and quotes"
        raise PlanError(sentence) from None
    except yaml.YAMLError as error:
        raise PlanError(f"{path}: not readable as YAML, {error}".replace("\n", " ")) from None
    except ValueError:  # of a builtin: a date that no calendar has, an integer of thousands of digits
        raise PlanError(
            f"{path}: a number or a date in it is none that can be; correct it, or put it in quotes"
        ) from None
    if not isinstance(raw, dict) or root is None:
        sentence = f"{path} holds no settings; {example}"
        raise PlanError(sentence)
    return raw, root


def validated(model: type[Section], path: Path, raw: dict[str, Any], root: yaml.Node) -> Section:
    """Return the section that settings make; every fault of them is one sentence of a PlanError."""
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        lines = [_sentence(path, root, dict(fault)) for fault in error.errors()]
        raise PlanError("\n".join(lines)) from None


_SHOWN = 120

_WHOLE = {"unknown_key", "not_a_name", "not_a_url", "twice", "no_price", "no_source", "no_contact", "base_url"}
"""Faults whose message says all; what was given is not repeated, for it may be a key."""


def _sentence(path: Path, root: yaml.Node, fault: dict[str, Any]) -> str:
    """Say one fault of the plan with its file, line and key."""
    key, mark = _locate(root, [*fault["loc"], *([fault["ctx"]["key"]] if fault["type"] == "unknown_key" else [])])
    kind, given = fault["type"], fault.get("input")
    if kind == "missing":
        missing = fault["loc"][-1]
        what = f"the key {missing} is missing"
    elif kind == "literal_error":
        choices = [choice.strip("'") for choice in fault["ctx"]["expected"].replace(" or ", ", ").split(", ")]
        what = f"{_short(given)} is not possible; {nearest(str(given), choices)}"
    elif kind == "union_tag_invalid":
        choices = [choice.strip("' ") for choice in fault["ctx"]["expected_tags"].split(",")]
        what = f"source {fault['ctx']['tag']!r} is not known; {nearest(fault['ctx']['tag'], choices)}"
    elif kind == "union_tag_not_found":
        what = "the key source is missing"
    elif kind in _WHOLE:
        what = fault["msg"]
    elif "headers" in fault["loc"]:
        what = _plain(fault["msg"])  # what was given may be a secret
    elif "choose from" in fault["msg"] or "did you mean" in fault["msg"]:
        what = _plain(fault["msg"])  # it names what was given
    else:
        what = f"{_plain(fault['msg'])}, not {_short(given)}"
    return f"{path}, line {mark}, {key or 'top level'}: {what}"


def _short(given: object) -> str:
    """Return what was given, cut: a list of thousands of names helps nobody."""
    shown = repr(given)
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]} ..."


def _plain(message: str) -> str:
    """Turn pydantic's sentence into ours: 'Input should be a valid integer' -> 'must be a valid integer'."""
    plain = re.sub(r"a valid dictionary( or instance of \w+)?", "keys with values, {key: value}", message)
    return plain.replace("Input should be", "must be").replace("Input should have", "must have")


def _locate(root: yaml.Node, loc: list[Any]) -> tuple[str, int]:
    """Return the dotted key and the line that a fault's location points to.

    pydantic puts the tag of a union (``table``) into the location; what is not in the file is passed over.
    """
    node, line, names = root, root.start_mark.line, []
    for part in loc:
        if isinstance(node, yaml.MappingNode):
            for key_node, value in node.value:
                if key_node.value == str(part):
                    node, line = value, key_node.start_mark.line
                    names.append(str(part))
                    break
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line
            names.append(f"[{part}]")
    return ".".join(names).replace(".[", "["), line + 1
