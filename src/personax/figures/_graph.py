"""Draw a graph for a paper: rounded boxes coloured by group, edges from left to right, as wide as they are strong."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Protocol

from personax.data.edges import EDGES, POINTING, End
from personax.data.labels import display_trait, shorten, split_trait
from personax.errors import InputError
from personax.figures._canvas import GREY, POINT, TEXT_SIZE, Canvas, defaults, text_width, wrapped
from personax.figures._legend import Legend, LegendEntry
from personax.graphs import (
    LayeredLayout,
    Vertex,
    coordinates,
    group_layers,
    layered_layout,
    longest_path_layers,
)
from personax.registry import register
from personax.schema import Edge, Graph, Node

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw_graph"]


PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#7F7F7F")
"""Colours that people with any colour vision tell apart: Okabe and Ito, https://jfly.uni-koeln.de/color/."""

FILLS = (0.32, 0.62, 0.14)
"""How much of the colour is in a box: the first groups have the first, and from the ninth on the next."""

MARGIN, MIN_WIDTH = 0.16, 4.2
"""Margin of the page and least width within it, in inches."""

CAPTION_LINE = 0.18
"""Height of a line of the caption, that of the legend's."""

NODE_LETTERS = 26
"""Letters of a label that are shown."""


@register("plots", "graph", title="Graph", help="boxes in layers, edges as wide as they are strong")
def draw_graph(graph: Graph) -> Figure:
    """Draw a graph.

    A causal graph (any arrow) flows from causes on the left to effects on the right. Any other has one column a
    group. Nodes without an edge stand below. The caption is the meaning of the graph.

    Parameters
    ----------
    graph
        Legible up to some 60 nodes. The width of an edge is the size of its weight, whatever its sign.

    Raises
    ------
    InputError
        When two nodes share an id, an edge ends at no node, or there is no node.
    MissingExtraError
        When matplotlib is not installed.

    Examples
    --------
    >>> from personax.schema import Edge, Graph, Node
    >>> figure = draw_graph(Graph([Node("a"), Node("b")], [Edge("a", "b")], meaning="a causes b"))
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['a', 'b', '→ cause to effect', 'a causes b']
    """
    _check(graph)
    labels = {node.id: _label(node) for node in graph.nodes}
    colours = _colours(graph)
    geometry = graph_geometry(graph, labels, MIN_WIDTH)
    legend = Legend(_legend(graph, colours), geometry.width)
    caption = [line for text in _caption(graph) for line in wrapped(text, geometry.width, TEXT_SIZE)]
    with defaults():
        below = 0.12 + legend.height + CAPTION_LINE * len(caption) + 0.06
        canvas = Canvas(geometry.width + 2 * MARGIN, geometry.height + below + 2 * MARGIN)
        _draw_edges(canvas, graph, geometry, MARGIN, MARGIN)
        for node in graph.nodes:
            _draw_node(canvas, geometry.boxes[node.id], labels[node.id], colours[node.group])
        if geometry.isolated_top is not None:
            heading = "without an edge" if graph.edges else "no edges"
            style = {"color": GREY, "style": "italic", "va": "center_baseline"}
            canvas.text(MARGIN, MARGIN + geometry.isolated_top, heading, TEXT_SIZE, **style)
        end = legend.draw(canvas, MARGIN, MARGIN + geometry.height + 0.12)
        canvas.caption(MARGIN, end + 0.06, caption, CAPTION_LINE)
    return canvas.figure


@register("plots", "fit", title="Fitted method", help="the graph between the latents of Level II")
def _draw_fit(fitted: _HasGraph, *, threshold: float = 0.5) -> Figure:
    return draw_graph(fitted.graph(threshold))


class _HasGraph(Protocol):
    def graph(self, threshold: float) -> Graph: ...


def _check(graph: Graph) -> None:
    if not graph.nodes:
        raise InputError("the graph has no nodes; there is nothing to draw")
    known = {node.id for node in graph.nodes}
    if len(known) < len(graph.nodes):
        raise InputError("two nodes of the graph share an id; give every node its own")
    if lost := [end for edge in graph.edges for end in (edge.source, edge.target) if end not in known]:
        raise InputError(f"an edge ends at {lost[0]!r}, which is no node of the graph")


