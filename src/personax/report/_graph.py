"""Draw a graph as SVG: a layered layout, nodes as labelled boxes, edges as wide as they are strong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

from personax.data.edges import EDGES
from personax.data.labels import count, display_trait, number
from personax.graphs import layered_layout, longest_path_layers
from personax.report._charts import element
from personax.schema import Edge, Graph, Node

__all__ = ["MAX_EDGES", "GraphDrawing", "draw_graph"]


MAX_EDGES = 60
"""At most so many edges are drawn, the strongest; more are not readable."""

LABEL_LETTERS = 20
"""A longer label is cut; the whole one is in the tip."""

SHRINKABLE = 500
"""A graph of at most so many pixels may shrink to a phone's width; a wider one scrolls in its own box."""

BOX_HEIGHT, ROW_HEIGHT, MARGIN = 28.0, 42.0, 10.0
PALETTE = 7


@dataclass(frozen=True, slots=True)
class GraphDrawing:
    """A drawn graph and what its caption must add.

    Parameters
    ----------
    svg, legend
        The figure (empty when there is no edge) and its groups' colours.
    isolated
        Labels of the nodes that no edge touches; they are not drawn.
    edges_left_out
        Number of weaker edges that are not drawn.
    """

    svg: Markup
    legend: Markup
    isolated: Sequence[str]
    edges_left_out: int


def draw_graph(graph: Graph, label: str) -> GraphDrawing:
    """Draw a graph of the study folder.

    Parameters
    ----------
    graph
        Edges whose end is no node of the graph, and edges from a node to itself, are not drawn.
    label
        What a screen reader calls the figure.
    """
    known = {node.id for node in graph.nodes}
    sound = [e for e in graph.edges if e.source in known and e.target in known and e.source != e.target]
    edges = sorted(sound, key=lambda edge: -abs(edge.weight or 0.0))[:MAX_EDGES]
    touched = {end for edge in edges for end in (edge.source, edge.target)}
    nodes = [node for node in graph.nodes if node.id in touched]
    isolated = [_label(node) for node in graph.nodes if node.id not in touched]
    colours = {name: place % PALETTE for place, name in enumerate(dict.fromkeys(node.group for node in graph.nodes))}
    used = {node.group for node in nodes}
    legend = Markup("").join(
        element("span", element("i", class_=f"key g{colour}"), name or "other", class_="step")
        for name, colour in colours.items()
        if name in used
    )
    svg = _svg(replace(graph, nodes=nodes, edges=edges), colours, label) if edges else Markup("")
    return GraphDrawing(svg, legend, isolated, len(sound) - len(edges))


def _label(node: Node) -> str:
    return node.label or display_trait(node.id)


def _truncated(label: str) -> str:
    return label if len(label) <= LABEL_LETTERS else label[: LABEL_LETTERS - 1] + "…"


def _svg(graph: Graph, colours: Mapping[str, int], label: str) -> Markup:
    layout = layered_layout(graph, longest_path_layers(graph, last="trait"))
    positions = {
        vertex: (number, place - (len(layer) - 1) / 2)
        for number, layer in enumerate(layout.layers)
        for place, vertex in enumerate(layer)
    }
    places = {node.id: positions[node.id] for node in graph.nodes}
    routes = [[positions[vertex] for vertex in chain] for chain in layout.chains]
    wide = _widths(graph.nodes, places, len(layout.layers))
    gap = 150.0 if len(wide) == 2 else 90.0
    starts = [MARGIN + sum(wide[:layer]) + gap * layer for layer in range(len(wide))]
    heights = [place for _, place in positions.values()]
    middle = MARGIN + BOX_HEIGHT / 2 - ROW_HEIGHT * min(heights)
    names = {node.id: _label(node) for node in graph.nodes}

    edges = Markup("").join(
        _edge(edge, _route(route, starts, wide, middle, gap), route[0] == places[edge.source], graph, names)
        for edge, route in zip(graph.edges, routes, strict=True)
    )
    nodes = Markup("").join(
        _node(
            _label(node),
            (starts[layer], middle + ROW_HEIGHT * place, wide[layer]),
            _neighbours(node, graph, names),
            class_=f"node g{colours[node.group]}",
            data_node=order,
        )
        for order, node in enumerate(graph.nodes)
        for layer, place in [places[node.id]]
    )
    width, height = starts[-1] + wide[-1] + MARGIN, middle + ROW_HEIGHT * max(heights) + BOX_HEIGHT / 2 + MARGIN
    return element(
        "svg",
        edges,
        nodes,
        viewBox=f"0 0 {width:.0f} {height:.0f}",
        width=width,
        height=height,
        class_="graph small" if width <= SHRINKABLE else "graph",
        role="group",
        aria_label=label,
    )


