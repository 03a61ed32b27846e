"""Table attacks: singling out, linkability and joins, against a control of people who are not in the release."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import ndtri

from personax.errors import InputError
from personax.registry import register
from personax.release.audit._attack import CONFIDENCE, Attack, rate, wilson
from personax.release.audit._campaign import registered_attacks
from personax.release.audit._self_training import MatchedPairs

__all__ = ["CodedTable", "TableSplit", "audit_table", "join", "joined"]

KNOWS: Final = "the released table"

PUBLIC_FACTS: Final = "public facts of everybody"
TRIES = 500
MULTIVARIATE_COLUMNS = 4
"""Columns that a predicate of several columns joins."""

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class CodedTable:
    """A table as numbers: text as codes that original and release share; NaN is missing."""

    values: Floats
    text: Mask
    ranges: Floats

    def rows(self, rows: NDArray[np.intp]) -> CodedTable:
        """Return some rows."""
        return CodedTable(self.values[rows], self.text, self.ranges)


@dataclass(frozen=True)
class TableSplit:
    """Half of the people taken for the release, the other half for people who are not in it.

    Parameters
    ----------
    inside, outside
        Original rows of both halves.
    released
        Released rows of the first half, in the same order.
    """

    inside: CodedTable
    outside: CodedTable
    released: CodedTable


TableAttack = Callable[[TableSplit, np.random.Generator], Attack]


def audit_table(original: pl.DataFrame, released: pl.DataFrame, *, rng: np.random.Generator) -> Iterator[Attack]:
    """Run every attack that is registered for the campaign ``table``; row i of both tables is the same person.

    Half of the people are taken for the release, the other half for people who are not in it: the control. The risk is
    what the attack reaches beyond the control, (a - c) / (1 - c).

    Raises
    ------
    InputError
        The tables do not have the same people, or no column in common.

    References
    ----------
    Giomi, Boenisch, Wehmeyer, Tasnadi 2022, arXiv:2211.10459.
    """
    names = [name for name in released.columns if name in original.columns and not original[name].dtype.is_nested()]
    if original.height != released.height or not names:
        raise InputError("original and released table must hold the same people in the same order, and a common column")
    if original.height < 40:
        reason = f"{original.height} people are too few to keep half of them as a control; 40 are needed"
        for one in registered_attacks("table"):
            yield Attack(one.title, KNOWS, "risk", None, reason=reason)
        return
    a, b = _tables(original.select(names), released.select(names))
    order = rng.permutation(original.height)
    half = len(order) // 2
    split = TableSplit(a.rows(order[:half]), a.rows(order[half : 2 * half]), b.rows(order[:half]))
    for one in registered_attacks("table"):

        def attempt(rng: np.random.Generator, attack: TableAttack = one.attack, title: str = one.title) -> Attack:
            return replace(attack(split, rng), name=title)

        yield one.run(attempt, KNOWS, rng)


@register(
    "attacks", "singling-out-univariate", title="singling out by one column",
    help="values that one released person has", order=210, campaign="table",
)  # fmt: skip
def _single_out_by_one(split: TableSplit, rng: np.random.Generator) -> Attack:
    return _singling_out(_univariate_predicates(split.released, rng), split, rng)


@register(
    "attacks", "singling-out-multivariate", title="singling out by several columns",
    help="predicates of several columns that hold of one released person", order=220, campaign="table",
)  # fmt: skip
def _single_out_by_several(split: TableSplit, rng: np.random.Generator) -> Attack:
    return _singling_out(_multivariate_predicates(split.released, rng), split, rng)


def _tables(*frames: pl.DataFrame) -> tuple[CodedTable, ...]:
    columns, text = [], []
    for name in frames[0].columns:
        series = [frame[name] for frame in frames]
        is_text = not all(s.dtype.is_numeric() for s in series)
        text.append(is_text)
        if is_text:
            codes: dict[str, float] = {}
            columns.append([
                [np.nan if value is None else codes.setdefault(str(value), float(len(codes))) for value in s]
                for s in series
            ])  # fmt: skip
        else:
            columns.append([s.cast(pl.Float64).fill_null(np.nan).to_list() for s in series])
    arrays = [np.array([column[place] for column in columns], dtype=np.float64).T for place in range(len(frames))]
    seen = np.where(np.isfinite(arrays[0]), arrays[0], np.nan)
    spread = np.array([np.ptp(c[np.isfinite(c)]) if np.isfinite(c).any() else 0.0 for c in seen.T])
    ranges = np.where(spread > 0, spread, 1.0)
    return tuple(CodedTable(values, np.array(text), ranges) for values in arrays)


Condition = tuple[int, str, float]
"""Column, comparison, value."""
Predicate = tuple[Condition, ...]


def _matches(table: CodedTable, predicate: Predicate) -> Mask:
    found = np.ones(len(table.values), dtype=bool)
    for column, relation, value in predicate:
        values = table.values[:, column]
        found &= values == value if relation == "==" else values >= value if relation == ">=" else values <= value
    return found


def _singles_out(table: CodedTable, predicate: Predicate) -> bool:
    return int(_matches(table, predicate).sum()) == 1


def _univariate_predicates(seen: CodedTable, rng: np.random.Generator) -> list[Predicate]:
    """Return values that one released person has, and the ends of the numbers."""
    made: list[Predicate] = []
    for column in range(seen.values.shape[1]):
        values = seen.values[:, column][np.isfinite(seen.values[:, column])]
        found, counts = np.unique(values, return_counts=True)
        made += [((column, "==", float(value)),) for value in found[counts == 1]]
        if not seen.text[column] and len(values):
            made += [((column, "<=", float(values.min())),), ((column, ">=", float(values.max())),)]
    return [made[place] for place in rng.permutation(len(made))[:TRIES]]


def _multivariate_predicates(seen: CodedTable, rng: np.random.Generator) -> list[Predicate]:
    """Return what sets one released person apart: text as it is, numbers from theirs outwards."""
    medians = np.array([np.median(c[np.isfinite(c)]) if np.isfinite(c).any() else 0.0 for c in seen.values.T])
    made: list[Predicate] = []
    for _ in range(20 * TRIES):
        row = seen.values[rng.integers(len(seen.values))]
        columns = rng.permutation(len(row))[:MULTIVARIATE_COLUMNS]
        parts = [(int(c), "==" if seen.text[c] else ">=" if row[c] > medians[c] else "<=", float(row[c]))
                 for c in columns if np.isfinite(row[c])]  # fmt: skip
        if parts and _singles_out(seen, tuple(parts)):
            made.append(tuple(parts))
        if len(made) == TRIES:
            break
    return made


def _random_predicates(like: CodedTable, count: int, width: int, rng: np.random.Generator) -> list[Predicate]:
    """Return guesses without the release: values drawn between the ends that everybody knows."""
    low = np.nanmin(np.where(np.isfinite(like.values), like.values, np.inf), axis=0)
    made = []
    for _ in range(count):
        columns = rng.permutation(like.values.shape[1])[:width]
        made.append(tuple((int(c), "==" if like.text[c] else str(rng.choice([">=", "<="])),
                           float(np.floor(low[c] + rng.random() * (like.ranges[c] + 1)) if like.text[c]
                                 else low[c] + rng.random() * like.ranges[c])) for c in columns))  # fmt: skip
    return made


def _singling_out(predicates: list[Predicate], split: TableSplit, rng: np.random.Generator) -> Attack:
    inside, outside = split.inside, split.outside
    if not predicates:
        return Attack("", KNOWS, "risk", None, reason="no released person stands alone by any predicate")
    guesses = _random_predicates(inside, len(predicates), max(map(len, predicates)), rng)
    hits = [sum(_singles_out(table, p) for p in made)
            for made, table in ((predicates, inside), (predicates, outside), (guesses, inside))]  # fmt: skip
    return _risk(*hits, tries=len(predicates), guessing=hits[2] / len(predicates))


@register(
    "attacks", "linkability", title="linkability", help="two halves of a person's columns find the same released row",
    order=230, campaign="table",
)  # fmt: skip
def _linkability(split: TableSplit, rng: np.random.Generator) -> Attack:
    inside, outside, seen = split.inside, split.outside, split.released
    width = inside.values.shape[1]
    if width < 2:
        return Attack("", KNOWS, "risk", None, reason="one column cannot be divided in two")
    columns = rng.permutation(width)
    parts = columns[: width // 2], columns[width // 2 :]
    tried = rng.permutation(len(inside.values))[:TRIES]
    linked = [sum(int(_nearest(table.values[row], seen, parts[0]) == _nearest(table.values[row], seen, parts[1]))
                  for row in tried) for table in (inside, outside)]  # fmt: skip
    return _risk(*linked, tries=len(tried), guessing=1 / len(seen.values))


def _nearest(person: Floats, table: CodedTable, columns: NDArray[np.intp]) -> int:
    """Return the row at the least Gower distance; a missing value is as far as can be."""
    gap = np.abs(table.values[:, columns] - person[columns]) / table.ranges[columns]
    gap = np.where(table.text[columns], gap > 0, np.minimum(gap, 1))
    missing = ~np.isfinite(table.values[:, columns]) | ~np.isfinite(person[columns])
    return int(np.where(missing, 1.0, gap).sum(axis=1).argmin())


def _risk(hits: int, strangers: int, *_: int, tries: int, guessing: float) -> Attack:
    """Return the share beyond the control with its interval, as the reference propagates it."""
    (a, da), (c, dc) = (_middle(count, tries) for count in (hits, strangers))
    risk = max(0.0, (a - c) / (1 - c)) if c < 1 else 0.0
    spread = float(np.hypot(da / (1 - c), dc * (1 - a) / (1 - c) ** 2)) if c < 1 else 1.0
    value, low, high = (round(end, 6) for end in (risk, max(0.0, risk - spread), min(1.0, risk + spread)))
    floor = round(max(0.0, risk - spread * float(ndtri(0.5 + CONFIDENCE / 2) / ndtri(0.975))), 6)
    shares = {"attack": round(hits / tries, 6), "control": round(strangers / tries, 6), "guessing": round(guessing, 6)}
    return Attack("", KNOWS, "risk", value, low, high, floor, 0.0, None, tries, detail=shares)


def _middle(hits: int, tries: int) -> tuple[float, float]:
    low, high = wilson(hits, tries)
    return (low + high) / 2, (high - low) / 2


def join(known: pl.DataFrame, shown: pl.DataFrame, columns: Sequence[str]) -> MatchedPairs:
    """Return rows of `known` and of `shown` that are alike in all columns, and alone so in their table.

    Parameters
    ----------
    known
        Facts of people whom the attacker can name, made as coarse as the release says that it was.
    shown
        The released table.
    columns
        Quasi-identifiers: what can be known of a person.

    Examples
    --------
    >>> known = pl.DataFrame({"year": [1980, 1980, 1991]})
    >>> [part.tolist() for part in join(known, known[::-1], ["year"])]
    [[2], [0]]
    """
    if not columns:
        return MatchedPairs(np.zeros(0, np.intp), np.zeros(0, np.intp))
    sides = [_unique_rows(table, columns, name) for table, name in ((known, "original"), (shown, "released"))]
    both = sides[0].join(sides[1], on="row", how="inner").sort("original")
    return MatchedPairs(*(both[name].to_numpy().astype(np.intp) for name in ("original", "released")))


def _unique_rows(table: pl.DataFrame, columns: Sequence[str], name: str) -> pl.DataFrame:
    text = table.select(pl.col(column).cast(pl.String).fill_null("") for column in columns)
    rows = text.select(pl.struct(columns).struct.json_encode().alias("row")).with_row_index(name)
    return rows.filter(pl.col("row").is_unique())


def joined(known: pl.DataFrame, shown: pl.DataFrame, columns: Sequence[str], *, rng: np.random.Generator) -> Attack:
    """Return how many people the join alone finds; row i of both tables is the same person.

    The control joins the facts of half of the people with the rows of the others.
    """
    found = join(known, shown, columns)
    hits = int((found.original == found.released).sum())
    order = rng.permutation(known.height)
    half = len(order) // 2
    wrong = join(known[order[:half]], shown[order[half : 2 * half]], columns)
    control = len(wrong.original) / known.height
    return rate("table join", PUBLIC_FACTS, hits, known.height, baseline=1 / known.height, control=0.0,
                joined=len(found.original), strangers_joined=round(control, 6), columns=len(columns))  # fmt: skip
