"""Draw a graph as SVG: a layered layout, nodes as labelled boxes, edges as wide as they are strong.

The usual four steps (Sugiyama, Tagawa and Toda 1981, doi:10.1109/TSMC.1981.4308636): orient, assign layers by longest
path, put a waypoint in every layer that a long edge passes, sort each layer by the mean place of its neighbours.
Nothing is random: the same graph gives the same places.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from markupsafe import Markup

from personax.data.edges import EDGES, POINTING
from personax.report._charts import element
from personax.report._labels import count, display_trait, number
from personax.schema import Edge, Graph, Node

__all__ = ["DRAWN", "Drawing", "GraphLayout", "draw", "layered"]


SWEEPS = 12

Point = Hashable


@dataclass(frozen=True, slots=True)
class GraphLayout:
    """Places of nodes and waypoints of edges, as (layer, place within the layer).

    Parameters
    ----------
    places
        Node id -> (layer, position); positions of one layer are at least 1 apart and centred on 0.
    routes
        For each edge of the graph, all the points it passes, its ends included, in the order of rising layers.
    """

    places: Mapping[str, tuple[int, float]]
    routes: Sequence[Sequence[tuple[int, float]]]


def layered(graph: Graph, last: str = "trait") -> GraphLayout:
    """Lay out a graph; edges that would close a cycle are drawn against the flow.

    Parameters
    ----------
    graph
        Directed and partially directed edges flow from source to target. The others flow in the order of the nodes,
        and towards ``last``.
    last
        Group whose nodes an undirected edge flows to.

    Examples
    --------
    >>> from personax.schema import Edge, Node
    >>> graph = Graph([Node("a"), Node("b"), Node("c")], [Edge("a", "b"), Edge("b", "c"), Edge("a", "c")])
    >>> {node: layer for node, (layer, _) in layered(graph).places.items()}
    {'a': 0, 'b': 1, 'c': 2}
    """
    flow = _oriented(graph, last)
    layers = _layers([node.id for node in graph.nodes], flow)
    columns: dict[int, list[Point]] = defaultdict(list)
    for node in graph.nodes:
        columns[layers[node.id]].append(node.id)
    chains = []
    for place, (source, target) in enumerate(flow):
        middle = [(place, layer) for layer in range(layers[source] + 1, layers[target])]
        for waypoint in middle:
            columns[waypoint[1]].append(waypoint)
        chains.append([source, *middle, target])
    order = _uncross([columns[layer] for layer in sorted(columns)], chains)
    spots = {
        point: (layer, place - (len(column) - 1) / 2)
        for layer, column in enumerate(order)
        for place, point in enumerate(column)
    }
    places = {node.id: spots[node.id] for node in graph.nodes}
    return GraphLayout(places, [[spots[point] for point in chain] for chain in chains])


def _oriented(graph: Graph, last: str) -> list[tuple[str, str]]:
    """Return each edge from its earlier to its later end, without cycles."""
    rank = {node.id: (node.group == last, place) for place, node in enumerate(graph.nodes)}
    directed = [edge for kind in POINTING for edge in graph.edges if edge.kind == kind]
    after: dict[str, set[str]] = defaultdict(set)
    flow: dict[int, tuple[str, str]] = {}
    for edge in [*directed, *(edge for edge in graph.edges if edge.kind not in POINTING)]:
        source, target = edge.source, edge.target
        if edge.kind not in POINTING and rank[source] > rank[target]:
            source, target = target, source
        if _reaches(after, target, source):
            source, target = target, source
        after[source].add(target)
        flow[id(edge)] = (source, target)
    return [flow[id(edge)] for edge in graph.edges]


def _reaches(after: Mapping[str, set[str]], start: str, end: str) -> bool:
    seen, waiting = {start}, [start]
    while waiting:
        node = waiting.pop()
        if node == end:
            return True
        fresh = after.get(node, set()) - seen
        seen |= fresh
        waiting.extend(fresh)
    return False


def _layers(nodes: Sequence[str], flow: Sequence[tuple[str, str]]) -> dict[str, int]:
    """Return the length of the longest path into each node."""
    before: dict[str, list[str]] = defaultdict(list)
    for source, target in flow:
        before[target].append(source)
    layers: dict[str, int] = {}

    def depth(node: str) -> int:
        if node not in layers:
            layers[node] = max((depth(parent) + 1 for parent in before[node]), default=0)
        return layers[node]

    for node in nodes:
        depth(node)
    return layers


def _uncross(columns: list[list[Point]], chains: Sequence[Sequence[Point]]) -> list[list[Point]]:
    """Sort every layer by the mean place of the neighbours, forth and back, as often as that helps."""
    left: dict[Point, list[Point]] = defaultdict(list)
    right: dict[Point, list[Point]] = defaultdict(list)
    for chain in chains:
        for one, other in pairwise(chain):
            right[one].append(other)
            left[other].append(one)
    best, fewest = columns, _crossings(columns, right)
    for sweep in range(SWEEPS):
        forth = sweep % 2 == 0
        columns = _sweep(columns, left if forth else right, forth)
        crossed = _crossings(columns, right)
        if crossed < fewest:
            best, fewest = columns, crossed
    return best


def _sweep(columns: list[list[Point]], beside: Mapping[Point, list[Point]], forth: bool) -> list[list[Point]]:
    place = {point: float(i) - len(column) / 2 for column in columns for i, point in enumerate(column)}
    sorted_columns = []
    for column in columns if forth else columns[::-1]:
        means = {p: sum(place[q] for q in beside[p]) / len(beside[p]) if beside.get(p) else place[p] for p in column}
        column = sorted(column, key=lambda p: means[p])
        place.update({point: float(i) - len(column) / 2 for i, point in enumerate(column)})
        sorted_columns.append(column)
    return sorted_columns if forth else sorted_columns[::-1]


def _crossings(columns: list[list[Point]], right: Mapping[Point, list[Point]]) -> int:
    place = {point: i for column in columns for i, point in enumerate(column)}
    crossed = 0
    for column in columns:
        ends = [(place[p], place[q]) for p in column for q in right.get(p, ())]
        crossed += sum((a - c) * (b - d) < 0 for i, (a, b) in enumerate(ends) for c, d in ends[i + 1 :])
    return crossed


DRAWN = 60
"""At most so many edges are drawn, the strongest; more are not readable."""

LETTERS = 20
"""A longer label is cut; the whole one is in the tip."""

SMALL = 500
"""A graph of at most so many pixels may shrink to a phone's width; a wider one scrolls in its own box."""

