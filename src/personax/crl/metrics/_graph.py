"""Learned graphs: in the terms that all stages share, and scored against the true one (SHD, precision, recall)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from personax.errors import InputError
from personax.results import Result
from personax.schema import Edge, EdgeKind, Graph, Node

__all__ = ["DIRECTED", "EdgeScores", "GraphScores", "align", "graph_scores", "shd", "to_graph"]

Edges = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class EdgeScores:
    """Scores of a set of possible edges.

    Parameters
    ----------
    shd
        Structural Hamming distance; a reversed edge counts once.
    precision, recall, f1
        Of directed edges; None where nothing is learned, nothing is there to find, or neither.
    """

    shd: int
    precision: float | None
    recall: float | None
    f1: float | None


@dataclass(frozen=True, slots=True)
class GraphScores(Result):
    """Scores of a learned graph.

    Parameters
    ----------
    overall, cross, within
        Of all edges, of those between groups (a shared latent is a group of its own), of those within one.
    surplus
        Learned edges that touch a learned latent without a true partner; they are in no other number.
    """

    overall: EdgeScores
    cross: EdgeScores
    within: EdgeScores
    surplus: int

    def to_frame(self) -> pl.DataFrame:
        """Return one row a set of edges: all, between groups, within groups."""
        sets = {"all": self.overall, "between groups": self.cross, "within groups": self.within}
        types = {"edges": pl.String, "shd": pl.Int64} | dict.fromkeys(("precision", "recall", "f1"), pl.Float64)
        return pl.DataFrame([{"edges": name, **asdict(scores)} for name, scores in sets.items()], schema=types)


def shd(learned: Edges, true: Edges) -> int:
    """Return the structural Hamming distance of two directed graphs, rows are children; a reversed edge counts once.

    Examples
    --------
    >>> a = np.array([[False, False], [True, False]])
    >>> shd(a, a), shd(a, a.T), shd(a, np.zeros_like(a))
    (0, 1, 1)
    """
    differs = learned != true
    return int(np.triu(differs | differs.T, 1).sum())


def align(adjacency: Edges, pairs: Sequence[tuple[int, int, float]], k: int) -> Edges:
    """Return the learned graph among the k true latents; a latent without a partner has no edges.

    Parameters
    ----------
    adjacency
        Shape (d, d), rows are children.
    pairs
        (learned, true, score), as in `personax.crl.Match`.
    k
        Number of true latents.

    Examples
    --------
    >>> learned = np.array([[False, True], [False, False]])
    >>> align(learned, [(0, 1, 0.9), (1, 0, 0.8)], 2).tolist()
    [[False, False], [True, False]]
    """
    learned = [i for i, _, _ in pairs]
    true = [j for _, j, _ in pairs]
    found = np.zeros((k, k), dtype=bool)
    found[np.ix_(true, true)] = adjacency[np.ix_(learned, learned)]
    return found


def graph_scores(
    adjacency: ArrayLike | None,
    true: ArrayLike | None,
    *,
    pairs: Sequence[tuple[int, int, float]],
    groups: Sequence[str],
    threshold: float = 0.5,
) -> GraphScores | None:
    """Score a learned graph after its latents are matched; None where a graph is missing.

    Parameters
    ----------
    adjacency
        Learned, shape (d, d), rows are children; an edge is there where it is greater than the threshold.
    true
        Shape (k, k), rows are children.
    pairs
        (learned, true, score), as in `personax.crl.Match`. True latents in no pair have no learned edges, so that
        theirs count as missing.
    groups
        Of the true latents: the modality, or ``"shared"``.
    threshold
        As in `personax.crl.to_graph`.

    Raises
    ------
    InputError
        A graph that is not square or holds missing numbers, other than one group a latent.

    References
    ----------
    Tsamardinos, Brown, Aliferis 2006, doi:10.1007/s10994-006-6889-7 (SHD).

    Examples
    --------
    >>> truth = np.array([[0, 0], [1, 0]])
    >>> swapped = [(0, 1, 1.0), (1, 0, 1.0)]
    >>> graph_scores(truth.T, truth, pairs=swapped, groups=["a", "b"]).cross
    EdgeScores(shd=0, precision=1.0, recall=1.0, f1=1.0)
    """
    if adjacency is None or true is None:
        return None
    learned, known = _square(adjacency, "learned") > threshold, _square(true, "true") > threshold
    if len(groups) != len(known):
        raise InputError(f"{len(groups)} groups are given for {len(known)} true latents; give one for each")
    among = align(learned, pairs, len(known))
    names = np.asarray(groups)
    between = names[:, None] != names[None, :]
    off = ~np.eye(len(known), dtype=bool)
    matched = np.isin(np.arange(len(learned)), [i for i, _, _ in pairs])
    surplus = learned & ~np.outer(matched, matched) & ~np.eye(len(learned), dtype=bool)
    return GraphScores(
        _scores(among & off, known & off),
        _scores(among & between, known & between),
        _scores(among & off & ~between, known & off & ~between),
        int(surplus.sum()),
    )


def _square(adjacency: ArrayLike, name: str) -> NDArray[np.float64]:
    found = np.asarray(adjacency, dtype=np.float64)
    if found.ndim != 2 or found.shape[0] != found.shape[1] or not np.isfinite(found).all():
        text = f"the {name} graph has shape {found.shape}; give one number for each child (row) and parent (column)"
        raise InputError(text)
    return found


def _scores(learned: Edges, true: Edges) -> EdgeScores:
    hits, said, there = int((learned & true).sum()), int(learned.sum()), int(true.sum())
    return EdgeScores(
        shd(learned, true),
        hits / said if said else None,
        hits / there if there else None,
        2 * hits / (said + there) if said + there else None,
    )


DIRECTED: Final = 0.9
"""Of the samples of the people that join two latents, the share that must agree on a direction before it is told.

