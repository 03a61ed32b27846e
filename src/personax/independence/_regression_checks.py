"""When a small p-value of a test that regresses z out of x and y counts: after jumps in z, and with rows enough."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from personax.errors import UndecidedError
from personax.independence._counts import Counted
from personax.independence._kernel_ridge import Regression, Residual
from personax.independence._residual_kernels import Location, located

__all__ = ["checked"]

DOUBTFUL = 0.1
"""Below this p-value regressions that may jump are taken too: what smooth ones leave of a threshold looks alike in x
and in y. A p-value above it is no rejection anyway. Given several columns they are boosted trees, which take longer
than all else, and are left out where a linear regression explains x or y about as well as the best one."""

FEWEST = 20
"""Distinct values of z below which kernel ridge regression has a mean for each of them, and jumps add nothing."""

LINEAR_ROWS_A_COLUMN, ROWS_A_COLUMN = 6, 50
"""Rows for each of several columns of z below which there is no rejection at all, because nobody can tell a line from a
bend there; and below which one counts only if a linear regression explains x or y about as well as the best one: where
one of the two regressions is right, errors of the other do no harm."""

MANY_COLUMNS = 8
"""Columns of z above which the rows a column that are enough grow with them: given 20 columns 1,000 rows were not."""

SLIGHTLY_BENT, BENT = 0.02, 0.05
"""Share of the cross-validation score that a regression must save to be more than linear: to grow trees, to abstain."""


FEWEST_WAVES = 2
"""Waves over the range of z that are looked for at the least."""

MOST_WAVES = 20_000
"""Waves over the range of z that are looked for at most."""

CERTAIN = 0.05
"""Share of variables without waves in which one is found."""


class _Outcome(Protocol):
    @property
    def p_value(self) -> float: ...


T = TypeVar("T", bound=_Outcome)
Array = NDArray[np.float64]


def checked(
    first: T,
    again: Callable[[Sequence[Location]], T],
    x: Counted,
    y: Counted,
    regression: Regression,
    locations: Sequence[Location] = (),
) -> T:
    """Return the outcome of a test on smooth regressions, or that with those that may jump if its p is larger.

    Parameters
    ----------
    first
        The outcome on smooth regressions.
    again
        The test, given what regressions leave of x and y.
    locations
        What smooth regressions leave of x and y, where that is known already.

    Raises
    ------
    UndecidedError
        When p is small and the rows are too few to tell it from a dependence of both on z, or both repeat with z faster
        than regressions on so many rows follow.
    """
    if first.p_value >= DOUBTFUL or regression.z.values is None:
        return first
    variables = ((x, "x"), (y, "y"))
    locations = locations or [located(v, regression, name) for v, name in variables]
    columns, bent = regression.z.columns, min(one.residual.gain for one in locations)
    outcome = first
    if (columns == 1 or bent > SLIGHTLY_BENT) and regression.z.size >= FEWEST:
        # which of the two fits better is not certain: a rejection must stand in both
        locations = [located(v, regression, name, jumps=True) for v, name in variables]
        outcome = max(first, again(locations), key=lambda one: one.p_value)
    enough = int(ROWS_A_COLUMN * columns * max(1.0, columns / MANY_COLUMNS))
    few = x.n < (enough if bent > BENT else LINEAR_ROWS_A_COLUMN * columns)
    if outcome.p_value < DOUBTFUL and columns > 1 and few:
        bends = "z moves x and y in bent ways, which" if bent > BENT else "whether z moves x and y in straight lines,"
        raise UndecidedError(
            f"{bends} {x.n} rows are too few to follow given {columns} columns; "
            f"{enough:,} rows are enough, or take fewer columns"
        )
    if outcome.p_value < DOUBTFUL and (wave := _shared_wave(regression.z, [one.residual for one in locations])):
        raise UndecidedError(
            f"x and y both still move in waves of z, one every {wave:.3g}, that no regression on {x.n:,} rows follows; "
            "give what repeats as a cyclic column of that period"
        )
    return outcome


def _shared_wave(z: Counted, residuals: Sequence[Residual]) -> float | None:
    """Return the period of a wave of a column of z that is in all residuals.

    The periodogram of values without waves, times n / 2, is exponential at each frequency; the smaller one of x and of
    y counts, times the number of frequencies, so that a dependence of x and y alone is no wave.

    References
    ----------
    Scargle 1982, doi:10.1086/160554.
    """
    assert z.values is not None
    people = np.ones(len(z.codes)) if z.weights is None else z.weights
    rows = [one.rows[one.of.codes] * people[:, None] for one in residuals]
    squares = [np.asarray(one.of.counts @ np.square(one.rows), dtype=float) for one in residuals]
    least, found = CERTAIN / z.columns, None
    for column in z.values.T:
        if len(np.unique(column)) < FEWEST:
            continue
        at, reach = column - column.min(), float(np.ptp(column))
        shared = _shared_power((at / reach)[z.codes], rows, squares)
        chance = float(np.exp(-shared.max(initial=0.0) / 2) * len(shared))
        if chance < least:
            least, found = chance, 2 * reach / (2 * FEWEST_WAVES + int(shared.argmax()))
    return found


def _shared_power(at: Array, rows: Sequence[Array], squares: Sequence[Array]) -> Array:
    """Return the least power over variables of k / 2 waves from 0 to 1, for k from twice `FEWEST_WAVES`.

    Parameters
    ----------
    at
        Place of each row, 0 to 1, shape (n,).
    rows, squares
        Of each variable, shape (n, columns), and the sums of their squares.
    """
    places = np.unique(at.round(9))
    # waves of fewer than two steps of a grid look like slower ones
    most = int(min(1 / (2 * np.diff(places).min()), 2 * len(places), MOST_WAVES))
    if most <= FEWEST_WAVES:
        return np.empty(0)
    cells = 16 * most
    cell = np.rint(at * cells).astype(int)
    powers = []
    for values, square in zip(rows, squares, strict=True):
        sums = np.stack([np.bincount(cell, column, 2 * cells) for column in values.T])
        waves = np.fft.rfft(sums, axis=1)[:, 2 * FEWEST_WAVES : 2 * most]
        powers.append((2 * np.square(np.abs(waves)) / np.maximum(square, 1e-300)[:, None]).max(axis=0))
    return np.asarray(np.min(powers, axis=0))
