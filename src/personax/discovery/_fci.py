"""The FCI algorithm: causal graphs that allow hidden common causes, the same for any order of the columns.

Zhang 2008, doi:10.1016/j.artint.2008.08.001: rule 0 for colliders, rules 1 to 4 for what follows, 8 to 10 for tails.
Rules 5 to 7 are about selection of people, which is assumed away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import combinations, permutations
from typing import Literal

import polars as pl

from personax.data.edges import EDGES
from personax.discovery._ci_test import SearchProgress
from personax.discovery._knowledge import Knowledge
from personax.discovery._search import PreparedSearch, Test, prepare_search
from personax.discovery._skeleton import Skeleton, find_skeleton, possible_separators, remove_separated
from personax.discovery._triples import Triple, Verdict, judge_triples, separating_sets, vote
from personax.schema import Edge, Graph

__all__ = ["ARROW", "CIRCLE", "TAIL", "Marks", "SeparatingSets", "fci"]

Mark = Literal["circle", "arrow", "tail"]
CIRCLE: Mark = "circle"
ARROW: Mark = "arrow"
TAIL: Mark = "tail"

SeparatingSets = Mapping[frozenset[int], frozenset[int]]
"""Pair without an edge -> the variables that separate it."""


class Marks:
    """The ends of the edges: an arrow at j says that j does not cause i, a tail that it does, a circle leaves it open.

    Parameters
    ----------
    pairs
        The edges.
    separating_sets
        What separates those without one.
    verdicts
        On triples: collider, none, or ambiguous; by the separating sets where nothing is given.
    judge
        (start of a path that discriminates b for c, b, c) -> verdict on b; by the separating sets where not given.

    Examples
    --------
    >>> marks = Marks([(0, 2), (1, 2)], {frozenset({0, 1}): frozenset()})
    >>> marks.apply_rules()
    >>> marks.at(2, seen_from=0), marks.at(0, seen_from=2)
    ('arrow', 'circle')
    """

    def __init__(
        self,
        pairs: list[tuple[int, int]],
        separating_sets: SeparatingSets,
        verdicts: Mapping[Triple, Verdict] | None = None,
        judge: Callable[[int, int, int], Verdict] | None = None,
    ) -> None:
        self._at: dict[tuple[int, int], Mark] = {}
        self._verdicts = verdicts
        self._separating_sets = separating_sets
        self._judge = judge
        self._near: dict[int, list[int]] = {}
        for i, j in sorted(pairs):
            self._at[i, j] = self._at[j, i] = CIRCLE
            self._near.setdefault(i, []).append(j)
            self._near.setdefault(j, []).append(i)
        self._changed = False

    def at(self, node: int, *, seen_from: int) -> Mark | None:
        """Return the mark at ``node`` on its edge with another; None without an edge."""
        return self._at.get((seen_from, node))

    def put(self, other: int, node: int, mark: Mark) -> None:
        """Put a mark at ``node`` on its edge with ``other``, where the end is still open."""
        if self._at.get((other, node)) == CIRCLE:
            self._at[other, node] = mark
            self._changed = True

    def apply_rules(self) -> None:
        """Direct colliders, then apply the rules until nothing follows any more."""
        self._colliders()
        # the tails of rules 8 to 10 can set off rules 1 to 4 where knowledge has put marks of its own
        rules: tuple[Callable[[], None], ...] = (self._rule1, self._rule2, self._rule3, self._rule4)
        rules += (self._rule8, self._rule9, self._rule10)
        self._changed = True
        while self._changed:
            self._changed = False
            for rule in rules:
                rule()

    def _is(self, other: int, node: int, mark: Mark) -> bool:
        return self._at.get((other, node)) == mark

    def _causes(self, a: int, b: int) -> bool:
        return self._is(a, b, ARROW) and self._is(b, a, TAIL)

    def _half(self, a: int, b: int) -> bool:
        """Say whether a o-> b."""
        return self._is(a, b, ARROW) and self._is(b, a, CIRCLE)

    def _neighbours(self, node: int) -> list[int]:
        return self._near.get(node, [])

    def _triples(self) -> Iterator[tuple[int, int, int]]:
        """Yield a, b, c with edges a - b - c."""
        for b in sorted(self._near):
            for a, c in permutations(self._neighbours(b), 2):
                yield a, b, c

    def _verdict(self, a: int, b: int, c: int) -> Verdict:
        """Judge a - b - c, a and c apart."""
        if self._verdicts is not None:
            return self._verdicts.get((min(a, c), b, max(a, c)), "ambiguous")
        between = self._separating_sets.get(frozenset((a, c)))
        if between is None:
            return "ambiguous"
        return "no collider" if b in between else "collider"

    def _unshielded(self, a: int, b: int, c: int) -> bool:
        """Say whether a and c are apart, and b is known not to be a collider unless it was directed so."""
        return (a, c) not in self._at and self._verdict(a, b, c) != "ambiguous"

    def _colliders(self) -> None:
        for a, b, c in self._triples():
            clear = a < c and (a, c) not in self._at and self._verdict(a, b, c) == "collider"
            if clear and not self._is(a, b, TAIL) and not self._is(c, b, TAIL):
                self.put(a, b, ARROW)
                self.put(c, b, ARROW)

    def _rule1(self) -> None:
        """Direct b -> c in a *-> b o-* c, a and c apart: b is no collider."""
        for a, b, c in self._triples():
            open_end = self._is(a, b, ARROW) and self._is(c, b, CIRCLE) and not self._is(b, c, TAIL)
            if open_end and self._unshielded(a, b, c):
                self.put(c, b, TAIL)
                self.put(b, c, ARROW)

    def _rule2(self) -> None:
        """Put an arrow at c in a -> b *-> c or a *-> b -> c: otherwise there is a cycle."""
        for a, b, c in self._triples():
            through = self._is(a, b, ARROW) and self._is(b, c, ARROW)
            if through and (self._is(b, a, TAIL) or self._is(c, b, TAIL)):
                self.put(a, c, ARROW)

    def _rule3(self) -> None:
        """Put an arrow at b of d *-o b, where a *-> b <-* c and a *-o d o-* c, a and c apart."""
        for a, b, c in self._triples():
            if a < c and (a, c) not in self._at and self._is(a, b, ARROW) and self._is(c, b, ARROW):
                for d in self._neighbours(b):
                    if self._is(a, d, CIRCLE) and self._is(c, d, CIRCLE) and self._unshielded(a, d, c):
                        self.put(d, b, ARROW)

    def _rule4(self) -> None:
        """Decide b of b o-* c at the end of a path that discriminates it."""
        for a, b, c in self._triples():
            # a is the last before b: a collider on the path, and a cause of c
            if self._is(c, b, CIRCLE) and self._causes(a, c) and self._is(b, a, ARROW):
                start = self._discriminating(a, b, c)
                if start is not None:
                    self._decide(a, b, c, self._at_the_end(start, b, c))

    def _at_the_end(self, start: int, b: int, c: int) -> Verdict:
        """Judge b by the sets that separate the ends of a path that discriminates it."""
        if self._judge is not None:
            return self._judge(start, b, c)
        return "no collider" if b in self._separating_sets[frozenset((start, c))] else "collider"

    def _decide(self, a: int, b: int, c: int, verdict: Verdict) -> None:
        if verdict == "no collider" and not self._is(b, c, TAIL):
            self.put(c, b, TAIL)
            self.put(b, c, ARROW)
        elif verdict == "collider" and not self._is(b, c, TAIL) and not self._is(a, b, TAIL):
            for other, node in ((a, b), (c, b), (b, c)):
                self.put(other, node, ARROW)

    def _discriminating(self, a: int, b: int, c: int) -> int | None:
        """Return where a path that discriminates b for c begins, if there is one whose last steps are a, b, c."""
        seen, waiting = {a, b, c}, [a]
        while waiting:
            node = waiting.pop(0)
            for before in self._neighbours(node):
                if before in seen or not self._is(before, node, ARROW):
                    continue
                if (before, c) not in self._at:
                    if frozenset((before, c)) in self._separating_sets:
                        return before
                elif self._causes(before, c) and self._is(node, before, ARROW):
                    seen.add(before)
                    waiting.append(before)
        return None

    def _rule8(self) -> None:
        """Direct a -> c where a -> b -> c and a o-> c."""
        for a, b, c in self._triples():
            if self._causes(a, b) and self._causes(b, c) and self._half(a, c):
                self.put(c, a, TAIL)

    def _rule9(self) -> None:
        """Direct a -> c where a o-> c and an open path a, b, ... c leaves a by a b apart from c."""
        for a, c in self._halves():
            ways = (b for b in self._neighbours(a) if b != c and self._unshielded(b, a, c))
            if any(self._open([a, b], c) for b in ways):
                self.put(c, a, TAIL)

    def _rule10(self) -> None:
        """Direct a -> c where a o-> c, b -> c <- d, and open paths from a to b and to d begin apart."""
        for a, c in self._halves():
            parents = [b for b in self._neighbours(c) if b != a and self._causes(b, c)]
            ways = [w for w in self._neighbours(a) if w != c]
            nonadjacent = [(v, w) for v, w in combinations(ways, 2) if self._unshielded(v, a, w)]
            if any(self._both(a, v, w, parents) for v, w in nonadjacent):
                self.put(c, a, TAIL)

    def _both(self, a: int, v: int, w: int, parents: list[int]) -> bool:
        first = [b for b in parents if self._open([a, v], b)]
        second = [b for b in parents if self._open([a, w], b)] if first else []
        return any(b != d for b in first for d in second)

    def _halves(self) -> list[tuple[int, int]]:
        return [(a, c) for a, c in sorted(self._at) if self._half(a, c)]

    def _open(self, path: list[int], end: int) -> bool:
        """Say whether a path goes on to ``end`` with no step that may not lead on and no triple that is shielded."""
        if self._is(path[-1], path[-2], ARROW) or self._is(path[-2], path[-1], TAIL):
            return False
        if path[-1] == end:
            return True
        onward = (n for n in self._neighbours(path[-1]) if n not in path and self._unshielded(path[-2], path[-1], n))
        return any(self._open([*path, after], end) for after in onward)


_MARKS: Mapping[str, Mark] = {"tail": TAIL, "head": ARROW, "ring": CIRCLE}

KINDS = {
    (_MARKS[marks.at_source], _MARKS[marks.at_target]): kind for kind, marks in EDGES.items() if kind != "undirected"
}
"""(end at the source, end at the target) -> kind; without selection no other pair of ends comes out of the rules."""


def fci(
    frame: pl.DataFrame,
    *,
    alpha: float = 0.01,
    test: Test = "fisherz",
    knowledge: Knowledge | None = None,
    groups: Mapping[str, str] | None = None,
    max_given: int | None = None,
    effects: bool = False,
    progress: SearchProgress | None = None,
) -> Graph:
    """Return what independences tell of causes when common causes may be hidden (a partial ancestral graph).

    Parameters
    ----------
    frame, alpha, test, groups, max_given, effects, progress
        As for `personax.discovery.pc`.
    knowledge
        As for `personax.discovery.pc`, but a forbidden cause is forbidden through other columns too.

    Returns
    -------
    Graph
        ``directed``: source causes target, directly or through others. ``bidirected``: neither causes the other, so a
        hidden common cause. ``partially_directed`` (source o-> target): target does not cause source; source causes
        target, or a hidden cause both. ``nondirected`` (o-o): all of these are open.

    Raises
    ------
    InputError, ComputationError
        As for `personax.discovery.pc`.

    Notes
    -----
    Assumes faithfulness, no cycle, and that nobody was selected by what the columns tell.

    Where a cause x of y is forbidden, knowledge puts an arrow at x and nothing else: a hidden common cause may stand
    behind both. Zhang's rules follow. They are complete without knowledge and with tiers alone; with other knowledge
    they are right, but more may follow. Colliders are judged by all separating sets among the neighbours, or by the one
    beyond them; rule 4 by the first separating set in the order of the columns' names.

    References
    ----------
    Zhang 2008, doi:10.1016/j.artint.2008.08.001; Andrews, Spirtes, Cooper 2020, "On the completeness of causal
    discovery in the presence of latent confounding with tiered background knowledge", AISTATS.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> a, b, noise = rng.normal(size=(3, 300))
    >>> graph = fci(pl.DataFrame({"a": a, "b": b, "c": a + b + noise}))
    >>> [(edge.source, edge.target, edge.kind) for edge in graph.edges]
    [('a', 'c', 'partially_directed'), ('b', 'c', 'partially_directed')]
    """
    search = prepare_search("fci", frame, alpha, test, knowledge, progress, max_given)
    skeleton = _skeleton(search, alpha, max_given)
    verdicts = judge_triples(skeleton, search.cached_test, alpha, beyond_neighbours=True)
    pairs = skeleton.pairs
    sets = {frozenset(pair): frozenset(found.given) for pair, found in skeleton.separations.items()}

    def judge(start: int, b: int, c: int) -> Verdict:
        ends = min(start, c), max(start, c)
        return vote(b, separating_sets(*ends, skeleton, search.cached_test, alpha, beyond_neighbours=True))

    marks = Marks(pairs, sets, verdicts, judge)
    _tell(marks, pairs, search)
    marks.apply_rules()
    meaning = f"FCI at level {alpha:g}: an arrow is a cause, two heads a hidden common cause, a circle an open end."
    edges = _edges(marks, pairs, search)
    return search.graph(edges, meaning, groups, skeleton, verdicts, max_given=max_given, effects=effects)


def _skeleton(search: PreparedSearch, alpha: float, max_given: int | None) -> Skeleton:
    """Search as PC does, then for sets beyond the neighbours."""
    test = search.cached_test
    skeleton = find_skeleton(len(search.names), test, alpha, max_given=max_given)
    verdicts = judge_triples(skeleton, test, alpha)
    # an ambiguous triple may be a collider: then more is looked at, never less
    colliders = [triple for triple, verdict in verdicts.items() if verdict != "no collider"]
    remove_separated(skeleton, possible_separators(skeleton, colliders), test, alpha, max_given=max_given)
    return skeleton


def _tell(marks: Marks, pairs: list[tuple[int, int]], search: PreparedSearch) -> None:
    """Put the marks that knowledge fixes."""
    for cause, effect in search.required:
        marks.put(effect, cause, TAIL)
    for pair in pairs:
        for cause, effect in (pair, pair[::-1]):
            if search.is_forbidden(cause, effect):
                marks.put(effect, cause, ARROW)


def _edges(marks: Marks, pairs: list[tuple[int, int]], search: PreparedSearch) -> list[Edge]:
    edges = []
    for i, j in pairs:
        ends = marks.at(i, seen_from=j), marks.at(j, seen_from=i)
        first, second = (i, j) if ends in KINDS else (j, i)
        edges.append(search.edge(first, second, KINDS[ends if ends in KINDS else ends[::-1]]))  # type: ignore[index]
    return edges
