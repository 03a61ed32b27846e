"""What PC and FCI share: the table they take, the test they ask, the graph they return."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal

import polars as pl

from personax.data.any_table import in_memory
from personax.data.edges import EDGES
from personax.discovery._ci_test import CachedTest, CiTest, PValue, SearchProgress
from personax.discovery._determined import determined_columns
from personax.discovery._fisher_z import FisherZ
from personax.discovery._knowledge import Knowledge
from personax.discovery._skeleton import Skeleton
from personax.discovery._triples import Triple, Verdict
from personax.errors import InputError
from personax.schema import Edge, EdgeKind, Graph, Node
from personax.strict import check_alpha

__all__ = ["PreparedSearch", "Test", "checked_knowledge", "complete_numbers", "listed", "named_edge", "prepare_search"]

Test = Literal["fisherz"] | CiTest

MIN_ROWS = 10
"""Rows below which no graph is searched for."""


@dataclass(frozen=True)
class PreparedSearch:
    """A search that is about to begin: names in alphabetical order, test, knowledge.

    Columns are searched in the order of their names, whatever their order in the table: so a test that is not
    symmetric, and rounding, come out the same for any order of the columns.
    """

    names: Sequence[str]
    given_order: Sequence[str]
    cached_test: CachedTest
    knowledge: Knowledge
    details: Mapping[str, Any]

    def is_forbidden(self, cause: int, effect: int) -> bool:
        """Say whether a cause, by its position, is known not to be."""
        return self.knowledge.is_forbidden(self.names[cause], self.names[effect])

    @property
    def required(self) -> list[tuple[int, int]]:
        """The required causes by position."""
        return [(self.names.index(cause), self.names.index(effect)) for cause, effect in self.knowledge.required]

    def edge(self, i: int, j: int, kind: EdgeKind) -> Edge:
        """Return an edge by its names; one that points nowhere begins at the column that comes first in the table."""
        return named_edge(self.names[i], self.names[j], kind, self.given_order)

    def graph(
        self,
        edges: Sequence[Edge],
        meaning: str,
        groups: Mapping[str, str] | None,
        skeleton: Skeleton,
        verdicts: Mapping[Triple, Verdict],
        *,
        max_given: int | None,
        effects: bool,
    ) -> Graph:
        """Return the graph with its nodes and what is to be told of the search."""
        place = {name: number for number, name in enumerate(self.given_order)}
        nodes = [Node(name, name.replace("_", " "), (groups or {}).get(name, "")) for name in self.given_order]
        edges = sorted(edges, key=lambda edge: sorted((place[edge.source], place[edge.target])))
        test = self.cached_test
        pairs = [self._pair(i, j, skeleton, effects=effects) for i, j in combinations(range(len(self.names)), 2)]
        ambiguous = [
            [self.names[one] for one in triple] for triple, verdict in verdicts.items() if verdict == "ambiguous"
        ]
        counts: dict[str, Any] = {
            "tests": test.tests,
            "tests_nothing_varies": test.nothing_varies,
            "tests_undecided": test.undecided,
        }
        if alone := self._alone(skeleton):
            counts["alone"] = alone
        if test.undecided_why:
            counts["undecided"] = sorted(test.undecided_why)
        told = {"max_given": max_given, "ambiguous": ambiguous, "pairs": pairs}
        return Graph(nodes, edges, meaning, "", {**self.details, **counts, **told})

    def _alone(self, skeleton: Skeleton) -> list[dict[str, Any]]:
        """Return the columns that depend on others and yet have no edge: their surest dependence, nothing given."""
        found = []
        for i in (k for k in range(len(self.names)) if not skeleton.adjacent[k]):
            told = {j: p for j in range(len(self.names)) if (p := self.cached_test.answers(i, j).get(())) is not None}
            others = {j: p for j, p in told.items() if j != i and p < self.details["alpha"]}
            if others:
                surest = min(others, key=others.__getitem__)
                found.append({"column": self.names[i], "depends_on": self.names[surest], "p_value": others[surest]})
        return found

    def _pair(self, i: int, j: int, skeleton: Skeleton, *, effects: bool) -> dict[str, Any]:
        """Return what decided a pair: for an edge the weakest evidence, for none the set that separates it."""
        joined = j in skeleton.adjacent[i]
        answers = self.cached_test.answers(i, j)
        if (i, j) in skeleton.separations:
            found = skeleton.separations[i, j]
            given, p_value, reason = found.given, found.p_value, "separated"
        elif joined and answers:
            given = max(answers, key=lambda z: (answers[z], -len(z)))
            p_value, reason = answers[given], f"dependent in each of {len(answers)} tests"
        else:
            reason = "required by knowledge" if joined else "forbidden by knowledge, not tested"
            given, p_value = (), None
        effect = self.cached_test.effect(i, j, given) if effects and p_value is not None else None
        return {
            "x": self.names[i],
            "y": self.names[j],
            "edge": joined,
            "p_value": p_value,
            "given": [self.names[one] for one in given],
            "effect": effect,
            "reason": reason,
        }


def named_edge(source: str, target: str, kind: EdgeKind, order: Sequence[str]) -> Edge:
    """Return an edge; one that points nowhere begins at the column that comes first in the table."""
    turned = not EDGES[kind].points and order.index(source) > order.index(target)
    return Edge(target, source, kind) if turned else Edge(source, target, kind)


def listed(names: Sequence[str]) -> str:
    """Return names as a sentence has them.

    Examples
    --------
    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    return f"{', '.join(names[:-1])} and {names[-1]}"


