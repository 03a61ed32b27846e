"""Draw the edges of a graph: curves as wide as the weights, arrowheads, labels."""

from __future__ import annotations

from collections.abc import Sequence

from personax.data.edges import EDGES, End
from personax.figures.canvas import POINT, Canvas
from personax.figures.places import Places, Spot
from personax.figures.words import cut
from personax.schema import Graph

__all__ = ["draw_edges"]

COLOUR = "#4d4d4d"

THIN, THICK, PLAIN = 0.6, 2.8, 1.0
"""Width in points of a vanishing weight, of the largest, and of an edge without one."""

RING = 0.035
"""Radius of an open end in inches."""

LETTERS = 18
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
            canvas.text(a, b, cut(edge.label, LETTERS), 6.5, ha="center", bbox=paper)


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
