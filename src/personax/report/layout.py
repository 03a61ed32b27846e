"""Where to draw the nodes of a graph: layers from causes to effects, ordered so that few edges cross.

The usual four steps (Sugiyama, Tagawa and Toda 1981, doi:10.1109/TSMC.1981.4308636): orient, assign layers by longest
path, put a waypoint in every layer that a long edge passes, sort each layer by the mean place of its neighbours.
Nothing is random: the same graph gives the same places.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from personax.data.edges import POINTING
from personax.schema import Graph

__all__ = ["GraphLayout", "layered"]

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
    for number, (source, target) in enumerate(flow):
        middle = [(number, layer) for layer in range(layers[source] + 1, layers[target])]
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
