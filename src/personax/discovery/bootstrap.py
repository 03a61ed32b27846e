"""How often an edge comes back when people are drawn anew."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import polars as pl

from personax.errors import ComputationError, InputError
from personax.schema import Edge, Graph

__all__ = ["bootstrap_edges"]


def bootstrap_edges(
    frame: pl.DataFrame,
    search: Callable[[pl.DataFrame], Graph],
    *,
    times: int,
    rng: np.random.Generator,
    progress: Callable[[int, int], None] | None = None,
) -> Graph:
    """Return the graph of all people, every edge weighted by how often it comes back, whatever its direction.

    Parameters
    ----------
    frame
        One row a person.
    search
        Returns a graph, for example `pc` with its settings.
    times
        Number of draws of as many people with replacement; a draw that cannot be searched is counted apart.
    rng
        Draws the people.
    progress
        Called with (draws done, draws).

    Examples
    --------
    >>> frame = pl.DataFrame({"a": range(20), "b": range(20)})
    >>> always = lambda drawn: Graph([], [Edge("a", "b")])
    >>> bootstrap_edges(frame, always, times=3, rng=np.random.default_rng(0)).edges[0].weight
    1.0
    """
    graph = search(frame)
    seen: Counter[frozenset[str]] = Counter()
    failed = 0
    for draw in range(times):
        rows = rng.integers(frame.height, size=frame.height)
        try:
            seen.update(frozenset((edge.source, edge.target)) for edge in search(frame[rows]).edges)
        except (ComputationError, InputError):
            failed += 1
        if progress is not None:
            progress(draw + 1, times)
    ran = times - failed
    edges = [_weighted(edge, seen[frozenset((edge.source, edge.target))], ran) for edge in graph.edges]
    details = {**graph.details, "bootstraps": ran, "bootstraps_failed": failed}
    return replace(graph, edges=edges, weight="share of bootstrap draws with this edge", details=details)


def _weighted(edge: Edge, times: int, ran: int) -> Edge:
    return replace(edge, weight=round(times / ran, 4) if ran else None)
