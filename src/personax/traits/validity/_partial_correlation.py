"""Correlation given controls: what is left when likability, age, gender ... are taken out of both sides."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from personax.errors import InputError
from personax.traits._ratings import Floats

__all__ = ["control_matrix", "partial_correlation"]

MAX_LEVELS = 40
"""Levels of a nominal control at most: with more, the rest would say little."""


def control_matrix(controls: Mapping[str, pl.Series], nominal: Mapping[str, bool]) -> Floats:
    """Return controls as numbers, shape (people, columns): nominal ones as dummies, all but the most frequent level.

    Parameters
    ----------
    controls
        Name -> everybody's value; a person who lacks one has NaN in the whole row.
    nominal
        Name -> whether its values are categories.

    Raises
    ------
    InputError
        A control of too many levels, of one, or text that is to be a number.

    Examples
    --------
    >>> control_matrix({"sex": pl.Series(["f", "m", "f", None])}, {"sex": True}).ravel().tolist()
    [0.0, 1.0, 0.0, nan]
    """
    columns = []
    for name, values in controls.items():
        levels = values.drop_nulls().value_counts(sort=True)[values.name].to_list()
        if len(levels) < 2 or (nominal[name] and len(levels) > MAX_LEVELS):
            raise InputError(
                f"--controls: {name} has {len(levels)} values; a control has 2 to {MAX_LEVELS}, or is a number"
            )
        missing = values.is_null().to_numpy()
        if nominal[name]:
            for level in sorted(levels[1:], key=str):
                columns.append(np.where(missing, np.nan, (values == level).fill_null(value=False).to_numpy()))
        elif values.dtype.is_numeric():
            columns.append(values.cast(pl.Float64).fill_null(np.nan).to_numpy())
        else:
            raise InputError(f"--controls: {name} is text and not nominal; give it kind: nominal in the study file")
    matrix = np.column_stack(columns) if columns else np.empty((0, 0))
    matrix[np.isnan(matrix).any(axis=1)] = np.nan
    return matrix


def partial_correlation(a: Floats, b: Floats, controls: Floats) -> float:
    """Return Pearson's correlation of what least squares on the controls leaves of a and b; NaN without freedom.

    Parameters
    ----------
    a, b
        Shape (people,), NaN where there is none.
    controls
        Shape (people, columns).

    Examples
    --------
    >>> z = np.array([[1.0], [2], [3], [4], [5]])
    >>> round(partial_correlation(z[:, 0] + [1, -1, 0, -1, 1], z[:, 0] - [1, -1, 0, -1, 1], z), 6)
    -1.0
    """
    known = ~np.isnan(a) & ~np.isnan(b) & ~np.isnan(controls).any(axis=1)
    x = np.column_stack([np.ones(known.sum()), controls[known]])
    if len(x) == 0 or len(x) - np.linalg.matrix_rank(x) < 3:
        return float("nan")
    both = np.column_stack([a[known], b[known]])
    left = both - x @ np.linalg.lstsq(x, both, rcond=None)[0]
    size = np.square(left).sum(axis=0)
    if (size <= 1e-12 * np.maximum(np.square(both).sum(axis=0), 1e-300)).any():
        return float("nan")
    return float(left[:, 0] @ left[:, 1] / np.sqrt(size.prod()))
