"""Measurements as people hold them, numpy arrays or columns of vectors, brought to the arrays that methods read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.crl._estimator import Arrays
from personax.errors import InputError

__all__ = ["as_arrays"]


def as_arrays(views: Any) -> Arrays:  # noqa: ANN401 - whatever people hold their vectors in
    """Return modality -> measurement -> vectors, shape (n, dim).

    Parameters
    ----------
    views
        Modality -> measurement -> vectors; or modality -> vectors of its one measurement; or a pandas or polars table
        whose columns of vectors are called ``modality/measurement``, or ``modality`` where it has one. Vectors are an
        array of shape (n, dim), a table of numbers, or a column whose cells are lists or arrays. A cell that is null,
        and a row of NaN, say that a person lacks the measurement.

    Raises
    ------
    InputError
        What holds no vectors, or vectors of different lengths; a table without columns of vectors.

    Examples
    --------
    >>> table = pl.DataFrame({"text/a": [[1.0, 2.0], [3.0, 4.0]], "image": [[1.0], [2.0]]})
    >>> {m: {k: x.shape for k, x in by.items()} for m, by in as_arrays(table).items()}
    {'text': {'a': (2, 2)}, 'image': {'image': (2, 1)}}
    """
    if isinstance(views, Mapping):
        return {str(m): _modality(str(m), by) for m, by in views.items()}
    if not hasattr(views, "columns"):
        raise InputError(
            f"views is a {type(views).__name__}; give modality -> measurement -> array, or a table whose columns of "
            "vectors are called modality/measurement"
        )
    found: dict[str, dict[str, NDArray[Any]]] = {}
    for name in views.columns:
        modality, _, measurement = str(name).partition("/")
        if _holds_vectors(views[name]):
            found.setdefault(modality, {})[measurement or modality] = _array(str(name), views[name])
    if not found:
        raise InputError("the table has no column of vectors; name one modality/measurement, its cells lists or arrays")
    return found


def _modality(name: str, by: Any) -> dict[str, NDArray[Any]]:  # noqa: ANN401 - see as_arrays
    if isinstance(by, Mapping):
        return {str(k): _array(f"{name}/{k}", x) for k, x in by.items()}
    if hasattr(by, "columns") and any(_holds_vectors(by[k]) for k in by.columns):
        return {str(k): _array(f"{name}/{k}", by[k]) for k in by.columns}
    return {name: _array(name, by)}


def _holds_vectors(column: Any) -> bool:  # noqa: ANN401 - see as_arrays
    if isinstance(column, pl.Series):
        return isinstance(column.dtype, pl.List | pl.Array)
    first = next((cell for cell in column if isinstance(cell, list | tuple | np.ndarray)), None)
    return first is not None and all(
        isinstance(cell, list | tuple | np.ndarray) or cell is None or cell != cell for cell in column
    )


def _array(name: str, x: Any) -> NDArray[Any]:  # noqa: ANN401 - see as_arrays
    """Return vectors as an array of numbers."""
    if isinstance(x, np.ndarray) and x.dtype != object:
        return x
    if isinstance(x, pl.DataFrame) or (hasattr(x, "columns") and hasattr(x, "to_numpy")):
        return _numbers(name, x.to_numpy())
    if isinstance(x, pl.Series):
        x = x.to_list()
    return _numbers(name, x)


def _numbers(name: str, x: Iterable[Any]) -> NDArray[Any]:
    rows = list(x)
    without = [row is None or (isinstance(row, float) and np.isnan(row)) for row in rows]
    lengths = {np.shape(row) for row, lacks in zip(rows, without, strict=True) if not lacks}
    if len(lengths) > 1:
        sizes = ", ".join(sorted(str(shape[0] if shape else "a number") for shape in lengths))
        raise InputError(f"the embedding {name} has vectors of different lengths ({sizes}); all need the same")
    if any(without):  # a row of NaN says that a person lacks the measurement
        if not lengths or lengths == {()}:
            raise InputError(f"the embedding {name} holds the vectors of nobody; leave it out")
        nothing = np.full(next(iter(lengths)), np.nan)
        rows = [nothing if lacks else row for row, lacks in zip(rows, without, strict=True)]
    try:
        found = np.asarray(rows)
        return found.astype(np.float64, casting="unsafe" if found.dtype == object else "same_kind")
    except (TypeError, ValueError):
        raise InputError(f"the embedding {name} holds something else than real numbers") from None
