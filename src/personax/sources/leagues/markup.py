"""Pages of HTML: what stands in them as data. Scripts are read as JSON and never run."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from personax.errors import SourceChanged, require
from personax.sources.leagues.reading import Object, changed, objects, parse_json, text_of

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

__all__ = ["document", "embedded_state", "json_ld", "visible"]

_ESCAPES = {"&q;": '"', "&s;": "'", "&l;": "<", "&g;": ">", "&a;": "&"}
"""How older Angular pages write their state; the ampersand comes last, so that nothing is read twice."""


def document(body: bytes) -> LexborHTMLParser:
    """Return a page as a tree; a page that is no HTML is a tree too, with nothing in it."""
    tree: LexborHTMLParser = require("selectolax.lexbor", extra="web").LexborHTMLParser(text_of(body))
    return tree


def visible(node: LexborNode | None) -> str | None:
    """Return the text of a node, None when there is no node."""
    return None if node is None else node.text(separator=" ", strip=True)


def embedded_state(body: bytes, *ids: str) -> Any:  # noqa: ANN401 - whatever JSON held
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
    tree = document(body)
    for wanted in ids:
        for script in tree.css("script"):
            if script.attributes.get("id") == wanted:
                return parse_json(_unescaped(script.text()), f"the script {wanted}")
    changed(f"a script with the id {' or '.join(ids)}")


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
        for found in objects(block, fits):
            return found
    return None
