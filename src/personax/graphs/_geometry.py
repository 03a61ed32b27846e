"""Where the boxes and edges of a graph are drawn, in any unit: inches for print, pixels on the report's page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from personax.graphs._layered_layout import Vertex, coordinates, layered_layout, longest_path_layers
from personax.schema import Edge, Graph

__all__ = ["Box", "GraphGeometry", "graph_geometry"]

Position = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Box:
    """A node: its left border, the height of its middle, its width."""

    x: float
    y: float
    width: float


@dataclass(frozen=True, slots=True)
class GraphGeometry:
    """A graph whose top left corner is 0, 0; heights grow downwards.

    Parameters
    ----------
    boxes
        Node id -> box; those of a layer are equally wide.
    paths
        For each edge the points that it passes, from its left end to its right one: level within a layer, so that two
        points follow one another at the borders of every layer that it crosses.
    width, height
        Of the whole.
    """

    boxes: Mapping[str, Box]
    paths: Sequence[Sequence[Position]]
    width: float
    height: float

    def starts_at_source(self, edge: Edge) -> bool:
        """Return whether an edge's path begins at its source."""
        return self.boxes[edge.source].x <= self.boxes[edge.target].x


def graph_geometry(graph: Graph, widths: Mapping[str, float], *, row: float, gap: float) -> GraphGeometry:
    """Return the places of all nodes and edges: causes on the left, effects on the right, the group ``trait`` last.

    Parameters
    ----------
    graph
        An edge from a node to itself has no path but its two ends.
    widths
        Node id -> width of its box.
    row, gap
        Distance of two boxes of a layer, middle to middle; distance of two layers.

    Examples
    --------
    >>> from personax.schema import Node
    >>> graph_geometry(Graph([Node("a"), Node("b")], [Edge("a", "b")]), {"a": 2, "b": 3}, row=1, gap=4).paths
    [[(2.0, 0.5), (6.0, 0.5)]]
    """
    layout = layered_layout(graph, longest_path_layers(graph, last="trait"))
    layer_of = layout.layer_of
    wide = [max((widths[v] for v in layer if isinstance(v, str)), default=0.0) for layer in layout.layers]
    lefts = list(accumulate((own + gap for own in wide), initial=0.0))
    middle = {vertex: row * (height + 0.5) for vertex, height in coordinates(layout).items()}
    ports = _ports(layout.chains, middle, row)
    paths = []
    for number, chain in enumerate(layout.chains):
        points: list[Position] = []
        for place, vertex in enumerate(chain):
            left, y = lefts[layer_of[vertex]], middle[vertex] + ports.get((number, place), 0.0)
            points += [(left, y)] if place else []
            points += [(left + wide[layer_of[vertex]], y)] if place < len(chain) - 1 else []
        paths.append(points)
    boxes = {v: Box(lefts[layer_of[v]], y, wide[layer_of[v]]) for v, y in middle.items() if isinstance(v, str)}
    return GraphGeometry(boxes, paths, max(lefts[-1] - gap, 0.0), max(middle.values(), default=0.0) + row / 2)


def _ports(
    chains: Sequence[Sequence[Vertex]], middle: Mapping[Vertex, float], row: float
) -> dict[tuple[int, int], float]:
    """Return (edge, place in its chain) -> how far from the middle of its box it ends: no edge lies on another."""
    sides: dict[tuple[Vertex, int], list[tuple[float, int, int]]] = defaultdict(list)
    for number, chain in enumerate(chains):
        sides[chain[0], 1].append((middle[chain[1]], number, 0))
        sides[chain[-1], 0].append((middle[chain[-2]], number, len(chain) - 1))
    ports = {}
    for ends in sides.values():
        step = min(0.14, 0.6 / len(ends)) * row
        for order, (_, number, place) in enumerate(sorted(ends)):
            ports[number, place] = step * (order - (len(ends) - 1) / 2)
    return ports
