"""How often an edge comes back, and with which ends, when people are drawn anew."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from personax.data.any_table import in_memory
from personax.data.edges import EDGES
from personax.engine import find_engine
from personax.errors import ComputationError, InputError
from personax.schema import Edge, Graph

__all__ = ["SHARES", "Search", "bootstrap_edges", "stability"]

SHARES = ("any", *(share for marks in EDGES.values() for share in marks.shares))
"""Columns of the table: any edge; source -> target; target -> source; a line; two heads; source o-> target; target o->
source; source o-o target."""


def stability(names: Sequence[str], draws: Sequence[Sequence[Edge]]) -> pl.DataFrame:
    """Return the share of draws in which each pair was joined, in all and by the kind of edge.

    Parameters
    ----------
    names
        The variables; the earlier one of a pair is its source.
    draws
        The edges of every draw.

    Returns
    -------
    polars.DataFrame
        ``source``, ``target`` and `SHARES`, which after the first add up to the first; pairs never joined are left out.

    Examples
    --------
    >>> stability(["a", "b"], [[Edge("b", "a")], []]).select("any", "forward", "backward").row(0)
    (0.5, 0.0, 0.5)
    """
    place = {name: order for order, name in enumerate(names)}
    counts: Counter[tuple[str, str, str]] = Counter()
    for edges in draws:
        for edge in edges:
            forth = place[edge.source] < place[edge.target]
            pair = (edge.source, edge.target) if forth else (edge.target, edge.source)
            counts[(*pair, "any")] += 1
            shares = EDGES[edge.kind].shares
            counts[(*pair, shares[0] if forth else shares[-1])] += 1
    pairs = sorted({key[:2] for key in counts}, key=lambda pair: (place[pair[0]], place[pair[1]]))
    rows = [(*pair, *(round(counts[(*pair, share)] / len(draws), 4) for share in SHARES)) for pair in pairs]
    schema = {"source": pl.String, "target": pl.String, **dict.fromkeys(SHARES, pl.Float64)}
    return pl.DataFrame(rows, schema=schema, orient="row")


Search = Callable[[pl.DataFrame], Graph]

DrawnEdges = Sequence[Edge] | None
"""The edges of one draw; None when it could not be searched."""


def bootstrap_edges(
    frame: pl.DataFrame,
    search: Search,
    *,
    times: int,
    rng: np.random.Generator,
    jobs: int | None = None,
    graph: Graph | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Graph, pl.DataFrame]:
    """Return the graph of all people, every edge weighted by how often its pair comes back, and what came back.

    Parameters
    ----------
    frame
        One row a person.
    search
        Returns a graph, for example `pc` with its settings. For several processes it must be picklable: a function of
        a module or a `functools.partial` of one, no lambda.
    times
        Number of draws of as many people with replacement, each with the columns in another order; a draw that cannot
        be searched is counted apart.
    rng
        Its children draw the people, one a draw, so that the result is the same for any number of jobs.
    jobs
        Processes that search at the same time; those of `personax.engine.parallel_config` by default, one where it is
        not used. A script that asks for more than one needs the line ``if __name__ == "__main__":``, as always in
        Python.
    graph
        The graph of all people, where it is known already.
    progress
        Called with (draws done, draws).

    Returns
    -------
    tuple
        The graph, and the table of `personax.discovery`, one row a pair that was joined at least once.

    Raises
    ------
    InputError
        Fewer than one job, a number of draws that is none; a search that cannot be sent to another process.
    ComputationError
        When a process dies, for example for want of memory.

    Examples
    --------
    >>> frame = pl.DataFrame({"a": range(20), "b": range(20)})
    >>> always = lambda drawn: Graph([], [Edge("a", "b")])
    >>> graph, table = bootstrap_edges(frame, always, times=3, rng=np.random.default_rng(0))
    >>> graph.edges[0].weight, table["forward"].item()
    (1.0, 1.0)
    """
    if isinstance(times, bool) or not isinstance(times, int) or times < 0:
        raise InputError(f"times is {times!r}; give a whole number of draws, 0 or more")
    engine, frame = find_engine("processes", jobs), in_memory(frame)
    graph = search(frame) if graph is None else graph
    draws = rng.spawn(times)
    found: list[DrawnEdges] = [None] * times
    for done, (place, edges) in enumerate(engine.map(_drawn, draws, shared=(frame, search)), start=1):
        found[place] = edges
        if progress is not None:
            progress(done, times)
    ran = [edges for edges in found if edges is not None]
    table = stability(frame.columns, ran)
    details = {**graph.details, "bootstraps": len(ran), "bootstraps_failed": times - len(ran)}
    weights = {frozenset(row[:2]): row[2] for row in table.iter_rows()}
    edges = [_weighted(edge, weights, ran) for edge in graph.edges]
    return replace(graph, edges=edges, weight="share of bootstrap draws with this edge", details=details), table


def _weighted(edge: Edge, weights: dict[frozenset[str], float], ran: Sequence[DrawnEdges]) -> Edge:
    return replace(edge, weight=weights.get(frozenset((edge.source, edge.target)), 0.0) if ran else None)


def _drawn(given: tuple[pl.DataFrame, Search], draw: np.random.Generator) -> DrawnEdges:
    """Search one draw; None where it has no answer, such as a column that became constant."""
    frame, search = given
    rows = draw.integers(frame.height, size=frame.height)
    # in another order of columns too: what depends on it is no finding
    columns = [frame.columns[place] for place in draw.permutation(frame.width)]
    try:
        return list(search(frame[rows].select(columns)).edges)
    except (ComputationError, InputError):
        return None
