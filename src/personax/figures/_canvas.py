"""A blank page in inches, its colours, and writing it so that the same figure gives the same bytes."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from personax.errors import InputError, require

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

__all__ = [
    "BLACK",
    "BLUE",
    "CAPTION_LINE",
    "GREY",
    "LINE_COLOURS",
    "MARGIN",
    "TEXT_SIZE",
    "VERMILLION",
    "Canvas",
    "contrasting",
    "defaults",
    "save",
    "text_width",
    "wrapped",
]


BLUE = "#0072b2"
VERMILLION = "#d55e00"
LINE_COLOURS = (BLUE, VERMILLION, "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")


BLACK = "#1a1a1a"
GREY = "#6b6b6b"

DPI = 200

TEXT_SIZE = 8.0
"""Size of names and captions, in points."""

MARGIN, CAPTION_LINE = 0.14, 0.16
"""Margin of a page, height of a line of a caption, in inches."""

POINT = 1 / 72
"""Of an inch."""


@contextmanager
def defaults() -> Iterator[None]:
    """Draw with matplotlib's own settings, whatever a person has set: the same figure on every machine."""
    matplotlib = require("matplotlib", extra="figures")
    style = require("matplotlib.style", extra="figures")
    with style.context("default"), matplotlib.rc_context({"svg.hashsalt": "personax", "svg.fonttype": "none"}):
        yield


class Canvas:
    """A figure without axes, frames or margins.

    Parameters
    ----------
    width, height
        In inches; so is every place below, x to the right and y downwards.
    """

    def __init__(self, width: float, height: float) -> None:
        figure = require("matplotlib.figure", extra="figures")
        self._patches = require("matplotlib.patches", extra="figures")
        self._path = require("matplotlib.path", extra="figures").Path
        self.figure: Figure = figure.Figure(figsize=(width, height), dpi=DPI, facecolor="white")
        self._size = (width, height)
        self.axes: Axes = self.figure.add_axes((0, 0, 1, 1))
        self.axes.set(xlim=(0, width), ylim=(height, 0))
        self.axes.axis("off")

    def panel(self, x: float, y: float, width: float, height: float) -> Axes:
        """Return axes of their own at a place on the page, without ticks."""
        wide, high = self._size
        axes = self.figure.add_axes((x / wide, 1 - (y + height) / high, width / wide, height / high))
        axes.spines[:].set(color=GREY, linewidth=0.6)
        axes.set(xticks=[], yticks=[])
        axes.tick_params(length=2, width=0.6, pad=2, color=GREY, labelcolor=BLACK, labelsize=7)
        return axes

    def text(self, x: float, y: float, text: str, size: float = 8, **style: Any) -> None:  # noqa: ANN401
        """Write text as it is: a name with two dollar signs is no formula."""
        style = {"ha": "left", "va": "center", "color": BLACK} | style
        self.axes.text(x, y, text, fontsize=size, parse_math=False, **style)

    def caption(self, x: float, y: float, lines: Sequence[str], step: float = CAPTION_LINE) -> None:
        """Write lines of text one below the other, the top of the first at y."""
        for line, text in enumerate(lines):
            self.text(x, y + step * (line + 0.5), text, TEXT_SIZE, va="center_baseline")

    def box(self, x: float, y: float, width: float, height: float, **style: Any) -> None:  # noqa: ANN401
        """Draw a rectangle."""
        self._add(self._patches.Rectangle((x, y), width, height, **style))

    def round_box(self, x: float, y: float, width: float, height: float, **style: Any) -> None:  # noqa: ANN401
        """Draw a rectangle with round corners."""
        shape = f"round,pad=0,rounding_size={min(width, height) * 0.3}"
        self._add(self._patches.FancyBboxPatch((x, y), width, height, boxstyle=shape, **style))

    def hatched(self, x: float, y: float, width: float, height: float) -> None:
        """Draw what is not known."""
        self.box(x, y, width, height, facecolor="#f2f2f2", edgecolor="#a6a6a6", hatch="//////", linewidth=0)

    def line(self, points: Sequence[tuple[float, float]], **style: Any) -> None:  # noqa: ANN401
        """Draw straight lines from point to point."""
        self._draw(self._path(points), **style)

    def curve(self, points: Sequence[tuple[float, float]], **style: Any) -> None:  # noqa: ANN401
        """Draw Bézier curves: a start, then two handles and an end for each piece."""
        path = self._path
        self._draw(path(points, [path.MOVETO] + [path.CURVE4] * (len(points) - 1)), **style)

    def circle(self, x: float, y: float, radius: float, **style: Any) -> None:  # noqa: ANN401
        """Draw a circle."""
        self._add(self._patches.Circle((x, y), radius, **style))

    def polygon(self, points: Sequence[tuple[float, float]], **style: Any) -> None:  # noqa: ANN401
        """Fill a polygon."""
        self._add(self._patches.Polygon(points, closed=True, **({"linewidth": 0} | style)))

    def _add(self, patch: Patch) -> None:
        # Not add_patch: it reckons what the axes must show, which is known here and slow for thousands of cells.
        patch.set_clip_on(False)
        self.axes.add_artist(patch)

    def _draw(self, path: object, **style: Any) -> None:  # noqa: ANN401
        style = {"facecolor": "none", "edgecolor": BLACK, "linewidth": 0.8, "capstyle": "butt"} | style
        self._add(self._patches.PathPatch(path, **style))


def contrasting(colour: Sequence[float]) -> str:
    """Return black or white, whichever has more contrast to a colour (relative luminance, sRGB)."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour[:3]]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return BLACK if luminance > 0.2 else "white"


def wrapped(text: str, width: float, size: float) -> list[str]:
    """Return the lines of a text that is to be at most so many inches wide."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and text_width(longer, size) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def text_width(text: str, size: float) -> float:
    """Return about how many inches a text takes; rather too many than too few."""
    return sum(_letter(letter) for letter in text) * size * POINT


def _letter(letter: str) -> float:
    """Return the width of a letter of DejaVu Sans over its size."""
    if letter in " .,;:!|'ijltfrI()[]/-":
        return 0.4
    if letter in "mwMW%@…—" or unicodedata.east_asian_width(letter) in "WF":
        return 1.0
    return 0.72 if letter.isupper() else 0.62


METADATA: Mapping[str, Mapping[str, None]] = {".svg": {"Date": None}, ".png": {"Software": None}}
"""What matplotlib would write into a file of each format and must not: the time, its own version."""


def save(figure: Figure, *paths: Path) -> None:
    """Write a figure to files, SVG or PNG by their suffix.

    Text in an SVG stays text: it can be searched, and edited before printing.

    Parameters
    ----------
    figure
        From this room; any other matplotlib figure will do.
    paths
        Where to; folders are made, files are replaced.

    Raises
    ------
    InputError
        When a suffix is neither ``.svg`` nor ``.png``; then nothing is written.

    Examples
    --------
    >>> import tempfile
    >>> from personax.figures import draw_graph
    >>> from personax.schema import Graph, Node
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(draw_graph(Graph([Node("a")], [])), Path(folder) / "a.svg", Path(folder) / "a.png")
    ...     sorted(path.name for path in Path(folder).iterdir())
    ['a.png', 'a.svg']
    """
    for path in paths:
        if path.suffix.lower() not in METADATA:
            raise InputError(f"cannot draw {path.name}: the name of a figure ends in .svg or .png")
    for path in paths:
        _write(figure, path)


def _write(figure: Figure, path: Path) -> None:
    suffix = path.suffix.lower()
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with defaults():
            figure.savefig(aside, format=suffix[1:], metadata=dict(METADATA[suffix]))
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