def _widths(nodes: Sequence[Node], places: Mapping[str, tuple[int, float]], layers: int) -> list[float]:
    """Return the width of each layer's boxes, by its longest label."""
    longest = [8] * layers
    for node in nodes:
        layer = places[node.id][0]
        longest[layer] = max(longest[layer], len(_truncated(_label(node))))
    return [22 + 7.4 * letters for letters in longest]


def _route(
    route: Sequence[tuple[int, float]], starts: Sequence[float], wide: Sequence[float], middle: float, gap: float
) -> str:
    """Return the path of an edge: level through the layers that it passes, an S between them."""
    points = [(layer, middle + ROW_HEIGHT * place) for layer, place in route]
    first, y = points[0]
    x = starts[first] + wide[first]
    path = f"M{x:.1f} {y:.1f}"
    for place, (layer, down) in enumerate(points[1:], start=1):
        end = starts[layer]
        path += f"C{x + gap / 2:.1f} {y:.1f} {end - gap / 2:.1f} {down:.1f} {end:.1f} {down:.1f}"
        x, y = end, down
        if place < len(points) - 1:
            x = end + wide[layer]
            path += f"H{x:.1f}"
    return path


def _edge(edge: Edge, path: str, forth: bool, graph: Graph, names: Mapping[str, str]) -> Markup:
    top = max(abs(other.weight or 0.0) for other in graph.edges) or 1.0
    width = 1.2 if edge.weight is None else 0.8 + 4 * abs(edge.weight) / top
    order = [node.id for node in graph.nodes]
    return element(
        "g",
        element("path", d=path, class_="hit"),
        element("path", d=path, class_="line", stroke_width=width),
        _end_marks(edge, path, forth),
        class_="edge" + " open" * (edge.kind == "undirected" and graph.weight == "") + " doubtful" * edge.doubtful,
        data_ends=f"{order.index(edge.source)} {order.index(edge.target)}",
        data_tip=_tooltip(edge, graph.weight, names),
    )


def _end_marks(edge: Edge, path: str, forth: bool) -> Markup:
    """Draw arrowheads, and rings at open ends."""
    carried = EDGES[edge.kind].ends
    ends = zip(("left", "right"), carried if forth else carried[::-1], strict=True)
    shapes = {"head": _arrowhead, "ring": _ring}
    return Markup("").join(
        element("path", d=shapes[mark](path, end), class_=mark) for end, mark in ends if mark != "tail"
    )


def _tip_of(path: str, end: str) -> tuple[float, float]:
    numbers = path.replace("M", " ").replace("C", " ").replace("H", " ").split()
    return (float(numbers[0]), float(numbers[1])) if end == "left" else (float(numbers[-2]), float(numbers[-1]))


def _arrowhead(path: str, end: str) -> str:
    x, y = _tip_of(path, end)
    back = 8 if end == "left" else -8
    return f"M{x:.1f} {y:.1f}l{back} -4.5v9z"


def _ring(path: str, end: str) -> str:
    x, y = _tip_of(path, end)
    across = 8 if end == "left" else -8
    return f"M{x:.1f} {y:.1f}a4 4 0 1 0 {across} 0a4 4 0 1 0 {-across} 0z"


def _relation(edge: Edge, names: Mapping[str, str]) -> str:
    sign = EDGES[edge.kind].sign
    return f"{names[edge.source]} {sign} {names[edge.target]}"


def _tooltip(edge: Edge, weight: str, names: Mapping[str, str]) -> str:
    lines = [_relation(edge, names)]
    if edge.weight is not None:
        lines.append(f"{weight or 'weight'} {number(edge.weight)}")
    return "\n".join([*lines, edge.label] if edge.label else lines)


def _neighbours(node: Node, graph: Graph, names: Mapping[str, str]) -> str:
    """Return the text of a node's tip: each edge that touches it, the strongest first."""
    touching = [edge for edge in graph.edges if node.id in (edge.source, edge.target)]
    lines = [_relation(edge, names) + ("" if edge.weight is None else f"  {number(edge.weight)}") for edge in touching]
    more = [f"and {count(len(lines) - 10)} more"] if len(lines) > 10 else []
    return "\n".join([names[node.id], *lines[:10], *more])


def _node(label: str, box: tuple[float, float, float], tip: str, **attributes: str | int) -> Markup:
    x, y, width = box
    return element(
        "g",
        element("rect", x=x, y=y - BOX_HEIGHT / 2, width=width, height=BOX_HEIGHT, rx=7),
        element("text", _truncated(label), x=x + width / 2, y=y + 4.5),
        tabindex=0,
        role="img",
        aria_label=tip,
        data_tip=tip,
        **attributes,
    )
