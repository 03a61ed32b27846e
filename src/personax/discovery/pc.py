"""The PC algorithm over named columns, with background knowledge, by causal-learn."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.errors import ComputationError, InputError, require
from personax.schema import Edge, Graph, Node

__all__ = ["Knowledge", "pc"]

Test = Literal["fisherz", "kci"]


@dataclass(frozen=True)
class Knowledge:
    """What is known before looking at the data.

    Parameters
    ----------
    tiers
        Column -> tier; a column of a later tier never causes one of an earlier tier.
    forbidden
        (cause, effect) pairs that cannot be.
    """

    tiers: Mapping[str, int] | None = None
    forbidden: Sequence[tuple[str, str]] = ()


def pc(
    frame: pl.DataFrame,
    *,
    alpha: float = 0.01,
    test: Test = "fisherz",
    knowledge: Knowledge | None = None,
    groups: Mapping[str, str] | None = None,
) -> Graph:
    """Return the causal graph that PC finds, as far as independences determine it.

    Parameters
    ----------
    frame
        Numeric columns; rows with a missing value are left out and counted in ``details``.
    alpha
        Level of each test; not corrected for their number, as PC does not.
    test
        ``fisherz`` for linear dependence, ``kci`` for any (slow: minutes from some hundred rows on).
    knowledge
        Tiers and forbidden edges.
    groups
        Column -> group of its node.

    Returns
    -------
    Graph
        ``directed`` where all graphs with the found independences agree, ``undirected`` where they do not,
        ``bidirected`` where two tests contradict one another.

    Raises
    ------
    InputError
        Text columns, a constant column, fewer than ten complete rows, fewer than two columns.
    ComputationError
        When columns determine one another, so that no test can be computed.

    Notes
    -----
    Assumes that independence means absence of a cause (faithfulness), no hidden common cause, no cycle, no selection.

    References
    ----------
    Spirtes, Glymour, Scheines 2000, "Causation, Prediction, and Search"; Zheng et al. 2024, arXiv:2307.16405.
    """
    data, left_out = _complete(frame)
    found = _search(data, frame.columns, alpha, test, knowledge or Knowledge())
    nodes = [Node(name, name.replace("_", " "), (groups or {}).get(name, "")) for name in frame.columns]
    details = {"test": test, "alpha": alpha, "n": len(data), "rows_left_out": left_out}
    meaning = f"PC at level {alpha:g}: an arrow is a cause, a plain line leaves the direction open."
    return Graph(nodes, _edges(found, frame.columns), meaning, "", details)


def _complete(frame: pl.DataFrame) -> tuple[NDArray[np.float64], int]:
    if frame.width < 2:
        raise InputError("a causal graph needs at least two columns")
    for series in frame:
        if not series.dtype.is_numeric():
            raise InputError(f"{series.name} is not numeric; PC here needs numbers")
    whole = frame.select(pl.all().cast(pl.Float64).fill_nan(None)).drop_nulls()
    if whole.height < 10:
        raise InputError(f"only {whole.height} rows have a value in every column; at least 10 are needed")
    constant = [series.name for series in whole if series.n_unique() == 1]
    if constant:
        raise InputError(f"{constant[0]} is constant over the complete rows; leave it out")
    return whole.to_numpy(), frame.height - whole.height


def _search(
    data: NDArray[np.float64], names: Sequence[str], alpha: float, test: Test, knowledge: Knowledge
) -> NDArray[np.int_]:
    """Run PC and return causal-learn's end-point matrix."""
    search = require("causallearn.search.ConstraintBased.PC", extra="discovery")
    background = _background(names, knowledge)
    try:
        with warnings.catch_warnings():
            # causal-learn warns of its own use of numpy and networkx; nothing in it concerns the data
            warnings.simplefilter("ignore")
            graph = search.pc(
                data, alpha, test, background_knowledge=background, show_progress=False, node_names=list(names)
            )
    except (ValueError, np.linalg.LinAlgError) as error:
        text = f"PC stopped ({str(error).splitlines()[0]}); columns that determine one another cannot be tested"
        raise ComputationError(text) from None
    return np.asarray(graph.G.graph)


def _background(names: Sequence[str], knowledge: Knowledge) -> Any:  # noqa: ANN401 - causal-learn has no types
    """Return causal-learn's form of tiers and forbidden edges, or None."""
    nodes = require("causallearn.graph.GraphNode", extra="discovery")
    module = require("causallearn.utils.PCUtils.BackgroundKnowledge", extra="discovery")
    made = {name: nodes.GraphNode(name) for name in names}
    background = module.BackgroundKnowledge()
    for name, tier in (knowledge.tiers or {}).items():
        background.add_node_to_tier(made[name], tier)
    for cause, effect in knowledge.forbidden:
        background.add_forbidden_by_node(made[cause], made[effect])
    return background if knowledge.tiers or knowledge.forbidden else None


def _edges(ends: NDArray[np.int_], names: Sequence[str]) -> list[Edge]:
    """Read end points: -1 a tail, 1 an arrow head, at the row's end of the edge."""
    edges = []
    for i in range(len(names)):
        for j in range(i + 1, len(names)):
            at_i, at_j = int(ends[i, j]), int(ends[j, i])
            if at_i == at_j == -1:
                edges.append(Edge(names[i], names[j], "undirected"))
            elif at_i == at_j == 1:
                edges.append(Edge(names[i], names[j], "bidirected"))
            elif at_i == -1 and at_j == 1:
                edges.append(Edge(names[i], names[j], "directed"))
            elif at_i == 1 and at_j == -1:
                edges.append(Edge(names[j], names[i], "directed"))
    return edges
