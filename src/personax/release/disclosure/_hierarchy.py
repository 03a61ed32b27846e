"""Generalisation hierarchies of quasi-identifiers, each level coarser than the one before."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.data.table import Table
from personax.errors import InputError
from personax.release.disclosure._anonymity import equivalence
from personax.release.disclosure._rare_values import OTHER, by_rarity
from personax.schema import Column

__all__ = ["Given", "Hierarchy", "Level", "hierarchies"]

GRID_DEGREES = (1, 5, 10, 30)
"""Degrees. Each divides the next, or a wider grid would not hold the narrower one; 2 does not divide 5."""

FINEST_BAND = 64
"""The first band is at least this part of the range of a column."""

Given = Mapping[str, str] | Sequence[Mapping[str, str]]
"""Category -> group, or several of these, each coarser than the one before."""

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
CandidateLevel = tuple[str, pl.DataFrame, Floats]
"""A level's label, its value for each distinct value, and the loss of each."""


@dataclass(frozen=True)
class Level:
    """One level: what it is in words, the value that leaves and its code for each distinct value, and its mean loss."""

    says: str
    values: pl.DataFrame
    codes: Ints
    loss: float


@dataclass(frozen=True)
class Hierarchy:
    """The levels of a column, or of two that move together; ``base`` is the distinct value of each row."""

    columns: tuple[str, ...]
    base: Ints
    levels: tuple[Level, ...]


def hierarchies(table: Table, given: Mapping[str, Given] | None = None) -> list[Hierarchy]:
    """Build the hierarchy of every quasi-identifier from its kind.

    Parameters
    ----------
    table
        The quasi-identifiers, one row a person.
    given
        Column -> its groups, for nominal columns; instead of merging the rarest.

    Returns
    -------
    list of Hierarchy
        Numbers: bands whose width doubles; what leaves is the middle of the band, so that the column stays a number.
        Cyclic numbers: arcs, likewise. Latitude and longitude together: grids of 1, 5, 10 and 30 degrees. Nominal:
        three quarters, a half, a quarter ... of the categories stay, the rarer ones become ``other``. Last of all:
        withheld. Bands, arcs and grids start at multiples of their width, whatever the data. A level that is no
        coarser than the one before is left out.

    Raises
    ------
    InputError
        A column that is no text, number or truth value; groups that do not cover a column, or are not nested.

    Notes
    -----
    The loss is the normalised certainty penalty (Xu et al. 2006, doi:10.1145/1150402.1150504): of a value that leaves
    as one of w among m possible, (w - 1) / (m - 1); 1 where it is withheld, 0 where it was missing anyway.

    Examples
    --------
    >>> years = pl.DataFrame({"year": [1990, 1991, 1994, 1997]})
    >>> made = hierarchies(Table(years, [Column("year", "feature", "continuous", "years")]))
    >>> [level.says for level in made[0].levels]
    ['as it is', 'bands of 2 years', 'bands of 8 years', 'withheld']
    """
    made = []
    for group in _column_groups(table.columns, given or {}):
        names = [column.name for column in group]
        _check_types(table.frame.select(names))
        base, distinct = _distinct(table.frame, names)
        counts = np.bincount(base, minlength=distinct.height)
        if len(group) == 2:
            candidates = _grids(distinct)
        elif names[0] in (given or {}):
            candidates = _groups(distinct, (given or {})[names[0]])
        elif group[0].kind == "nominal" or not distinct.dtypes[0].is_numeric():
            candidates = _rare_levels(distinct, counts)
        else:
            candidates = _bands(distinct, group[0])
        made.append(Hierarchy(tuple(names), base, tuple(_levels(distinct, counts, candidates))))
    return made


def _column_groups(columns: Sequence[Column], given: Mapping[str, Given]) -> Iterator[tuple[Column, ...]]:
    """Yield columns one by one, latitude and longitude of the same place as one."""
    names = {column.name.lower(): column for column in columns if column.kind != "nominal" and column.name not in given}
    partner = {}
    for name, column in names.items():
        match = re.fullmatch(r"(.*?)lat(itude)?", name)
        for ending in ("longitude", "lon", "lng") if match else ():
            if match and match[1] + ending in names:
                partner[column.name] = names[match[1] + ending]
    taken = {column.name for column in partner.values()}
    for column in columns:
        if column.name in partner:
            yield column, partner[column.name]
        elif column.name not in taken:
            yield (column,)


def _check_types(frame: pl.DataFrame) -> None:
    for name, dtype in frame.schema.items():
        if not (dtype.is_numeric() or dtype in (pl.String, pl.Categorical, pl.Enum, pl.Boolean, pl.Null)):
            raise InputError(f"{name} holds {dtype}, which has no bands; make it a number or a text first, or private")


def _distinct(frame: pl.DataFrame, names: Sequence[str]) -> tuple[Ints, pl.DataFrame]:
    """Return the distinct value of each row and the distinct values, in order; what is not finite is missing."""
    floats = pl.selectors.by_dtype(pl.Float32, pl.Float64)
    texts = pl.selectors.by_dtype(pl.Categorical, pl.Enum)
    keys = frame.select(names).with_columns(texts.cast(pl.String))
    keys = keys.with_columns(pl.when(floats.is_finite()).then(floats))
    classes = equivalence(keys, names)
    rows = keys[np.unique(classes, return_index=True)[1]]
    order = rows.with_row_index("\0row").sort(names)["\0row"].to_numpy()
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return rank[classes], rows[order]


