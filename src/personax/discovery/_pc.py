"""The PC algorithm over named columns, with background knowledge; the same graph for any order of the columns."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import polars as pl

from personax.discovery._ci_test import SearchProgress
from personax.discovery._knowledge import Knowledge
from personax.discovery._meek import Pair, apply_rules
from personax.discovery._search import PreparedSearch, Test, prepare_search
from personax.discovery._skeleton import find_skeleton
from personax.discovery._triples import Triple, Verdict, judge_triples
from personax.schema import EdgeKind, Graph

__all__ = ["pc"]


def pc(
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
    """Return the causal graph that PC finds, as far as independences determine it.

    Parameters
    ----------
    frame
        One column a variable, in a table of polars, pandas, Arrow or numpy. Rows with a missing value are left out for
        ``fisherz``, and counted in ``details``; any other test leaves rows out as it sees fit.
    alpha
        Level of each test; not corrected for their number, as PC does not.
    test
        ``fisherz`` for linear dependence of numbers, or a `personax.discovery.CiTest`.
    knowledge
        Tiers, forbidden and required causes: direct ones, which is to say edges. A pair that is forbidden both ways is
        not tested for an edge.
    groups
        Column -> group of its node.
    max_given
        Largest number of variables given; no limit by default.
    effects
        Whether ``details["pairs"]`` holds effect sizes: one more computation a pair.
    progress
        Called with (tests run, number of variables given in the last one).

    Returns
    -------
    Graph
        ``directed`` where all graphs with the found independences and the knowledge agree, ``undirected`` where they do
        not, ``bidirected`` where two tests contradict one another. ``details`` holds the number of different tests
        (``tests``), of those in which nothing varied given z, so that x and y were taken as independent
        (``tests_nothing_varies``), and of those passed over because z determines x or y, or is too many columns for
        the rows (``tests_undecided``; ``undecided`` says which); every
        pair with its deciding p-value, what was given, and the reason (``pairs``); and the triples whose separating
        sets disagree on a collider (``ambiguous``), which direct nothing.

    Raises
    ------
    InputError
        Text columns for ``fisherz``, a constant column, fewer than ten rows, fewer than two columns; knowledge that
        contradicts itself.
    ComputationError
        When a test cannot be computed.

    Notes
    -----
    Assumes that independence means absence of a cause (faithfulness), no hidden common cause, no cycle, no selection.

    The skeleton is PC-stable's; colliders are judged by the majority of all separating sets among the neighbours.

    References
    ----------
    Spirtes, Glymour, Scheines 2000, "Causation, Prediction, and Search"; Colombo and Maathuis 2014, JMLR 15, 3741-3782;
    Meek 1995, arXiv:1302.4972.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> a, b, noise = rng.normal(size=(3, 300))
    >>> graph = pc(pl.DataFrame({"a": a, "b": b, "c": a + b + noise}))
    >>> [(edge.source, edge.target, edge.kind) for edge in graph.edges]
    [('a', 'c', 'directed'), ('b', 'c', 'directed')]
    """
    search = prepare_search("pc", frame, alpha, test, knowledge, progress, max_given)
    never = [
        (i, j)
        for i, j in combinations(range(len(search.names)), 2)
        if search.is_forbidden(i, j) and search.is_forbidden(j, i)
    ]
    skeleton = find_skeleton(len(search.names), search.cached_test, alpha, never=never, max_given=max_given)
    verdicts = judge_triples(skeleton, search.cached_test, alpha)
    kinds = _direct(skeleton.pairs, verdicts, search)
    edges = [search.edge(*pair, kind) for pair, kind in kinds.items()]
    meaning = f"PC at level {alpha:g}: an arrow is a cause, a plain line leaves the direction open."
    return search.graph(edges, meaning, groups, skeleton, verdicts, max_given=max_given, effects=effects)


def _direct(pairs: list[Pair], verdicts: Mapping[Triple, Verdict], search: PreparedSearch) -> dict[Pair, EdgeKind]:
    """Return (cause, effect) or (i, j) -> kind of edge."""
    known = {(i, j) for pair in pairs for i, j in (pair, pair[::-1]) if search.is_forbidden(j, i)}
    heads = known | _colliders(verdicts, known)
    both = {(i, j) for i, j in heads if (j, i) in heads}
    arrows = heads - both
    lines = {pair for pair in pairs if pair not in heads and pair[::-1] not in heads}
    ambiguous = [triple for triple, verdict in verdicts.items() if verdict == "ambiguous"]
    arrows, lines = apply_rules(arrows, lines, search.is_forbidden, ambiguous, both)
    found: dict[Pair, EdgeKind] = {**dict.fromkeys(arrows, "directed"), **dict.fromkeys(lines, "undirected")}
    return found | dict.fromkeys((pair for pair in both if pair[0] < pair[1]), "bidirected")


def _colliders(verdicts: Mapping[Triple, Verdict], known: set[Pair]) -> set[Pair]:
    """Return the arrows of the colliders that knowledge allows."""
    heads: set[Pair] = set()
    for (a, b, c), verdict in verdicts.items():
        if verdict == "collider" and (b, a) not in known and (b, c) not in known:
            heads |= {(a, b), (c, b)}
    return heads
