"""Learned latents against true ones, every one against every one: what is found, what is mixed, what is bent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from personax.data.labels import shorten, two_decimals
from personax.errors import InputError
from personax.figures._canvas import (
    BLUE,
    CAPTION_LINE,
    GREY,
    MARGIN,
    TEXT_SIZE,
    VERMILLION,
    Canvas,
    defaults,
    text_width,
    wrapped,
)
from personax.figures._ticks import padded_limits

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["latent_scatter"]

SIDE, GAP = 0.86, 0.07
"""Side of a panel, gap between panels."""

NAME_LETTERS = 28
"""Letters of a name that are shown."""

MAX_LATENTS = 12
"""True latents drawn; of more, a page holds only panels too small to read."""

HEADROOM = 0.34
"""Share of a panel above its points, where the correlation stands."""

Array = NDArray[np.float64]


def latent_scatter(
    learned: ArrayLike,
    true: ArrayLike,
    pairs: Sequence[tuple[int, int, float]],
    *,
    names: Sequence[str],
    learned_names: Sequence[str] | None = None,
    title: str = "",
) -> Figure:
    """Draw every learned latent against every true one, with their correlation.

    Rows are learned latents in the order of their true partners, those without a partner last; columns are true
    latents. Panels of partners have a thick frame and coloured points.

    Parameters
    ----------
    learned, true
        Shape (n, d) and (n, k), the same people. Of more than 12 true latents the first 12 and their partners are
        drawn, and the caption says so.
    pairs
        (learned, true, score), by position, as in ``personax.crl.Match``; the score is not drawn: the correlation is
        Pearson's, of the points that are seen.
    names, learned_names
        Of the true and of the learned latents; without the latter, learned ones have numbers.
    title
        Stands over the figure.

    Raises
    ------
    InputError
        Missing or infinite numbers, unequal people, names that do not fit.
    MissingExtraError
        When matplotlib is not installed.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(100, 2))
    >>> figure = latent_scatter(-x[:, ::-1], x, [(1, 0, 1.0), (0, 1, 1.0)], names=["a_1", "a_2"])
    >>> [axes.texts[0].get_text() for axes in figure.axes[1:]]
    ['-1.0', '-.14', '-.14', '-1.0']
    """
    x, z = _table(true, "true"), _table(learned, "learned")
    if len(x) != len(z):
        raise InputError(f"there are {len(z)} people with learned latents and {len(x)} with true ones; give the same")
    row_names = [str(i + 1) for i in range(z.shape[1])] if learned_names is None else learned_names
    if len(names) != x.shape[1] or len(row_names) != z.shape[1]:
        raise InputError(
            f"{len(names)} true and {len(row_names)} learned names do not fit {x.shape[1]} and {z.shape[1]}"
        )
    columns, rows, partner = _order(pairs, x.shape[1], z.shape[1])
    labels = [shorten(names[j], NAME_LETTERS) for j in columns], [shorten(row_names[i], NAME_LETTERS) for i in rows]
    tall = max(text_width(label, TEXT_SIZE) for label in labels[0])
    upright = tall > SIDE
    left = MARGIN + 0.2 + max(text_width(label, TEXT_SIZE) for label in labels[1]) + 0.06
    top = MARGIN + (0.26 if title else 0.0) + 0.2 + (tall if upright else 0.15) + 0.05
    right, bottom = left + _place(len(columns)) - GAP, top + _place(len(rows)) - GAP
    width = max(right, 3.6, MARGIN + text_width(title, 9)) + MARGIN
    caption = wrapped(_caption(len(x), len(columns), x.shape[1], rows, set(partner)), width - 2 * MARGIN, TEXT_SIZE)
    with defaults():
        canvas = Canvas(width, bottom + 0.1 + CAPTION_LINE * len(caption) + MARGIN)
        canvas.text(MARGIN, MARGIN + 0.08, title, 9, va="center_baseline")
        canvas.text((left + right) / 2, MARGIN + (0.34 if title else 0.08), "true", TEXT_SIZE, ha="center", color=GREY)
        canvas.text(MARGIN + 0.06, (top + bottom) / 2, "learned", TEXT_SIZE, ha="center", rotation=90, color=GREY)
        for at, label in enumerate(labels[0]):
            turned = {"rotation": 90} if upright else {}
            canvas.text(left + _place(at) + SIDE / 2, top - 0.05, label, TEXT_SIZE, ha="center", va="bottom", **turned)
        for at, label in enumerate(labels[1]):
            canvas.text(left - 0.06, top + _place(at) + SIDE / 2, label, TEXT_SIZE, ha="right", va="center_baseline")
        for down, i in enumerate(rows):
            for across, j in enumerate(columns):
                axes = canvas.panel(left + _place(across), top + _place(down), SIDE, SIDE)
                _scatter(axes, x[:, j], z[:, i], matched=partner.get(i) == j)
        canvas.caption(MARGIN, bottom + 0.1, caption)
    return canvas.figure


def _place(at: int) -> float:
    return (SIDE + GAP) * at


def _table(values: ArrayLike, which: str) -> Array:
    found = np.asarray(values, dtype=np.float64)
    if found.ndim != 2 or min(found.shape) < 1 or not np.isfinite(found).all():
        raise InputError(f"the {which} latents have shape {found.shape}; give one row a person, no number missing")
    return found


def _order(pairs: Sequence[tuple[int, int, float]], k: int, d: int) -> tuple[list[int], list[int], dict[int, int]]:
    """Return the true latents drawn, the learned ones in their partners' order, and learned -> true."""
    partner = {i: j for i, j, _ in pairs}
    columns = list(range(min(k, MAX_LATENTS)))
    first = sorted((i for i, j in partner.items() if j < MAX_LATENTS), key=lambda i: partner[i])
    rest = [i for i in range(d) if i not in partner]
    rows = (first + rest)[:MAX_LATENTS] if k <= MAX_LATENTS else first
    return columns, rows or list(range(min(d, MAX_LATENTS))), partner


def _scatter(axes: Axes, x: Array, y: Array, *, matched: bool) -> None:
    low, high = padded_limits(y)
    axes.set(xlim=padded_limits(x), ylim=(low, high + HEADROOM * (high - low)))
    # Points are pixels in an SVG too: a page of thousands of circles is slow to open.
    axes.scatter(x, y, s=1.6, alpha=0.5, linewidths=0, color=BLUE if matched else GREY, rasterized=True)
    if matched:
        axes.spines[:].set(color=VERMILLION, linewidth=1.6)
    weight = "bold" if matched else "normal"
    axes.text(0.06, 0.95, _correlation(x, y), fontsize=7.5, weight=weight, va="top", transform=axes.transAxes)


def _correlation(x: Array, y: Array) -> str:
    if len(x) < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return "–"
    return two_decimals(float(np.corrcoef(x, y)[0, 1]))


def _caption(n: int, drawn: int, k: int, rows: Sequence[int], matched: set[int]) -> str:
    parts = [f"n = {n:,}. In each panel: Pearson's correlation. Thick frame: the pair that was matched."]
    if any(i not in matched for i in rows):
        parts.append("Learned latents without a partner come last.")
    if drawn < k:
        parts.append(f"The first {drawn} true latents of {k} are shown.")
    return " ".join(parts)
