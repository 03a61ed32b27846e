"""The variables of one pair, with everything that several tests of it share computed once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.data.dates import YEAR, are_dates
from personax.errors import UntestableError
from personax.independence._conditional import conditional_left
from personax.independence._counts import Counted, combine
from personax.independence._effects import ENOUGH, WIDTH, clear_kernel_correlation, effect_factor, kernel_correlation
from personax.independence._intervals import STRETCH, Interval, cramers_v_interval, kernel_interval
from personax.independence._kernel_ridge import Regression
from personax.independence._kernels import Factor, cross, marginal_factor
from personax.independence._normal_scores import scored
from personax.independence._several_widths import WIDTHS, Kernels, kernels
from personax.independence._variable import EncodedColumn, encode, present_rows
from personax.schema import Kind

__all__ = [
    "MAX_LEVELS",
    "ColumnPair",
    "Given",
    "Sample",
    "TestedColumn",
    "few_levels",
    "kernel_interval_of",
    "shown_number",
]

MAX_LEVELS = 20
"""A continuous column with more distinct values is no set of categories."""


def shown_number(value: float) -> str:
    """Return a number as a sentence has it.

    Examples
    --------
    >>> shown_number(1987.0), shown_number(0.12345), shown_number(12345678)
    ('1987', '0.1235', '12345678')
    """
    return str(int(value)) if value == int(value) else f"{value:.4g}"


class Sample:
    """Distinct values and their kernels, made once when first needed."""

    def __init__(self, counted: Counted, kind: Kind, level: Callable[[int], str] | None = None) -> None:
        self.counted, self.kind, self._level = counted, kind, level
        self.dates = False
        self._wider: dict[float, Factor] = {}

    def level(self, code: int) -> str:
        """Return a distinct value as a reader knows it."""
        if self._level is not None:
            return self._level(code)
        return shown_number(self.counted.values[code, 0]) if self.counted.values is not None else f"level {code + 1}"

    @cached_property
    def scored(self) -> Counted:
        """The values that the kernels of marginal tests see: normal scores where tails are heavy."""
        return scored(self.counted)

    @cached_property
    def kernels(self) -> Kernels:
        """The kernels of KCI."""
        return kernels(self.scored)

    @cached_property
    def median(self) -> Factor:
        """The kernel of HSIC."""
        return marginal_factor(self.scored, "median")

    @cached_property
    def wide(self) -> Factor:
        """The kernel of the effect size."""
        return effect_factor(self.counted)

    def wider(self, width: float) -> Factor | None:
        """Return the kernel of one column of numbers, a little wider than ``width``; None of anything else."""
        values = self.scored.values
        if values is None or values.shape[1] > 1 or self.scored.labels is not None:
            return None
        if width not in self._wider:
            self._wider[width] = marginal_factor(self.scored, width * (1 + STRETCH), tolerance=ENOUGH)
        return self._wider[width]

    @cached_property
    def regression(self) -> Regression:
        """Regression on this variable."""
        return Regression(self.counted)


class TestedColumn:
    """A column of a table: read and counted once for all its pairs."""

    __test__ = False  # pytest: not a test class

    def __init__(
        self, series: pl.Series, kind: Kind, period: float | None, weights: NDArray[np.intp] | None = None
    ) -> None:
        self.name, self.kind = series.name, kind
        self.present = present_rows(series)
        self.weights = weights
        turns = kind == "cyclic" and period is None and are_dates(series)
        self.period = YEAR if turns else period
        self._series = series
        self._read: tuple[EncodedColumn, Sample] | str
        try:
            variable = encode(series, kind, period, weights)
            self._read = variable, self._sample(variable.counted, self.present)
        except UntestableError as error:
            self._read = str(error)

    @property
    def levels(self) -> int:
        """Number of distinct values; 0 where they could not be read."""
        return 0 if isinstance(self._read, str) else self._read[1].counted.size

    def people(self, rows: NDArray[np.bool_]) -> int:
        """Return how many people some rows stand for."""
        return int(rows.sum() if self.weights is None else self.weights[rows].sum())

    def over(self, rows: NDArray[np.bool_]) -> Sample:
        """Return the column over some of its present rows; counted anew only where that loses some."""
        if isinstance(self._read, str):
            raise UntestableError(self._read)
        variable, whole = self._read
        return whole if rows.sum() == len(variable.counted.codes) else self._sample(variable.over(rows), rows)

    def _sample(self, counted: Counted, rows: NDArray[np.bool_]) -> Sample:
        """Return the column over some rows; its levels are called as the table has them."""

        def level(code: int) -> str:
            value = self._series[int(np.flatnonzero(rows)[np.argmax(counted.codes == code)])]
            return shown_number(value) if isinstance(value, (int, float)) and self.kind != "nominal" else str(value)

        sample = Sample(counted, self.kind, level)
        sample.dates = not (self._series.dtype.is_numeric() or self._series.dtype == pl.Boolean)
        return sample


class Given:
    """What is conditioned on: one or more columns as one variable; kept while the rows stay the same."""

    def __init__(self, columns: Sequence[TestedColumn]) -> None:
        self.columns = columns
        self.names = [column.name for column in columns]
        self._kept: tuple[NDArray[np.bool_], Sample] | None = None

    @cached_property
    def present(self) -> NDArray[np.bool_]:
        """Rows that have a value in every column."""
        return np.asarray(np.logical_and.reduce([column.present for column in self.columns]))

    def over(self, rows: NDArray[np.bool_]) -> Sample:
        """Return the variable over some rows."""
        kept = self._kept  # one look: another thread may replace it
        if kept is not None and np.array_equal(rows, kept[0]):
            return kept[1]
        parts = [column.over(rows).counted for column in self.columns]
        kind: Kind = self.columns[0].kind if len(self.columns) == 1 else "continuous"
        sample = Sample(combine(*parts), kind)
        self._kept = rows, sample
        return sample


class ColumnPair:
    """Two columns over the rows that both have, given a third or not.

    Parameters
    ----------
    x, y, z
        The columns over those rows.
    with_effect
        Whether anybody looks at the effect size; a search for graphs does not, and it costs as much as a test.
    """

    def __init__(self, x: Sample, y: Sample, z: Sample | None, *, with_effect: bool = True) -> None:
        self.x, self.y, self.z, self.with_effect = x, y, z, with_effect

    @cached_property
    def effect_factors(self) -> tuple[Factor, Factor]:
        """The kernels of the kernel correlation, less what z explains.

        They are wide. Waves are seen by narrower ones alone, which are taken where they clearly see more: by more than
        four times their noise.
        """
        if self.z is None:
            return self._marginal_factors[:2]
        left = conditional_left(self.z.regression)
        return left(self.x.wide, self.x.counted, "x"), left(self.y.wide, self.y.counted, "y")

    @cached_property
    def _marginal_factors(self) -> tuple[Factor, Factor, float]:
        """The kernels of the effect size without z, and the width of those of numbers."""
        wide = self.x.wide, self.y.wide
        several = [side.kernels.factors for side in (self.x, self.y)]
        if len(several[0]) != len(several[1]) or len(several[0]) == 1 or any(one.groups for one in wide):
            return *wide, WIDTH
        narrower = list(zip(*several, WIDTHS, strict=True))[:-1]
        best = max(narrower, key=lambda both: clear_kernel_correlation(*both[:2]))
        return best if clear_kernel_correlation(*best[:2]) > kernel_correlation(*wide) else (*wide, WIDTH)

    @cached_property
    def effect(self) -> float:
        """The kernel correlation; 0 where nobody looks at it."""
        return kernel_correlation(*self.effect_factors) if self.with_effect else 0.0

    @cached_property
    def effect_interval(self) -> Interval:
        """Its confidence interval."""
        x, y = self.effect_factors
        if x.groups and y.groups:
            dof = (x.groups - 1) * (y.groups - 1)
            return cramers_v_interval(cross(x, y), dof, x.of.n, min(x.groups, y.groups), self.effect)
        wider = () if self.z else tuple(side.wider(self._marginal_factors[2]) for side in (self.x, self.y))
        return kernel_interval(x, y, adjusted=True, wider=wider)


def few_levels(sample: Sample) -> bool:
    """Say whether a sample can be taken as categories."""
    return sample.kind != "continuous" or sample.counted.size <= MAX_LEVELS


def kernel_interval_of(pair: ColumnPair, _: object) -> Interval:
    """Return the interval of the kernel correlation, as the interval of a registered test."""
    return pair.effect_interval
