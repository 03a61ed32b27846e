"""Meek's four rules: the directions that follow from those already known, without a new collider and without a cycle.

causal-learn applies the first three. With background knowledge the fourth is needed too (Meek 1995, arXiv:1302.4972).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from itertools import permutations

__all__ = ["Pair", "follow"]

Pair = tuple[int, int]


def follow(
    arrows: Collection[Pair], lines: Collection[Pair], forbidden: Callable[[int, int], bool], unclear: Collection[Pair]
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
    unclear
        Pairs without an edge that no test separated: what lies between them may or may not be a collider.

    Returns
    -------
    tuple
        Arrows and the lines that are left.

    Examples
    --------
    >>> follow({(0, 1)}, {(1, 2)}, lambda cause, effect: False, ())
    ({(0, 1), (1, 2)}, set())
    """
    known, left = set(arrows), set(lines)
    apart = {frozenset(pair) for pair in unclear}
    found = True
    while found:
        found = False
        for i, j in sorted(left):
            for cause, effect in ((i, j), (j, i)):
                allowed = not forbidden(cause, effect) and not _reaches(known, effect, cause)
                if allowed and _Around(cause, effect, known, left, apart).follows():
                    left.discard((i, j))
                    known.add((cause, effect))
                    found = True
                    break
    return known, left


class _Around:
    """A line a - b and what is known about it: whether a -> b follows."""

    def __init__(self, a: int, b: int, arrows: set[Pair], lines: set[Pair], apart: set[frozenset[int]]) -> None:
        self.a, self.b, self.arrows, self.lines, self._apart = a, b, arrows, lines, apart

    def follows(self) -> bool:
        a, b, arrows = self.a, self.b, self.arrows
        if any(self._separated(c, b) for c, other in arrows if other == a):
            return True  # 1: c -> a - b would be a collider at a
        if any((c, b) in arrows for other, c in arrows if other == a):
            return True  # 2: a -> c -> b would be a cycle
        for c, d in permutations(sorted(self._joined()), 2):
            if (c, b) in arrows and (d, b) in arrows and self._line(c) and self._line(d) and self._separated(c, d):
                return True  # 3: from b -> a would follow a collider c -> a <- d
            if (d, c) in arrows and (c, b) in arrows and self._line(d) and self._separated(d, b):
                return True  # 4: from b -> a would follow a -> d, so a cycle or a collider
        return False

    def _joined(self) -> Iterator[int]:
        for i, j in (*self.arrows, *self.lines):
            if self.a in (i, j) and self.b not in (i, j):
                yield j if i == self.a else i

    def _line(self, c: int) -> bool:
        return (min(self.a, c), max(self.a, c)) in self.lines

    def _separated(self, c: int, d: int) -> bool:
        pair = (min(c, d), max(c, d))
        joined = pair in self.lines or pair in self.arrows or pair[::-1] in self.arrows
        return c != d and not joined and frozenset(pair) not in self._apart


def _reaches(arrows: Collection[Pair], start: int, end: int) -> bool:
    seen, waiting = {start}, [start]
    while waiting:
        node = waiting.pop()
        if node == end:
            return True
        fresh = {effect for cause, effect in arrows if cause == node} - seen
        seen |= fresh
        waiting.extend(fresh)
    return False