`benchmarks/latent_directions.py` counts how often it is right then.
"""


def _joined(adjacency: NDArray[np.float64], threshold: float, sure: float | None) -> list[tuple[int, int]]:
    """Return (child, parent) of the edges; of a pair that shares of samples join either way, its more frequent one."""
    if sure is None:
        return [(int(child), int(parent)) for child, parent in np.argwhere(adjacency > threshold)]
    pairs = np.argwhere(np.triu(adjacency + adjacency.T > threshold, 1))
    return sorted((int(i), int(j)) if adjacency[i, j] >= adjacency[j, i] else (int(j), int(i)) for i, j in pairs)


def to_graph(
    adjacency: NDArray[np.float64],
    names: Sequence[str],
    *,
    threshold: float = 0.5,
    weight: str = "how sure the method is of the edge with latents held fixed, 0 to 1",
    found_again: NDArray[np.float64] | None = None,
    refits: Sequence[str] = (),
    identified: Collection[str] | None = None,
    sure: float | None = None,
) -> Graph:
    """Return the edges that are surer than the threshold, without an arrow where the direction is not sure.

    Parameters
    ----------
    adjacency
        Shape (d, d), rows are children.
    names
        Of the latents; what stands before the last ``_`` is the group.
    weight
        What the numbers of the adjacency are.
    found_again, refits
        Share of the refits that have each edge, shape (d, d), and their names; the edges' weights where there are any.
    identified
        Latents that are told apart; edges with another end are doubtful. None where nothing is known of that.
    sure
        Where the adjacency's numbers are shares of samples of the people: of the samples that join a pair, the share
        that an arrow needs; with a smaller one the edge is undirected. None for other numbers.

    Examples
    --------
    >>> to_graph(np.array([[0.0, 0.0], [0.9, 0.0]]), ["text_1", "image_1"]).edges[0].source
    'text_1'
    """
    nodes = [Node(name, name.replace("_", " "), name.rpartition("_")[0]) for name in names]
    again = found_again if refits else None
    edges = []
    for child, parent in _joined(adjacency, threshold, sure):
        open_ends = [] if identified is None else [n for n in (names[parent], names[child]) if n not in identified]
        this, other = adjacency[child, parent], adjacency[parent, child]
        directed = sure is None or bool(this >= sure * (this + other))
        numbers = adjacency if again is None else again
        number = float(numbers[child, parent] + (0.0 if directed else numbers[parent, child]))
        said = [] if again is None else [f"in {round(number * len(refits))} of {len(refits)} refits"]
        if not directed:
            said.append(
                f"direction open: {names[parent]} -> {names[child]} in {100 * this:.0f} % of samples of the people, "
                f"the other way in {100 * other:.0f} %"
            )
        said += [f"{' and '.join(open_ends)} not told apart"] if open_ends else []
        kind: EdgeKind = "directed" if directed else "undirected"
        edges.append(Edge(names[parent], names[child], kind, round(number, 6), ", ".join(said), bool(open_ends)))
    meaning = "An arrow: source causes target among the learned latents, as far as the method's assumptions hold."
    details: dict[str, Any] = {"threshold": threshold}
    if again is not None:
        held = {f"{e.source} -> {e.target}": _rounded(adjacency, names, e) for e in edges}
        details |= {"refits": list(refits), weight: held}
        weight = f"share of {len(refits)} refits that find the edge again, latents learned anew"
    if any(edge.doubtful for edge in edges):
        meaning += " Grey and broken: an end is not told apart from other latents, so the arrow may be another one."
    return Graph(nodes, edges, meaning, weight, details)


def _rounded(adjacency: NDArray[np.float64], names: Sequence[str], edge: Edge) -> float:
    return round(float(adjacency[names.index(edge.target), names.index(edge.source)]), 6)
