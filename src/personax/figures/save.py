"""Write a figure so that the same figure gives the same bytes and nobody ever sees half a file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from personax.errors import InputError
from personax.figures.canvas import defaults

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["save"]

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
