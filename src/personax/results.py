"""What a result of personax is beyond its numbers: a table, the same in a notebook, and a figure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast

from personax.registry import get

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.figure import Figure

__all__ = ["DrawableResult", "Result"]


class Result:
    """A result that is a table too; a subclass implements `to_frame`."""

    __slots__ = ()

    def to_frame(self) -> pl.DataFrame:
        """Return the result as a table."""
        raise NotImplementedError

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

    def plot(self, **options: Any) -> Figure:  # noqa: ANN401 - those of the function that draws
        """Draw the result for a paper.

        Parameters
        ----------
        options
            Of the function that draws, see `personax.figures`.

        Raises
        ------
        MissingExtraError
            When matplotlib is not installed.
        """
        return cast("Figure", get("plots", self.plot_kind)(self, **options))