def prepare_search(
    algorithm: str,
    frame: pl.DataFrame,
    alpha: float,
    test: Test,
    knowledge: Knowledge | None,
    progress: SearchProgress | None,
    max_given: int | None = None,
) -> PreparedSearch:
    """Check the table and the knowledge, and make the test ready.

    Raises
    ------
    InputError
        As `personax.discovery.pc` says.
    """
    known, frame = checked_knowledge(knowledge), in_memory(frame)
    if not isinstance(test, CiTest) and test != "fisherz":
        raise InputError(f"there is no test {test!r} here; give fisherz, or a CiTest such as ci_test('kci', kinds)")
    if max_given is not None and (isinstance(max_given, bool) or not isinstance(max_given, int) or max_given < 0):
        raise InputError(f"max_given is {max_given!r}; give a whole number of 0 or more, or None for no limit")
    if frame.width < 2:
        raise InputError("a causal graph needs at least two columns")
    known.check(frame.columns, through_others=algorithm == "fci")
    check_alpha(alpha)
    ordered = frame.select(sorted(frame.columns))
    names = ordered.columns
    linear = not isinstance(test, CiTest)
    used = complete_numbers(ordered) if linear else _present(ordered)
    determined = determined_columns(used, linear=linear)
    p_value: PValue
    if isinstance(test, CiTest):
        name, p_value = test.name, test.prepare(ordered)
    else:
        name, p_value = "fisherz", FisherZ(used.to_numpy(), collinear=bool(determined))
    required = [(names.index(cause), names.index(effect)) for cause, effect in known.required]
    details = {
        "algorithm": algorithm,
        "test": name,
        "alpha": alpha,
        "n": used.height,
        "rows_left_out": frame.height - used.height,
    }
    details["determined"] = determined
    equivalent = [(names.index(group[0]), names.index(group[1])) for group in determined if len(group) == 2]
    cached = CachedTest(p_value, names, required=required, equivalent=equivalent, progress=progress)
    return PreparedSearch(names, frame.columns, cached, known, details)


def checked_knowledge(knowledge: object) -> Knowledge:
    """Return the knowledge, none where there is none."""
    if knowledge is None:
        return Knowledge()
    if not isinstance(knowledge, Knowledge):
        kind = type(knowledge).__name__
        raise InputError(f"knowledge is a {kind}; give Knowledge(tiers=..., forbidden=..., required=...)")
    return knowledge


def _present(frame: pl.DataFrame) -> pl.DataFrame:
    """Refuse a table in which no graph can be searched for, whatever the test."""
    if frame.height < MIN_ROWS:
        raise InputError(f"only {frame.height} rows; at least {MIN_ROWS} are needed")
    for series in frame:
        values = series.fill_nan(None) if series.dtype.is_float() else series
        if values.drop_nulls().n_unique() < 2:
            raise InputError(f"{series.name} is constant; leave it out")
    return frame


def complete_numbers(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the rows without a missing value as numbers.

    Raises
    ------
    InputError
        A column of text or one that is constant over these rows; fewer than ten rows.
    """
    for series in frame:
        if not series.dtype.is_numeric():
            raise InputError(f"{series.name} is not numeric; fisherz needs numbers, kci takes text too")
    whole = frame.select(pl.all().cast(pl.Float64).fill_nan(None)).drop_nulls()
    if whole.height < MIN_ROWS:
        raise InputError(f"only {whole.height} rows have a value in every column; at least {MIN_ROWS} are needed")
    for series in whole:
        if series.is_infinite().any():
            raise InputError(f"{series.name} holds infinite values; leave those rows out")
    constant = [series.name for series in whole if series.n_unique() == 1]
    if constant:
        raise InputError(f"{constant[0]} is constant over the complete rows; leave it out")
    return whole
