"""A learned graph beside the true one, as two matrices: which edges are right, wrong, and how sure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from personax.data.labels import shorten, two_decimals
from personax.errors import InputError, require
from personax.plots._style import BLACK, GREY, VERMILLION, defaults, finish, panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

__all__ = ["adjacency_pair"]

CELL = 0.34
"""Side of a cell in inches."""

NAME_LETTERS = 28
"""Letters of a name that are shown."""

SURPLUS: Mapping[str, Any] = {"fill": False, "edgecolor": VERMILLION, "linewidth": 1.8}
MISSING: Mapping[str, Any] = {**SURPLUS, "linestyle": (0, (2, 1.2))}

Array = NDArray[np.float64]


def adjacency_pair(
    learned: ArrayLike,
    true: ArrayLike,
    *,
    names: Sequence[str],
    groups: Sequence[str] | None = None,
    threshold: float = 0.5,
    title: str = "",
) -> Figure:
    """Draw a learned graph beside the true one; rows are children, columns their parents.

    Parameters
    ----------
    learned
        Shape (k, k), how sure each edge is, from 0 to 1, among the true latents: already aligned. NaN where a true
        latent has no learned partner; such cells are hatched and count as no edge.
    true
        Shape (k, k), an edge where it is not 0.
    names
        Of the true latents.
    groups
        Of the true latents: the modality, or ``shared``. Lines part them, and the caption counts edges between them.
    threshold
        An edge is learned where it is surer than this.
    title
        Stands over the figure.

    Raises
    ------
    InputError
        Matrices that are not square or do not fit the names, certainties outside 0 to 1.
    MissingExtraError
        When matplotlib is not installed.

    Examples
    --------
    >>> figure = adjacency_pair([[0, 0.9], [0.2, 0]], [[0, 0], [1, 0]], names=["a", "b"])
    >>> figure.texts[-1].get_text().splitlines()[0]
    'Structural Hamming distance 1: a reversed edge counts once.'
    """
    sure, known = _square(learned, names, "learned"), _square(true, names, "true") != 0
    if not len(names) or np.nanmin(np.append(sure, 0.0)) < 0 or np.nanmax(np.append(sure, 0.0)) > 1:
        raise InputError("an edge of the learned graph is surer than 1 or less sure than 0; give numbers from 0 to 1")
    if groups is not None and len(groups) != len(names):
        raise InputError(f"{len(groups)} groups are given for {len(names)} names; give one for each")
    labels = [shorten(name, NAME_LETTERS) for name in names]
    side = CELL * len(names)
    with defaults():
        figure, axes = panels(2, side, side, gap=(0.4 + 0.07 * max(map(len, labels)), 0))
        for panel, word, matrix in zip(axes, ("learned", "true"), (sure, known.astype(float)), strict=True):
            _matrix(panel, matrix, labels, groups or [])
            panel.set_xlabel(word, fontsize=9)
        for i, j, value in _cells(sure):
            if np.isfinite(value):
                colour = "white" if value > 0.6 else BLACK
                axes[0].text(j, i, two_decimals(value), ha="center", va="center_baseline", fontsize=7, color=colour)
        legend = list(_outlines(axes[0], sure, known, threshold))
        caption = _caption(sure, known, groups, threshold)
        return finish(figure, title=title, legend=legend, caption=caption)


def _square(values: ArrayLike, names: Sequence[str], which: str) -> Array:
    found = np.asarray(values, dtype=np.float64)
    if found.shape != (len(names), len(names)):
        raise InputError(f"the {which} graph has shape {found.shape} for {len(names)} names; give a row a name")
    return found


def _cells(matrix: Array) -> Iterator[tuple[int, int, float]]:
    """Yield row, column and value of each cell off the diagonal."""
    yield from ((i, j, float(value)) for (i, j), value in np.ndenumerate(matrix) if i != j)


def _matrix(axes: Axes, matrix: Array, labels: Sequence[str], groups: Sequence[str]) -> None:
    shown = np.where(np.eye(len(matrix), dtype=bool), np.nan, matrix)
    axes.set_facecolor("#e6e6e6")
    axes.imshow(np.ma.masked_invalid(shown), cmap="Blues", vmin=0, vmax=1.18, aspect="auto")
    box = require("matplotlib.patches", extra="figures").Rectangle
    for i, j, value in _cells(matrix):
        if np.isnan(value):
            axes.add_patch(box((j - 0.5, i - 0.5), 1, 1, facecolor="#f2f2f2", edgecolor=GREY, hatch="//////", lw=0))
    axes.set_xticks(range(len(labels)), labels, rotation=90 if max(map(len, labels)) > 3 else 0, fontsize=8)
    axes.set_yticks(range(len(labels)), labels, fontsize=8)
    axes.tick_params(length=0, labeltop=True, labelbottom=False)
    for at in range(1, len(groups)):
        if groups[at] != groups[at - 1]:
            axes.axhline(at - 0.5, color=GREY, linewidth=1.0)
            axes.axvline(at - 0.5, color=GREY, linewidth=1.0)


def _outlines(axes: Axes, sure: Array, known: NDArray[np.bool_], threshold: float) -> Iterator[Rectangle]:
    """Outline what is wrong; yield a key for each kind of it."""
    box = require("matplotlib.patches", extra="figures").Rectangle
    found = sure > threshold
    kinds = (found & ~known, SURPLUS, "learned and not true"), (known & ~found, MISSING, "true and not learned")
    for wrong, style, words in kinds:
        places = [(i, j) for i, j, value in _cells(wrong.astype(float)) if value]
        for i, j in places:
            axes.add_patch(box((j - 0.43, i - 0.43), 0.86, 0.86, **style))
        if places:
            yield box((0, 0), 1, 1, **style, label=words)
    if np.isnan([value for *_, value in _cells(sure)]).any():
        yield box((0, 0), 1, 1, facecolor="#f2f2f2", edgecolor=GREY, hatch="//////", lw=0,
                  label="a latent without a learned partner")  # fmt: skip


def _caption(sure: Array, known: NDArray[np.bool_], groups: Sequence[str] | None, threshold: float) -> str:
    differs = (sure > threshold) != known
    wrong = np.triu(differs | differs.T, 1)
    text = f"Structural Hamming distance {wrong.sum()}"
    if groups is not None:
        named = np.asarray(groups)
        text += f", {wrong[named[:, None] != named[None, :]].sum()} of it between groups"
    return f"{text}: a reversed edge counts once.\nRow: effect, column: cause; an edge is learned above {threshold:g}."
