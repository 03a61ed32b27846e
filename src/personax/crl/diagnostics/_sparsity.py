"""Which latents the sparsity of the learned graph identifies within their modality, and which nothing does."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from personax.crl._scaler import latent_names
from personax.crl._stability import columns
from personax.crl.diagnostics._verdict import Diagnosis, Verdict
from personax.errors import InputError

__all__ = ["ALONE", "NOTHING", "ORTHOGONAL", "SPARSITY", "identified", "mates"]

ALONE: Final = "alone in its group"
SPARSITY: Final = "sparsity of edges across modalities"
ORTHOGONAL: Final = "orthogonal mechanisms"
NOTHING: Final = "nothing"

_VERDICTS: Final[Mapping[str, Verdict]] = {
    ALONE: "holds",
    SPARSITY: "holds",
    ORTHOGONAL: "doubtful",  # no edge and no test supports it: it is an assumption
    NOTHING: "violated",
}

_ASSUMPTION: Final = "single latents are identified"


def mates(edges: NDArray[np.bool_], group: NDArray[np.intp]) -> list[list[int]]:
    """Return, for each latent i, the latents j of its group that could be mixed into it without a further edge.

    Replace z_i by z_i + c z_j. Each child of i gets j as a parent, so the children of i, other than j, must be children
    of j already. Where j is a parent of i, that is all. Where it is not, the noise of j enters i, and only edges across
    groups are counted: the children of i in other groups must be children of j, and j's parents in other groups parents
    of i.

    Parameters
    ----------
    edges
        Shape (d, d), rows are children.
    group
        Shape (d,), a number for each modality and one for shared latents.

    References
    ----------
    Sun et al. 2025, arXiv:2411.06518 (sparsity between modalities).

    Examples
    --------
    >>> edges = np.zeros((3, 3), dtype=bool)
    >>> edges[2, 0] = True  # only latent 0 causes the other modality: any part of it may be mixed into latent 1
    >>> mates(edges, np.array([0, 0, 1]))
    [[], [0], []]
    """
    between = edges & (group[:, None] != group[None, :])
    found: list[list[int]] = []
    for i in range(len(group)):
        others = [int(j) for j in np.flatnonzero(group == group[i]) if j != i]
        found.append([j for j in others if _as_parent(edges, i, j) or _as_newcomer(between, i, j)])
    return found


def identified(
    adjacency: ArrayLike | None,
    counts: Mapping[str, int],
    shared: int = 0,
    *,
    orthogonal: Collection[str] = (),
    threshold: float = 0.5,
) -> Diagnosis:
    """Return what identifies each latent within its modality, if the learned graph is right.

    Parameters
    ----------
    adjacency
        Shape (d, d), rows are children; None where no graph is learned.
    counts
        Latents of each modality, in the order of the columns.
    shared
        Shared latents, which come first.
    orthogonal
        Names of latents that touch no other modality and were settled by orthogonal mechanisms.
    threshold
        An edge is there where the adjacency is greater.

    Returns
    -------
    Diagnosis
        The number is the share of latents that sparsity identifies, or that are alone in their group. Rows:
        ``latent``, ``by``, ``mates`` (what it may hold of others without a further edge), ``verdict``, ``sentence``.

    Raises
    ------
    InputError
        When the graph has another size than there are latents.

    Examples
    --------
    >>> link = np.zeros((3, 3))
    >>> link[2, 0] = 1
    >>> for row in identified(link, {"text": 2, "image": 1}).rows:
    ...     print(row["sentence"])
    text_1 is identified by the sparsity of edges across modalities.
    text_2 is not identified: it may be mixed with text_1.
    image_1 is alone in its group, so that it is identified as soon as the group is.
    """
    names = latent_names(counts, list(counts), shared)
    if adjacency is None:
        text = "No graph is learned, so sparsity identifies no latents within a modality."
        return Diagnosis(_ASSUMPTION, "not testable", None, text)
    edges = np.asarray(adjacency, dtype=np.float64) > threshold
    if edges.shape != (len(names), len(names)):
        raise InputError(f"the graph has shape {edges.shape} for {len(names)} latents; give one row for each")
    edges &= ~np.eye(len(names), dtype=bool)
    sizes = [len(block) for block in columns(counts, shared).values()]
    rows = [
        _row(names[i], [names[j] for j in possible], size == 1, names[i] in orthogonal)
        for i, (possible, size) in enumerate(
            zip(mates(edges, np.repeat(np.arange(len(sizes)), sizes)), np.repeat(sizes, sizes), strict=True)
        )
    ]
    return _gathered(rows)


def _as_parent(edges: NDArray[np.bool_], i: int, j: int) -> bool:
    return bool(edges[i, j]) and not _further(edges, i, j)


def _as_newcomer(between: NDArray[np.bool_], i: int, j: int) -> bool:
    return not _further(between, i, j) and not (between[j] & ~between[i]).any()


def _further(edges: NDArray[np.bool_], i: int, j: int) -> bool:
    """Return whether i has a child, other than j, that is no child of j."""
    further = edges[:, i] & ~edges[:, j]
    further[j] = False
    return bool(further.any())


def _row(name: str, possible: list[str], alone: bool, straight: bool) -> dict[str, Any]:
    if alone:
        by, text = ALONE, "is alone in its group, so that it is identified as soon as the group is."
    elif straight:
        by, text = ORTHOGONAL, "has no edge to another modality; orthogonal mechanisms identify it, if they hold."
    elif not possible:
        by, text = SPARSITY, f"is identified by the {SPARSITY}."
    else:
        by, text = NOTHING, f"is not identified: it may be mixed with {', '.join(possible)}."
    return {"latent": name, "by": by, "mates": possible, "verdict": _VERDICTS[by], "sentence": f"{name} {text}"}


def _gathered(rows: list[dict[str, Any]]) -> Diagnosis:
    open_to = [row["latent"] for row in rows if row["by"] == NOTHING]
    straight = [row["latent"] for row in rows if row["by"] == ORTHOGONAL]
    share = sum(row["by"] in (ALONE, SPARSITY) for row in rows) / len(rows)
    if open_to:
        text = f"By the learned graph, nothing identifies these within their modality: {', '.join(open_to)}."
        return Diagnosis(_ASSUMPTION, "violated", share, text, rows)
    if straight:
        text = f"These rest on orthogonal mechanisms, which cannot be tested here: {', '.join(straight)}."
        return Diagnosis(_ASSUMPTION, "doubtful", share, text, rows)
    text = "If the learned graph is right, its sparsity identifies every latent within its modality."
    return Diagnosis(_ASSUMPTION, "holds", share, text, rows)
