"""How high every point of a layered drawing lies: near its neighbours, never on top of another."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise

from personax.figures.layers import Layers, Point

__all__ = ["heights"]

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
