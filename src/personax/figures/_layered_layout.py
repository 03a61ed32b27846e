"""A layered layout (Sugiyama) of a causal graph: layers, orders with few crossings, heights, boxes in inches.

After Sugiyama, Tagawa and Toda 1981, doi:10.1109/TSMC.1981.4308636. Nothing is random.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise

from personax.data.edges import POINTING
from personax.figures._canvas import text_width
from personax.schema import Edge, Graph

__all__ = ["BOX", "SIZE", "Box", "Layers", "Places", "Point", "Spot", "assign", "heights", "is_causal", "lay_out"]


Point = Hashable
"""A node by its id, or a waypoint: the number of its edge and its layer."""

SWEEPS = 24


@dataclass(frozen=True, slots=True)
class Layers:
    """Points in layers from left to right, each from top to bottom.

    Parameters
    ----------
    columns
        The points of every layer.
    chains
        For each edge the points that it passes, from the left to the right; within one layer just its two ends.
    """

    columns: Sequence[Sequence[Point]]
    chains: Sequence[Sequence[Point]]


def is_causal(graph: Graph) -> bool:
    """Return whether any edge says what causes what."""
    return any(edge.kind != "undirected" for edge in graph.edges)


def assign(graph: Graph) -> Layers:
    """Put a graph into layers.

    In a causal graph a node's layer is the length of the longest path of directed edges into it (edges that close a
    cycle do not count). In any other graph each group is a layer, in the order in which the groups appear.

    Examples
    --------
    >>> from personax.schema import Node
    >>> graph = Graph([Node("a"), Node("b"), Node("c")], [Edge("a", "b"), Edge("b", "c"), Edge("a", "c")])
    >>> assign(graph).columns
    [['a'], ['b', (2, 1)], ['c']]
    """
    layer = _longest_paths(graph) if is_causal(graph) else _groups(graph)
    columns: list[list[Point]] = [[] for _ in range(max(layer.values(), default=-1) + 1)]
    for node in graph.nodes:
        columns[layer[node.id]].append(node.id)
    chains: list[list[Point]] = []
    for number, edge in enumerate(graph.edges):
        left, right = sorted((edge.source, edge.target), key=lambda end: layer[end])
        waypoints = [(number, between) for between in range(layer[left] + 1, layer[right])]
        for waypoint in waypoints:
            columns[waypoint[1]].append(waypoint)
        chains.append([left, *waypoints, right])
    return Layers(_uncrossed(columns, chains), chains)


def _groups(graph: Graph) -> dict[str, int]:
    order = {group: place for place, group in enumerate(dict.fromkeys(node.group for node in graph.nodes))}
    return {node.id: order[node.group] for node in graph.nodes}


def _longest_paths(graph: Graph) -> dict[str, int]:
    effects: dict[str, list[str]] = defaultdict(list)
    for cause, effect in _acyclic([edge for edge in graph.edges if edge.kind in POINTING]):
        effects[cause].append(effect)
    layer = {node.id: 0 for node in graph.nodes}
    # One round a layer: a path cannot be longer than there are nodes.
    waiting = list(layer)
    while waiting:
        lower: dict[str, None] = {}
        for cause in waiting:
            for effect in effects[cause]:
                if layer[effect] <= layer[cause]:
                    layer[effect] = layer[cause] + 1
                    lower[effect] = None
        waiting = list(lower)
    return layer


def _acyclic(edges: Sequence[Edge]) -> list[tuple[str, str]]:
    """Return the edges without those that would close a cycle with earlier ones."""
    effects: dict[str, set[str]] = defaultdict(set)
    kept = []
    for edge in edges:
        if not _reaches(effects, edge.target, edge.source):
            effects[edge.source].add(edge.target)
            kept.append((edge.source, edge.target))
    return kept


def _reaches(effects: Mapping[str, set[str]], start: str, end: str) -> bool:
    seen, waiting = {start}, [start]
    while waiting:
        node = waiting.pop()
        if node == end:
            return True
        fresh = effects.get(node, set()) - seen
        seen |= fresh
        waiting.extend(fresh)
    return False


def _uncrossed(columns: list[list[Point]], chains: Sequence[Sequence[Point]]) -> list[list[Point]]:
    """Sort every layer by the mean place of its neighbours, forth and back; return the best order met."""
    home = {point: number for number, column in enumerate(columns) for point in column}
    left: dict[Point, list[Point]] = defaultdict(list)
    right: dict[Point, list[Point]] = defaultdict(list)
    for one, other in (pair for chain in chains for pair in pairwise(chain)):
        if home[one] != home[other]:
            right[one].append(other)
            left[other].append(one)
    best, fewest = columns, _crossings(columns, right)
    for sweep in range(SWEEPS):
        forth = sweep % 2 == 0
        columns = _swept(columns, left, forth) if forth else _swept(columns, right, forth)
        if (crossed := _crossings(columns, right)) < fewest:
            best, fewest = columns, crossed
    return best


def _swept(
    columns: Sequence[Sequence[Point]], beside: Mapping[Point, Sequence[Point]], forth: bool
) -> list[list[Point]]:
    place = {point: _centred(i, column) for column in columns for i, point in enumerate(column)}
    done: list[list[Point]] = []
    for column in columns if forth else reversed(columns):
        mean = {p: sum(place[q] for q in beside[p]) / len(beside[p]) if beside.get(p) else place[p] for p in column}
        ordered = sorted(column, key=lambda point: mean[point])
        place |= {point: _centred(i, column) for i, point in enumerate(ordered)}
        done.append(ordered)
    return done if forth else done[::-1]


def _centred(place: int, column: Sequence[Point]) -> float:
    return place - (len(column) - 1) / 2


def _crossings(columns: Sequence[Sequence[Point]], right: Mapping[Point, Sequence[Point]]) -> int:
    place = {point: i for column in columns for i, point in enumerate(column)}
    crossed = 0
    for column in columns:
        ends = [(place[p], place[q]) for p in column for q in right.get(p, ())]
        crossed += sum((a - c) * (b - d) < 0 for i, (a, b) in enumerate(ends) for c, d in ends[i + 1 :])
    return crossed


ROUNDS = 16

WAYPOINT = 0.45
"""Room of an edge that passes a layer, where a node takes 1."""

LOOSE = 3.0
"""The nodes of a short layer beside a tall one stand at most so far apart for that reason alone."""


def heights(layers: Layers) -> dict[Point, float]:
    """Return the height of every point, 0 the highest point of all, growing downwards; nodes need 1.

    Examples
    --------
    >>> heights(Layers([["a", "b"], ["c"]], [["a", "c"], ["b", "c"]]))
    {'a': 0.0, 'b': 1.0, 'c': 0.5}
    """
    rooms = _rooms(layers.columns)
    place: dict[Point, float] = {}
    for column, room in zip(layers.columns, rooms, strict=True):
        starts = list(accumulate(room, initial=0.0))
        place |= {point: start - starts[-1] / 2 for point, start in zip(column, starts, strict=True)}
    beside = _neighbours(layers)
    for turn in range(ROUNDS):
        order = list(zip(layers.columns, rooms, strict=True))
        for column, room in order if turn % 2 == 0 else order[::-1]:
            wanted = [sum(place[q] for q in beside[p]) / len(beside[p]) if beside[p] else place[p] for p in column]
            place |= dict(zip(column, _apart(wanted, room), strict=True))
    highest = min(place.values(), default=0.0)
    return {point: height - highest for point, height in place.items()}


def _rooms(columns: Sequence[Sequence[Point]]) -> list[list[float]]:
    """Return the least distances between the points of every layer."""
    tallest = max((len(column) for column in columns), default=0)
    rooms = []
    for column in columns:
        spread = min(0.6 * (tallest - 1) / max(len(column) - 1, 1), LOOSE)
        sizes = [1.0 if isinstance(point, str) else WAYPOINT for point in column]
        rooms.append([(one + other) / 2 * max(spread, 1.0) for one, other in pairwise(sizes)])
    return rooms


def _neighbours(layers: Layers) -> Mapping[Point, Sequence[Point]]:
    beside: dict[Point, list[Point]] = defaultdict(list)
    for one, other in (pair for chain in layers.chains for pair in pairwise(chain)):
        beside[one].append(other)
        beside[other].append(one)
    return beside


def _apart(wanted: Sequence[float], room: Sequence[float]) -> list[float]:
    """Return the heights nearest to the wanted ones (least squares) that keep their order and distances.

    Without the distances this is isotonic regression, solved by pooling neighbours that are in the wrong order.
    """
    starts = list(accumulate(room, initial=0.0))
    pools: list[tuple[float, int]] = []
    for want, start in zip(wanted, starts, strict=True):
        mean, size = want - start, 1
        while pools and pools[-1][0] > mean:
            other, many = pools.pop()
            mean, size = (mean * size + other * many) / (size + many), size + many
        pools.append((mean, size))
    level = [mean for mean, size in pools for _ in range(size)]
    return [height + start for height, start in zip(level, starts, strict=True)]


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
