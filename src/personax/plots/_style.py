"""The look of a figure: panels in inches, what stands around them, and files whose bytes repeat."""

from __future__ import annotations

import os
import textwrap
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from personax.errors import InputError, require

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "BLACK",
    "BLUE",
    "GREY",
    "LINE_COLOURS",
    "VERMILLION",
    "defaults",
    "finish",
    "key",
    "limits",
    "panels",
    "row_panels",
    "save",
]

BLUE = "#0072b2"
VERMILLION = "#d55e00"
LINE_COLOURS = (BLUE, VERMILLION, "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
"""Colours that people with any colour vision tell apart: Okabe and Ito, https://jfly.uni-koeln.de/color/."""

BLACK = "#1a1a1a"
GREY = "#6b6b6b"

LETTERS_AN_INCH = 15
"""Of a caption; its letters have 8 points."""

OTHER_SCRIPTS = (
    "Noto Sans CJK SC", "Noto Sans CJK JP", "Source Han Sans SC", "PingFang SC", "Hiragino Sans", "Microsoft YaHei",
    "Yu Gothic", "Malgun Gothic", "WenQuanYi Zen Hei", "Noto Sans Devanagari", "Noto Emoji", "Arial Unicode MS",
)  # fmt: skip
"""Fonts of letters that DejaVu Sans lacks, as Linux, macOS and Windows call them."""

SETTINGS: Mapping[str, Any] = {
    "axes.edgecolor": GREY,
    "axes.linewidth": 0.6,
    "axes.titlelocation": "left",
    "axes.titlesize": 8.5,
    "figure.dpi": 200,
    "font.size": 8,
    "legend.fontsize": 7.5,
    "legend.frameon": False,
    "pdf.fonttype": 42,
    "savefig.bbox": "tight",
    "svg.fonttype": "none",
    "svg.hashsalt": "personax",
    "text.color": BLACK,
    "text.parse_math": False,
    "xtick.color": GREY,
    "xtick.labelcolor": BLACK,
    "xtick.labelsize": 7,
    "xtick.major.size": 2,
    "ytick.color": GREY,
    "ytick.labelcolor": BLACK,
    "ytick.labelsize": 7,
    "ytick.major.size": 2,
}
"""Text stays text in SVG and PDF: it can be searched and edited. A name with two dollar signs is no formula."""


@contextmanager
def defaults() -> Iterator[None]:
    """Draw with these settings, whatever a person has set: the same figure on every machine.

    Letters that DejaVu Sans lacks (Chinese, Japanese, Korean, Hindi, emoji) come from the fonts of `OTHER_SCRIPTS` that
    are installed. Without any, an SVG still holds them as text, and no warning tells of matplotlib's own font.
    """
    matplotlib = require("matplotlib", extra="figures")
    style = require("matplotlib.style", extra="figures")
    known = {font.name for font in require("matplotlib.font_manager", extra="figures").fontManager.ttflist}
    family = {"font.family": ["DejaVu Sans", *(name for name in OTHER_SCRIPTS if name in known)]}
    with style.context("default"), matplotlib.rc_context(dict(SETTINGS) | family), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


def panels(
    count: int,
    width: float,
    height: float,
    *,
    abreast: int = 99,
    gap: tuple[float, float] = (0.2, 0.5),
    projection: str | None = None,
) -> tuple[Figure, list[Axes]]:
    """Return a figure of equal panels, row by row; what stands outside of them is for `finish` and `save`.

    Parameters
    ----------
    count, width, height
        Number of panels, and the size of each in inches.
    abreast
        Most panels side by side.
    gap
        Between panels, across and down, in inches.
    projection
        Of the panels, as matplotlib names it.
    """
    require("matplotlib.figure", extra="figures")
    from personax.plots._paper_figure import PaperFigure

    across = min(abreast, count)
    down = -(-count // across)
    size = width * across + gap[0] * (across - 1), height * down + gap[1] * (down - 1)
    figure = PaperFigure(figsize=size)
    space = {"left": 0, "right": 1, "bottom": 0, "top": 1, "wspace": gap[0] / width, "hspace": gap[1] / height}
    grid = figure.add_gridspec(down, across, **space)
    return figure, [figure.add_subplot(grid[divmod(place, across)], projection=projection) for place in range(count)]


def row_panels(names: Sequence[str], titles: Sequence[str]) -> tuple[Figure, list[Axes]]:
    """Return a panel a title, all with one row a name from top to bottom."""
    figure, every = panels(len(titles), 1.75, 0.235 * len(names))
    for place, (axes, title) in enumerate(zip(every, titles, strict=True)):
        axes.set(ylim=(len(names) - 0.5, -0.5), title=title)
        axes.set_yticks(range(len(names)), names if place == 0 else [""] * len(names), fontsize=8)
        axes.tick_params(axis="y", length=0)
        axes.locator_params(axis="x", nbins=4)
    return figure, every


def limits(values: Iterable[float], share: float = 0.05) -> tuple[float, float]:
    """Return limits that leave a little room around values; around one value, room to see it.

    Examples
    --------
    >>> limits([0, 10]), limits([3, 3])
    ((-0.5, 10.5), (2.95, 3.05))
    """
    seen = list(values)
    low, high = min(seen), max(seen)
    room = (high - low) * share or abs(high) * share / 3 or share
    return low - room, high + room


def key(label: str, **style: Any) -> Artist:
    """Return an entry of a legend: a line, or a marker."""
    lines = require("matplotlib.lines", extra="figures")
    return lines.Line2D([], [], **({"color": BLACK, "linewidth": 1.2} | style), label=label)  # type: ignore[no-any-return]


def finish(figure: Figure, *, caption: str = "", title: str = "", legend: Sequence[Artist] = ()) -> Figure:
    """Write what stands around the panels: a title above, a legend at the right, a caption below."""
    width, height = figure.get_size_inches()
    around = figure.get_tightbbox()
    left, right = around.x0 / width, (around.x1 + 0.1) / width
    if title:
        figure.text(left, (around.y1 + 0.1) / height, title, fontsize=9, va="bottom")
    if legend:
        place: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (right, 1.0), "borderaxespad": 0.0}
        figure.legend(handles=list(legend), bbox_transform=figure.transFigure, **place)
    if caption:
        letters = int(LETTERS_AN_INCH * max(around.width, 4.0))
        lines = "\n".join(textwrap.fill(part, letters) for part in caption.split("\n"))
        figure.text(left, (around.y0 - 0.12) / height, lines, va="top", linespacing=1.4)
    return figure


METADATA: Mapping[str, Mapping[str, None]] = {
    ".svg": {"Date": None},
    ".png": {"Software": None},
    ".pdf": {"CreationDate": None, "Producer": None, "Creator": None},
}
"""What matplotlib would write into a file of each format and must not: the time, its own version."""


def save(figure: Figure, *paths: Path) -> None:
    """Write a figure to files, SVG, PDF or PNG by their suffix; the same figure gives the same bytes.

    Parameters
    ----------
    figure
        From this room; any other matplotlib figure will do.
    paths
        Where to; folders are made, files are replaced.

    Raises
    ------
    InputError
        When a suffix is none of these; then nothing is written.

    Examples
    --------
    >>> import tempfile
    >>> from personax.plots import draw_graph
    >>> from personax.schema import Graph, Node
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(draw_graph(Graph([Node("a")], [])), Path(folder) / "a.svg", Path(folder) / "a.pdf")
    ...     sorted(path.name for path in Path(folder).iterdir())
    ['a.pdf', 'a.svg']
    """
    for path in paths:
        if path.suffix.lower() not in METADATA:
            raise InputError(f"cannot draw {path.name}: the name of a figure ends in .svg, .pdf or .png")
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
