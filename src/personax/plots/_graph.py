"""Draw a graph for a paper: rounded boxes coloured by group, edges from left to right, as wide as they are strong."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

from personax.data.edges import EDGES
from personax.data.labels import display_trait, shorten, split_trait
from personax.errors import InputError, require
from personax.graphs import Box, graph_geometry
from personax.plots._style import GREY, defaults, finish, key, panels
from personax.registry import register
from personax.schema import Edge, Graph, Node

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_graph"]

PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#7F7F7F")
"""Colours that people with any colour vision tell apart: Okabe and Ito, https://jfly.uni-koeln.de/color/."""

FILLS = (0.32, 0.62, 0.14)
"""How much of the colour is in a box: the first groups have the first, and from the ninth on the next."""

NODE_LETTERS, EDGE_LETTERS = 26, 18
"""Letters of a node's and of an edge's label that are shown."""

BOX_HEIGHT, ROW_HEIGHT, GAP = 0.27, 0.37, 1.1
"""Height of a box, distance of boxes, distance of layers, in inches."""

EDGE_COLOUR, DOUBTFUL_COLOUR = "#4d4d4d", "#b8b8b8"

THIN, THICK, UNWEIGHTED = 0.6, 2.8, 1.0
"""Width in points of a vanishing weight, of the largest, and of an edge without one."""

RING = 0.07
"""Diameter of an open end in inches."""

HEADS = {(False, False): "-", (False, True): "-|>", (True, False): "<|-", (True, True): "<|-|>"}
"""Whether there is a head at the left and at the right end -> matplotlib's name of the arrow."""


@register("plots", "graph", title="Graph", help="boxes in layers, edges as wide as they are strong")
def draw_graph(graph: Graph) -> Figure:
    """Draw a graph: causes on the left, effects and traits on the right, nodes without an edge below.

    The caption is the meaning of the graph.

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
    >>> [text.get_text() for text in figure.axes[0].texts], figure.texts[-1].get_text()
    (['a', 'b'], 'a causes b')
    """
    _check(graph)
    labels = {node.id: _label(node) for node in graph.nodes}
    widths = {name: 0.09 * max(len(label), 3) + 0.16 for name, label in labels.items()}
    touched = {end for edge in graph.edges for end in (edge.source, edge.target)}
    joined = graph_geometry(
        replace(graph, nodes=[node for node in graph.nodes if node.id in touched]), widths, row=ROW_HEIGHT, gap=GAP
    )
    alone = _isolated([node.id for node in graph.nodes if node.id not in touched], widths, joined)
    boxes = {**joined.boxes, **alone}
    width = max(box.x + box.width for box in boxes.values())
    height = max(box.y for box in boxes.values()) + ROW_HEIGHT / 2
    with defaults():
        figure, (axes,) = panels(1, width, height)
        axes.set(xlim=(0, width), ylim=(height, 0))
        axes.axis("off")
        top = max(_sizes(graph), default=0.0) or 1.0
        for edge, path in zip(graph.edges, joined.paths, strict=True):
            _draw_edge(axes, edge, path, joined.starts_at_source(edge), top)
        colours = _colours(graph)
        for node in graph.nodes:
            _draw_node(axes, boxes[node.id], labels[node.id], colours[node.group])
        if alone:
            words = "without an edge" if graph.edges else "no edges"
            axes.text(0, joined.height + ROW_HEIGHT / 2, words, color=GREY, style="italic", va="center")
        return finish(figure, legend=list(_legend(graph, colours)), caption="\n".join(_caption(graph)))


@register("plots", "fit", title="Fitted method", help="the graph between the latents of Level II")
def _draw_fit(fitted: _HasGraph, *, threshold: float = 0.5) -> Figure:
    return draw_graph(fitted.graph(threshold))


class _HasGraph(Protocol):
    def graph(self, threshold: float) -> Graph: ...


class _Sized(Protocol):
    @property
    def width(self) -> float: ...
    @property
    def height(self) -> float: ...


def _check(graph: Graph) -> None:
    if not graph.nodes:
        raise InputError("the graph has no nodes; there is nothing to draw")
    known = {node.id for node in graph.nodes}
    if len(known) < len(graph.nodes):
        raise InputError("two nodes of the graph share an id; give every node its own")
    if lost := [end for edge in graph.edges for end in (edge.source, edge.target) if end not in known]:
        raise InputError(f"an edge ends at {lost[0]!r}, which is no node of the graph")


def _sizes(graph: Graph) -> list[float]:
    """Return the sizes of the weights that are numbers."""
    return [abs(edge.weight) for edge in graph.edges if edge.weight is not None and math.isfinite(edge.weight)]


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


