"""Anonymity of a table: k-anonymity, l-diversity, t-closeness, and prosecutor risk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.errors import InputError
from personax.schema import Column

__all__ = ["Anonymity", "Diversity", "equivalence", "measure", "sensitive_codes"]

MAX_CELLS = 4_000_000
"""Of the table of classes by values that is held at once."""

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Diversity:
    """How far the classes hide a sensitive value, each number that of the worst class.

    Parameters
    ----------
    column
        Its name.
    distinct
        The least number of distinct known values in a class: distinct l-diversity. A missing value is no diversity.
    entropy
        The least exp(entropy) of the known values of a class: entropy l-diversity. At most ``distinct``.
    closeness
        The largest distance between the values of a class and of everybody: t-closeness.
    """

    column: str
    distinct: int
    entropy: float
    closeness: float


@dataclass(frozen=True, slots=True)
class Anonymity:
    """Anonymity of a table against an attacker who knows the quasi-identifiers of a person in it.

    Parameters
    ----------
    quasi_identifiers
        What the attacker is thought to know.
    people, classes
        Rows, and equivalence classes: people who have all quasi-identifiers alike.
    k
        People of the smallest class.
    asked, below
        The k that was asked for, and how many people are in smaller classes.
    risk_max, risk_mean
        Prosecutor risk, the chance to pick the right one of a class: 1 / k, and its mean over people.
    sensitive
        One `Diversity` a sensitive column.
    """

    quasi_identifiers: tuple[str, ...]
    people: int
    classes: int
    k: int
    asked: int
    below: int
    risk_max: float
    risk_mean: float
    sensitive: tuple[Diversity, ...] = ()

    @property
    def share_below(self) -> float:
        """Share of people in classes smaller than the required k."""
        return self.below / self.people

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, as a JSON file holds them."""
        return asdict(self) | {"share_below": self.share_below}


def measure(
    frame: pl.DataFrame,
    quasi_identifiers: Sequence[str],
    sensitive: Sequence[Column] = (),
    *,
    k: int = 5,
    step: float | None = 1.0,
) -> Anonymity:
    """Measure k-anonymity, l-diversity, t-closeness and prosecutor risk.

    Parameters
    ----------
    frame
        One row a person, as it would leave.
    quasi_identifiers
        Columns that an attacker may know. Null, and NaN, is a value of its own.
    sensitive
        Columns to be hidden. A missing value hides nobody's: it counts for closeness, not for diversity.
    k
        People in classes smaller than this are counted.
    step
        Sensitive numbers are rounded to its multiples first, so that 3.1 and 3.2 on a scale of 1 to 5 are not
        two diverse values; None takes them as they are.

    Raises
    ------
    InputError
        The table is empty, or has no such column.

    Notes
    -----
    Closeness of ordered numbers is the earth mover's distance over the ranks of the distinct values, of nominal and
    cyclic columns total variation, both between 0 and 1 (Li et al. 2007). Missing numbers have no
    rank: the distance is that of the known values, or the difference in the share missing where that is larger.

    References
    ----------
    Samarati, Sweeney 1998; Machanavajjhala et al. 2007, doi:10.1145/1217299.1217302; Li, Li, Venkatasubramanian 2007,
    doi:10.1109/ICDE.2007.367856.

    Examples
    --------
    >>> frame = pl.DataFrame({"year": [1, 1, 1, 2, 2], "trait": ["a", "b", "b", "a", "a"]})
    >>> found = measure(frame, ["year"], [Column("trait", "target", "nominal")], k=3)
    >>> found.k, found.below, found.sensitive[0].distinct
    (2, 2, 1)
    """
    _present(frame, [*quasi_identifiers, *(column.name for column in sensitive)])
    classes = equivalence(frame, quasi_identifiers)
    sizes = np.bincount(classes)
    diverse = tuple(_diversity(frame[column.name], column, classes, step) for column in sensitive)
    return Anonymity(
        quasi_identifiers=tuple(quasi_identifiers),
        people=frame.height,
        classes=len(sizes),
        k=int(sizes.min()),
        asked=k,
        below=int(sizes[sizes < k].sum()),
        risk_max=float(1 / sizes.min()),
        risk_mean=len(sizes) / frame.height,
        sensitive=diverse,
    )


