"""A layered layout (Sugiyama) of a graph: layers, dummy vertices, orders with few crossings, coordinates.

The four steps of Sugiyama, Tagawa and Toda 1981, doi:10.1109/TSMC.1981.4308636: break cycles, assign layers, order each
layer, assign coordinates. Nothing is random: the same graph has the same layout.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from itertools import accumulate, pairwise

from personax.data.edges import POINTING
from personax.schema import Graph

__all__ = ["LayeredLayout", "Vertex", "coordinates", "layered_layout", "longest_path_layers"]

Vertex = Hashable
"""A node by its id, or a dummy vertex of a long edge: the number of the edge, and the layer that it passes."""

SWEEPS = 24
"""Sorts of every layer, from left to right and back in turn."""

ROUNDS = 16
"""Passes of the coordinate assignment."""

DUMMY = 0.45
"""Height of a dummy vertex where a node has 1."""

SPREAD = 3.0
"""The nodes of a short layer beside a tall one are at most so far apart for that reason alone."""


@dataclass(frozen=True, slots=True)
class LayeredLayout:
    """Vertices in layers from left to right, each from top to bottom.

    Parameters
    ----------
    layers
        The vertices of every layer, in order.
    chains
        For each edge of the graph the vertices that it passes, from the left to the right, its ends included; of an
        edge within one layer just its ends.
    """

    layers: Sequence[Sequence[Vertex]]
    chains: Sequence[Sequence[Vertex]]

    @property
    def layer_of(self) -> dict[Vertex, int]:
        """Vertex -> number of its layer."""
        return {vertex: number for number, layer in enumerate(self.layers) for vertex in layer}

    @property
    def crossings(self) -> int:
        """Number of pairs of edges that cross between neighbouring layers."""
        return _crossings(self.layers, _beside(self.layers, self.chains)[1])


def longest_path_layers(graph: Graph, *, last: str | None = None) -> dict[str, int]:
    """Return the layer of each node: the length of the longest path into it.

    Parameters
    ----------
    graph
        Edges that point lead from source to target, except those that would close a cycle with surer or earlier ones:
        these are turned round. The others lead from the earlier node to the later one.
    last
        A group of nodes that edges without a direction lead to.

    Examples
    --------
    >>> from personax.schema import Edge, Node
    >>> edges = [Edge("a", "b"), Edge("b", "c"), Edge("a", "c"), Edge("c", "a")]
    >>> longest_path_layers(Graph([Node("a"), Node("b"), Node("c")], edges))
    {'a': 0, 'b': 1, 'c': 2}
    """
    causes: dict[str, list[str]] = {node.id: [] for node in graph.nodes}
    for source, target in _acyclic(graph, last):
        causes[target].append(source)
    layer: dict[str, int] = {}
    for node in TopologicalSorter(causes).static_order():
        layer[node] = max((layer[cause] + 1 for cause in causes[node]), default=0)
    return {node.id: layer[node.id] for node in graph.nodes}


def layered_layout(graph: Graph, layers: Mapping[str, int]) -> LayeredLayout:
    """Order nodes and dummy vertices within given layers so that few edges cross.

    Every layer is sorted by the barycentre (mean position) of its neighbours in the layer before, then in the layer
    after, `SWEEPS` times; the best order met is returned. The least number of crossings is NP-hard to find.

    Parameters
    ----------
    graph
        What is laid out.
    layers
        Node id -> layer; see `longest_path_layers`.

    Examples
    --------
    >>> from personax.schema import Edge, Node
    >>> graph = Graph([Node("a"), Node("b"), Node("c")], [Edge("a", "b"), Edge("b", "c"), Edge("a", "c")])
    >>> layered_layout(graph, longest_path_layers(graph)).layers
    [['a'], ['b', (2, 1)], ['c']]
    """
    columns: list[list[Vertex]] = [[] for _ in range(max(layers.values(), default=-1) + 1)]
    for node in graph.nodes:
        columns[layers[node.id]].append(node.id)
    chains: list[list[Vertex]] = []
    for number, edge in enumerate(graph.edges):
        left, right = sorted((edge.source, edge.target), key=lambda end: layers[end])
        dummies = [(number, layer) for layer in range(layers[left] + 1, layers[right])]
        for dummy in dummies:
            columns[dummy[1]].append(dummy)
        chains.append([left, *dummies, right])
    return LayeredLayout(_ordered(columns, chains), chains)


def coordinates(layout: LayeredLayout) -> dict[Vertex, float]:
    """Return the height of every vertex, 0 the highest of all, growing downwards; nodes of a layer are 1 apart or more.

    Each layer in turn takes the heights nearest to the mean heights of its neighbours that keep order and distances.

    Examples
    --------
    >>> coordinates(LayeredLayout([["a", "b"], ["c"]], [["a", "c"], ["b", "c"]]))
    {'a': 0.0, 'b': 1.0, 'c': 0.5}
    """
    distances = _distances(layout.layers)
    height: dict[Vertex, float] = {}
    for layer, distance in zip(layout.layers, distances, strict=True):
        starts = list(accumulate(distance, initial=0.0))
        height |= {vertex: start - starts[-1] / 2 for vertex, start in zip(layer, starts, strict=True)}
    neighbours: dict[Vertex, list[Vertex]] = defaultdict(list)
    for one, other in (pair for chain in layout.chains for pair in pairwise(chain)):
        neighbours[one].append(other)
        neighbours[other].append(one)
    for turn in range(ROUNDS):
        order = list(zip(layout.layers, distances, strict=True))
        for layer, distance in order if turn % 2 == 0 else order[::-1]:
            wanted = [_mean(height, neighbours.get(vertex), height[vertex]) for vertex in layer]
            height |= dict(zip(layer, _apart(wanted, distance), strict=True))
    highest = min(height.values(), default=0.0)
    return {vertex: value - highest for vertex, value in height.items()}


def _acyclic(graph: Graph, last: str | None) -> list[tuple[str, str]]:
    """Return the ends of each edge in the direction that it leads; the directions form no cycle."""
    rank = {node.id: (node.group == last, number) for number, node in enumerate(graph.nodes)}
    pointing = [edge for kind in POINTING for edge in graph.edges if edge.kind == kind]
    others = [edge for edge in graph.edges if edge.kind not in POINTING]
    effects: dict[str, set[str]] = defaultdict(set)
    directions = []
    for edge in (edge for edge in [*pointing, *others] if edge.source != edge.target):
        source, target = edge.source, edge.target
        if edge.kind not in POINTING and rank[source] > rank[target]:
            source, target = target, source
        if _reaches(effects, target, source):
            source, target = target, source
        effects[source].add(target)
        directions.append((source, target))
    return directions


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


Neighbours = Mapping[Vertex, Sequence[Vertex]]


def _beside(layers: Sequence[Sequence[Vertex]], chains: Sequence[Sequence[Vertex]]) -> tuple[Neighbours, Neighbours]:
    """Return the neighbours of each vertex in the layer before and in the layer after."""
    layer_of = {vertex: number for number, layer in enumerate(layers) for vertex in layer}
    before: dict[Vertex, list[Vertex]] = defaultdict(list)
    after: dict[Vertex, list[Vertex]] = defaultdict(list)
    for one, other in (pair for chain in chains for pair in pairwise(chain)):
        if layer_of[one] != layer_of[other]:
            after[one].append(other)
            before[other].append(one)
    return before, after


def _ordered(layers: list[list[Vertex]], chains: Sequence[Sequence[Vertex]]) -> list[list[Vertex]]:
    before, after = _beside(layers, chains)
    best, fewest = layers, _crossings(layers, after)
    for sweep in range(SWEEPS):
        layers = _swept(layers, before) if sweep % 2 == 0 else _swept(layers[::-1], after)[::-1]
        if (crossed := _crossings(layers, after)) < fewest:
            best, fewest = layers, crossed
    return best


def _swept(layers: Sequence[Sequence[Vertex]], neighbours: Neighbours) -> list[list[Vertex]]:
    """Sort the layers one after the other by the barycentres of their neighbours; positions count from the middle."""
    position = {vertex: place for layer in layers for vertex, place in _centred(layer)}
    swept: list[list[Vertex]] = []
    for layer in layers:
        barycentre = {vertex: _mean(position, neighbours.get(vertex), position[vertex]) for vertex in layer}
        swept.append(sorted(layer, key=barycentre.__getitem__))
        position |= dict(_centred(swept[-1]))
    return swept


def _centred(layer: Sequence[Vertex]) -> list[tuple[Vertex, float]]:
    return [(vertex, place - (len(layer) - 1) / 2) for place, vertex in enumerate(layer)]


def _mean(values: Mapping[Vertex, float], vertices: Sequence[Vertex] | None, default: float) -> float:
    return sum(values[vertex] for vertex in vertices) / len(vertices) if vertices else default


def _crossings(layers: Sequence[Sequence[Vertex]], after: Neighbours) -> int:
    place = {vertex: i for layer in layers for i, vertex in enumerate(layer)}
    crossed = 0
    for layer in layers:
        ends = [(place[p], place[q]) for p in layer for q in after.get(p, ())]
        crossed += sum((a - c) * (b - d) < 0 for i, (a, b) in enumerate(ends) for c, d in ends[i + 1 :])
    return crossed


def _distances(layers: Sequence[Sequence[Vertex]]) -> list[list[float]]:
    """Return the least distances between the neighbours of every layer."""
    tallest = max((len(layer) for layer in layers), default=0)
    distances = []
    for layer in layers:
        spread = min(0.6 * (tallest - 1) / max(len(layer) - 1, 1), SPREAD)
        sizes = [1.0 if isinstance(vertex, str) else DUMMY for vertex in layer]
        distances.append([(one + other) / 2 * max(spread, 1.0) for one, other in pairwise(sizes)])
    return distances


def _apart(wanted: Sequence[float], distance: Sequence[float]) -> list[float]:
    """Return the heights nearest to the wanted ones (least squares) that keep their order and distances.

    With s_i the sum of the first i distances, h_{i+1} - h_i >= d_i says that h_i - s_i does not fall: what is left is
    isotonic regression of wanted_i - s_i, solved by pooling neighbours that are in the wrong order.
    """
    starts = list(accumulate(distance, initial=0.0))
    pools: list[tuple[float, int]] = []
    for want, start in zip(wanted, starts, strict=True):
        mean, size = want - start, 1
        while pools and pools[-1][0] > mean:
            other, many = pools.pop()
            mean, size = (mean * size + other * many) / (size + many), size + many
        pools.append((mean, size))
    level = [mean for mean, size in pools for _ in range(size)]
    return [height + start for height, start in zip(level, starts, strict=True)]
