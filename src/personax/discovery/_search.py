"""What PC and FCI share: the table they take, the test they ask, the graph they return."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import polars as pl

from personax.discovery._ci_test import CachedTest, CiTest, PValue, SearchProgress
from personax.discovery._knowledge import Knowledge
from personax.errors import ComputationError, InputError, require
from personax.schema import Edge, Graph, Node

__all__ = ["PreparedSearch", "Test", "causal_learn_errors", "prepare_search"]

Test = Literal["fisherz"] | CiTest

MIN_ROWS = 10
"""Rows below which no graph is searched for."""


@dataclass(frozen=True)
class PreparedSearch:
    """A search that is about to begin: names, shape of the table, test, knowledge."""

    names: Sequence[str]
    rows: int
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

    def graph(self, edges: Sequence[Edge], meaning: str, groups: Mapping[str, str] | None) -> Graph:
        """Return the graph with its nodes and what is to be told of the search."""
        nodes = [Node(name, name.replace("_", " "), (groups or {}).get(name, "")) for name in self.names]
        asked = self.cached_test
        counts: dict[str, Any] = {"tests": asked.tests, "tests_nothing_varies": asked.nothing_varies}
        if asked.undecided:
            counts["undecided"] = sorted(set(asked.undecided))
        return Graph(nodes, edges, meaning, "", {**self.details, **counts})


def prepare_search(
    algorithm: str,
    frame: pl.DataFrame,
    alpha: float,
    test: Test,
    knowledge: Knowledge | None,
    progress: SearchProgress | None,
) -> PreparedSearch:
    """Check the table and the knowledge, and make the test ready.

    Raises
    ------
    InputError
        As `personax.discovery.pc` says.
    """
    known = knowledge or Knowledge()
    if frame.width < 2:
        raise InputError("a causal graph needs at least two columns")
    known.check(frame.columns, through_others=algorithm == "fci")
    if isinstance(test, CiTest):
        used, name, p_value = _present(frame), test.name, test.prepare(frame)
        left_out = 0
    else:
        used, name = _complete(frame), "fisherz"
        left_out, p_value = frame.height - used.height, _fisherz(used)
    names = frame.columns
    required = [(names.index(cause), names.index(effect)) for cause, effect in known.required]
    details = {"algorithm": algorithm, "test": name, "alpha": alpha, "n": used.height, "rows_left_out": left_out}
    return PreparedSearch(names, used.height, CachedTest(p_value, required=required, progress=progress), known, details)


@contextmanager
def causal_learn_errors(name: str) -> Iterator[None]:
    """Turn what causal-learn says of data that it cannot use into one sentence."""
    try:
        with warnings.catch_warnings():
            # causal-learn warns of its own use of numpy and networkx; nothing in it concerns the data
            warnings.simplefilter("ignore")
            yield
    except (ValueError, np.linalg.LinAlgError) as error:
        text = f"{name} stopped ({str(error).splitlines()[0]}); columns that determine one another cannot be tested"
        raise ComputationError(text) from None


def _present(frame: pl.DataFrame) -> pl.DataFrame:
    """Refuse a table in which no graph can be searched for, whatever the test."""
    if frame.height < MIN_ROWS:
        raise InputError(f"only {frame.height} rows; at least {MIN_ROWS} are needed")
    for series in frame:
        values = series.fill_nan(None) if series.dtype.is_float() else series
        if values.drop_nulls().n_unique() < 2:
            raise InputError(f"{series.name} is constant; leave it out")
    return frame


def _complete(frame: pl.DataFrame) -> pl.DataFrame:
    for series in frame:
        if not series.dtype.is_numeric():
            raise InputError(f"{series.name} is not numeric; fisherz needs numbers, kci takes text too")
    whole = frame.select(pl.all().cast(pl.Float64).fill_nan(None)).drop_nulls()
    if whole.height < MIN_ROWS:
        raise InputError(f"only {whole.height} rows have a value in every column; at least {MIN_ROWS} are needed")
    constant = [series.name for series in whole if series.n_unique() == 1]
    if constant:
        raise InputError(f"{constant[0]} is constant over the complete rows; leave it out")
    return whole


def _fisherz(whole: pl.DataFrame) -> PValue:
    """Return causal-learn's Fisher z test over these columns."""
    test: Any = require("causallearn.utils.cit", extra="discovery").FisherZ(whole.to_numpy())

    def p_value(x: int, y: int, z: tuple[int, ...]) -> float:
        return float(test(x, y, z))

    return p_value
