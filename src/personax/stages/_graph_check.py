"""The learned graph beside one that PC finds on the same latents: where the two disagree, neither is sure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import polars as pl
from scipy.special import ndtri

from personax.data.edges import EDGES
from personax.discovery import pc
from personax.errors import PersonaxError
from personax.schema import Edge, Graph

__all__ = ["GraphCheck", "check_graph", "without_modalities"]

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
    open_directions
        Of the pairs on which both agree, those whose direction PC leaves open: nothing but the shape of noise tells it,
        and where latents are normal and linear in one another nothing can.
    """

    agreed: int
    edges: int
    differ: list[str]
    other: Sequence[Edge] = ()
    open_directions: Sequence[str] = ()

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
        differ = f"; not on {'; '.join(self.differ)}." if self.differ else "."
        count = len(self.open_directions)
        if not count:
            return head + differ
        of = "one of them" if count == 1 else f"{count} of them"
        return (
            f"{head}{differ} PC leaves the direction of {of} open ({'; '.join(self.open_directions)}): it rests on the "
            "learned graph alone, and cannot be told where latents are normal and linear in one another."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers and the sentence by name."""
        found = [{"source": e.source, "target": e.target, "kind": e.kind} for e in self.other]
        told = {"agreed": self.agreed, "edges": self.edges, "differ": self.differ, "sentence": self.sentence}
        return told | {"found": found, "open_directions": list(self.open_directions)}


def without_modalities(latents: pl.DataFrame, groups: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return for each modality what PC says of the other latents when its latents are left out.

    Parameters
    ----------
    latents
        A column a latent; they are held fixed, only the graph is looked for again.
    groups
        Latent -> its modality.

    Returns
    -------
    list of dict
        ``modality``, ``edges`` (between other latents, in either graph), ``same`` (in both, alike), ``changed``: the
        others in words. A path through what is left out becomes an edge; one that turns round was never sure.
    """
    whole, found = _edges_of(latents), []
    for modality in dict.fromkeys(groups.values()):
        kept = [name for name in latents.columns if groups.get(name) != modality]
        rest = _edges_of(latents.select(kept)) if 1 < len(kept) < latents.width else None
        if whole is None or rest is None:
            continue
        before = {pair: sign for pair, sign in whole.items() if pair <= set(kept)}
        changed = [
            f"{' and '.join(sorted(pair))}: {before.get(pair, 'no edge')} with it, {rest.get(pair, 'no edge')} without"
            for pair in sorted({*before, *rest}, key=sorted)
            if before.get(pair) != rest.get(pair)
        ]
        edges = len({*before, *rest})
        found.append({"modality": modality, "edges": edges, "same": edges - len(changed), "changed": changed})
    return found


def _edges_of(latents: pl.DataFrame) -> dict[frozenset[str], str] | None:
    """Return PC's edges by their two ends; None where it cannot run, or columns determine one another."""
    try:
        found = pc(_normal_scores(latents), alpha=LEVEL)
    except PersonaxError:
        return None
    if found.details["determined"]:
        return None
    ends = ((e, (e.source, e.target) if EDGES[e.kind].points else sorted((e.source, e.target))) for e in found.edges)
    return {frozenset(pair): f"{pair[0]} {EDGES[edge.kind].sign} {pair[1]}" for edge, pair in ends}


def _normal_scores(latents: pl.DataFrame) -> pl.DataFrame:
    return latents.select(
        ((pl.all().rank("average") - 0.5) / pl.len()).map_batches(lambda s: pl.Series(s.name, ndtri(s.to_numpy())))
    )


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
    try:
        other = pc(_normal_scores(latents), alpha=LEVEL)
    except PersonaxError:
        return None
    if other.details["determined"]:
        return None  # to which of them an edge belongs cannot be told
    ours = {frozenset((e.source, e.target)): e for e in graph.edges}
    theirs = {frozenset((e.source, e.target)): e for e in other.edges}
    differ, agreed, open_directions = [], 0, []
    for pair in sorted({*ours, *theirs}, key=sorted):
        one, two = ours.get(pair), theirs.get(pair)
        if one is not None and two is not None and not _against(one, two):
            agreed += 1
            if EDGES[one.kind].points and not EDGES[two.kind].points:
                open_directions.append(f"{one.source} -> {one.target}")
            continue
        a, b = sorted(pair) if one is None else (one.source, one.target)
        said = "no edge" if two is None else "an edge" if one is None else "the other direction"
        sign = "->" if one is not None and one.kind == "directed" else "-"
        differ.append(f"{a} {sign} {b} (PC: {said}{'' if one else ', learned: none'})")
    return GraphCheck(agreed, len({*ours, *theirs}), differ, other.edges, open_directions)


def _against(one: Edge, two: Edge) -> bool:
    return one.kind == two.kind == "directed" and two.source != one.source
