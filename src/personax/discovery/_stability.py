"""Of every pair of variables, how often an edge joined them, and with which ends."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import polars as pl

from personax.schema import Edge

__all__ = ["SHARES", "stability"]

SHARES = (
    "any",
    "forward",
    "backward",
    "undirected",
    "bidirected",
    "partial_forward",
    "partial_backward",
    "nondirected",
)
"""Columns of the table: any edge; source -> target; target -> source; a line; two heads; source o-> target; target o->
source; source o-o target."""

TURNED = {
    "directed": ("forward", "backward"),
    "partially_directed": ("partial_forward", "partial_backward"),
}
"""Kind -> column where the edge points from source to target, and where it points back."""


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
            counts[(*pair, TURNED[edge.kind][not forth] if edge.kind in TURNED else edge.kind)] += 1
    pairs = sorted({key[:2] for key in counts}, key=lambda pair: (place[pair[0]], place[pair[1]]))
    rows = [(*pair, *(round(counts[(*pair, share)] / len(draws), 4) for share in SHARES)) for pair in pairs]
    schema = {"source": pl.String, "target": pl.String, **dict.fromkeys(SHARES, pl.Float64)}
    return pl.DataFrame(rows, schema=schema, orient="row")
