"""The figures of the Level II benchmark: scores, training, and each method's latents and graph beside the truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.figures import (
    adjacency_pair,
    latent_scatter,
    latent_traversals,
    save,
    scores_by_method,
    training_curves,
)
from personax.progress import Progress
from personax.stages.crl_benchmark import FLOORS
from personax.stages.crl_benchmark_parts import Part, kept

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["aligned", "draw_benchmark", "pairs_of"]

Pairs = list[tuple[int, int, float]]


def draw_benchmark(
    results: Sequence[Mapping[str, Any]],
    table: pl.DataFrame,
    order: Sequence[str],
    parts: Path,
    out: Path,
    progress: Progress,
) -> list[str]:
    """Draw what the benchmark found, each figure as SVG and PNG.

    Parameters
    ----------
    results
        From `personax.stages.crl_benchmark.run_benchmark`.
    table
        Their tidy rows.
    order
        Methods in the order of rows and panels.
    parts, out
        Folder of the parts, and of the figures. Of a part without arrays, from a run before figures, none is drawn.

    Returns
    -------
    list of str
        Names of the figures, without suffixes: ``scores``; ``training``, all seeds; and of the first seed that a
        method came through, ``latents-<method>-seed<seed>``, ``graph-<method>-seed<seed>`` where it learns one, and
        ``traversals-<method>-seed<seed>`` where measurements are images.

    Raises
    ------
    MissingExtraError
        When matplotlib is not installed.
    """
    drawn: list[str] = []

    def put(name: str, figure: Figure) -> None:
        save(figure, out / f"{name}.svg", out / f"{name}.png")
        drawn.append(name)

    put("scores", scores_by_method(table, methods=order, floors=list(FLOORS)))
    histories: dict[str, dict[int, Mapping[str, NDArray[np.float64]]]] = {}
    for at, name in enumerate(order):
        progress.step(at, len(order), name)
        own = [result for result in results if result["method"] == name and "scores" in result]
        found = [(result, kept(parts / f"{result['seed']}-{name}.npz")) for result in own]
        there = [(result, part) for result, part in found if part is not None]
        trained = {r["seed"]: part.history for r, part in there if {"epoch", "validation"} <= part.history.keys()}
        if trained:
            histories[name] = trained
        for result, part in there[:1]:
            for kind, figure in _of_one(name, result, part).items():
                put(f"{kind}-{name}-seed{result['seed']}", figure)
    if histories:
        put("training", training_curves(histories))
    progress.step(len(order), len(order))
    return drawn


def _of_one(name: str, result: Mapping[str, Any], part: Part) -> dict[str, Figure]:
    pairs = pairs_of(result)
    title = f"{name}, seed {result['seed']}"
    figures = {
        "latents": latent_scatter(
            part.encoded, part.latents, pairs, names=part.names, learned_names=part.learned_names, title=title
        )
    }
    if part.adjacency is not None:
        groups = [own.rpartition("_")[0] for own in part.names]
        sure = aligned(part.adjacency, pairs, len(part.names))
        figures["graph"] = adjacency_pair(sure, part.true_adjacency, names=part.names, groups=groups, title=title)
    if part.images:
        near = {name: [int(count) for count in counts] for name, counts in part.people.items()}
        figures["traversals"] = latent_traversals(part.images, near, title=title)
    return figures


def pairs_of(result: Mapping[str, Any]) -> Pairs:
    """Return the matching that was scored: (learned, true, Spearman's correlation), by position.

    The same as that behind the structural Hamming distance, so that figures and tables speak of the same edges.
    """
    rows = enumerate(result["scores"]["latents"])
    return [(row["learned"], j, row["spearman"]) for j, row in rows if row["learned"] is not None]


def aligned(adjacency: NDArray[np.float64], pairs: Pairs, k: int) -> NDArray[np.float64]:
    """Return how sure each edge is among the k true latents; NaN where one has no partner.

    Like `personax.crl.align`, which keeps only whether an edge is there.

    Examples
    --------
    >>> aligned(np.array([[0.0, 0.7], [0.1, 0.0]]), [(0, 1, 0.9), (1, 0, 0.8)], 3).tolist()
    [[0.0, 0.1, nan], [0.7, 0.0, nan], [nan, nan, nan]]
    """
    learned, true = [i for i, _, _ in pairs], [j for _, j, _ in pairs]
    found = np.full((k, k), np.nan)
    found[np.ix_(true, true)] = adjacency[np.ix_(learned, learned)]
    return found
