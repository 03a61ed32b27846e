"""The learned graph in the words that all stages share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from personax.schema import Edge, Graph, Node

__all__ = ["to_graph"]


def to_graph(adjacency: NDArray[np.float64], names: Sequence[str], *, threshold: float = 0.5) -> Graph:
    """Return the edges that are surer than the threshold.

    Parameters
    ----------
    adjacency
        Shape (d, d), rows are children.
    names
        Of the latents; what stands before the last ``_`` is the group.

    Examples
    --------
    >>> to_graph(np.array([[0.0, 0.0], [0.9, 0.0]]), ["text_1", "image_1"]).edges[0].source
    'text_1'
    """
    nodes = [Node(name, name.replace("_", " "), name.rpartition("_")[0]) for name in names]
    edges = [
        Edge(names[parent], names[child], "directed", round(float(adjacency[child, parent]), 6))
        for child, parent in np.argwhere(adjacency > threshold)
    ]
    meaning = "An arrow: source causes target among the learned latents, as far as the method's assumptions hold."
    return Graph(nodes, edges, meaning, "how sure the edge is, 0 to 1", {"threshold": threshold})
