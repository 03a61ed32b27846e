"""Do the data speak against a causal graph that somebody gives: its independences, tested, and set against chance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import polars as pl

from personax.data.any_table import in_memory
from personax.discovery._ci_test import CachedTest, CiTest, SearchProgress
from personax.discovery._fisher_z import FisherZ
from personax.discovery._search import MIN_ROWS, Test, complete_numbers
from personax.errors import InputError
from personax.results import Result
from personax.schema import Graph
from personax.statistics import holm
from personax.strict import check_alpha, nearest

__all__ = ["Falsification", "Implication", "falsify"]

Parents = Sequence[frozenset[int]]


@dataclass(frozen=True, slots=True)
class Implication:
    """One thing that a graph says of the data, and what they answer.

    Parameters
    ----------
    x, y, given
        Two columns, and those given.
    independent
        What the graph says: independent (no edge, given the parents of x), or dependent (an edge, given the other
        parents of y).
    p_value
        Of independence.
    p_corrected
        By Holm over all independences that the graph implies; None for an edge.
    violated
        Whether the data speak against it at the level: for an independence by ``p_corrected``. An edge whose p-value is
        above the level is not refuted, for want of people may hide it: it is called unsupported by ``p_value`` alone.
    """

    x: str
    y: str
    given: Sequence[str]
    independent: bool
    p_value: float
    p_corrected: float | None
    violated: bool

    @property
    def says(self) -> str:
        """What the graph says of the pair."""
        return "independent" if self.independent else "dependent"


@dataclass(frozen=True, slots=True)
class Falsification(Result):
    """Whether the data speak against a graph.

    Parameters
    ----------
    implications
        Every implied independence, then every edge.
    alpha
        Level.
    violations
        Implied independences whose own p-value is at most ``alpha``.
    as_few
        Share of graphs with the names permuted that violate as few or fewer of theirs: small for a graph that is better
        than chance.
    equivalent
        Share of these graphs that say the same independences: where it is large, the graph says little of who is who.
    n
        People.
    """

    implications: Sequence[Implication]
    alpha: float
    violations: int
    as_few: float
    equivalent: float
    n: int

    @property
    def independences(self) -> Sequence[Implication]:
        """The implied independences."""
        return [one for one in self.implications if one.independent]

    @property
    def falsified(self) -> bool | None:
        """Whether an implied independence is refuted and the graph is no better than chance; None where nothing tells.

        Nothing tells when the graph implies no independence, or when one in twenty or more of its permutations say the
        same.
        """
        if not self.independences or self.equivalent >= ALIKE:
            return None
        return any(one.violated for one in self.independences) and self.as_few > ALIKE

    @property
    def sentence(self) -> str:
        """What was found, for a reader."""
        refuted = [one for one in self.independences if one.violated]
        if not self.independences:
            return "The graph implies no independence: no data can speak against it."
        found = (
            f"{len(refuted)} of {len(self.independences)} implied independences are refuted (Holm, level "
            f"{self.alpha:g}, {self.n:,} rows); {self.as_few:.0%} of graphs with the names permuted violate as few."
        )
        if self.falsified is None:
            return f"{found} {self.equivalent:.0%} of them imply the same, so that little can be told by it."
        verdicts = {
            True: "The graph is falsified: it does no better than chance.",
            False: "It is better than chance, and yet not the whole truth."
            if refuted
            else "Nothing speaks against it.",
        }
        return f"{found} {verdicts[self.falsified]}"

    def to_frame(self) -> pl.DataFrame:
        """Return one row an implication: x, y, given, says, p_value, p_corrected, violated."""
        rows = [
            (one.x, one.y, list(one.given), one.says, one.p_value, one.p_corrected, one.violated)
            for one in self.implications
        ]
        schema: dict[str, Any] = {
            "x": pl.String, "y": pl.String, "given": pl.List(pl.String), "says": pl.String, "p_value": pl.Float64,
            "p_corrected": pl.Float64, "violated": pl.Boolean,
        }  # fmt: skip
        return pl.DataFrame(rows, schema=schema, orient="row")


ALIKE = 0.05
"""Share of permutations above which a graph is no better than chance, or says nothing of who is who."""


def falsify(
    graph: Graph,
    frame: pl.DataFrame,
    *,
    alpha: float = 0.05,
    test: Test = "fisherz",
    permutations: int = 200,
    rng: np.random.Generator,
    progress: SearchProgress | None = None,
) -> Falsification:
    """Test a causal graph: each column is independent of what it does not cause, given its causes.

    Parameters
    ----------
    graph
        Directed edges without a cycle; its nodes are columns of the table, which may have more.
    frame
        One row a person. Rows with a missing value in a column of the graph are left out for ``fisherz``.
    alpha
        Level.
    test
        As for `personax.discovery.pc`.
    permutations
        Graphs of the same shape with the names permuted, that the number of violations is compared with.
    rng
        Draws the permutations.
    progress
        Called with (tests run, number of variables given in the last one).

    Raises
    ------
    InputError
        A graph with a cycle, with an edge that is not directed, without nodes in the table; a table as for `pc`.

    Notes
    -----
    That no test refutes a graph is no proof of it: graphs of one equivalence class cannot be told apart, and tests may
    lack power. Comparison with permutations tells a graph of which a few independences fail, as all do with many
    people, from one that says nothing about these columns.

    References
    ----------
    Eulig, Mastakouri, Blöbaum, Hardt, Janzing 2023, "Toward Falsifying Causal Graphs Using a Permutation-Based Test",
    arXiv:2305.09565.

    Examples
    --------
    >>> from personax.schema import Edge, Node
    >>> a, b, c = np.random.default_rng(0).normal(size=(3, 400))
    >>> frame = pl.DataFrame({"a": a, "b": a + b, "c": a + b + c})
    >>> chain = Graph([Node("a"), Node("b"), Node("c")], [Edge("a", "b"), Edge("b", "c")])
    >>> [(one.x, one.y, one.violated) for one in falsify(chain, frame, rng=np.random.default_rng(0)).independences]
    [('c', 'a', False)]
    """
    check_alpha(alpha)
    frame = in_memory(frame)
    names = [node.id for node in graph.nodes]
    parents = _parents(graph, names, frame)
    table = frame.select(names)
    if table.height < MIN_ROWS:
        raise InputError(f"only {table.height} rows; at least {MIN_ROWS} are needed")
    p_value: Callable[[int, int, tuple[int, ...]], float]
    if isinstance(test, CiTest):
        n, p_value = table.height, test.prepare(table)
    else:
        whole = complete_numbers(table)
        n, p_value = whole.height, FisherZ(whole.to_numpy(), collinear=True)
    cached = CachedTest(p_value, names, progress=progress)
    implied = _independences(parents)
    p_values = [cached(x, y, given) for x, y, given in implied]
    corrected = holm(p_values)
    implications = [
        _implication(names, one, p, adjusted, violated=adjusted is not None and adjusted <= alpha)
        for one, p, adjusted in zip(implied, p_values, corrected, strict=True)
    ]
    for y, causes in enumerate(parents):
        for x in sorted(causes):
            edge = (x, y, tuple(sorted(causes - {x})))
            p = cached(*edge)
            implications.append(_implication(names, edge, p, None, violated=p > alpha))
    violations = sum(p <= alpha for p in p_values)
    as_few, equivalent = _against_chance(parents, cached, alpha, violations, permutations, rng)
    return Falsification(implications, alpha, violations, as_few, equivalent, n)


def _implication(
    names: Sequence[str],
    question: tuple[int, int, tuple[int, ...]],
    p_value: float,
    corrected: float | None,
    *,
    violated: bool,
) -> Implication:
    x, y, given = question
    chosen = [names[one] for one in given]
    return Implication(names[x], names[y], chosen, corrected is not None, p_value, corrected, violated)


def _parents(graph: Graph, names: Sequence[str], frame: pl.DataFrame) -> Parents:
    """Return the causes of every node, by position; refuse what is no directed graph without a cycle."""
    if len(names) < 2:
        raise InputError("the graph has fewer than two nodes; there is nothing to test")
    for name in names:
        if name not in frame.columns:
            raise InputError(
                f"the graph has a node {name} and the table no such column; {nearest(name, frame.columns)}"
            )
    causes: list[set[int]] = [set() for _ in names]
    for edge in graph.edges:
        if edge.kind != "directed":
            raise InputError(
                f"{edge.source} and {edge.target} are joined by an edge that is not directed; direct it first"
            )
        causes[names.index(edge.target)].add(names.index(edge.source))
    parents = [frozenset(one) for one in causes]
    around = [names[node] for node, after in enumerate(_descendants(parents)) if node in after]
    if around:
        raise InputError(f"the causes go in a circle through {', '.join(around)}; remove one of the edges")
    return parents


def _descendants(parents: Parents) -> list[set[int]]:
    """Return what every node causes, through others too."""
    children = [{node for node, causes in enumerate(parents) if one in causes} for one in range(len(parents))]
    found = []
    for node in range(len(parents)):
        seen: set[int] = set()
        waiting = list(children[node])
        while waiting:
            after = waiting.pop()
            if after not in seen:
                seen.add(after)
                waiting.extend(children[after])
        found.append(seen)
    return found


def _independences(parents: Parents) -> list[tuple[int, int, tuple[int, ...]]]:
    """Return the local Markov condition: x independent of every y that it does not cause, given its causes."""
    after = _descendants(parents)
    nodes = range(len(parents))
    return [(x, y, tuple(sorted(parents[x]))) for x in nodes for y in nodes if y not in parents[x] | after[x] | {x}]


def _against_chance(
    parents: Parents, test: CachedTest, alpha: float, violations: int, permutations: int, rng: np.random.Generator
) -> tuple[float, float]:
    """Return the share of permuted graphs that violate as few, and of those that imply the same."""
    own = _pattern(parents)
    as_few = equivalent = 0
    for _ in range(permutations):
        new = rng.permutation(len(parents)).tolist()
        permuted: list[frozenset[int]] = [frozenset()] * len(parents)
        for node, causes in enumerate(parents):
            permuted[new[node]] = frozenset(new[one] for one in causes)
        as_few += sum(test(*one) <= alpha for one in _independences(permuted)) <= violations
        equivalent += _pattern(permuted) == own
    return as_few / max(permutations, 1), equivalent / max(permutations, 1)


def _pattern(parents: Parents) -> tuple[frozenset[frozenset[int]], frozenset[tuple[int, int, int]]]:
    """Return joined pairs and unshielded colliders: graphs that agree in both imply the same independences."""
    joined = frozenset(frozenset((cause, node)) for node, causes in enumerate(parents) for cause in causes)
    colliders = frozenset(
        (a, node, b)
        for node, causes in enumerate(parents)
        for a, b in combinations(sorted(causes), 2)
        if frozenset((a, b)) not in joined
    )
    return joined, colliders
