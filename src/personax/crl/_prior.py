"""Prior knowledge of causes between modalities: tiers, forbidden causes, Level I's graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from personax.errors import InputError
from personax.schema import Graph
from personax.strict import Strict, nearest

__all__ = ["Prior"]


Pair = Annotated[Sequence[str], Field(min_length=2, max_length=2)]
"""(cause, effect), two modalities."""


class Prior(Strict):
    """Which modalities do not cause which; single latents have no order before the fit, so none is named.

    Parameters
    ----------
    tiers
        Modalities in groups: those of a later group cause none of an earlier one. Modalities that are not named may
        cause any.
    forbidden
        (cause, effect) pairs of modalities; ``shared`` stands for the shared latents.
    times
        None for certain knowledge: such edges are excluded. Otherwise a belief: the cost of such edges is multiplied by
        this factor, and the data can still contradict it.

    Examples
    --------
    >>> Prior(tiers=[["image"], ["text"]]).allowed(["image_1", "text_1"]).tolist()
    [[True, False], [True, True]]
    """

    tiers: Sequence[Sequence[str]] = ()
    forbidden: Sequence[Pair] = ()
    times: Annotated[float, Field(ge=1, allow_inf_nan=False)] | None = None

    @classmethod
    def from_graph(cls, graph: Graph, modality_of: Mapping[str, str], *, times: float | None = None) -> Prior:
        """Forbid causes, both ways, between modalities whose variables no edge of Level I's graph joins.

        Parameters
        ----------
        graph
            Level I's: an edge is a dependence that was found.
        modality_of
            Variable -> the modality it was read from; variables that are not named are passed over.
        times
            As above.

        Raises
        ------
        InputError
            A variable that the graph does not have.
        """
        known = [node.id for node in graph.nodes]
        for name in modality_of:
            if name not in known:
                raise InputError(f"prior: Level I's graph has no variable {name}; {nearest(name, known)}")
        joined = {
            frozenset((modality_of[e.source], modality_of[e.target]))
            for e in graph.edges
            if e.source in modality_of and e.target in modality_of
        }
        names = list(dict.fromkeys(modality_of.values()))
        apart = [(a, b) for a in names for b in names if a != b and frozenset((a, b)) not in joined]
        return cls(forbidden=apart, times=times)

    def check(self, modalities: Sequence[str]) -> None:
        """Check that the prior fits the modalities and does not contradict itself.

        Raises
        ------
        InputError
            A modality that is not there or stands in two tiers.
        """
        named = [name for group in self.tiers for name in group]
        for name in [*named, *(name for pair in self.forbidden for name in pair)]:
            if name not in (*modalities, "shared"):
                raise InputError(f"prior: there is no modality {name}; {nearest(name, list(modalities))}")
        twice = sorted({name for name in named if named.count(name) > 1})
        if twice:
            raise InputError(f"prior.tiers: {twice[0]} stands in two tiers; keep one")

    def allowed(self, names: Sequence[str]) -> NDArray[np.bool_]:
        """Return which edges may be, shape (d, d), rows are children; all, where this is a belief."""
        against = self._against(names)
        return ~against if self.times is None else np.ones_like(against)

    def edge_penalty(self, names: Sequence[str]) -> NDArray[np.float64]:
        """Return the factor on the cost of each edge, shape (d, d), rows are children."""
        return np.where(self._against(names), 1.0 if self.times is None else self.times, 1.0)

    def _against(self, names: Sequence[str]) -> NDArray[np.bool_]:
        of = [name.rpartition("_")[0] for name in names]
        self.check(list(dict.fromkeys(of)))
        tier = {name: i for i, group in enumerate(self.tiers) for name in group}
        banned = {tuple(pair) for pair in self.forbidden}
        against: NDArray[np.bool_] = np.array(
            [[(a, b) in banned or (a in tier and b in tier and tier[a] > tier[b]) for a in of] for b in of], dtype=bool
        ).reshape(len(of), len(of))
        return against