def _present(frame: pl.DataFrame, names: Sequence[str]) -> None:
    for name in names:
        if name not in frame.columns:
            raise InputError(f"the table has no column {name}; name one of its columns")
    if frame.height == 0:
        raise InputError("the table has no rows, so nobody is anonymous in it; give it people")


def equivalence(frame: pl.DataFrame, names: Sequence[str]) -> Ints:
    """Return each row's class, numbered in order of first appearance; null and NaN are one value of its own."""
    if not names:
        return np.zeros(frame.height, dtype=np.int64)
    floats = pl.selectors.by_dtype(pl.Float32, pl.Float64)
    keys = frame.select(names).with_columns(floats.fill_nan(None))
    rows = keys.with_row_index("\0row").group_by(names, maintain_order=True).agg("\0row")["\0row"]
    classes = np.empty(frame.height, dtype=np.int64)
    classes[rows.explode().to_numpy()] = np.repeat(np.arange(len(rows)), rows.list.len().to_numpy())
    return classes


def sensitive_codes(values: pl.Series, column: Column, step: float | None) -> tuple[Ints, bool]:
    """Return the values of a sensitive column as ranks from 0, missing as -1, and whether the ranks are an order."""
    ordered = column.kind in ("continuous", "ordinal") and values.dtype.is_numeric()
    known = values.cast(pl.Float64).fill_nan(None) if ordered else values.cast(pl.String)
    if ordered and step is not None:
        # a half goes up: numpy's rule would send 2.5 and 3.5 to even numbers
        known = (known / step + 0.5).floor()
    return known.rank("dense").cast(pl.Int64).fill_null(0).to_numpy() - 1, ordered


def _diversity(values: pl.Series, column: Column, classes: Ints, step: float | None) -> Diversity:
    codes, ordered = sensitive_codes(values, column, step)
    # missing comes first, as a column of its own
    width = int(codes.max()) + 2
    whole = np.bincount(codes + 1, minlength=width)
    order = np.argsort(classes, kind="stable")
    codes, numbers = codes[order] + 1, classes[order]
    at_once = max(1, MAX_CELLS // width)
    distinct, entropy, closeness = width, np.inf, 0.0
    for first in range(0, int(numbers[-1]) + 1, at_once):
        start, end = np.searchsorted(numbers, [first, first + at_once])
        height = int(numbers[end - 1]) - first + 1
        cells = np.bincount((numbers[start:end] - first) * width + codes[start:end], minlength=height * width)
        table = cells.reshape(height, width)
        known = table[:, 1:] / np.maximum(table[:, 1:].sum(axis=1, keepdims=True), 1)
        logs = np.log(known, out=np.zeros_like(known), where=known > 0)
        diverse = (known > 0).sum(axis=1)
        distinct = min(distinct, int(diverse.min()))
        entropy = min(entropy, float(np.where(diverse > 0, np.exp(-(known * logs).sum(axis=1)), 0.0).min()))
        closeness = max(closeness, float(_distances(table, whole, ordered).max()))
    return Diversity(column.name, distinct, entropy, closeness)


def _distances(table: Ints, whole: Ints, ordered: bool) -> NDArray[np.float64]:
    """Return the distance of each class from everybody."""
    overall = whole / whole.sum()
    shares = table / table.sum(axis=1, keepdims=True)
    if not ordered:
        return np.asarray(np.abs(shares - overall).sum(axis=1) / 2)
    missing = np.abs(shares[:, 0] - overall[0])
    known, everybody = table[:, 1:], whole[1:]
    if everybody.size < 2:
        return np.asarray(missing)
    totals = known.sum(axis=1, keepdims=True)
    gaps = np.cumsum(known / np.maximum(totals, 1) - everybody / everybody.sum(), axis=1)
    moved = np.where(totals[:, 0] > 0, np.abs(gaps).sum(axis=1) / (everybody.size - 1), 0.0)
    return np.asarray(np.maximum(missing, moved))
