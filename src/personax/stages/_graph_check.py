"""The learned graph beside one that PC finds on the same latents: where the two disagree, neither is sure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import polars as pl
from scipy.special import ndtri

from personax.discovery import pc
from personax.errors import PersonaxError
from personax.schema import Edge, Graph

__all__ = ["GraphCheck", "check_graph"]

AGREED: Final = 0.9
"""Share of the edges below which a notice says where the two graphs disagree."""

LEVEL: Final = 0.01


@dataclass(frozen=True)
class GraphCheck:
    """How far two graphs of the same latents agree.

    Parameters
    ----------
    agreed, edges
        Pairs that both join with no opposite arrows, of those that either joins.
    differ
        Of every other pair, what each graph says.
    other
        The edges that PC finds.
    """

    agreed: int
    edges: int
    differ: list[str]
    other: Sequence[Edge] = ()

    @property
    def share(self) -> float | None:
        """Share of the edges on which both agree; None where neither has any."""
        return self.agreed / self.edges if self.edges else None

    @property
    def sentence(self) -> str:
        """What a reader must know."""
        if not self.edges:
            return "Neither the learned graph nor PC (linear tests at .01) has an edge between latents."
        head = f"PC (linear tests at .01) agrees with the learned graph on {self.agreed} of {self.edges} edges"
        return head + (f"; not on {'; '.join(self.differ)}." if self.differ else ".")

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers and the sentence by name."""
        found = [{"source": e.source, "target": e.target, "kind": e.kind} for e in self.other]
        told = {"agreed": self.agreed, "edges": self.edges, "differ": self.differ, "sentence": self.sentence}
        return told | {"found": found}


def check_graph(graph: Graph, latents: pl.DataFrame) -> GraphCheck | None:
    """Compare a learned graph with PC's on normal scores of the latents; None where PC cannot run.

    Parameters
    ----------
    graph
        Directed edges between latents.
    latents
        A column a latent.

    Examples
    --------
    >>> import numpy as np
    >>> from personax.schema import Edge, Node
    >>> a, b = np.random.default_rng(0).normal(size=(2, 500))
    >>> graph = Graph([Node("a"), Node("b")], [Edge("a", "b")])
    >>> check_graph(graph, pl.DataFrame({"a": a, "b": a + b})).sentence  # doctest: +SKIP
    'PC (linear tests at .01) agrees with the learned graph on 1 of 1 edges.'
    """
    scores = latents.select(
        ((pl.all().rank("average") - 0.5) / pl.len()).map_batches(lambda s: pl.Series(s.name, ndtri(s.to_numpy())))
    )
    try:
        other = pc(scores, alpha=LEVEL)
    except PersonaxError:
        return None
    if other.details["determined"]:
        return None  # to which of them an edge belongs cannot be told
    ours = {frozenset((e.source, e.target)): e for e in graph.edges}
    theirs = {frozenset((e.source, e.target)): e for e in other.edges}
    differ, agreed = [], 0
    for pair in sorted({*ours, *theirs}, key=sorted):
        one, two = ours.get(pair), theirs.get(pair)
        if one is not None and two is not None and (two.kind != "directed" or two.source == one.source):
            agreed += 1
            continue
        a, b = sorted(pair) if one is None else (one.source, one.target)
        said = "no edge" if two is None else "an edge" if one is None else "the other direction"
        differ.append(f"{a} {'->' if one else '-'} {b} (PC: {said}{'' if one else ', learned: none'})")
    return GraphCheck(agreed, len({*ours, *theirs}), differ, other.edges)
