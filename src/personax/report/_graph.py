"""A graph as a figure of the page: places of boxes and paths of edges by a layered layout; charts.js draws them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from markupsafe import Markup

from personax.data.edges import EDGES
from personax.data.labels import count, display_trait, number, shorten
from personax.graphs import graph_geometry, longest_path_layers
from personax.report._chart import chart
from personax.schema import Edge, Graph, Node

__all__ = ["MAX_EDGES", "GraphDrawing", "draw_graph", "overlay"]

MAX_EDGES = 60
"""At most so many edges are drawn, the strongest; more are not readable."""

LABEL_LETTERS = 20
"""A longer label is cut; the whole one is in the tip."""

ROW_HEIGHT, MARGIN = 42.0, 8.0
PALETTE = 7

STATUS = {
    "agreed": "both graphs",
    "learned": "only the learned graph",
    "pc": "only PC",
    "opposite": "opposite directions",
}


@dataclass(frozen=True, slots=True)
class GraphDrawing:
    """A drawn graph and what its caption must add.

    Parameters
    ----------
    svg, legend
        The figure (empty when there is no edge) and its groups' colours.
    isolated
        Labels of the nodes that no edge touches; they are not drawn.
    edges_drawn, edges_left_out
        Number of edges that are drawn, and of weaker ones that are not.
    rows
        Every edge that is drawn, in words: both ends with the sign between them, its weight, what is said of it.
    """

    svg: Markup
    legend: Markup
    isolated: Sequence[str]
    edges_drawn: int
    edges_left_out: int
    rows: Sequence[tuple[str, str, str]]


def draw_graph(
    graph: Graph, label: str, *, grey: bool = False, status: Mapping[frozenset[str], str] | None = None
) -> GraphDrawing:
    """Draw a graph of the study folder.

    Parameters
    ----------
    graph
        Edges whose end is no node of the graph, and edges from a node to itself, are not drawn.
    label
        What a screen reader calls the figure.
    grey
        Draw every edge grey: its ends are not identified.
    status
        Both ends of an edge -> ``agreed``, ``learned``, ``pc`` or ``opposite``; see `overlay`.
    """
    known = {node.id for node in graph.nodes}
    sound = [e for e in graph.edges if e.source in known and e.target in known and e.source != e.target]
    edges = sorted(sound, key=lambda edge: -abs(edge.weight or 0.0))[:MAX_EDGES]
    touched = {end for edge in edges for end in (edge.source, edge.target)}
    nodes = [node for node in graph.nodes if node.id in touched]
    drawn = replace(graph, nodes=nodes, edges=edges)
    names = {node.id: _label(node) for node in graph.nodes}
    colours = {name: place % PALETTE for place, name in enumerate(dict.fromkeys(node.group for node in graph.nodes))}
    isolated = [names[node.id] for node in graph.nodes if node.id not in touched]
    rows = [
        (_relation(edge, names), number(edge.weight) if edge.weight is not None else "", _said(edge, status or {}))
        for edge in edges
    ]
    svg = _figure(drawn, colours, names, label, grey, status or {}) if edges else Markup("")
    return GraphDrawing(svg, _legend(nodes, colours, status), isolated, len(edges), len(sound) - len(edges), rows)


def overlay(learned: Graph, other: Sequence[Edge]) -> tuple[Graph, dict[frozenset[str], str]]:
    """Return a graph with the edges of both, and what each pair of ends is: agreed, only one's, opposite.

    Examples
    --------
    >>> graph = Graph([Node("a"), Node("b"), Node("c")], [Edge("a", "b"), Edge("b", "c")])
    >>> both, status = overlay(graph, [Edge("b", "a"), Edge("a", "c", "undirected")])
    >>> [(edge.source, edge.target, status[frozenset((edge.source, edge.target))]) for edge in both.edges]
    [('a', 'b', 'opposite'), ('b', 'c', 'learned'), ('a', 'c', 'pc')]
    """
    ours = {frozenset((edge.source, edge.target)): edge for edge in learned.edges}
    theirs = {frozenset((edge.source, edge.target)): edge for edge in other}
    status = {ends: _compared(edge, theirs.get(ends)) for ends, edge in ours.items()}
    status |= {ends: "pc" for ends in theirs if ends not in ours}
    edges = [*learned.edges, *(edge for ends, edge in theirs.items() if ends not in ours)]
    return replace(learned, edges=edges), status


def _compared(ours: Edge, theirs: Edge | None) -> str:
    if theirs is None:
        return "learned"
    against = EDGES[theirs.kind].points and EDGES[ours.kind].points and theirs.source != ours.source
    return "opposite" if against else "agreed"


def _label(node: Node) -> str:
    return display_trait(node.label or node.id)


def _relation(edge: Edge, names: Mapping[str, str]) -> str:
    return f"{names[edge.source]} {EDGES[edge.kind].sign} {names[edge.target]}"


def _said(edge: Edge, status: Mapping[frozenset[str], str]) -> str:
    found = STATUS.get(status.get(frozenset((edge.source, edge.target)), ""), "")
    return "; ".join(part for part in (edge.label, found, "doubtful" if edge.doubtful else "") if part)


def _legend(nodes: Sequence[Node], colours: Mapping[str, int], status: Mapping[frozenset[str], str] | None) -> Markup:
    used = {node.group for node in nodes}
    keys = [(f"key g{colour}", name or "other") for name, colour in colours.items() if name in used]
    keys += [(f"key line l-{kind}", words) for kind, words in STATUS.items() if kind in (status or {}).values()]
    step = Markup('<span class="step"><i class="{}"></i>{}</span>')
    return Markup("").join(step.format(style, words) for style, words in keys)


def _figure(
    graph: Graph,
    colours: Mapping[str, int],
    names: Mapping[str, str],
    label: str,
    grey: bool,
    status: Mapping[frozenset[str], str],
) -> Markup:
    widths = {name: 22 + 7.4 * max(8, min(LABEL_LETTERS, len(text))) for name, text in names.items()}
    layers = 1 + max(longest_path_layers(graph, last="trait").values())
    places = graph_geometry(graph, widths, row=ROW_HEIGHT, gap=150.0 if layers == 2 else 90.0)
    nodes = [
        {
            "label": shorten(names[node.id], LABEL_LETTERS),
            "colour": colours[node.group],
            "x": MARGIN + box.x + box.width / 2,
            "y": MARGIN + box.y,
            "width": box.width,
            "tip": _neighbours(node, graph, names),
        }
        for node in graph.nodes
        for box in [places.boxes[node.id]]
    ]
    rows = [
        _edge(edge, graph, names, status, forth=places.starts_at_source(edge))
        | {"path": [[MARGIN + x + (5 if at % 2 == 0 else -5), MARGIN + y] for at, (x, y) in enumerate(path)]}
        for edge, path in zip(graph.edges, places.paths, strict=True)
    ]
    size = {"width": places.width + 2 * MARGIN, "height": places.height + 2 * MARGIN}
    return chart("graph", rows, label, nodes=nodes, grey=grey, **size)


def _edge(
    edge: Edge, graph: Graph, names: Mapping[str, str], status: Mapping[frozenset[str], str], *, forth: bool
) -> dict[str, Any]:
    """Return the row of an edge; ``forth`` where it is drawn from its source to its target."""
    top = max(abs(other.weight or 0.0) for other in graph.edges) or 1.0
    ends = EDGES[edge.kind].ends
    return {
        "source": names[edge.source],
        "target": names[edge.target],
        "kind": edge.kind,
        "weight": edge.weight,
        "status": status.get(frozenset((edge.source, edge.target)), ""),
        "doubtful": edge.doubtful,
        "tip": _tip(edge, graph.weight, names, status),
        "ends": ends if forth else ends[::-1],
        "width": 1.6 if edge.weight is None else 1.2 + 2.6 * abs(edge.weight) / top,
    }


def _tip(edge: Edge, weight: str, names: Mapping[str, str], status: Mapping[frozenset[str], str]) -> str:
    told = [] if edge.weight is None else [f"{weight or 'weight'} {number(edge.weight)}"]
    return "\n".join([_relation(edge, names), *told, *filter(None, [_said(edge, status)])])


def _neighbours(node: Node, graph: Graph, names: Mapping[str, str]) -> str:
    """Return the text of a node's tip: each edge that touches it, the strongest first."""
    touching = [edge for edge in graph.edges if node.id in (edge.source, edge.target)]
    lines = [_relation(edge, names) + ("" if edge.weight is None else f"  {number(edge.weight)}") for edge in touching]
    more = [f"and {count(len(lines) - 10)} more"] if len(lines) > 10 else []
    return "\n".join([names[node.id], *lines[:10], *more])
