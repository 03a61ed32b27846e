"""Learned latents against true ones, every one against every one: what is found, what is mixed, what is bent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from personax.data.labels import shorten, two_decimals
from personax.errors import InputError
from personax.plots._style import BLUE, GREY, VERMILLION, defaults, finish, limits, panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["latent_scatter"]

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
    >>> [axes.texts[0].get_text() for axes in figure.axes]
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
    with defaults():
        figure, every = panels(len(rows) * len(columns), 0.86, 0.86, abreast=len(columns), gap=(0.07, 0.07))
        for place, axes in enumerate(every):
            down, across = divmod(place, len(columns))
            i, j = rows[down], columns[across]
            _scatter(axes, x[:, j], z[:, i], matched=partner.get(i) == j)
            if down == 0:
                name = shorten(names[j], NAME_LETTERS)
                axes.set_title(name, rotation=90 if max(map(len, names)) > 10 else 0, fontsize=8, loc="center")
            if across == 0:
                name = shorten(row_names[i], NAME_LETTERS)
                axes.set_ylabel(name, rotation=0, ha="right", va="center", labelpad=3)
        caption = _caption(len(x), len(columns), x.shape[1], rows, set(partner))
        return finish(figure, title=title, caption=caption)


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
    low, high = limits(y)
    axes.set(xticks=[], yticks=[], xlim=limits(x), ylim=(low, high + HEADROOM * (high - low)))
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
    parts = ["Rows: learned; columns: true."]
    parts += [f"n = {n:,}. In each panel: Pearson's correlation. Thick frame: the pair that was matched."]
    if any(i not in matched for i in rows):
        parts.append("Learned latents without a partner come last.")
    if drawn < k:
        parts.append(f"The first {drawn} true latents of {k} are shown.")
    return " ".join(parts)