HIGH, ROW, PAD = 28.0, 42.0, 10.0
PALETTE = 7


@dataclass(frozen=True, slots=True)
class Drawing:
    """A drawn graph and what its caption must add.

    Parameters
    ----------
    svg, legend
        The figure (empty when there is no edge) and its groups' colours.
    alone
        Labels of the nodes that no edge touches; they are not drawn.
    left_out
        Number of weaker edges that are not drawn.
    """

    svg: Markup
    legend: Markup
    alone: Sequence[str]
    left_out: int


def draw(graph: Graph, label: str) -> Drawing:
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
    edges = sorted(sound, key=lambda edge: -abs(edge.weight or 0.0))[:DRAWN]
    touched = {end for edge in edges for end in (edge.source, edge.target)}
    nodes = [node for node in graph.nodes if node.id in touched]
    alone = [_label(node) for node in graph.nodes if node.id not in touched]
    colours = {name: place % PALETTE for place, name in enumerate(dict.fromkeys(node.group for node in graph.nodes))}
    used = {node.group for node in nodes}
    legend = Markup("").join(
        element("span", element("i", class_=f"key g{colour}"), name or "other", class_="step")
        for name, colour in colours.items()
        if name in used
    )
    svg = _svg(replace(graph, nodes=nodes, edges=edges), colours, label) if edges else Markup("")
    return Drawing(svg, legend, alone, len(sound) - len(edges))


def _label(node: Node) -> str:
    return node.label or display_trait(node.id)


def _cut(label: str) -> str:
    return label if len(label) <= LETTERS else label[: LETTERS - 1] + "…"


