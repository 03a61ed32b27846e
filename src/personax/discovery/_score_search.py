"""Searches that score whole graphs instead of testing pairs: GES, GRaSP, BOSS and LiNGAM, all by causal-learn."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import combinations
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import normaltest

from personax.data.any_table import in_memory
from personax.discovery._determined import determined_columns
from personax.discovery._knowledge import Knowledge
from personax.discovery._meek import Pair, apply_rules
from personax.discovery._search import checked_knowledge, complete_numbers, listed, named_edge
from personax.errors import ComputationError, InputError, require
from personax.schema import EdgeKind, Graph, Node

__all__ = ["ScoreAlgorithm", "score_search"]

ScoreAlgorithm = Literal["ges", "grasp", "boss", "lingam"]

MIN_WEIGHT = 0.05
"""Standardised coefficient of LiNGAM below which there is no edge."""

NORMAL = 0.05
"""p-value of a residual's normality above which LiNGAM has nothing to tell its direction by."""

Ends = tuple[set[Pair], set[Pair]]
"""Arrows (cause, effect), and lines (i, j) with i < j."""


def score_search(
    frame: pl.DataFrame,
    *,
    algorithm: ScoreAlgorithm,
    knowledge: Knowledge | None = None,
    groups: Mapping[str, str] | None = None,
    seed: int = 0,
) -> Graph:
    """Return the graph whose score is best, for linear causes among numbers.

    Parameters
    ----------
    frame
        One column of numbers a variable; rows with a missing value are left out and counted in ``details``.
    algorithm
        ``ges`` (greedy equivalence search), ``grasp``, ``boss`` (searches over orders of the columns), all by the
        Bayesian information criterion; ``lingam`` (DirectLiNGAM), which directs every edge where noise is not normal.
    knowledge
        Directs lines, and what follows from them. An edge that contradicts it stays, and stands in
        ``details["against_knowledge"]``: these searches look at the data alone.
    groups
        Column -> group of its node.
    seed
        Of the orders that ``grasp`` and ``boss`` begin with.

    Returns
    -------
    Graph
        ``directed`` where all graphs of this score agree, else ``undirected``. For ``lingam``
        ``details["normal_residuals"]`` names the columns whose noise may be normal: arrows between two of them, or
        into one from another, are not told by the data.

    Raises
    ------
    InputError
        Text columns, a constant column, fewer than ten rows, fewer than two columns, columns that determine one
        another; knowledge that contradicts itself.

    Notes
    -----
    Assumes linear causes with additive noise (normal but for ``lingam``), no hidden common cause, no cycle. The columns
    are searched in the order of their names, so that their order in the table does not matter.

    References
    ----------
    Chickering 2002, JMLR 3, 507-554; Lam, Andrews, Ramsey 2022, arXiv:2206.05421 (GRaSP); Andrews et al. 2023,
    arXiv:2310.17679 (BOSS); Shimizu et al. 2011, JMLR 12, 1225-1248 (DirectLiNGAM).

    Examples
    --------
    >>> a, b, noise = np.random.default_rng(0).normal(size=(3, 300))
    >>> graph = score_search(pl.DataFrame({"a": a, "b": b, "c": a + b + noise}), algorithm="ges")
    >>> [(edge.source, edge.target, edge.kind) for edge in graph.edges]
    [('a', 'c', 'directed'), ('b', 'c', 'directed')]
    """
    known, frame = checked_knowledge(knowledge), in_memory(frame)
    if algorithm not in _MEANINGS:
        raise InputError(f"there is no search {algorithm!r}; choose from {', '.join(_MEANINGS)}")
    if frame.width < 2:
        raise InputError("a causal graph needs at least two columns")
    known.check(frame.columns)
    used = complete_numbers(frame.select(sorted(frame.columns)))
    determined = determined_columns(used, linear=True)
    if determined:
        raise InputError(f"{listed(determined[0])} determine one another; {algorithm} cannot score them, leave one out")
    names, values = used.columns, used.to_numpy()
    details: dict[str, Any] = {
        "algorithm": algorithm,
        "n": used.height,
        "rows_left_out": frame.height - used.height,
        "tests": 0,
        "tests_nothing_varies": 0,
    }
    with _causal_learn(algorithm), _seeded(seed):
        if algorithm == "lingam":
            ends, normal = _lingam(values)
            details["normal_residuals"] = [names[one] for one in normal]
        else:
            ends = _pattern(_SEARCHES[algorithm](_standardised(values)))
    arrows, lines = _with_knowledge(*ends, known, names)
    against = [(names[i], names[j]) for i, j in sorted(arrows) if known.is_forbidden(names[i], names[j])]
    details["against_knowledge"] = [list(pair) for pair in against]
    kinds: dict[Pair, EdgeKind] = {**dict.fromkeys(arrows, "directed"), **dict.fromkeys(lines, "undirected")}
    edges = [named_edge(names[i], names[j], kind, frame.columns) for (i, j), kind in kinds.items()]
    place = {name: number for number, name in enumerate(frame.columns)}
    edges.sort(key=lambda edge: sorted((place[edge.source], place[edge.target])))
    nodes = [Node(name, name.replace("_", " "), (groups or {}).get(name, "")) for name in frame.columns]
    return Graph(nodes, edges, _MEANINGS[algorithm], "", details)


