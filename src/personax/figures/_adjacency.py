"""A learned graph beside the true one, as two matrices: which edges are right, wrong, and how sure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from personax.data.labels import shorten, two_decimals
from personax.errors import InputError
from personax.figures._canvas import (
    CAPTION_LINE,
    GREY,
    MARGIN,
    TEXT_SIZE,
    VERMILLION,
    Canvas,
    contrasting,
    defaults,
    text_width,
    wrapped,
)
from personax.figures._colour_scales import colormap_colour
from personax.figures._legend import Legend, LegendEntry

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["adjacency_pair"]

CELL, BETWEEN = 0.34, 0.4
"""Side of a cell, gap between panels."""

NAME_LETTERS = 28
"""Letters of a name that are shown."""

SURPLUS: Mapping[str, Any] = {"facecolor": "none", "edgecolor": VERMILLION, "linewidth": 1.8}
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
    >>> figure.axes[0].texts[-1].get_text()
    'Structural Hamming distance 1: a reversed edge counts once.'
    """
    sure, known = _square(learned, names, "learned"), _square(true, names, "true") != 0
    if np.nanmin(np.append(sure, 0.0)) < 0 or np.nanmax(np.append(sure, 0.0)) > 1 or not len(names):
        raise InputError("an edge of the learned graph is surer than 1 or less sure than 0; give numbers from 0 to 1")
    if groups is not None and len(groups) != len(names):
        raise InputError(f"{len(groups)} groups are given for {len(names)} names; give one for each")
    labels = [shorten(name, NAME_LETTERS) for name in names]
    beside = max(text_width(label, TEXT_SIZE) for label in labels)
    upright = beside > CELL
    top = MARGIN + (0.26 if title else 0.0) + 0.26 + (beside if upright else 0.15) + 0.06
    side = CELL * len(names)
    wide = max(side, 0.7)
    lefts = MARGIN + beside + 0.07, MARGIN + 2 * (beside + 0.07) + wide + BETWEEN
    width = max(lefts[1] + wide, 4.4, MARGIN + text_width(title, 9)) + MARGIN
    legend = Legend(_legend(sure, known, threshold), width - 2 * MARGIN)
    caption = wrapped(_caption(sure, known, groups, threshold), width - 2 * MARGIN, TEXT_SIZE)
    with defaults():
        canvas = Canvas(width, top + side + 0.12 + legend.height + 0.08 + CAPTION_LINE * len(caption) + MARGIN)
        canvas.text(MARGIN, MARGIN + 0.08, title, 9, va="center_baseline")
        for left, word, matrix in zip(lefts, ("learned", "true"), (sure, known.astype(np.float64)), strict=True):
            canvas.text(left, MARGIN + (0.34 if title else 0.08), word, 9, va="center_baseline")
            _labels(canvas, left, top, labels, upright=upright)
            _matrix(canvas, left, top, matrix, numbers=word == "learned")
            _parts(canvas, left, top, groups or [])
        _wrong(canvas, lefts[0], top, sure > threshold, known)
        end = legend.draw(canvas, MARGIN, top + side + 0.12)
        canvas.caption(MARGIN, end + 0.08, caption)
    return canvas.figure


def _square(values: ArrayLike, names: Sequence[str], which: str) -> Array:
    found = np.asarray(values, dtype=np.float64)
    if found.shape != (len(names), len(names)):
        raise InputError(f"the {which} graph has shape {found.shape} for {len(names)} names; give a row a name")
    return found


def _labels(canvas: Canvas, left: float, top: float, labels: Sequence[str], *, upright: bool) -> None:
    turned = {"rotation": 90} if upright else {}
    for at, label in enumerate(labels):
        middle = CELL * (at + 0.5)
        canvas.text(left + middle, top - 0.06, label, TEXT_SIZE, ha="center", va="bottom", **turned)
        canvas.text(left - 0.07, top + middle, label, TEXT_SIZE, ha="right", va="center_baseline")


def _matrix(canvas: Canvas, left: float, top: float, matrix: Array, *, numbers: bool) -> None:
    for (i, j), value in np.ndenumerate(matrix):
        x, y = left + CELL * j, top + CELL * i
        if i == j:
            canvas.box(x, y, CELL, CELL, facecolor="#e6e6e6", edgecolor="white", linewidth=0.7)
        elif np.isnan(value):
            canvas.hatched(x, y, CELL, CELL)
        else:
            colour = colormap_colour("Blues", 0.85 * float(value))
            canvas.box(x, y, CELL, CELL, facecolor=colour, edgecolor="#d0d0d0", linewidth=0.5)
            if numbers:
                middle = (x + CELL / 2, y + CELL / 2)
                canvas.text(
                    *middle, two_decimals(float(value)), 7, ha="center", va="center_baseline", color=contrasting(colour)
                )


def _parts(canvas: Canvas, left: float, top: float, groups: Sequence[str]) -> None:
    side = CELL * len(groups)
    for at in range(1, len(groups)):
        if groups[at] != groups[at - 1]:
            place = CELL * at
            canvas.line([(left, top + place), (left + side, top + place)], edgecolor=GREY, linewidth=1.0)
            canvas.line([(left + place, top), (left + place, top + side)], edgecolor=GREY, linewidth=1.0)


def _wrong(canvas: Canvas, left: float, top: float, found: NDArray[np.bool_], known: NDArray[np.bool_]) -> None:
    rim = 0.025
    for i, j in zip(*np.nonzero(found != known), strict=True):
        if i != j:
            style = SURPLUS if found[i, j] else MISSING
            canvas.box(left + CELL * j + rim, top + CELL * i + rim, CELL - 2 * rim, CELL - 2 * rim, **style)


def _legend(sure: Array, known: NDArray[np.bool_], threshold: float) -> list[LegendEntry]:
    off = ~np.eye(len(known), dtype=bool)
    found = sure > threshold
    keys = []
    if (found & ~known & off).any():
        keys.append(LegendEntry(SURPLUS, "learned and not true"))
    if (known & ~found & off).any():
        keys.append(LegendEntry(MISSING, "true and not learned"))
    if np.isnan(sure[off]).any():
        keys.append(LegendEntry("hatched", "a latent without a learned partner"))
    return [
        *keys,
        LegendEntry(None, "row: effect, column: cause"),
        LegendEntry(None, f"an edge is learned above {threshold:g}"),
    ]


def _caption(sure: Array, known: NDArray[np.bool_], groups: Sequence[str] | None, threshold: float) -> str:
    differs = (sure > threshold) != known
    wrong = np.triu(differs | differs.T, 1)
    text = f"Structural Hamming distance {wrong.sum()}"
    if groups is not None:
        named = np.asarray(groups)
        text += f", {wrong[named[:, None] != named[None, :]].sum()} of it between groups"
    return f"{text}: a reversed edge counts once."
