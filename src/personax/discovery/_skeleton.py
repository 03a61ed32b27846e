"""Which pairs are joined: the search for separating sets that PC and FCI begin with."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from personax.discovery._ci_test import CachedTest

__all__ = ["Separation", "Skeleton", "find_skeleton", "possible_separators", "remove_separated", "subsets"]

Pair = tuple[int, int]


@dataclass(frozen=True)
class Separation:
    """A set that separates a pair, and the p-value of their independence given it."""

    given: tuple[int, ...]
    p_value: float


@dataclass
class Skeleton:
    """The pairs that are joined, and what separates the others.

    Parameters
    ----------
    adjacent
        Node -> the nodes it is joined with.
    separations
        Pair -> the set that took its edge away. A pair that is neither here nor joined was not tested.
    largest
        Size of the largest set that was looked at.
    """

    adjacent: dict[int, set[int]]
    separations: dict[Pair, Separation]
    largest: int = 0

    @property
    def pairs(self) -> list[Pair]:
        """The joined pairs, i < j, in order."""
        return [(i, j) for i in sorted(self.adjacent) for j in sorted(self.adjacent[i]) if i < j]

    def triples(self) -> Iterator[tuple[int, int, int]]:
        """Yield a, b, c with edges a - b - c and none between a and c; a < c."""
        for b in sorted(self.adjacent):
            for a, c in combinations(sorted(self.adjacent[b]), 2):
                if c not in self.adjacent[a]:
                    yield a, b, c

    def remove(self, pair: Pair, separation: Separation | None = None) -> None:
        """Take an edge away."""
        i, j = pair
        self.adjacent[i].discard(j)
        self.adjacent[j].discard(i)
        if separation is not None:
            self.separations[pair] = separation


def subsets(groups: Sequence[Collection[int]], size: int) -> Iterator[tuple[int, ...]]:
    """Yield the sets of one size that lie within one of several groups, each once.

    Examples
    --------
    >>> list(subsets([{1, 2}, {2, 3}], 1))
    [(1,), (2,), (3,)]
    """
    seen: set[tuple[int, ...]] = set()
    for group in groups:
        for chosen in combinations(sorted(group), size):
            if chosen not in seen:
                seen.add(chosen)
                yield chosen


def find_skeleton(
    nodes: int, test: CachedTest, alpha: float, *, never: Iterable[Pair] = (), max_given: int | None = None
) -> Skeleton:
    """Join all pairs that no set of neighbours separates.

    Parameters
    ----------
    nodes
        Number of variables.
    test
        Answers "x and y independent given z?" with a p-value.
    alpha
        A pair is separated by a set whose p-value is greater.
    never
        Pairs that are known to have no edge; they are not tested.
    max_given
        Largest number of variables given; no limit by default.

    Notes
    -----
    The neighbours are those at the beginning of a size, so that no edge depends on which pair came first
    (Colombo and Maathuis 2014, JMLR 15, "PC-stable").

    Examples
    --------
    >>> chain = lambda x, y, z: float((x, y) == (0, 2) and 1 in z)
    >>> find_skeleton(3, CachedTest(chain, "abc"), 0.05).pairs
    [(0, 1), (1, 2)]
    """
    skeleton = Skeleton({i: set(range(nodes)) - {i} for i in range(nodes)}, {})
    for pair in never:
        skeleton.remove(pair)
    size = 0
    while _goes_on(skeleton, size, max_given):
        neighbours = {i: frozenset(near) for i, near in skeleton.adjacent.items()}
        for i, j in skeleton.pairs:
            found = _separation((i, j), [neighbours[i] - {j}, neighbours[j] - {i}], size, test, alpha)
            if found is not None:
                skeleton.remove((i, j), found)
        skeleton.largest = size
        size += 1
    return skeleton


def _goes_on(skeleton: Skeleton, size: int, max_given: int | None) -> bool:
    within = max_given is None or size <= max_given
    return within and any(len(near) > size for near in skeleton.adjacent.values())


def _separation(
    pair: Pair, groups: Sequence[Collection[int]], size: int, test: CachedTest, alpha: float
) -> Separation | None:
    if frozenset(pair) in test.required:
        return None
    for given in subsets(groups, size):
        p_value = test(*pair, given)
        if p_value > alpha:
            return Separation(given, p_value)
    return None


def possible_separators(skeleton: Skeleton, colliders: Collection[tuple[int, int, int]]) -> dict[int, frozenset[int]]:
    """Return for every node those among which a set may lie that separates it, when causes are hidden.

    A node v is one of a's when a path leads from a to v on which every inner node is a collider or the middle of a
    triangle (Spirtes, Glymour and Scheines 2000, "Possible-D-Sep").

    Examples
    --------
    >>> skeleton = Skeleton({0: {1}, 1: {0, 2}, 2: {1}}, {})
    >>> possible_separators(skeleton, {(0, 1, 2)})[0]
    frozenset({1, 2})
    """
    known = set(colliders)
    return {node: _reachable(node, skeleton, known) for node in skeleton.adjacent}


def _reachable(start: int, skeleton: Skeleton, colliders: set[tuple[int, int, int]]) -> frozenset[int]:
    near = skeleton.adjacent
    waiting = [(start, first) for first in near[start]]
    seen = set(waiting)
    while waiting:
        before, at = waiting.pop()
        for after in near[at] - {before, start}:
            middle = after in near[before] or (min(before, after), at, max(before, after)) in colliders
            if middle and (at, after) not in seen:
                seen.add((at, after))
                waiting.append((at, after))
    return frozenset(at for _, at in seen)


def remove_separated(
    skeleton: Skeleton,
    separators: dict[int, frozenset[int]],
    test: CachedTest,
    alpha: float,
    *,
    max_given: int | None = None,
) -> None:
    """Take away the edges of pairs that a set beyond their neighbours separates."""
    for i, j in skeleton.pairs:
        groups = [separators[i] - {j}, separators[j] - {i}]
        limit = max(map(len, groups))
        for size in range(min(limit, limit if max_given is None else max_given) + 1):
            found = _separation((i, j), groups, size, test, alpha)
            if found is not None:
                skeleton.remove((i, j), found)
                skeleton.largest = max(skeleton.largest, size)
                break
