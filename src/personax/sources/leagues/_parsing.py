"""Parsing of pages: JSON by its keys, data embedded in HTML; what is not where it was is schema drift."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NoReturn

from personax.errors import SourceChanged, require
from personax.files import Json

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

__all__ = [
    "as_list",
    "as_object",
    "decode_text",
    "embedded_state",
    "find_objects",
    "get_path",
    "identifier",
    "json_ld",
    "node_text",
    "parse_html",
    "parse_json",
    "require_key",
    "schema_changed",
]


Object = dict[str, Any]
MAX_VALUES = 2_000_000
"""No page of a league holds more values; a search for a shape ends there."""


def schema_changed(expected: str) -> NoReturn:
    """Say what was looked for and is not there.

    Raises
    ------
    SourceChanged
        Always.
    """
    raise SourceChanged(f"looked for {expected} and did not find it")


def decode_text(body: bytes) -> str:
    """Return a page as text; bytes that are no UTF-8 become U+FFFD, which no value may hold, so they cost one value."""
    return body.decode("utf-8-sig", errors="replace")


def parse_json(text: str, expected: str) -> Json:
    """Read JSON.

    Raises
    ------
    SourceChanged
        When it is none: cut off, nested without end, or with NaN and Infinity, which JSON does not know.
    """
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        schema_changed(f"whole JSON of {expected}")


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def require_key(value: object, *keys: str) -> Json:
    """Return what stands below the keys, one after the other.

    Raises
    ------
    SourceChanged
        When one of them is not there.

    Examples
    --------
    >>> require_key({"data": {"players": []}}, "data", "players")
    []
    >>> require_key({"data": None}, "data", "players")
    Traceback (most recent call last):
        ...
    personax.errors.SourceChanged: looked for the key data.players and did not find it
    """
    for depth, key in enumerate(keys, 1):
        if not isinstance(value, dict) or key not in value:
            schema_changed(f"the key {'.'.join(keys[:depth])}")
        value = value[key]
    return value


def get_path(value: object, *keys: str) -> Json:
    """Return what stands below keys that may be absent; then None."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def as_list(value: object, expected: str) -> list[Any]:
    """Return a list as it is; anything else is a changed shape."""
    if not isinstance(value, list):
        schema_changed(f"a list of {expected}")
    return value


def as_object(value: object, expected: str) -> Object:
    """Return an object as it is; anything else is a changed shape."""
    if not isinstance(value, dict):
        schema_changed(f"an object of {expected}")
    return value


def find_objects(value: object, fits: Callable[[Object], bool]) -> Iterator[Object]:
    """Yield every object anywhere inside that has a shape, in the order of the page; none inside another one.

    Examples
    --------
    >>> list(find_objects({"x9": [{"id": 1}, {"no": 2}]}, lambda found: "id" in found))
    [{'id': 1}]
    """
    open_values = [value]
    for _ in range(MAX_VALUES):
        if not open_values:
            return
        found = open_values.pop()
        if isinstance(found, dict):
            if fits(found):
                yield found
            else:
                open_values.extend(reversed(found.values()))
        elif isinstance(found, list):
            open_values.extend(reversed(found))


def identifier(value: object) -> str:
    """Return an id as text, empty when it is neither text nor a whole number; leading zeros stay.

    Examples
    --------
    >>> identifier(1628378), identifier("01810"), identifier(True)
    ('1628378', '01810', '')
    """
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**18:
        return str(value)
    return value.strip() if isinstance(value, str) else ""


_ESCAPES = {"&q;": '"', "&s;": "'", "&l;": "<", "&g;": ">", "&a;": "&"}
"""How older Angular pages write their state; the ampersand comes last, so that nothing is read twice."""


def parse_html(body: bytes) -> LexborHTMLParser:
    """Return a page as a tree; a page that is no HTML is a tree too, with nothing in it."""
    tree: LexborHTMLParser = require("selectolax.lexbor", extra="web").LexborHTMLParser(decode_text(body))
    return tree


def node_text(node: LexborNode | None) -> str | None:
    """Return the text of a node, None when there is no node."""
    return None if node is None else node.text(separator=" ", strip=True)


def embedded_state(body: bytes, *ids: str) -> Json:
    """Return the JSON of the first script that has one of the ids.

    Raises
    ------
    SourceChanged
        When there is no such script, or it holds no JSON.

    Examples
    --------
    >>> embedded_state(b'<script id="ng-state" type="application/json">{"a": 1}</script>', "ng-state")
    {'a': 1}
    >>> embedded_state(b'<script id="serverApp-state">{&q;a&q;: 1}</script>', "ng-state", "serverApp-state")
    {'a': 1}
    """
    tree = parse_html(body)
    for wanted in ids:
        for script in tree.css("script"):
            if script.attributes.get("id") == wanted:
                return parse_json(_unescaped(script.text()), f"the script {wanted}")
    schema_changed(f"a script with the id {' or '.join(ids)}")


def _unescaped(text: str) -> str:
    if '"' in text:
        return text
    for written, meant in _ESCAPES.items():
        text = text.replace(written, meant)
    return text


def json_ld(tree: LexborHTMLParser, fits: Callable[[Object], bool]) -> Object | None:
    """Return the first object with a shape in the page's JSON-LD; a block that is no JSON is passed over."""
    for script in tree.css("script"):
        if (script.attributes.get("type") or "").strip().lower() != "application/ld+json":
            continue
        try:
            block = parse_json(script.text(), "JSON-LD")
        except SourceChanged:
            continue
        for found in find_objects(block, fits):
            return found
    return None
