"""The node of least loss in a lattice of levels; knows whole numbers only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Lattice", "LatticeNode"]

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
LOSS_DECIMALS = 12
"""Losses that agree to so many decimals are the same."""


@dataclass(frozen=True)
class LatticeNode:
    """Levels, one a hierarchy; their loss; the people to be withheld, and how many."""

    levels: tuple[int, ...]
    loss: float
    withheld: Mask
    people: int

    @property
    def order(self) -> tuple[float, int, tuple[int, ...]]:
        """What makes one node better than another: loss, then people withheld, then the lower levels."""
        return round(self.loss, LOSS_DECIMALS), self.people, self.levels


class Lattice:
    """All choices of a level for each hierarchy, over distinct rows with counts.

    Parameters
    ----------
    codes
        For each hierarchy the code of every row at every level, (levels, rows); the last level is one that tells
        nothing, and each level is a function of the one before.
    losses
        For each hierarchy the loss of its levels, not decreasing.
    empty
        For each hierarchy, (levels, rows): the value of the row is missing at this level.
    counts
        People of each row.
    sensitive
        Codes from 0 of values that must differ within a class, one array a column.
    k, diverse
        Least people, and least distinct sensitive values, of a class.
    limit
        Most people who may be withheld.
    """

    def __init__(
        self,
        codes: Sequence[Ints],
        losses: Sequence[Sequence[float]],
        empty: Sequence[Mask],
        counts: Ints,
        sensitive: Sequence[Ints],
        *,
        k: int,
        diverse: int,
        limit: int,
    ) -> None:
        self.codes, self.losses, self.empty, self.counts = codes, losses, empty, counts
        self.sensitive = sensitive if diverse > 1 else ()
        self.k, self.diverse, self.limit = k, diverse, limit
        # room for a count beside a class in one number
        self._bits = int(counts.max()).bit_length()
        self.cards = [[int(level.max()) + 1 for level in unit] for unit in codes]
        self.tried = 0

    def search(self, budget: int) -> tuple[LatticeNode, bool]:
        """Return the best node, and whether it is proven optimal.

        Greedy ascent finds a node. Then branch and bound chooses level after level: people in small classes only
        become fewer as levels rise, so that a part of the columns that is too fine leaves no hope for the whole
        (predictive tagging, as in OLA and Flash), and each column has a least level beside those chosen. After
        ``budget`` looks at the table the best node so far is returned.
        """
        self.tried = 0
        self.best = self._greedy()
        self.budget = budget
        units = len(self.codes)
        order = sorted(range(units), key=lambda u: (-self.cards[u][0], u))
        nothing = np.zeros(len(self.counts), dtype=np.int64)
        least = self._tighten(nothing, 1, [-1] * units, order, dict.fromkeys(order, 0))
        if least is not None:
            self._walk(order, nothing, 1, [-1] * units, least)
        return self.best, self.tried <= budget

    def node(self, levels: Sequence[int]) -> LatticeNode | None:
        """Return a node, or None where more than the limit would have to be withheld."""
        classes = np.zeros(len(self.counts), dtype=np.int64)
        card = 1
        for unit, level in enumerate(levels):
            classes, card = self._refine(classes, card, unit, level)
        return self._node(levels, classes)

    def _node(self, levels: Sequence[int], classes: Ints) -> LatticeNode | None:
        classes = np.unique(classes, return_inverse=True)[1]
        small = self._small(classes)
        withheld = small[classes]
        nothing = np.logical_and.reduce([empty[level] for empty, level in zip(self.empty, levels, strict=True)])
        # those withheld and those with no value at all are one class; it must be large enough as well
        if withheld.any() and not small.all() and self._small(np.where(withheld | nothing, 0, 1))[0]:
            sizes = np.bincount(classes, weights=self.counts)
            withheld = withheld | (classes == int(np.argmin(np.where(small, np.inf, sizes))))
        people = int(self.counts[withheld].sum())
        if people > self.limit:
            return None
        return LatticeNode(tuple(levels), self._loss(levels), withheld, people)

    def _loss(self, levels: Sequence[int]) -> float:
        return sum(losses[level] for losses, level in zip(self.losses, levels, strict=True) if level >= 0)

    def _refine(self, classes: Ints, card: int, unit: int, level: int) -> tuple[Ints, int]:
        """Return classes that also differ by one more hierarchy, and a bound on their numbers."""
        more = self.cards[unit][level]
        if card * more > 2 ** (62 - self._bits):
            found, classes = np.unique(classes, return_inverse=True)
            card = len(found)
        return classes * more + self.codes[unit][level], card * more

    def _small(self, classes: Ints) -> Mask:
        """Say of each class, numbered from 0, whether it has too few people or too few sensitive values."""
        small = np.bincount(classes, weights=self.counts) < self.k
        for values in self.sensitive:
            many = int(values.max()) + 1
            # 0 is missing, which is no diversity
            known = values > 0
            pairs = np.unique(classes[known] * many + values[known]) // many
            small |= np.bincount(pairs, minlength=len(small)) < self.diverse
        return np.asarray(small)

    def _people_in_small(self, classes: Ints) -> int:
        self.tried += 1
        if self.sensitive:
            numbers = np.unique(classes, return_inverse=True)[1]
            return int(self.counts[self._small(numbers)[numbers]].sum())
        # sorting numbers that carry their count is several times faster than asking for each one's class
        packed = np.sort((classes << self._bits) | self.counts)
        starts = np.flatnonzero(np.diff(packed >> self._bits, prepend=-1))
        sizes = np.add.reduceat(packed & ((1 << self._bits) - 1), starts)
        return int(sizes[sizes < self.k].sum())

    def _greedy(self) -> LatticeNode:
        """Ascend by the step that rescues most people for its loss, then descend where levels are not needed."""
        levels = [0] * len(self.codes)
        while (node := self.node(levels)) is None:
            steps = []
            for unit, level in enumerate(levels):
                if level + 1 < len(self.codes[unit]):
                    up = [*levels[:unit], level + 1, *levels[unit + 1 :]]
                    rescued = self._at(levels) - self._at(up)
                    steps.append((-rescued / max(1e-9, self._loss(up) - self._loss(levels)), unit, up))
            levels = min(steps)[2]
        lower = True
        while lower:
            down = [[*levels[:u], level - 1, *levels[u + 1 :]] for u, level in enumerate(levels) if level]
            found = [made for made in map(self.node, down) if made is not None and made.order < node.order]
            lower = bool(found)
            if found:
                node = min(found, key=lambda made: made.order)
                levels = list(node.levels)
        return node

    def _at(self, levels: Sequence[int]) -> int:
        classes, card = np.zeros(len(self.counts), dtype=np.int64), 1
        for unit, level in enumerate(levels):
            classes, card = self._refine(classes, card, unit, level)
        return self._people_in_small(classes)

    def _walk(
        self, units: Sequence[int], classes: Ints, card: int, levels: list[int], least: Mapping[int, int]
    ) -> None:
        """Branch on the levels of the first remaining unit, and recurse.

        ``least`` is, for each unit left, its least level that leaves hope beside those chosen.
        """
        unit, rest = units[0], units[1:]
        for level in range(least[unit], len(self.codes[unit])):
            levels[unit] = level
            if self._bound(levels, rest, least) > self._worth or self.tried > self.budget:
                break
            finer, size = self._refine(classes, card, unit, level)
            if not rest:
                self.tried += 1
                made = self._node(levels, finer)
                if made is not None and made.order < self.best.order:
                    self.best = made
            elif (tighter := self._tighten(finer, size, levels, rest, least)) is not None:
                self._walk(rest, finer, size, levels, tighter)
        levels[unit] = -1

    @property
    def _worth(self) -> float:
        return self.best.loss + 10.0**-LOSS_DECIMALS

    def _bound(self, levels: Sequence[int], rest: Sequence[int], least: Mapping[int, int]) -> float:
        """Return a loss that no completion can be below."""
        return self._loss(levels) + sum(self.losses[unit][least[unit]] for unit in rest)

    def _tighten(
        self, classes: Ints, card: int, levels: Sequence[int], rest: Sequence[int], least: Mapping[int, int]
    ) -> dict[int, int] | None:
        """Return the least levels given those chosen, or None where the bound exceeds the best loss."""
        tighter = dict(least)
        for unit in rest:
            # the last level tells nothing, and what is chosen leaves hope: this ends
            while self._people_in_small(self._refine(classes, card, unit, tighter[unit])[0]) > self.limit:
                tighter[unit] += 1
            if self._bound(levels, rest, tighter) > self._worth:
                return None
        return tighter
