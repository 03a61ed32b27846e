"""Meek's four rules: the directions that follow from those already known, without a new collider and without a cycle.

With background knowledge the fourth is needed too (Meek 1995, arXiv:1302.4972). All that follow at once are directed at
once, so that nothing depends on the order of the columns.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from itertools import permutations

import numpy as np

__all__ = ["Pair", "apply_rules"]

Pair = tuple[int, int]


def apply_rules(
    arrows: Collection[Pair],
    lines: Collection[Pair],
    forbidden: Callable[[int, int], bool],
    ambiguous: Collection[tuple[int, int, int]] = (),
    others: Collection[Pair] = (),
) -> tuple[set[Pair], set[Pair]]:
    """Direct every line whose direction follows, until none does.

    Parameters
    ----------
    arrows
        (cause, effect).
    lines
        Edges of open direction, each (i, j) with i < j.
    forbidden
        Whether a cause is known not to be.
    ambiguous
        Triples (a, b, c), a < c, that may or may not be colliders at b.
    others
        Pairs that are joined in another way, such as by two heads: nothing follows from them but that they are joined.

    Returns
    -------
    tuple
        Arrows and the lines that are left; a line that rules would direct both ways is left.

    Examples
    --------
    >>> apply_rules({(0, 1)}, {(1, 2)}, lambda cause, effect: False)
    ({(0, 1), (1, 2)}, set())
    """
    known, left = set(arrows), set(lines)
    joined = {frozenset(pair) for pair in (*arrows, *lines, *others)}
    while True:
        around = _Rules(known, left, joined, set(ambiguous))
        found = {(i, j) for line in left for i, j in (line, line[::-1]) if not forbidden(i, j) and around.imply(i, j)}
        fresh = {(i, j) for i, j in found if (j, i) not in found}
        fresh -= _on_a_cycle(known | fresh)
        if not fresh:
            return known, left
        known |= fresh
        left -= {(min(pair), max(pair)) for pair in fresh}


def _on_a_cycle(arrows: set[Pair]) -> set[Pair]:
    size = 1 + max((max(pair) for pair in arrows), default=-1)
    reaches = np.zeros((size, size), bool)
    for pair in arrows:
        reaches[pair] = True
    for through in range(size):  # Warshall's closure
        reaches |= np.outer(reaches[:, through], reaches[through])
    return {(cause, effect) for cause, effect in arrows if reaches[effect, cause]}


class _Rules:
    """What is known, and whether a direction follows from it."""

    def __init__(
        self, arrows: set[Pair], lines: set[Pair], joined: set[frozenset[int]], ambiguous: set[tuple[int, int, int]]
    ) -> None:
        self._arrows, self._lines, self._joined, self._ambiguous = arrows, lines, joined, ambiguous
        self._causes: dict[int, set[int]] = {}
        self._near: dict[int, set[int]] = {}
        for cause, effect in arrows:
            self._causes.setdefault(effect, set()).add(cause)
        for i, j in (*arrows, *lines):
            self._near.setdefault(i, set()).add(j)
            self._near.setdefault(j, set()).add(i)

    def imply(self, a: int, b: int) -> bool:
        """Say whether a -> b follows."""
        arrows = self._arrows
        if any(self._no_collider(c, a, b) for c in self._causes.get(a, ())):
            return True  # 1: c -> a - b would be a collider at a
        if any((a, c) in arrows for c in self._causes.get(b, ())):
            return True  # 2: a -> c -> b would be a cycle
        for c, d in permutations(self._around(a, b), 2):
            if (c, b) in arrows and (d, b) in arrows and self._line(a, c) and self._line(a, d):
                if self._no_collider(c, a, d):
                    return True  # 3: from b -> a would follow a collider c -> a <- d
            elif (d, c) in arrows and (c, b) in arrows and self._line(a, d) and self._no_collider(d, a, b):
                return True  # 4: from b -> a would follow a -> d, so a cycle or a collider
        return False

    def _around(self, a: int, b: int) -> Iterator[int]:
        return (c for c in sorted(self._near.get(a, ())) if c != b)

    def _line(self, a: int, c: int) -> bool:
        return (min(a, c), max(a, c)) in self._lines

    def _no_collider(self, c: int, middle: int, d: int) -> bool:
        """Say whether c - middle - d is known not to be a collider: it would have been directed."""
        apart = c != d and frozenset((c, d)) not in self._joined
        return apart and (min(c, d), middle, max(c, d)) not in self._ambiguous