def _label(node: Node) -> str:
    """Return what is written in a box; the name of a trait where only its column is known."""
    name = node.label or node.id
    scored = split_trait(name)
    return display_trait(name) if scored and scored[0] == "final" else shorten(name, NODE_LETTERS)


def _colours(graph: Graph) -> dict[str, tuple[str, tuple[str, float]]]:
    """Return border and fill of each group, in the order in which the groups appear."""
    colours = {}
    for place, group in enumerate(dict.fromkeys(node.group for node in graph.nodes)):
        again, hue = divmod(place, len(PALETTE))
        colours[group] = PALETTE[hue], (PALETTE[hue], FILLS[again % len(FILLS)])
    return colours


def _draw_node(canvas: Canvas, box: Box, label: str, colours: tuple[str, tuple[str, float]]) -> None:
    border, fill = colours
    x, y = MARGIN + box.x, MARGIN + box.y
    # White below: the fill lets light through, and no edge is to show in it.
    for style in ({"facecolor": "white", "linewidth": 0}, {"facecolor": fill, "edgecolor": border, "linewidth": 1.0}):
        canvas.round_box(x, y - BOX_HEIGHT / 2, box.width, BOX_HEIGHT, **style)
    canvas.text(x + box.width / 2, y, label, LABEL_SIZE, ha="center", va="center_baseline")


def _legend(graph: Graph, colours: Mapping[str, tuple[str, tuple[str, float]]]) -> Iterator[LegendEntry]:
    if len(colours) > 1 or "" not in colours:
        for group, (_, fill) in colours.items():
            yield LegendEntry(fill, shorten(group, NODE_LETTERS) or "other")
    if _is_causal(graph):
        present = {edge.kind for edge in graph.edges}
        yield from (LegendEntry(None, marks.words) for kind, marks in EDGES.items() if kind in present)


def _caption(graph: Graph) -> Iterator[str]:
    if graph.meaning:
        yield graph.meaning
    weights = [abs(edge.weight) for edge in graph.edges if edge.weight is not None]
    if weights:
        signed = any(edge.weight is not None and edge.weight < 0 for edge in graph.edges)
        span = f"{min(weights):.2g} to {max(weights):.2g}{' in size' if signed else ''}"
        yield f"Width of an edge: {graph.weight or 'weight'}, {span}."


BOX_HEIGHT, ROW_HEIGHT, LABEL_SIZE = 0.27, 0.37, 8.5
"""Height of a box, distance of boxes, size of labels in points."""

MIN_GAP, MAX_GAP = 0.9, 2.6
"""Least and greatest distance between layers."""

GAP_PER_HEIGHT = 0.18
"""Distance between layers over the height of the tallest: or edges would rise and fall like walls."""

HEADING_GAP = 0.42
"""From the drawing to the heading of the nodes without an edge; a third of it from there to their boxes."""

MIN_BOX_WIDTH = 0.5

PORT_DISTANCE = 0.05
"""Distance of the ends of edges at one side of a box."""

Position = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Box:
    """A node on the page: its left border, the height of its middle, its width."""

    x: float
    y: float
    width: float


@dataclass(frozen=True, slots=True)
class GraphGeometry:
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
    isolated_top
        Height of the heading over the nodes without an edge; None where every node has one.
    """

    boxes: Mapping[str, Box]
    curves: Sequence[Sequence[Position]]
    width: float
    height: float
    isolated_top: float | None = None

    def starts_at_source(self, edge: Edge) -> bool:
        """Return whether an edge's curve begins at its source, which within a layer it does."""
        return self.boxes[edge.source].x <= self.boxes[edge.target].x


