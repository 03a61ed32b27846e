"""Noisy tables that were read from an untrusted statistics.json."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from personax.errors import InputError
from personax.release.statistics._bins import MAX_BINS
from personax.schema import KINDS, Column

__all__ = ["FILE", "NoisyCounts", "NoisyStatistics", "read_statistics"]

FILE = "statistics.json"
MAX_TABLES = 10_000
MAX_COUNT = 2**50


@dataclass(frozen=True)
class NoisyCounts:
    """Noisy counts of a feature against a target, shape (bins of the feature, bins of the target)."""

    feature: str
    target: str
    counts: NDArray[np.int64]


@dataclass(frozen=True)
class NoisyStatistics:
    """Contingency tables under differential privacy.

    Parameters
    ----------
    epsilon, delta, rho, scale
        Of all tables together; the noise of every cell is a discrete Gaussian of this scale.
    columns, labels
        What the columns are, and what their bins hold.
    tables
        The counts.
    unit, not_covered
        Whom the guarantee protects, and what it says nothing of.
    """

    epsilon: float
    delta: float
    rho: float
    scale: float
    columns: tuple[Column, ...]
    labels: Mapping[str, Sequence[str]]
    tables: tuple[NoisyCounts, ...]
    unit: str = ""
    not_covered: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """What a card, and a result, say of the noise."""
        return (
            f"{len(self.tables)} tables of counts carry discrete Gaussian noise of standard deviation {self.scale:.3g} "
            f"in every cell: central differential privacy, epsilon = {self.epsilon:g} at delta = {self.delta:g} "
            f"(rho = {self.rho:.3g}), for {self.unit}."
        )

    def to_json(self) -> str:
        """Return what the file holds."""
        content = {
            "format": 1,
            "epsilon": self.epsilon,
            "delta": self.delta,
            "rho": self.rho,
            "scale": self.scale,
            "mechanism": "discrete Gaussian, one draw a cell",
            "unit": self.unit,
            "not_covered": list(self.not_covered),
            "columns": [
                {"name": c.name, "role": c.role, "kind": c.kind, "bins": list(self.labels[c.name])}
                for c in self.columns
            ],
            "tables": [
                {"feature": t.feature, "target": t.target, "counts": t.counts.tolist()} for t in self.tables
            ],
        }  # fmt: skip
        return json.dumps(content, indent=1, ensure_ascii=False)


def read_statistics(raw: object) -> NoisyStatistics:
    """Return what statistics.json holds.

    Parameters
    ----------
    raw
        What JSON gave.

    Raises
    ------
    InputError
        It is not what `NoisyStatistics.to_json` writes: numbers that are none, tables of other columns or shapes.

    Examples
    --------
    >>> read_statistics({"format": 2})
    Traceback (most recent call last):
        ...
    personax.errors.InputError: statistics.json is of format 2 and this personax reads 1; get another, or upgrade
    """
    if not isinstance(raw, dict) or raw.get("format") != 1:
        found = raw.get("format") if isinstance(raw, dict) else None
        version = f"of format {found}" if isinstance(found, int) else "of no format"
        raise InputError(f"{FILE} is {version} and this personax reads 1; get another, or upgrade")
    numbers = {name: _number(raw, name) for name in ("epsilon", "delta", "rho", "scale")}
    columns, labels = _columns(raw.get("columns"))
    roles = {column.name: column.role for column in columns}
    tables = raw.get("tables")
    if not isinstance(tables, list) or not 0 < len(tables) <= MAX_TABLES:
        raise InputError(f"{FILE} has no tables, or more than {MAX_TABLES:,}; get it again")
    made = tuple(_table(one, labels, roles) for one in tables)
    unit, rest = raw.get("unit"), raw.get("not_covered")
    return NoisyStatistics(
        **numbers, columns=columns, labels=labels, tables=made, unit=unit if isinstance(unit, str) else "",
        not_covered=tuple(one for one in rest if isinstance(one, str)) if isinstance(rest, list) else (),
    )  # fmt: skip


def _number(raw: Mapping[str, Any], name: str) -> float:
    value = raw.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise InputError(f"{FILE}: {name} is no number of at least 0; get it again")
    return float(value)


def _columns(raw: object) -> tuple[tuple[Column, ...], dict[str, list[str]]]:
    columns, labels = [], {}
    for one in raw if isinstance(raw, list) else []:
        entry = one if isinstance(one, dict) else {}
        name, bins = entry.get("name"), entry.get("bins")
        role = next((role for role in ("feature", "target") if role == entry.get("role")), None)
        kind = next((kind for kind in KINDS if kind == entry.get("kind")), None)
        whole = isinstance(bins, list) and 2 <= len(bins) <= MAX_BINS and all(isinstance(b, str) for b in bins)
        if not isinstance(name, str) or not name or name in labels or role is None or kind is None or not whole:
            raise InputError(f"{FILE} describes an invalid column; get it again")
        columns.append(Column(name, role, kind))  # type: ignore[arg-type]
        labels[name] = list(bins)  # type: ignore[arg-type]
    return tuple(columns), labels


def _table(raw: object, labels: Mapping[str, Sequence[str]], roles: Mapping[str, str]) -> NoisyCounts:
    entry = raw if isinstance(raw, dict) else {}
    feature, target, counts = (entry.get(name) for name in ("feature", "target", "counts"))
    known = isinstance(feature, str) and isinstance(target, str)
    if not known or roles.get(str(feature)) != "feature" or roles.get(str(target)) != "target":
        raise InputError(f"{FILE} has a table of columns that it does not describe; get it again")
    shape = len(labels[str(feature)]), len(labels[str(target)])
    rows = counts if isinstance(counts, list) else []
    cells = [cell for row in rows if isinstance(row, list) for cell in row]
    fits = len(rows) == shape[0] and all(isinstance(row, list) and len(row) == shape[1] for row in rows)
    if not fits or any(type(cell) is not int or abs(cell) > MAX_COUNT for cell in cells):
        raise InputError(f"{FILE}: the counts of a table are not whole numbers in the shape of its bins; get it again")
    return NoisyCounts(str(feature), str(target), np.array(cells, dtype=np.int64).reshape(shape))
