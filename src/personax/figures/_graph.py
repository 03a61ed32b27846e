"""Draw a graph for a paper: rounded boxes coloured by group, edges from left to right, as wide as they are strong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from personax.data.edges import EDGES, End
from personax.errors import InputError
from personax.figures._canvas import PALE, POINT, Canvas, defaults, wrapped
from personax.figures._heatmap import LINE, Key, draw_keys, flow
from personax.figures._labels import cut, split_trait
from personax.figures._layered_layout import BOX, SIZE, Box, Places, Spot, is_causal, lay_out
from personax.schema import LETTERS, Graph, Node

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw_edges", "draw_graph"]


COLOUR = "#4d4d4d"

THIN, THICK, PLAIN = 0.6, 2.8, 1.0
"""Width in points of a vanishing weight, of the largest, and of an edge without one."""

RING = 0.035
"""Radius of an open end in inches."""

LABEL_LETTERS = 18
"""Letters of an edge's label that are shown."""


def draw_edges(canvas: Canvas, graph: Graph, places: Places, x: float, y: float) -> None:
    """Draw all edges, the top left corner of the graph at x, y; then their labels, over all of them."""
    top = max((abs(edge.weight) for edge in graph.edges if edge.weight is not None), default=0.0) or 1.0
    moved = [[(x + a, y + b) for a, b in curve] for curve in places.curves]
    for edge, curve in zip(graph.edges, moved, strict=True):
        width = PLAIN if edge.weight is None else THIN + (THICK - THIN) * abs(edge.weight) / top
        ends = EDGES[edge.kind].ends
        _draw(canvas, curve, ends if places.starts_at_source(edge) else ends[::-1], width)
    for edge, curve in zip(graph.edges, moved, strict=True):
        if edge.label:
            a, b = _middle(curve)
            paper = {"facecolor": "white", "edgecolor": "none", "pad": 0.8, "alpha": 0.85}
            canvas.text(a, b, cut(edge.label, LABEL_LETTERS), 6.5, ha="center", bbox=paper)


def _draw(canvas: Canvas, curve: Sequence[Spot], ends: tuple[End, End], width: float) -> None:
    long, half = 0.075 + width * POINT, 0.032 + 0.7 * width * POINT
    line = list(curve)
    for end, inner in ((0, 1), (-1, -2)):
        (x, y), towards = line[end], 1 if line[inner][0] > line[end][0] else -1
        if ends[end] == "ring":
            canvas.circle(x + towards * RING, y, RING, edgecolor=COLOUR, facecolor="white", linewidth=0.9)
            line[end] = (x + towards * 2 * RING, y)
        if ends[end] != "head":
            continue
        canvas.polygon([(x, y), (x + towards * long, y - half), (x + towards * long, y + half)], facecolor=COLOUR)
        # The line ends inside its head: a thick one would blunt the tip.
        line[end] = (x + towards * long * 0.9, y)
    canvas.curve(line, edgecolor=COLOUR, linewidth=width, alpha=0.8)


def _middle(curve: Sequence[Spot]) -> Spot:
    """Return the middle of the middle piece of a curve."""
    start = 3 * ((len(curve) - 1) // 3 // 2)
    pieces = list(zip(curve[start : start + 4], (1, 3, 3, 1), strict=True))
    return sum(x * share for (x, _), share in pieces) / 8, sum(y * share for (_, y), share in pieces) / 8


PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#7F7F7F")
"""Colours that people with any colour vision tell apart: Okabe and Ito, https://jfly.uni-koeln.de/color/."""

FILLS = (0.32, 0.62, 0.14)
"""How much of the colour is in a box: the first groups have the first, and from the ninth on the next."""

PAD, LEAST = 0.16, 4.2
"""Rim of the page and least width within it, in inches."""

SHOWN = 26
"""Letters of a label that are shown."""

BOX_COLOUR = 8.0
"""Size of the caption in points."""


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
    places = lay_out(graph, labels, LEAST)
    keys = flow(list(_keys(graph, colours)), places.width)
    caption = [line for text in _caption(graph) for line in wrapped(text, places.width, BOX_COLOUR)]
    with defaults():
        below = 0.12 + LINE * (len(keys) + len(caption)) + 0.06
        canvas = Canvas(places.width + 2 * PAD, places.height + below + 2 * PAD)
        draw_edges(canvas, graph, places, PAD, PAD)
        for node in graph.nodes:
            _draw_node(canvas, places.boxes[node.id], labels[node.id], colours[node.group])
        if places.alone is not None:
            heading = "without an edge" if graph.edges else "no edges"
            canvas.text(PAD, PAD + places.alone, heading, BOX_COLOUR, color=PALE, style="italic", va="center_baseline")
        end = draw_keys(canvas, PAD, PAD + places.height + 0.12, keys) + 0.06
        for line, text in enumerate(caption):
            canvas.text(PAD, end + LINE * (line + 0.5), text, BOX_COLOUR, va="center_baseline")
    return canvas.figure


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
    trait = split_trait(name)
    if trait and trait[0] == "final":
        return next(long for long, letter in LETTERS.items() if letter == trait[1].lower()).capitalize()
    return cut(name, SHOWN)


def _colours(graph: Graph) -> dict[str, tuple[str, tuple[str, float]]]:
    """Return border and fill of each group, in the order in which the groups appear."""
    colours = {}
    for place, group in enumerate(dict.fromkeys(node.group for node in graph.nodes)):
        again, hue = divmod(place, len(PALETTE))
        colours[group] = PALETTE[hue], (PALETTE[hue], FILLS[again % len(FILLS)])
    return colours


def _draw_node(canvas: Canvas, box: Box, label: str, colours: tuple[str, tuple[str, float]]) -> None:
    border, fill = colours
    x, y = PAD + box.x, PAD + box.y
    # White below: the fill lets light through, and no edge is to show in it.
    for style in ({"facecolor": "white", "linewidth": 0}, {"facecolor": fill, "edgecolor": border, "linewidth": 1.0}):
        canvas.round_box(x, y - BOX / 2, box.width, BOX, **style)
    canvas.text(x + box.width / 2, y, label, SIZE, ha="center", va="center_baseline")


def _keys(graph: Graph, colours: Mapping[str, tuple[str, tuple[str, float]]]) -> Iterator[Key]:
    if len(colours) > 1 or "" not in colours:
        for group, (_, fill) in colours.items():
            yield Key(fill, cut(group, SHOWN) or "other")
    if is_causal(graph):
        present = {edge.kind for edge in graph.edges}
        yield from (Key(None, marks.words) for kind, marks in EDGES.items() if kind in present)


def _caption(graph: Graph) -> Iterator[str]:
    if graph.meaning:
        yield graph.meaning
    weights = [abs(edge.weight) for edge in graph.edges if edge.weight is not None]
    if weights:
        signed = any(edge.weight is not None and edge.weight < 0 for edge in graph.edges)
        span = f"{min(weights):.2g} to {max(weights):.2g}{' in size' if signed else ''}"
        yield f"Width of an edge: {graph.weight or 'weight'}, {span}."