def graph_geometry(graph: Graph, labels: Mapping[str, str], min_width: float) -> GraphGeometry:
    """Return the geometry of every node and edge of a graph.

    Parameters
    ----------
    labels
        Node id -> what is written in its box.
    min_width
        Least width of the whole.
    """
    connected = {end for edge in graph.edges for end in (edge.source, edge.target)}
    joined = _connected(replace(graph, nodes=[node for node in graph.nodes if node.id in connected]), labels)
    width = max(joined.width, min_width)
    right = (width - joined.width) / 2
    boxes = {name: replace(box, x=box.x + right) for name, box in joined.boxes.items()}
    curves = [[(x + right, y) for x, y in curve] for curve in joined.curves]
    rest = [node.id for node in graph.nodes if node.id not in connected]
    if not rest:
        return GraphGeometry(boxes, curves, width, joined.height)
    heading = joined.height + (HEADING_GAP if graph.edges else HEADING_GAP / 3)
    isolated = _isolated_boxes(rest, labels, width, heading + HEADING_GAP / 3)
    bottom = max(box.y for box in isolated.values()) + BOX_HEIGHT / 2
    return GraphGeometry(boxes | isolated, curves, width, bottom, heading)


def _is_causal(graph: Graph) -> bool:
    """Return whether any edge says what causes what."""
    return any(edge.kind != "undirected" for edge in graph.edges)


def _layers(graph: Graph) -> dict[str, int]:
    return longest_path_layers(graph, POINTING) if _is_causal(graph) else group_layers(graph)


def _connected(graph: Graph, labels: Mapping[str, str]) -> GraphGeometry:
    """Return the geometry of nodes that all have an edge."""
    if not graph.nodes:
        return GraphGeometry({}, [], 0.0, 0.0)
    layout = layered_layout(graph, _layers(graph))
    middle = {vertex: BOX_HEIGHT / 2 + ROW_HEIGHT * height for vertex, height in coordinates(layout).items()}
    layer_of = layout.layer_of
    widths = [max(_width(labels[v]) for v in layer if isinstance(v, str)) for layer in layout.layers]
    lefts = list(
        accumulate(
            (w + gap for w, gap in zip(widths, _gaps(layout, layer_of, max(middle.values())), strict=True)), initial=0.0
        )
    )
    spans = {v: Box(lefts[layer_of[v]], y, widths[layer_of[v]]) for v, y in middle.items()}
    ports = _ports(layout, layer_of, middle)
    curves = [
        (_curve_within_layer if layer_of[chain[0]] == layer_of[chain[-1]] else _curve_between_layers)(
            [spans[vertex] for vertex in chain], ends
        )
        for chain, ends in zip(layout.chains, ports, strict=True)
    ]
    boxes = {vertex: box for vertex, box in spans.items() if isinstance(vertex, str)}
    width = max([*(box.x + box.width for box in boxes.values()), *(x for curve in curves for x, _ in curve)])
    return GraphGeometry(boxes, curves, width, max(middle.values()) + BOX_HEIGHT / 2)


def _isolated_boxes(names: Sequence[str], labels: Mapping[str, str], width: float, top: float) -> dict[str, Box]:
    """Return boxes side by side, in as many rows as the width asks for."""
    boxes: dict[str, Box] = {}
    x, y = 0.0, top + BOX_HEIGHT / 2
    for name in names:
        wide = _width(labels[name])
        if x > 0 and x + wide > width:
            x, y = 0.0, y + ROW_HEIGHT
        boxes[name] = Box(x, y, wide)
        x += wide + 0.12
    return boxes


def _width(label: str) -> float:
    return max(text_width(label, LABEL_SIZE) + 0.2, MIN_BOX_WIDTH)


def _gaps(layout: LayeredLayout, layer_of: Mapping[Vertex, int], height: float) -> list[float]:
    """Return the distance after every layer: the taller the drawing and the more edges pass, the wider."""
    passing = [0] * len(layout.layers)
    for one, other in (pair for chain in layout.chains for pair in pairwise(chain)):
        passing[layer_of[one]] += 1
        # An edge within a layer bends into the gap, where it needs more room than one that crosses it.
        passing[layer_of[one]] += 6 * (layer_of[one] == layer_of[other])
    return [min(max(MIN_GAP + 0.03 * many, GAP_PER_HEIGHT * height), MAX_GAP) for many in passing]


