"""The FCI algorithm: causal graphs that allow hidden common causes, edges by causal-learn."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import numpy as np
import polars as pl

from personax.discovery._ci_test import Watch, registered
from personax.discovery._knowledge import Knowledge
from personax.discovery._pag import ARROW, CIRCLE, TAIL, Apart, Marks
from personax.discovery._search import Search, Test, begin, told
from personax.errors import require
from personax.schema import Edge, Graph

__all__ = ["fci"]

KINDS = {
    (TAIL, ARROW): "directed",
    (ARROW, ARROW): "bidirected",
    (CIRCLE, ARROW): "partially_directed",
    (CIRCLE, CIRCLE): "nondirected",
}
"""(end at the source, end at the target) -> kind; without selection no other pair of ends comes out of the rules."""


def fci(
    frame: pl.DataFrame,
    *,
    alpha: float = 0.01,
    test: Test = "fisherz",
    knowledge: Knowledge | None = None,
    groups: Mapping[str, str] | None = None,
    watch: Watch | None = None,
) -> Graph:
    """Return what independences tell of causes when common causes may be hidden (a partial ancestral graph).

    Parameters
    ----------
    frame, alpha, test, groups, watch
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

    Edges and separating sets are causal-learn's. Its orientation is not used: where a cause x of y is forbidden, it
    says that y causes x, which a hidden common cause would belie. Here knowledge puts an arrow at x and nothing else,
    and Zhang's rules follow. They are complete without knowledge and with tiers alone; with other knowledge they are
    right, but more may follow.

    References
    ----------
    Zhang 2008, doi:10.1016/j.artint.2008.08.001; Andrews, Spirtes, Cooper 2020, "On the completeness of causal
    discovery in the presence of latent confounding with tiered background knowledge", AISTATS.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> a, b, noise = rng.normal(size=(3, 300))
    >>> graph = fci(pl.DataFrame({"a": a, "b": b, "c": a + b + noise}))
    >>> [(edge.source, edge.target, edge.kind) for edge in graph.edges]
    [('a', 'c', 'partially_directed'), ('b', 'c', 'partially_directed')]
    """
    search = begin("fci", frame, alpha, test, knowledge, watch)
    pairs, apart = _skeleton(search, alpha)
    marks = Marks(pairs, apart)
    _tell(marks, pairs, search)
    marks.follow()
    meaning = f"FCI at level {alpha:g}: an arrow is a cause, two heads a hidden common cause, a circle an open end."
    return search.graph(_edges(marks, pairs, search), meaning, groups)


def _skeleton(search: Search, alpha: float) -> tuple[list[tuple[int, int]], Apart]:
    """Return the edges and what separates the other pairs: PC's search, then sets beyond the neighbours."""
    module: Any = require("causallearn.search.ConstraintBased.FCI", extra="discovery")
    shape = np.zeros((search.rows, len(search.names)))  # the test holds the data; FCI looks at the shape only
    nodes = [module.GraphNode(name) for name in search.names]
    with told("FCI"):
        test = module.CIT(shape, method=registered(), asked=search.asked)
        graph, sets, _ = module.fas(shape, nodes, test, alpha=float(alpha), show_progress=False)
        module.reorientAllWith(graph, module.Endpoint.CIRCLE)
        module.rule0(graph, nodes, sets, None, verbose=False)
        module.removeByPossibleDsep(graph, test, float(alpha), sets)
    pairs = [(i, j) for i, j in combinations(range(len(nodes)), 2) if graph.graph[i, j]]
    return pairs, {frozenset(map(int, pair)): frozenset(map(int, between)) for pair, between in sets.items()}


def _tell(marks: Marks, pairs: list[tuple[int, int]], search: Search) -> None:
    """Put the marks that knowledge fixes."""
    for cause, effect in search.required:
        marks.put(effect, cause, TAIL)
    for pair in pairs:
        for cause, effect in (pair, pair[::-1]):
            if search.never(cause, effect):
                marks.put(effect, cause, ARROW)


def _edges(marks: Marks, pairs: list[tuple[int, int]], search: Search) -> list[Edge]:
    names, edges = search.names, []
    for i, j in pairs:
        ends = marks.at(i, seen_from=j), marks.at(j, seen_from=i)
        first, second = (i, j) if ends in KINDS else (j, i)
        edges.append(Edge(names[first], names[second], KINDS[ends if ends in KINDS else ends[::-1]]))  # type: ignore[index,arg-type]
    return edges
