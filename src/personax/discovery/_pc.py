"""The PC algorithm over named columns, with background knowledge, by causal-learn; Meek's rules by us.

Meek's four rules give the directions that follow from those already known, without a new collider and without a cycle.
causal-learn applies the first three. With background knowledge the fourth is needed too (Meek 1995, arXiv:1302.4972).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from itertools import combinations, permutations
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.discovery._ci_test import SearchProgress, register_with_causal_learn
from personax.discovery._knowledge import Knowledge
from personax.discovery._search import PreparedSearch, Test, causal_learn_errors, prepare_search
from personax.errors import require
from personax.schema import Edge, Graph

__all__ = ["Pair", "apply_rules", "pc"]

Pair = tuple[int, int]


def apply_rules(
    arrows: Collection[Pair], lines: Collection[Pair], forbidden: Callable[[int, int], bool], untested: Collection[Pair]
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
    untested
        Pairs without an edge that no test separated: what lies between them may or may not be a collider.

    Returns
    -------
    tuple
        Arrows and the lines that are left.

    Examples
    --------
    >>> apply_rules({(0, 1)}, {(1, 2)}, lambda cause, effect: False, ())
    ({(0, 1), (1, 2)}, set())
    """
    known, left = set(arrows), set(lines)
    untested_pairs = {frozenset(pair) for pair in untested}
    found = True
    while found:
        found = False
        for i, j in sorted(left):
            for cause, effect in ((i, j), (j, i)):
                allowed = not forbidden(cause, effect) and not _reaches(known, effect, cause)
                if allowed and _Around(cause, effect, known, left, untested_pairs).is_implied():
                    left.discard((i, j))
                    known.add((cause, effect))
                    found = True
                    break
    return known, left


class _Around:
    """A line a - b and what is known about it: whether a -> b follows."""

    def __init__(
        self, a: int, b: int, arrows: set[Pair], lines: set[Pair], untested_pairs: set[frozenset[int]]
    ) -> None:
        self.a, self.b, self.arrows, self.lines, self._untested_pairs = a, b, arrows, lines, untested_pairs

    def is_implied(self) -> bool:
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
        return c != d and not joined and frozenset(pair) not in self._untested_pairs


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


def pc(
    frame: pl.DataFrame,
    *,
    alpha: float = 0.01,
    test: Test = "fisherz",
    knowledge: Knowledge | None = None,
    groups: Mapping[str, str] | None = None,
    progress: SearchProgress | None = None,
) -> Graph:
    """Return the causal graph that PC finds, as far as independences determine it.

    Parameters
    ----------
    frame
        One column a variable. Rows with a missing value are left out for ``fisherz``, and counted in ``details``; any
        other test leaves rows out as it sees fit.
    alpha
        Level of each test; not corrected for their number, as PC does not.
    test
        ``fisherz`` for linear dependence of numbers, or a `personax.discovery.CiTest`.
    knowledge
        Tiers, forbidden and required causes: direct ones, which is to say edges.
    groups
        Column -> group of its node.
    progress
        Called with (tests run, number of variables given in the last one).

    Returns
    -------
    Graph
        ``directed`` where all graphs with the found independences and the knowledge agree, ``undirected`` where they do
        not, ``bidirected`` where two tests contradict one another. ``details`` holds the number of different tests
        (``tests``), and of those in which nothing varied given z, so that x and y were taken as independent
        (``tests_nothing_varies``), and ``undecided``, where there is anything to say: the questions that had no answer,
        because columns determine one another as numbers or are too many for the rows. They separate nothing.

    Raises
    ------
    InputError
        Text columns for ``fisherz``, a constant column, fewer than ten rows, fewer than two columns; knowledge that
        contradicts itself.
    ComputationError
        When a test cannot be computed, for example because columns determine one another.

    Notes
    -----
    Assumes that independence means absence of a cause (faithfulness), no hidden common cause, no cycle, no selection.

    causal-learn's PC takes a pair that may be joined in neither direction for one that a test separated given nothing,
    and so invents colliders; it drops required edges that a test explains away; and it does not follow all that
    knowledge implies. Here such a pair loses its edge at the end, a required one is not tested, and Meek's four rules
    come last.

    References
    ----------
    Spirtes, Glymour, Scheines 2000, "Causation, Prediction, and Search"; Zheng et al. 2024, arXiv:2307.16405.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> a, b, noise = rng.normal(size=(3, 300))
    >>> graph = pc(pl.DataFrame({"a": a, "b": b, "c": a + b + noise}))
    >>> [(edge.source, edge.target, edge.kind) for edge in graph.edges]
    [('a', 'c', 'directed'), ('b', 'c', 'directed')]
    """
    search = prepare_search("pc", frame, alpha, test, knowledge, progress)
    ends = _run(search, alpha)
    meaning = f"PC at level {alpha:g}: an arrow is a cause, a plain line leaves the direction open."
    return search.graph(_edges(_finished(ends, search), search), meaning, groups)


