"""Chains of causes among latents, as sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from personax.schema import Graph
from personax.stages._interpret import UNNAMED

__all__ = ["chains"]

MOST = 20
"""Chains told of a graph, the longest first."""


def chains(graph: Graph, proposed: Mapping[str, str], verdicts: Mapping[str, str]) -> list[str]:
    """Return a sentence for each chain of three latents or more that no longer one holds, the longest first.

    Only directed edges between latents that are called identified make a chain: one end that may be any mixture of its
    block would break it.

    Parameters
    ----------
    graph
        Between latents.
    proposed
        From `proposals`.
    verdicts
        Latent -> what may be claimed of it.

    Examples
    --------
    >>> from personax.schema import Edge, Node
    >>> nodes = [Node(name, name, "z") for name in ("z_1", "z_2", "z_3")]
    >>> graph = Graph(nodes, [Edge("z_1", "z_2"), Edge("z_2", "z_3"), Edge("z_1", "z_3")], "", "", {})
    >>> chains(graph, {"z_1": "tracks height, r = .61, .55 to .66"}, dict.fromkeys(["z_1", "z_2", "z_3"], "identified"))
    ['z_1 (tracks height, r = .61, .55 to .66) moves z_2 (no name), which moves z_3 (no name)']
    """
    sure = {name for name, verdict in verdicts.items() if verdict == "identified"}
    effects: dict[str, list[str]] = {name: [] for name in sorted(sure)}
    for edge in graph.edges:
        if edge.kind == "directed" and edge.source in sure and edge.target in sure:
            effects[edge.source].append(edge.target)
    caused = {effect for found in effects.values() for effect in found}
    paths = [path for root in effects if root not in caused for path in _paths(root, effects)]
    maximal = sorted((path for path in paths if len(path) > 2 and not _within(path, paths)), key=lambda p: (-len(p), p))
    return [
        " moves ".join([_called(path[0], proposed), ", which moves ".join(_called(one, proposed) for one in path[1:])])
        for path in maximal[:MOST]
    ]


def _paths(start: str, effects: Mapping[str, list[str]]) -> Iterator[tuple[str, ...]]:
    """Yield every path from a latent to one without effects; the graph has no loop."""
    if not effects[start]:
        yield (start,)
    for effect in sorted(effects[start]):
        yield from ((start, *rest) for rest in _paths(effect, effects))


def _within(path: tuple[str, ...], paths: list[tuple[str, ...]]) -> bool:
    """Say whether a longer path passes all latents of this one."""
    return any(len(other) > len(path) and set(path) <= set(other) for other in paths)


def _called(name: str, proposed: Mapping[str, str]) -> str:
    return f"{name} ({proposed.get(name, UNNAMED)})"
