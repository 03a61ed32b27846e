"""Graphs for other programs: GraphML (networkx, Gephi, yEd, igraph, Cytoscape) and DOT (Graphviz)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.etree import ElementTree

from personax.data.edges import EDGES
from personax.errors import InputError
from personax.schema import Edge, Graph

__all__ = ["to_dot", "to_graphml"]

NAMESPACE = "http://graphml.graphdrawing.org/xmlns"

UNWRITABLE = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no XML 1.0 document can hold, escaped or not; DOT ends a text at the first of them, the NUL."""

KEYS = (
    ("graph", "meaning", "string"),
    ("graph", "weight_name", "string"),
    ("node", "label", "string"),
    ("node", "group", "string"),
    ("edge", "kind", "string"),
    ("edge", "weight", "double"),
    ("edge", "label", "string"),
    ("edge", "doubtful", "boolean"),
)
"""Attributes that GraphML must declare before it uses them."""


def to_graphml(graph: Graph) -> str:
    """Return a graph as GraphML.

    Nodes carry ``label`` and ``group``, edges ``kind``, ``label`` and, where there is one, ``weight``, and ``doubtful``
    where they are; the graph itself ``meaning`` and ``weight_name``. GraphML knows no double arrow and no open end:
    such edges are written as not directed, and ``kind`` tells them apart.

    Parameters
    ----------
    graph
        Node ids are kept as they are.

    Raises
    ------
    InputError
        When two nodes share an id, an edge ends at no node, or a text holds a character that XML cannot carry.

    Examples
    --------
    >>> from personax.schema import Edge, Graph, Node
    >>> text = to_graphml(Graph([Node("a"), Node("b")], [Edge("a", "b", weight=0.5)]))
    >>> '<edge id="e0" source="a" target="b" directed="true">' in text
    True
    """
    _check(graph)
    root = ElementTree.Element("graphml", xmlns=NAMESPACE)
    doubts = any(edge.doubtful for edge in graph.edges)
    for domain, name, kind in KEYS[: None if doubts else -1]:
        attributes = {"id": f"{domain}_{name}", "for": domain, "attr.name": name, "attr.type": kind}
        ElementTree.SubElement(root, "key", attributes)
    directed = any(edge.kind == "directed" for edge in graph.edges)
    default = "directed" if directed else "undirected"
    body = ElementTree.SubElement(root, "graph", id="graph", edgedefault=default)
    _data(body, "graph", {"meaning": graph.meaning, "weight_name": graph.weight})
    for node in graph.nodes:
        element = ElementTree.SubElement(body, "node", id=node.id)
        _data(element, "node", {"label": node.label or node.id, "group": node.group})
    for place, edge in enumerate(graph.edges):
        ends = {"source": edge.source, "target": edge.target, "directed": _is_directed(edge, directed)}
        element = ElementTree.SubElement(body, "edge", {"id": f"e{place}"} | ends)
        weight = None if edge.weight is None else _double(edge.weight)
        doubtful = "true" if edge.doubtful else None
        _data(element, "edge", {"kind": edge.kind, "weight": weight, "label": edge.label, "doubtful": doubtful})
    ElementTree.indent(root)
    # A bare carriage return in a text would be read back as a line feed; ElementTree escapes it in attributes only.
    text = ElementTree.tostring(root, encoding="unicode").replace("\r", "&#13;")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def to_dot(graph: Graph) -> str:
    r"""Return a graph in Graphviz' language.

    Nodes carry ``label`` and ``group``, edges ``kind``, ``label`` and, where there is one, ``weight``; undirected edges
    are drawn without, bidirected ones with two arrowheads, open ends with a ring, doubtful ones grey. The meaning of
    the graph stands under the drawing.

    Parameters
    ----------
    graph
        A backslash, quote or line break in a node id is written as an escape, which Graphviz keeps in the name of the
        node and resolves in its label.

    Raises
    ------
    InputError
        When two nodes share an id, an edge ends at no node, or a text holds a character that DOT cannot carry.

    Examples
    --------
    >>> from personax.schema import Edge, Graph, Node
    >>> print(to_dot(Graph([Node("a", group="text"), Node("b")], [Edge("a", "b", "bidirected")])))
    digraph {
      graph [label=""];
      "a" [label="a", group="text"];
      "b" [label="b", group=""];
      "a" -> "b" [kind="bidirected", dir="both", label=""];
    }
    """
    _check(graph)
    lines = [f"  graph [{_attributes({'label': graph.meaning})}];"]
    for node in graph.nodes:
        lines.append(f"  {_quoted(node.id)} [{_attributes({'label': node.label or node.id, 'group': node.group})}];")
    for edge in graph.edges:
        shown = {"kind": edge.kind, **EDGES[edge.kind].dot, "label": edge.label}
        if edge.weight is not None:
            shown["weight"] = repr(float(edge.weight))
        if edge.doubtful:
            shown |= {"color": "grey70", "fontcolor": "grey50", "style": "dashed"}
        lines.append(f"  {_quoted(edge.source)} -> {_quoted(edge.target)} [{_attributes(shown)}];")
    return "\n".join(["digraph {", *lines, "}"])


def _check(graph: Graph) -> None:
    known: set[str] = set()
    for node in graph.nodes:
        if node.id in known:
            raise InputError(f"the graph has two nodes {node.id!r}; give every node its own id")
        known.add(node.id)
    for end in (end for edge in graph.edges for end in (edge.source, edge.target)):
        if end not in known:
            raise InputError(f"an edge ends at {end!r}, which is no node of the graph")
    texts = [text for node in graph.nodes for text in (node.id, node.label, node.group)]
    for text in [*texts, *(edge.label for edge in graph.edges), graph.meaning, graph.weight]:
        if UNWRITABLE.search(text):
            raise InputError(f"{text!r} holds a control character that graph files cannot carry; rename it")


def _is_directed(edge: Edge, mixed: bool) -> str:
    """Return the ``directed`` attribute, an xs:boolean: true or 1, false or 0.

    networkx refuses a file that says ``false`` in a directed graph, and reads ``0`` without complaint.
    """
    if edge.kind == "directed":
        return "true"
    return "0" if mixed else "false"


def _data(parent: ElementTree.Element, domain: str, values: Mapping[str, str | None]) -> None:
    for name, value in values.items():
        if value is not None:
            ElementTree.SubElement(parent, "data", key=f"{domain}_{name}").text = value


def _double(value: float) -> str:
    """Return an xs:double, which spells what is not finite otherwise than Python does."""
    return {"nan": "NaN", "inf": "INF", "-inf": "-INF"}.get(text := repr(float(value)), text)


def _attributes(values: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={_quoted(value)}" for name, value in values.items())


def _quoted(text: str) -> str:
    for plain, escaped in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r")):
        text = text.replace(plain, escaped)
    return f'"{text}"'
