"""A matplotlib figure that a notebook shows without pyplot, and whose files hold all that stands around its panels."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from matplotlib.figure import Figure

__all__ = ["PaperFigure"]


class PaperFigure(Figure):
    """A figure whose panels fill it; names, legends and captions hang outside, and ``savefig`` cuts around them."""

    def savefig(self, fname: Any, **options: Any) -> None:  # noqa: ANN401 - those of matplotlib
        """Write the figure as matplotlib does, whole."""
        whole: dict[str, Any] = {"bbox_inches": "tight", "pad_inches": 0.1, "facecolor": "white", **options}
        super().savefig(fname, **whole)

    def _repr_png_(self) -> bytes:
        """Return the picture that a notebook shows."""
        stream = BytesIO()
        self.savefig(stream, format="png", dpi=120)
        return stream.getvalue()
