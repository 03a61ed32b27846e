"""Which layer of a drawing every node and waypoint is in, and in which order: few edges cross.

After Sugiyama, Tagawa and Toda 1981, doi:10.1109/TSMC.1981.4308636. Nothing is random.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from personax.data.edges import POINTING
from personax.schema import Edge, Graph

__all__ = ["Layers", "Point", "assign", "is_causal"]

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
