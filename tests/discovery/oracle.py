"""Tests of independence that know the truth: questions are answered by separation in a known graph, not by data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import networkx as nx
import numpy as np
import polars as pl

from personax.discovery import CiTest
from personax.schema import Graph

Edges = set[tuple[str, str, str]]


def dag(*causes: str) -> nx.DiGraph:
    """Make a graph of "a>b" texts."""
    return nx.DiGraph([tuple(cause.split(">")) for cause in causes])


def table(names: Iterable[str]) -> pl.DataFrame:
    """Return a table whose values nobody looks at, but that no column determines another."""
    rng = np.random.default_rng(0)
    return pl.DataFrame({name: rng.permutation(12) for name in names})


def oracle(graph: nx.DiGraph, names: Sequence[str]) -> CiTest:
    """Answer for some of the variables of a graph; the others are hidden."""
    return asking(lambda x, y, z: nx.is_d_separator(graph, {names[x]}, {names[y]}, {names[one] for one in z}))


def asking(independent: Callable[[int, int, tuple[int, ...]], bool]) -> CiTest:
    return CiTest("oracle", lambda frame: lambda x, y, z: float(independent(x, y, z)))


def found(graph: Graph) -> Edges:
    return {(edge.source, edge.target, edge.kind) for edge in graph.edges}