def _run(search: PreparedSearch, alpha: float) -> NDArray[np.int_]:
    """Run PC and return causal-learn's end-point matrix: at [i, j] the end at i, -1 a tail, 1 an arrow head."""
    module = require("causallearn.search.ConstraintBased.PC", extra="discovery")
    shape = np.zeros((search.rows, len(search.names)))  # the test holds the data; PC looks at the shape only
    with causal_learn_errors("PC"):
        found = module.pc(
            shape,
            float(alpha),
            register_with_causal_learn(),
            background_knowledge=_background(search),
            show_progress=False,
            node_names=list(search.names),
            cached_test=search.cached_test,
        )
    return np.array(found.G.graph)


def _background(search: PreparedSearch) -> Any:  # noqa: ANN401 - causal-learn has no types
    """Return causal-learn's form of the directions that cannot be, or None."""
    nodes = require("causallearn.graph.GraphNode", extra="discovery")
    background = require("causallearn.utils.PCUtils.BackgroundKnowledge", extra="discovery").BackgroundKnowledge()
    made = [nodes.GraphNode(name) for name in search.names]
    for i, j in combinations(range(len(made)), 2):
        if search.is_forbidden(i, j) and not search.is_forbidden(j, i):
            background.add_forbidden_by_node(made[i], made[j])
        elif search.is_forbidden(j, i) and not search.is_forbidden(i, j):
            background.add_forbidden_by_node(made[j], made[i])
    return background if background.forbidden_rules_specs else None


def _finished(ends: NDArray[np.int_], search: PreparedSearch) -> NDArray[np.int_]:
    """Take away edges that cannot be in either direction, then direct what follows from the rest."""
    pairs = list(combinations(range(len(search.names)), 2))
    untested = [(i, j) for i, j in pairs if ends[i, j] and search.is_forbidden(i, j) and search.is_forbidden(j, i)]
    for i, j in untested:
        ends[i, j] = ends[j, i] = 0
    lines = {(i, j) for i, j in pairs if ends[i, j] == ends[j, i] == -1}
    arrows: set[Pair] = {(i, j) for i, j in np.argwhere((ends == -1) & (ends.T == 1)).tolist()}
    for i, j in apply_rules(arrows, lines, search.is_forbidden, untested)[0] - arrows:
        ends[i, j], ends[j, i] = -1, 1
    return ends


def _edges(ends: NDArray[np.int_], search: PreparedSearch) -> list[Edge]:
    names, edges = search.names, []
    for i, j in combinations(range(len(names)), 2):
        at_i, at_j = int(ends[i, j]), int(ends[j, i])
        if at_i == at_j == -1:
            edges.append(Edge(names[i], names[j], "undirected"))
        elif at_i == at_j == 1:
            edges.append(Edge(names[i], names[j], "bidirected"))
        elif at_j == 1:
            edges.append(Edge(names[i], names[j], "directed"))
        elif at_i == 1:
            edges.append(Edge(names[j], names[i], "directed"))
    return edges