def _ports(
    layout: LayeredLayout, layer_of: Mapping[Vertex, int], middle: Mapping[Vertex, float]
) -> list[tuple[float, float]]:
    """Return how far from the middle of its box each edge begins and ends, so that edges do not lie on one another."""
    sides: dict[tuple[Vertex, str], list[tuple[float, int, int]]] = defaultdict(list)
    for number, chain in enumerate(layout.chains):
        level = layer_of[chain[0]] == layer_of[chain[-1]]
        sides[chain[0], "right"].append((middle[chain[1]], number, 0))
        sides[chain[-1], "right" if level else "left"].append((middle[chain[-2]], number, 1))
    ports = [[0.0, 0.0] for _ in layout.chains]
    for ends in sides.values():
        step = min(PORT_DISTANCE, 0.8 * BOX_HEIGHT / len(ends))
        for order, (_, number, end) in enumerate(sorted(ends)):
            ports[number][end] = step * (order - (len(ends) - 1) / 2)
    return [(first, last) for first, last in ports]


def _curve_between_layers(spans: Sequence[Box], ports: tuple[float, float]) -> list[Position]:
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


def _curve_within_layer(spans: Sequence[Box], ports: tuple[float, float]) -> list[Position]:
    """Return a bend on the right of the layer that holds both ends."""
    one, other = spans
    x, y, end = one.x + one.width, one.y + ports[0], other.y + ports[1]
    far = x + 0.3 + 0.35 * abs(end - y) ** 0.5
    return [(x, y), (far, y), (far, end), (x, end)]


EDGE_COLOUR = "#4d4d4d"
DOUBTFUL_COLOUR = "#b8b8b8"

THIN, THICK, UNWEIGHTED = 0.6, 2.8, 1.0
"""Width in points of a vanishing weight, of the largest, and of an edge without one."""

RING_RADIUS = 0.035
"""Radius of an open end in inches."""

EDGE_LETTERS = 18
"""Letters of an edge's label that are shown."""


def _draw_edges(canvas: Canvas, graph: Graph, geometry: GraphGeometry, x: float, y: float) -> None:
    """Draw all edges, the top left corner of the graph at x, y; then their labels, over all of them."""
    top = max((abs(edge.weight) for edge in graph.edges if edge.weight is not None), default=0.0) or 1.0
    moved = [[(x + a, y + b) for a, b in curve] for curve in geometry.curves]
    for edge, curve in zip(graph.edges, moved, strict=True):
        width = UNWEIGHTED if edge.weight is None else THIN + (THICK - THIN) * abs(edge.weight) / top
        ends = EDGES[edge.kind].ends
        _draw_edge(canvas, curve, ends if geometry.starts_at_source(edge) else ends[::-1], width, edge.doubtful)
    for edge, curve in zip(graph.edges, moved, strict=True):
        if edge.label:
            a, b = _middle(curve)
            paper = {"facecolor": "white", "edgecolor": "none", "pad": 0.8, "alpha": 0.85}
            canvas.text(a, b, shorten(edge.label, EDGE_LETTERS), 6.5, ha="center", bbox=paper)


def _draw_edge(canvas: Canvas, curve: Sequence[Position], ends: tuple[End, End], width: float, doubtful: bool) -> None:
    colour = DOUBTFUL_COLOUR if doubtful else EDGE_COLOUR
    long, half = 0.075 + width * POINT, 0.032 + 0.7 * width * POINT
    line = list(curve)
    for end, inner in ((0, 1), (-1, -2)):
        (x, y), towards = line[end], 1 if line[inner][0] > line[end][0] else -1
        if ends[end] == "ring":
            canvas.circle(x + towards * RING_RADIUS, y, RING_RADIUS, edgecolor=colour, facecolor="white", linewidth=0.9)
            line[end] = (x + towards * 2 * RING_RADIUS, y)
        if ends[end] != "head":
            continue
        canvas.polygon([(x, y), (x + towards * long, y - half), (x + towards * long, y + half)], facecolor=colour)
        # The line ends inside its head: a thick one would blunt the tip.
        line[end] = (x + towards * long * 0.9, y)
    canvas.curve(line, edgecolor=colour, linewidth=width, alpha=0.8, linestyle="--" if doubtful else "-")


def _middle(curve: Sequence[Position]) -> Position:
    """Return the middle of the middle piece of a curve."""
    start = 3 * ((len(curve) - 1) // 3 // 2)
    pieces = list(zip(curve[start : start + 4], (1, 3, 3, 1), strict=True))
    return sum(x * share for (x, _), share in pieces) / 8, sum(y * share for (_, y), share in pieces) / 8