def _svg(graph: Graph, colours: Mapping[str, int], label: str) -> Markup:
    layout = layered(graph)
    layers = [layer for layer, _ in layout.places.values()]
    wide = _widths(graph.nodes, layout.places, max(layers) + 1)
    gap = 150.0 if len(wide) == 2 else 90.0
    starts = [PAD + sum(wide[:layer]) + gap * layer for layer in range(len(wide))]
    positions = [place for route in layout.routes for _, place in route]
    middle = PAD + HIGH / 2 - ROW * min(positions)
    names = {node.id: _label(node) for node in graph.nodes}

    edges = Markup("").join(
        _edge(edge, _route(route, starts, wide, middle, gap), route[0] == layout.places[edge.source], graph, names)
        for edge, route in zip(graph.edges, layout.routes, strict=True)
    )
    nodes = Markup("").join(
        _node(
            _label(node),
            (starts[layer], middle + ROW * place, wide[layer]),
            _neighbours(node, graph, names),
            class_=f"node g{colours[node.group]}",
            data_node=order,
        )
        for order, node in enumerate(graph.nodes)
        for layer, place in [layout.places[node.id]]
    )
    width, height = starts[-1] + wide[-1] + PAD, middle + ROW * max(positions) + HIGH / 2 + PAD
    return element(
        "svg",
        edges,
        nodes,
        viewBox=f"0 0 {width:.0f} {height:.0f}",
        width=width,
        height=height,
        class_="graph small" if width <= SMALL else "graph",
        role="group",
        aria_label=label,
    )


def _widths(nodes: Sequence[Node], places: Mapping[str, tuple[int, float]], layers: int) -> list[float]:
    """Return the width of each layer's boxes, by its longest label."""
    longest = [8] * layers
    for node in nodes:
        layer = places[node.id][0]
        longest[layer] = max(longest[layer], len(_cut(_label(node))))
    return [22 + 7.4 * letters for letters in longest]


def _route(
    route: Sequence[tuple[int, float]], starts: Sequence[float], wide: Sequence[float], middle: float, gap: float
) -> str:
    """Return the path of an edge: level through the layers that it passes, an S between them."""
    points = [(layer, middle + ROW * place) for layer, place in route]
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
        _marks(edge, path, forth),
        class_="edge open" if edge.kind == "undirected" and graph.weight == "" else "edge",
        data_ends=f"{order.index(edge.source)} {order.index(edge.target)}",
        data_tip=_tip(edge, graph.weight, names),
    )


def _marks(edge: Edge, path: str, forth: bool) -> Markup:
    """Draw arrowheads, and rings at open ends."""
    carried = EDGES[edge.kind].ends
    ends = zip(("left", "right"), carried if forth else carried[::-1], strict=True)
    shapes = {"head": _head, "ring": _ring}
    return Markup("").join(
        element("path", d=shapes[mark](path, end), class_=mark) for end, mark in ends if mark != "tail"
    )


def _tip_of(path: str, end: str) -> tuple[float, float]:
    numbers = path.replace("M", " ").replace("C", " ").replace("H", " ").split()
    return (float(numbers[0]), float(numbers[1])) if end == "left" else (float(numbers[-2]), float(numbers[-1]))


def _head(path: str, end: str) -> str:
    x, y = _tip_of(path, end)
    back = 8 if end == "left" else -8
    return f"M{x:.1f} {y:.1f}l{back} -4.5v9z"


def _ring(path: str, end: str) -> str:
    x, y = _tip_of(path, end)
    across = 8 if end == "left" else -8
    return f"M{x:.1f} {y:.1f}a4 4 0 1 0 {across} 0a4 4 0 1 0 {-across} 0z"


def _between(edge: Edge, names: Mapping[str, str]) -> str:
    sign = EDGES[edge.kind].sign
    return f"{names[edge.source]} {sign} {names[edge.target]}"


def _tip(edge: Edge, weight: str, names: Mapping[str, str]) -> str:
    lines = [_between(edge, names)]
    if edge.weight is not None:
        lines.append(f"{weight or 'weight'} {number(edge.weight)}")
    return "\n".join([*lines, edge.label] if edge.label else lines)


def _neighbours(node: Node, graph: Graph, names: Mapping[str, str]) -> str:
    """Return the text of a node's tip: each edge that touches it, the strongest first."""
    touching = [edge for edge in graph.edges if node.id in (edge.source, edge.target)]
    lines = [_between(edge, names) + ("" if edge.weight is None else f"  {number(edge.weight)}") for edge in touching]
    more = [f"and {count(len(lines) - 10)} more"] if len(lines) > 10 else []
    return "\n".join([names[node.id], *lines[:10], *more])


def _node(label: str, box: tuple[float, float, float], tip: str, **attributes: str | int) -> Markup:
    x, y, width = box
    return element(
        "g",
        element("rect", x=x, y=y - HIGH / 2, width=width, height=HIGH, rx=7),
        element("text", _cut(label), x=x + width / 2, y=y + 4.5),
        tabindex=0,
        role="img",
        aria_label=tip,
        data_tip=tip,
        **attributes,
    )
