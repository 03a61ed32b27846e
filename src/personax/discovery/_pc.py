"""The PC algorithm over named columns, with background knowledge, by causal-learn."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.discovery._ci_test import Watch, registered
from personax.discovery._knowledge import Knowledge
from personax.discovery._meek import Pair, follow
from personax.discovery._search import Search, Test, begin, told
from personax.errors import require
from personax.schema import Edge, Graph

__all__ = ["pc"]


def pc(
    frame: pl.DataFrame,
    *,
    alpha: float = 0.01,
    test: Test = "fisherz",
    knowledge: Knowledge | None = None,
    groups: Mapping[str, str] | None = None,
    watch: Watch | None = None,
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
    watch
        Called with (tests run, number of variables given in the last one).

    Returns
    -------
    Graph
        ``directed`` where all graphs with the found independences and the knowledge agree, ``undirected`` where they do
        not, ``bidirected`` where two tests contradict one another. ``details`` holds the number of different tests
        (``tests``), and of those in which nothing varied given z, so that x and y were taken as independent
        (``tests_nothing_varies``).

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
    search = begin("pc", frame, alpha, test, knowledge, watch)
    ends = _run(search, alpha)
    meaning = f"PC at level {alpha:g}: an arrow is a cause, a plain line leaves the direction open."
    return search.graph(_edges(_finished(ends, search), search), meaning, groups)


def _run(search: Search, alpha: float) -> NDArray[np.int_]:
    """Run PC and return causal-learn's end-point matrix: at [i, j] the end at i, -1 a tail, 1 an arrow head."""
    module = require("causallearn.search.ConstraintBased.PC", extra="discovery")
    shape = np.zeros((search.rows, len(search.names)))  # the test holds the data; PC looks at the shape only
    with told("PC"):
        found = module.pc(
            shape,
            float(alpha),
            registered(),
            background_knowledge=_background(search),
            show_progress=False,
            node_names=list(search.names),
            asked=search.asked,
        )
    return np.array(found.G.graph)


def _background(search: Search) -> Any:  # noqa: ANN401 - causal-learn has no types
    """Return causal-learn's form of the directions that cannot be, or None."""
    nodes = require("causallearn.graph.GraphNode", extra="discovery")
    background = require("causallearn.utils.PCUtils.BackgroundKnowledge", extra="discovery").BackgroundKnowledge()
    made = [nodes.GraphNode(name) for name in search.names]
    for i, j in combinations(range(len(made)), 2):
        if search.never(i, j) and not search.never(j, i):
            background.add_forbidden_by_node(made[i], made[j])
        elif search.never(j, i) and not search.never(i, j):
            background.add_forbidden_by_node(made[j], made[i])
    return background if background.forbidden_rules_specs else None


def _finished(ends: NDArray[np.int_], search: Search) -> NDArray[np.int_]:
    """Take away edges that cannot be in either direction, then direct what follows from the rest."""
    pairs = list(combinations(range(len(search.names)), 2))
    unclear = [(i, j) for i, j in pairs if ends[i, j] and search.never(i, j) and search.never(j, i)]
    for i, j in unclear:
        ends[i, j] = ends[j, i] = 0
    lines = {(i, j) for i, j in pairs if ends[i, j] == ends[j, i] == -1}
    arrows: set[Pair] = {(i, j) for i, j in np.argwhere((ends == -1) & (ends.T == 1)).tolist()}
    for i, j in follow(arrows, lines, search.never, unclear)[0] - arrows:
        ends[i, j], ends[j, i] = -1, 1
    return ends


def _edges(ends: NDArray[np.int_], search: Search) -> list[Edge]:
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
