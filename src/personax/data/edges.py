"""The kinds of edges of a causal graph: what stands at their ends, and how each is written, drawn and counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from personax.schema import EdgeKind

__all__ = ["EDGES", "POINTING", "EdgeMarks", "End"]

End = Literal["tail", "head", "ring"]
"""What an edge carries at a node: nothing, an arrowhead, or the circle of an open end."""

_LEFT: Final[Mapping[End, str]] = {"tail": "-", "head": "<", "ring": "o"}
_RIGHT: Final[Mapping[End, str]] = {"tail": "-", "head": ">", "ring": "o"}


@dataclass(frozen=True, slots=True)
class EdgeMarks:
    """What an edge of one kind looks like.

    Parameters
    ----------
    at_source, at_target
        Its ends.
    sign
        Between two names in running text.
    words
        In a legend.
    shares
        Columns of a stability table that count it: as it is, and turned round where that is another edge.
    """

    at_source: End
    at_target: End
    sign: str
    words: str
    shares: tuple[str, ...]

    @property
    def ends(self) -> tuple[End, End]:
        """What stands at the source and at the target."""
        return self.at_source, self.at_target

    @property
    def points(self) -> bool:
        """Whether it leads from its source to its target: it is another edge when it is turned round."""
        return self.at_source != self.at_target

    @property
    def symbol(self) -> str:
        """As causal-learn and tetrad write it, in ASCII."""
        return f"{_LEFT[self.at_source]}-{_RIGHT[self.at_target]}"

    @property
    def dot(self) -> Mapping[str, str]:
        """Attributes by which Graphviz draws its ends."""
        if self.at_target == "tail":
            return {"dir": "none"}
        if self.at_source == "tail":
            return {"dir": "forward"}
        rings = {"arrowtail": self.at_source, "arrowhead": self.at_target}
        return {"dir": "both", **{where: "odot" for where, end in rings.items() if end == "ring"}}


EDGES: Final[Mapping[EdgeKind, EdgeMarks]] = {
    "directed": EdgeMarks("tail", "head", "→", "→ cause to effect", ("forward", "backward")),
    "undirected": EdgeMarks("tail", "tail", "–", "— direction open", ("undirected",)),
    "bidirected": EdgeMarks("head", "head", "↔", "↔ common cause", ("bidirected",)),
    "partially_directed": EdgeMarks(
        "ring", "head", "o→", "○→ head: no cause; ring: open", ("partial_forward", "partial_backward")
    ),
    "nondirected": EdgeMarks("ring", "ring", "o–o", "○–○ both ends open", ("nondirected",)),
}
"""Kind -> its marks; see `personax.schema.Edge` for what each kind says.

Examples
--------
>>> [marks.symbol for marks in EDGES.values()]
['-->', '---', '<->', 'o->', 'o-o']
"""

POINTING: Final[tuple[EdgeKind, ...]] = tuple(kind for kind, marks in EDGES.items() if marks.points)
"""Kinds that have a direction to be drawn in, the surer first."""
