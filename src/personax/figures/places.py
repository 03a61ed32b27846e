"""Where the boxes and curves of a graph are on its page, in inches."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise

from personax.figures.canvas import text_width
from personax.figures.heights import heights
from personax.figures.layers import Layers, Point, assign
from personax.schema import Edge, Graph

__all__ = ["BOX", "SIZE", "Box", "Places", "Spot", "lay_out"]

BOX, ROW, SIZE = 0.27, 0.37, 8.5
"""Height of a box, distance of boxes, size of labels in points."""

GAP, WIDEST = 0.9, 2.6
"""Least and greatest distance between layers."""

STEEP = 0.18
"""Distance between layers over the height of the tallest: or edges would rise and fall like walls."""

HEADING = 0.42
"""From the drawing to the heading of the nodes without an edge; a third of it from there to their boxes."""

NARROWEST = 0.5

PORT = 0.05
"""Distance of the ends of edges at one side of a box."""

Spot = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Box:
    """A node on the page: its left border, the height of its middle, its width."""

    x: float
    y: float
    width: float


@dataclass(frozen=True, slots=True)
class Places:
    """A graph on the page, its top left corner at 0, 0.

    Parameters
    ----------
    boxes
        Node id -> box.
    curves
        For each edge Bézier curves from its left to its right end: a start, then two handles and an end for each piece.
        Both ends arrive level. An edge within a layer leaves and arrives on the right side of its boxes.
    width, height
        Of the whole.
    alone
        Height of the heading over the nodes without an edge; None where every node has one.
    """

    boxes: Mapping[str, Box]
    curves: Sequence[Sequence[Spot]]
    width: float
    height: float
    alone: float | None = None

    def starts_at_source(self, edge: Edge) -> bool:
        """Return whether an edge's curve begins at its source, which within a layer it does."""
        return self.boxes[edge.source].x <= self.boxes[edge.target].x


def lay_out(graph: Graph, labels: Mapping[str, str], least: float) -> Places:
    """Return the places of every node and edge of a graph.

    Parameters
    ----------
    labels
        Node id -> what is written in its box.
    least
        Least width of the whole.
    """
    touched = {end for edge in graph.edges for end in (edge.source, edge.target)}
    joined = _joined(replace(graph, nodes=[node for node in graph.nodes if node.id in touched]), labels)
    width = max(joined.width, least)
    right = (width - joined.width) / 2
    boxes = {name: replace(box, x=box.x + right) for name, box in joined.boxes.items()}
    curves = [[(x + right, y) for x, y in curve] for curve in joined.curves]
    rest = [node.id for node in graph.nodes if node.id not in touched]
    if not rest:
        return Places(boxes, curves, width, joined.height)
    heading = joined.height + (HEADING if graph.edges else HEADING / 3)
    alone = _in_rows(rest, labels, width, heading + HEADING / 3)
    bottom = max(box.y for box in alone.values()) + BOX / 2
    return Places(boxes | alone, curves, width, bottom, heading)


def _joined(graph: Graph, labels: Mapping[str, str]) -> Places:
    """Return the places of nodes that all have an edge."""
    if not graph.nodes:
        return Places({}, [], 0.0, 0.0)
    layers = assign(graph)
    middle = {point: BOX / 2 + ROW * height for point, height in heights(layers).items()}
    home = {point: number for number, column in enumerate(layers.columns) for point in column}
    widths = [max(_width(labels[p]) for p in column if isinstance(p, str)) for column in layers.columns]
    lefts = list(
        accumulate(
            (w + gap for w, gap in zip(widths, _gaps(layers, home, max(middle.values())), strict=True)), initial=0.0
        )
    )
    spans = {point: Box(lefts[home[point]], y, widths[home[point]]) for point, y in middle.items()}
    ends = _ports(layers, home, middle)
    curves = [
        (_arc if home[chain[0]] == home[chain[-1]] else _curve)([spans[point] for point in chain], ports)
        for chain, ports in zip(layers.chains, ends, strict=True)
    ]
    boxes = {point: box for point, box in spans.items() if isinstance(point, str)}
    width = max([*(box.x + box.width for box in boxes.values()), *(x for curve in curves for x, _ in curve)])
    return Places(boxes, curves, width, max(middle.values()) + BOX / 2)


def _in_rows(names: Sequence[str], labels: Mapping[str, str], width: float, top: float) -> dict[str, Box]:
    """Return boxes side by side, in as many rows as the width asks for."""
    boxes: dict[str, Box] = {}
    x, y = 0.0, top + BOX / 2
    for name in names:
        wide = _width(labels[name])
        if x > 0 and x + wide > width:
            x, y = 0.0, y + ROW
        boxes[name] = Box(x, y, wide)
        x += wide + 0.12
    return boxes


def _width(label: str) -> float:
    return max(text_width(label, SIZE) + 0.2, NARROWEST)


def _gaps(layers: Layers, home: Mapping[Point, int], height: float) -> list[float]:
    """Return the distance after every layer: the taller the drawing and the more edges pass, the wider."""
    passing = [0] * len(layers.columns)
    for one, other in (pair for chain in layers.chains for pair in pairwise(chain)):
        passing[home[one]] += 1
        # An edge within a layer bends into the gap, where it needs more room than one that crosses it.
        passing[home[one]] += 6 * (home[one] == home[other])
    return [min(max(GAP + 0.03 * many, STEEP * height), WIDEST) for many in passing]


def _ports(layers: Layers, home: Mapping[Point, int], middle: Mapping[Point, float]) -> list[tuple[float, float]]:
    """Return how far from the middle of its box each edge begins and ends, so that edges do not lie on one another."""
    sides: dict[tuple[Point, str], list[tuple[float, int, int]]] = defaultdict(list)
    for number, chain in enumerate(layers.chains):
        level = home[chain[0]] == home[chain[-1]]
        sides[chain[0], "right"].append((middle[chain[1]], number, 0))
        sides[chain[-1], "right" if level else "left"].append((middle[chain[-2]], number, 1))
    ports = [[0.0, 0.0] for _ in layers.chains]
    for ends in sides.values():
        step = min(PORT, 0.8 * BOX / len(ends))
        for order, (_, number, end) in enumerate(sorted(ends)):
            ports[number][end] = step * (order - (len(ends) - 1) / 2)
    return [(first, last) for first, last in ports]


def _curve(spans: Sequence[Box], ports: tuple[float, float]) -> list[Spot]:
    """Return an S from layer to layer, level through the layers that the edge passes."""
    first, last = spans[0], spans[-1]
    curve = [(first.x + first.width, first.y + ports[0])]
    for span in spans[1:]:
        x, y = curve[-1]
        end = span.y + (ports[1] if span is last else 0.0)
        half = (span.x - x) / 2
        curve += [(x + half, y), (span.x - half, end), (span.x, end)]
        if span is not last:
            curve += [(span.x + span.width * part, end) for part in (1 / 3, 2 / 3, 1)]
    return curve


def _arc(spans: Sequence[Box], ports: tuple[float, float]) -> list[Spot]:
    """Return a bend on the right of the layer that holds both ends."""
    one, other = spans
    x, y, end = one.x + one.width, one.y + ports[0], other.y + ports[1]
    far = x + 0.3 + 0.35 * abs(end - y) ** 0.5
    return [(x, y), (far, y), (far, end), (x, end)]
