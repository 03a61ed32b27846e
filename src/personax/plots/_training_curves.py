"""Training curves: the objective over epochs, a line a seed, a panel a method."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from personax.data.labels import shorten
from personax.errors import InputError
from personax.plots._style import LINE_COLOURS, defaults, finish, key, limits, panels

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["training_curves"]

History = Mapping[str, NDArray[Any]]


def training_curves(histories: Mapping[str, Mapping[int, Mapping[str, ArrayLike]]]) -> Figure:
    """Draw the objective of each method over epochs, on the people trained on and on the validation people.

    Every method has a scale of its own: objectives of different methods are different quantities.

    Parameters
    ----------
    histories
        Method -> seed -> column -> one number an epoch. Columns are ``epoch``, ``validation`` and, where it is known,
        ``training``; others are not drawn. The best epoch has the least ``validation``.

    Raises
    ------
    InputError
        Nothing to draw, a column that is absent, of other length, or not finite.
    MissingExtraError
        When matplotlib is not installed.

    Examples
    --------
    >>> figure = training_curves({"ours": {0: {"epoch": [1, 2, 3], "validation": [3.0, 1.0, 2.0]}}})
    >>> [line.get_xydata().tolist() for line in figure.axes[0].lines]
    [[[1.0, 3.0], [2.0, 1.0], [3.0, 2.0]], [[2.0, 1.0]]]
    """
    runs = {
        method: {seed: _columns(method, seed, found) for seed, found in seeds.items()}
        for method, seeds in histories.items()
        if seeds
    }
    if not runs:
        raise InputError("there is no training history to draw; give at least one method with one seed")
    seeds = sorted({seed for own in runs.values() for seed in own})
    colour = {seed: LINE_COLOURS[place % len(LINE_COLOURS)] for place, seed in enumerate(seeds)}
    with defaults():
        figure, every = panels(len(runs), 1.9, 1.15, abreast=3, gap=(0.65, 0.75))
        for axes, (method, own) in zip(every, runs.items(), strict=True):
            axes.set(
                title=shorten(method, 30), xlabel="epoch", ylim=limits([y for run in own.values() for y in _drawn(run)])
            )
            for seed, run in own.items():
                _draw(axes, run, colour[seed])
            axes.locator_params(axis="x", integer=True, nbins=5)
            axes.locator_params(axis="y", nbins=4)
            axes.yaxis.set_major_formatter("{x:,.6g}")
        return finish(figure, legend=list(_legend(colour)), caption=_caption(runs))


def _columns(method: str, seed: int, found: Mapping[str, ArrayLike]) -> History:
    """Return the columns that are drawn, as arrays."""
    run = {
        name: np.asarray(found[name], dtype=np.float64) for name in ("epoch", "validation", "training") if name in found
    }
    if "epoch" not in run or "validation" not in run:
        raise InputError(f"the history of {method}, seed {seed}, has no epoch or no validation; give both")
    length = len(run["epoch"])
    if not length or any(x.shape != (length,) or not np.isfinite(x).all() for x in run.values()):
        raise InputError(f"the history of {method}, seed {seed}, is not one finite number an epoch in every column")
    return run


def _drawn(run: History) -> Iterator[float]:
    for name in ("validation", "training"):
        yield from map(float, run.get(name, []))


def _draw(axes: Axes, run: History, colour: str) -> None:
    if "training" in run:
        axes.plot(run["epoch"], run["training"], linestyle=(0, (2, 1.5)), linewidth=0.9, color=colour)
    axes.plot(run["epoch"], run["validation"], linewidth=1.1, color=colour)
    best = int(np.argmin(run["validation"]))
    axes.plot(run["epoch"][[best]], run["validation"][[best]], "o", markersize=4, color=colour, markeredgecolor="white",
              markeredgewidth=0.5)  # fmt: skip


def _legend(colour: Mapping[int, str]) -> Iterator[Artist]:
    yield key("validation")
    yield key("training", linestyle=(0, (2, 1.5)))
    yield key("best epoch", linestyle="", marker="o", markersize=4)
    if len(colour) > len(LINE_COLOURS):
        yield key(f"{len(colour)} seeds, colours repeat", color="none")
    else:
        yield from (key(f"seed {seed}", color=shown, linewidth=2.5) for seed, shown in colour.items())


def _caption(runs: Mapping[str, Mapping[int, History]]) -> str:
    text = "Each method's own objective, smaller is better; not comparable between methods."
    silent = [method for method, seeds in runs.items() if not any("training" in run for run in seeds.values())]
    return f"{text} Of {', '.join(silent)} only validation is noted." if silent else text