def _levels(distinct: pl.DataFrame, counts: Ints, candidates: Iterator[CandidateLevel]) -> Iterator[Level]:
    """Yield the levels that differ: as it is, the given ones, withheld."""
    present = np.column_stack([values.is_not_null().to_numpy() for values in distinct])

    def level(says: str, values: pl.DataFrame, loss: Floats) -> Level:
        known = np.where(present, loss.reshape(len(present), -1), 0.0).mean(axis=1)
        return Level(says, values, equivalence(values, values.columns), float(counts @ known / counts.sum()))

    last = level("as it is", distinct, np.zeros(distinct.height))
    yield last
    nobody = not present.any()
    for says, values, loss in candidates if not nobody else ():
        found = level(says, values, loss)
        if _nested(last, found) and found.codes.max() < last.codes.max() and _varies(values, present):
            yield found
            last = found
    nothing = distinct.clear(distinct.height)
    yield level("withheld", nothing, np.ones(distinct.height))


def _varies(values: pl.DataFrame, present: NDArray[np.bool_]) -> bool:
    return values.filter(pl.Series(present.all(axis=1))).n_unique() > 1


def _nested(finer: Level, coarser: Level) -> bool:
    pairs = len(np.unique(finer.codes * (coarser.codes.max() + 1) + coarser.codes))
    if pairs > finer.codes.max() + 1:
        name = coarser.values.columns[0]
        raise InputError(f"the groups of {name} are not nested; make every group of one level lie in one of the next")
    return True


def _steps(values: Floats) -> tuple[Ints, int]:
    """Return numbers as whole multiples of 10^-p, with the least p that distinguishes them."""
    known = values[np.isfinite(values)]
    most = float(np.abs(known).max(initial=1.0))
    places = 0
    while places < 12 and most * 10.0 ** (places + 1) < 2**53:
        if np.allclose(np.round(known, places), known, rtol=1e-12, atol=0):
            break
        places += 1
    return np.round(np.where(np.isfinite(values), values, 0.0) * 10.0**places).astype(np.int64), places


def _bands(distinct: pl.DataFrame, column: Column) -> Iterator[CandidateLevel]:
    """Yield bands, or arcs, whose width doubles."""
    values = distinct[column.name].cast(pl.Float64).fill_null(np.nan).to_numpy()
    known = np.isfinite(values)
    if not known.any():
        return
    steps, places = _steps(values)
    turn = round(column.period * 10**places) if column.kind == "cyclic" and column.period else None
    low, high = int(steps[known].min()), int(steps[known].max())
    # months and days count from 1; other circles from 0
    origin = 1 if turn and places == 0 and low >= 1 and high <= turn else 0
    place = steps - origin
    if turn:
        place = place % turn
    whole = turn or high - low + 1
    width = 2
    while whole / width > FINEST_BAND:
        width *= 2
    unit = f" {column.unit}" if column.unit else ""
    while width < 2 * whole:
        start = place // width * width
        held = np.minimum(width, turn - start) if turn else np.full(len(start), width)
        middle = origin + start + (held - 1) / 2
        if turn and low < 0:
            middle = (middle + turn / 2) % turn - turn / 2
        shown = pl.Series(column.name, np.where(known, middle / 10**places, np.nan)).fill_nan(None)
        says = f"{'arcs' if turn else 'bands'} of {width / 10**places:g}{unit}"
        yield says, pl.DataFrame([shown]), np.minimum(1, (held - 1) / max(1, whole - 1))
        width *= 2


def _grids(distinct: pl.DataFrame) -> Iterator[CandidateLevel]:
    """Yield the middles of the fields of ever wider grids."""
    values = [series.cast(pl.Float64).fill_null(np.nan).to_numpy() for series in distinct]
    spans = [float(np.ptp(v[np.isfinite(v)])) if np.isfinite(v).any() else 0.0 for v in values]
    for grid in GRID_DEGREES:
        middles = [np.floor(np.floor(v) / grid) * grid + grid / 2 for v in values]
        shown = [pl.Series(name, v).fill_nan(None) for name, v in zip(distinct.columns, middles, strict=True)]
        loss = [min(1.0, grid / span) if span else 1.0 for span in spans]
        yield f"a grid of {grid} degrees", pl.DataFrame(shown), np.tile(loss, (distinct.height, 1))


def _rare_levels(distinct: pl.DataFrame, counts: Ints) -> Iterator[CandidateLevel]:
    """Yield categories of which ever more are ``other``."""
    texts = distinct.to_series().cast(pl.String)
    known = {str(text): int(count) for text, count in zip(texts, counts, strict=True) if text is not None}
    order = by_rarity(known)
    stay = 3 * len(order) // 4
    while stay >= 1:
        pool = set(order[: len(order) - stay])
        shown = [OTHER if text in pool else text for text in texts]
        loss = (len(pool) - 1) / max(1, len(order) - 1)
        values = pl.DataFrame([pl.Series(texts.name, shown, dtype=pl.String)])
        yield f"the {stay} most frequent categories", values, np.array([loss * (text in pool) for text in texts])
        stay = len(order) // 2 if stay > len(order) // 2 else stay // 2


def _groups(distinct: pl.DataFrame, given: Given) -> Iterator[CandidateLevel]:
    """Yield the given groups."""
    texts = distinct.to_series().cast(pl.String)
    known = max(2, len(texts.drop_nulls()))
    for number, mapping in enumerate([given] if isinstance(given, Mapping) else given, 1):
        absent = sum(text is not None and text not in mapping for text in texts)
        if absent:
            raise InputError(f"the groups of {texts.name} lack {absent} of its categories; give each a group")
        shown = [None if text is None else mapping[text] for text in texts]
        sizes = {group: shown.count(group) for group in set(shown)}
        values = pl.DataFrame([pl.Series(texts.name, shown, dtype=pl.String)])
        yield f"groups, level {number}", values, np.array([(sizes[group] - 1) / (known - 1) for group in shown])