def _isolated(names: Sequence[str], widths: Mapping[str, float], joined: _Sized) -> dict[str, Box]:
    """Return boxes side by side below the rest, in as many rows as the width asks for."""
    width, boxes = max(joined.width, 4.0), {}
    x, y = 0.0, joined.height + 1.5 * ROW_HEIGHT
    for name in names:
        if x > 0 and x + widths[name] > width:
            x, y = 0.0, y + ROW_HEIGHT
        boxes[name] = Box(x, y, widths[name])
        x += widths[name] + 0.12
    return boxes


def _draw_node(axes: Axes, box: Box, label: str, colours: tuple[str, tuple[str, float]]) -> None:
    border, fill = colours
    shape = require("matplotlib.patches", extra="figures").FancyBboxPatch
    corner, size = (box.x, box.y - BOX_HEIGHT / 2), f"round,pad=0,rounding_size={BOX_HEIGHT * 0.3}"
    # White below: the fill lets light through, and no edge is to show in it.
    for style in ({"facecolor": "white", "linewidth": 0}, {"facecolor": fill, "edgecolor": border, "linewidth": 1.0}):
        axes.add_patch(shape(corner, box.width, BOX_HEIGHT, boxstyle=size, clip_on=False, **style))
    axes.text(box.x + box.width / 2, box.y, label, fontsize=8.5, ha="center", va="center_baseline")


def _draw_edge(axes: Axes, edge: Edge, path: Sequence[tuple[float, float]], forth: bool, top: float) -> None:
    """Draw an edge, then its label over it: between layers an S, level through each layer that it passes."""
    colour = DOUBTFUL_COLOUR if edge.doubtful else EDGE_COLOUR
    known = edge.weight is not None and math.isfinite(edge.weight)
    width = THIN + (THICK - THIN) * abs(edge.weight or 0.0) / top if known else UNWEIGHTED
    left, right = EDGES[edge.kind].ends if forth else EDGES[edge.kind].ends[::-1]
    points = list(path)
    for end, place, into in ((left, 0, RING), (right, -1, -RING)):
        if end == "ring":
            x, y = points[place]
            axes.plot(x + into / 2, y, "o", markersize=4.2, markeredgewidth=0.9, color=colour, markerfacecolor="white")
            points[place] = (x + into, y)
    arrow = require("matplotlib.patches", extra="figures").FancyArrowPatch(
        path=_curve(points), arrowstyle=HEADS[left == "head", right == "head"], mutation_scale=6 + 2.2 * width,
        color=colour, linewidth=width, linestyle="--" if edge.doubtful else "-", joinstyle="miter",
        shrinkA=0, shrinkB=0,
    )  # fmt: skip
    axes.add_patch(arrow)
    if edge.label:
        (a, b), (c, d) = points[(len(points) - 2) // 4 * 2 :][:2]
        paper = {"facecolor": "white", "edgecolor": "none", "pad": 0.8, "alpha": 0.85}
        axes.text(
            (a + c) / 2,
            (b + d) / 2,
            shorten(edge.label, EDGE_LETTERS),
            fontsize=6.5,
            ha="center",
            va="center",
            bbox=paper,
        )


def _curve(points: Sequence[tuple[float, float]]) -> object:
    """Return Bézier curves from point to point that leave and arrive level."""
    path = require("matplotlib.path", extra="figures").Path
    corners = [points[0]]
    for (x, y), (end, other) in pairwise(points):
        middle = (x + end) / 2
        corners += [(middle, y), (middle, other), (end, other)]
    return path(corners, [path.MOVETO] + [path.CURVE4] * (len(corners) - 1))


def _legend(graph: Graph, colours: Mapping[str, tuple[str, tuple[str, float]]]) -> Iterator[Artist]:
    patch = require("matplotlib.patches", extra="figures").Patch
    if len(colours) > 1 or "" not in colours:
        for group, (border, fill) in colours.items():
            yield patch(facecolor=fill, edgecolor=border, label=shorten(group, NODE_LETTERS) or "other")
    present = {edge.kind for edge in graph.edges}
    if present - {"undirected"}:
        yield from (key(marks.words, color="none") for kind, marks in EDGES.items() if kind in present)


def _caption(graph: Graph) -> Iterator[str]:
    if graph.meaning:
        yield graph.meaning
    if weights := _sizes(graph):
        signed = any(edge.weight is not None and edge.weight < 0 for edge in graph.edges)
        span = f"{min(weights):.2g} to {max(weights):.2g}{' in size' if signed else ''}"
        yield f"Width of an edge: {graph.weight or 'weight'}, {span}."
