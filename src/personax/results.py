"""What a result of personax is beyond its numbers: a table, the same in a notebook, and a figure."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, cast

from personax.registry import get
from personax.strict import check_options

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.figure import Figure

__all__ = ["DrawableResult", "Result"]


class Result(ABC):
    """A result that is a table too; a subclass implements `to_frame`."""

    __slots__ = ()

    @abstractmethod
    def to_frame(self) -> pl.DataFrame:
        """Return the result as a table."""

    def _repr_html_(self) -> str:
        """Return the table for a notebook."""
        return self.to_frame()._repr_html_()


class DrawableResult(Result):
    """A result that can be drawn.

    Attributes
    ----------
    plot_kind
        The name under which a function that draws it is registered (`personax.registry`, kind ``plots``): this module
        knows no figures, and another package may bring one.
    """

    __slots__ = ()

    plot_kind: ClassVar[str] = ""

    def plot(self, **options: Any) -> Figure:
        """Draw the result for a paper.

        Parameters
        ----------
        options
            Of the function that draws, see `personax.plots`.

        Raises
        ------
        InputError
            An option that the function does not take.
        MissingExtraError
            When matplotlib is not installed.
        """
        draw = get("plots", self.plot_kind)
        first = next(iter(inspect.signature(draw).parameters), "")
        check_options(f"the plot of a {type(self).__name__}", draw, options, first)
        return cast("Figure", draw(self, **options))
