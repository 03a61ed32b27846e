"""YAML of somebody else: plain data, no deeper and, once its anchors are written out, no longer than a bound."""

from __future__ import annotations

from typing import Any, Final

import yaml

__all__ = ["MAX_EXPANDED", "MAX_NESTED", "read_yaml"]

MAX_EXPANDED: Final = 4 * 2**20
"""Characters of what a text says once its anchors are written out: 361 bytes can say a quarter of a gigabyte."""

MAX_NESTED: Final = 100
"""Blocks within blocks; a study has six. PyYAML looks at all open ones for every sign, and calls itself for each."""


class _Loader(yaml.SafeLoader):
    """Reads plain data, and blocks within blocks to a bound."""

    def fetch_flow_collection_start(self, TokenClass: Any) -> None:  # noqa: ANN401 - PyYAML's own
        self._bound(self.flow_level)
        super().fetch_flow_collection_start(TokenClass)

    def add_indent(self, column: int) -> bool:
        self._bound(len(self.indents))
        return bool(super().add_indent(column))

    def _bound(self, depth: int) -> None:
        if depth > MAX_NESTED:
            problem = f"more than {MAX_NESTED} blocks stand within each other"
            raise yaml.scanner.ScannerError(None, None, problem, self.get_mark())


def read_yaml(text: str) -> tuple[yaml.Node | None, Any]:
    """Return the nodes of a text, which know their lines, and what it says.

    Raises
    ------
    yaml.YAMLError
        It is no YAML, too deep, or its anchors stand for too much.
    ValueError
        A date or number that cannot be.
    RecursionError
        A block that contains itself.

    Examples
    --------
    >>> read_yaml("{a: &x [1, 2], b: *x}")[1]
    {'a': [1, 2], 'b': [1, 2]}
    """
    root = yaml.compose(text, Loader=_Loader)
    if root is not None and _expanded(root, {}, set()) > MAX_EXPANDED:
        raise yaml.YAMLError(f"its anchors stand for more than {MAX_EXPANDED:,} characters, write it out")
    return root, yaml.load(text, Loader=_Loader)  # a SafeLoader


def _expanded(node: yaml.Node, known: dict[int, int], above: set[int]) -> int:
    """Return how many characters a node says, its anchors written out; each node is looked at once.

    Raises
    ------
    RecursionError
        For a block that contains itself.
    """
    if id(node) in above:
        raise RecursionError
    if id(node) not in known:
        above.add(id(node))
        inner = node.value if isinstance(node, yaml.CollectionNode) else ()
        nodes = [one for part in inner for one in (part if isinstance(part, tuple) else (part,))]
        own = 1 if inner else len(node.value) + 1
        known[id(node)] = own + sum(_expanded(one, known, above) for one in nodes)
        above.discard(id(node))
    return known[id(node)]
