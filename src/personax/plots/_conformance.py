"""`check_plot`: whether what draws a result keeps the contract of `plot()`."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

from personax.conformance import described, kit, registered
from personax.errors import require
from personax.schema import Edge, Graph, Node

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["check_plot"]


@kit
def check_plot(name: str, result: object = None, **options: Any) -> None:
    """Check that a plot does what ``result.plot()`` relies on.

    Checked are: the registration; that a matplotlib figure comes back with something on it, which can be saved; that
    the same result gives the same picture; and that the result, matplotlib's settings and the list of open figures of
    ``pyplot`` are left as they are.

    Parameters
    ----------
    name
        As registered under ``plots``.
    result
        What it draws; by default a causal graph of three columns.
    **options
        Of the plot.

    Raises
    ------
    AssertionError
        With a sentence that says what is wrong and how to mend it, at the first check that fails.
    MissingExtraError
        When matplotlib is not installed.

    Examples
    --------
    >>> check_plot("graph")
    """
    figure_type = require("matplotlib.figure", extra="figures").Figure
    settings, pyplot = require("matplotlib", extra="figures").rcParams, require("matplotlib.pyplot", extra="figures")
    demand, _, plot = registered("plots", name)
    demand(callable(plot), f"it is {described(plot)}; register a function (result, **options)")
    drawn = _graph() if result is None else result
    with demand.rule("a result can be drawn", "return a matplotlib Figure"):
        before = repr(drawn), dict(settings), pyplot.get_fignums()
        figure = plot(drawn, **options)
        after = repr(drawn), dict(settings), pyplot.get_fignums()
        demand(isinstance(figure, figure_type), f"it returns {described(figure)}; return a matplotlib Figure")
        demand(before[0] == after[0], "it changes the result; work on a copy")
        demand(before[1] == after[1], "it changes matplotlib's settings; draw within personax.plots.defaults()")
        demand(before[2] == after[2], "it leaves a figure of pyplot open; make one by matplotlib.figure.Figure")
        shown = figure.texts or any(axes.has_data() or axes.texts or axes.patches for axes in figure.axes)
        demand(shown, "nothing is on the figure; draw the result")
        demand(_picture(figure) == _picture(plot(drawn, **options)), "the same result gives another picture; fix seeds")


def _graph() -> Graph:
    edges = [Edge("a", "b", weight=0.5), Edge("b", "c", weight=0.2)]
    return Graph([Node("a"), Node("b"), Node("c")], edges, meaning="causes")


def _picture(figure: Figure) -> bytes:
    file = BytesIO()
    figure.savefig(file, format="png", dpi=40)
    return file.getvalue()