_MEANINGS = {
    **{
        name: f"{title} by BIC: an arrow is a cause, a plain line leaves the direction open."
        for name, title in (("ges", "GES"), ("grasp", "GRaSP"), ("boss", "BOSS"))
    },
    "lingam": "DirectLiNGAM: an arrow is a linear cause, its direction told by noise that is not normal.",
}


def _with_knowledge(arrows: set[Pair], lines: set[Pair], known: Knowledge, names: list[str]) -> Ends:
    def forbidden(i: int, j: int) -> bool:
        return known.is_forbidden(names[i], names[j])

    told = {(i, j) for pair in lines for i, j in (pair, pair[::-1]) if forbidden(j, i) and not forbidden(i, j)}
    left = {pair for pair in lines if pair not in told and pair[::-1] not in told}
    return apply_rules(arrows | told, left, forbidden)


def _standardised(values: NDArray[np.float64]) -> NDArray[np.float64]:
    scaled: NDArray[np.float64] = (values - values.mean(0)) / values.std(0)
    return scaled


def _pattern(ends: NDArray[np.int_]) -> Ends:
    """Read causal-learn's end-point matrix: at [i, j] the end at i, -1 a tail, 1 an arrowhead."""
    pairs = list(combinations(range(len(ends)), 2))
    lines = {(i, j) for i, j in pairs if ends[i, j] == ends[j, i] == -1}
    return {(int(i), int(j)) for i, j in np.argwhere((ends == -1) & (ends.T == 1))}, lines


def _ges(values: NDArray[np.float64]) -> NDArray[np.int_]:
    module: Any = require("causallearn.search.ScoreBased.GES", extra="discovery")
    return np.array(module.ges(values, "local_score_BIC")["G"].graph)


def _grasp(values: NDArray[np.float64]) -> NDArray[np.int_]:
    module: Any = require("causallearn.search.PermutationBased.GRaSP", extra="discovery")
    return np.array(module.grasp(values, "local_score_BIC_from_cov", verbose=False).graph)


def _boss(values: NDArray[np.float64]) -> NDArray[np.int_]:
    module: Any = require("causallearn.search.PermutationBased.BOSS", extra="discovery")
    return np.array(module.boss(values, "local_score_BIC_from_cov", verbose=False).graph)


_SEARCHES: Mapping[str, Callable[[NDArray[np.float64]], NDArray[np.int_]]] = {
    "ges": _ges,
    "grasp": _grasp,
    "boss": _boss,
}


def _lingam(values: NDArray[np.float64]) -> tuple[Ends, list[int]]:
    """Return the arrows, and the columns whose residuals may be normal."""
    module: Any = require("causallearn.search.FCMBased.lingam", extra="discovery")
    scaled = _standardised(values)
    model = module.DirectLiNGAM(random_state=0)
    model.fit(scaled)
    weights = np.array(model.adjacency_matrix_)  # at [effect, cause]
    arrows = {(int(j), int(i)) for i, j in np.argwhere(np.abs(weights) >= MIN_WEIGHT)}
    residuals = scaled - scaled @ weights.T
    normal = [place for place, column in enumerate(residuals.T) if normaltest(column).pvalue > NORMAL]
    return (arrows, set()), normal


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seed the global generator that causal-learn shuffles with, and leave it as it was found."""
    state = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(state)


@contextmanager
def _causal_learn(name: str) -> Iterator[None]:
    """Turn what causal-learn says of data that it cannot use into one sentence."""
    try:
        with warnings.catch_warnings():
            # causal-learn warns of its own use of numpy and networkx; nothing in it concerns the data
            warnings.simplefilter("ignore")
            yield
    except (ValueError, np.linalg.LinAlgError) as error:
        raise ComputationError(f"{name} stopped ({str(error).splitlines()[0]}); look at the columns' values") from None
