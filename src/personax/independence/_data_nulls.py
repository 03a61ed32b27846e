"""Calibration on one's own people: nulls that keep the rows, the ties and the gaps of a table, and no dependence."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.errors import InputError, UntestableError
from personax.independence._calibration import RATES, Rate, rejection_rate
from personax.independence._corrections import Correction, first_level
from personax.independence._counts import MAX_CATEGORIES, Counted, count, join
from personax.independence._grid import DEFAULT_TESTS
from personax.independence._kernel_ridge import Regression
from personax.independence._pair import MAX_LEVELS
from personax.independence._registered import battery, known
from personax.independence._scenarios import Draw, Sample
from personax.independence._variable import EncodedColumn, encode
from personax.schema import Kind
from personax.strict import check_alpha

__all__ = ["Pairs", "calibrate_like", "grid_nulls", "null_of"]

Pairs = Literal["kinds", "all"]

Codes = NDArray[np.intp]

Renew = Callable[[np.random.Generator], Codes]
"""Random numbers -> new codes of the target over all rows of the table, -1 where they were -1."""

SMALLEST_GROUP = 5
"""People that a group of what is given holds on average; of fewer, a shuffle within groups moves next to nothing."""


def calibrate_like(
    frame: pl.DataFrame,
    features: Sequence[str],
    targets: Sequence[str],
    kinds: Mapping[str, Kind],
    *,
    given: Sequence[str] = (),
    tests: Sequence[str] = DEFAULT_TESTS,
    times: int = 1000,
    rng: np.random.Generator,
    alpha: float = 0.05,
    correction: Correction = "fdr_bh",
    periods: Mapping[str, float] | None = None,
    pairs: Pairs = "kinds",
    progress: Callable[[int, int, str], None] | None = None,
) -> pl.DataFrame:
    """Say how often tests reject on nulls that are like one's own table.

    Every null keeps the features as they are, and of the target its values, how often each occurs, and which rows have
    none; only its dependence on the feature is gone. See `null_of` for how.

    Parameters
    ----------
    frame, features, targets, kinds, periods
        As for `personax.independence.screen`.
    given
        Columns that are given; empty: none.
    tests
        Names from `personax.independence.battery`.
    times, rng
        Nulls a cell; where their seeds come from. A pair has the same nulls for every test and in either mode of
        ``pairs``.
    alpha, correction
        What the verdict is about: the level, and the level at which the correction looks first for as many pairs as the
        features and targets make (alpha over their number for Holm and Benjamini-Hochberg).
    pairs
        ``"kinds"``: of all pairs of the same two kinds the one whose rarest two values are expected together least
        often, where a null distribution is strained most; ``"all"``: every pair.
    progress
        Called with (cells done, cells, what is next).

    Returns
    -------
    polars.DataFrame
        One row a pair and test: feature, target, test, n, rate_05 with its 95 % interval low_05 to high_05, rate_01
        with its, asked (the level at which the correction looks) with rate_asked and its interval, times (nulls on
        which the test ran), failed (those on which it could not) and verdict: ``level kept`` unless the interval lies
        above alpha or above the level asked for (``rejects too often``) or below half of alpha (``hardly ever
        rejects``), and ``not run`` where the test does not fit.

    Raises
    ------
    InputError
        When a column or a test is unknown, or a test cannot run with (or without) something given.

    Examples
    --------
    >>> frame = pl.DataFrame({"team": ["a", "b", "c"] * 20, "trait": [1, 2, 3] * 20})
    >>> kinds = {"team": "nominal", "trait": "ordinal"}
    >>> rng = np.random.default_rng(0)
    >>> calibrate_like(frame, ["team"], ["trait"], kinds, tests=["chisq"], times=1000, rng=rng)["verdict"].to_list()
    ['level kept']
    """
    check_alpha(alpha)
    _check(frame, [*features, *targets, *given], kinds, tests, pairs, given=bool(given))
    read = {name: _read(frame[name], kinds[name], (periods or {}).get(name)) for name in (*features, *targets, *given)}
    condition = _condition(given, read)
    chosen = list(_chosen(features, targets, given, kinds, read, pairs))
    asked = first_level(alpha, len(_whole(features, targets, given)), correction)
    root, cells = int(rng.integers(2**62)), [(pair, test) for pair in chosen for test in known(tests)]
    rows, tested = [], battery()
    for done, ((index, feature, target), test) in enumerate(cells):
        if progress is not None:
            progress(done, len(cells), f"{feature}, {target}: {test}")
        row = {"feature": feature, "target": target, "test": test, "n": 0}
        try:
            x, y = _readable(read[feature]), _readable(read[target])
            row["n"] = int(_rows(x, y, condition).sum())
            _fits(test, [(v, kinds[v.name]) for v in (x, y)], condition)
            rate = rejection_rate(null_of(x, y, condition), tested[test].run, times=times, seed=[root, index])
        except UntestableError:
            rate = Rate(np.full(times, np.nan))
        rows.append(row | rate.row(alpha, asked))
    if progress is not None:
        progress(len(cells), len(cells), "")
    keys = dict.fromkeys(("feature", "target", "test"), pl.String)
    return pl.DataFrame(rows, schema={**keys, "n": pl.Int64, **RATES})


def grid_nulls(
    frame: pl.DataFrame,
    targets: Sequence[str],
    kinds: Mapping[str, Kind],
    given: Sequence[str],
    periods: Mapping[str, float],
) -> Callable[[np.random.Generator], pl.DataFrame]:
    """Return the draws of a whole table in which no target depends on anything else (given what is given).

    Without given columns the rows of all targets are shuffled together, missing values with them: targets depend on one
    another as they do. Given columns, each target that can be read is renewed by itself; see `null_of`.
    """
    names = list(dict.fromkeys(targets))
    if not given:
        whole = frame.select(names)
        return lambda rng: frame.with_columns(*whole[rng.permutation(frame.height)].get_columns())
    read = {name: _read(frame[name], kinds[name], periods.get(name)) for name in (*names, *given)}
    condition = _condition(given, read)
    columns = {name: column for name in names if not isinstance(column := read[name], str)}
    renewals = {name: _renewal(column, condition) for name, column in columns.items()}
    samples = {name: np.append(_one_row_each(column.codes), -1) for name, column in columns.items()}

    def draw(rng: np.random.Generator) -> pl.DataFrame:
        new = []
        for name, renew in renewals.items():
            rows = pl.Series(samples[name][renew(rng)])  # code -1, no value, is the last of the list
            new.append(frame[name].gather(rows.replace(-1, None)).alias(name))
        return frame.with_columns(new)

    return draw


def _one_row_each(codes: Codes) -> Codes:
    """Return a row of every code from 0 on."""
    present = np.flatnonzero(codes >= 0)
    _, first = np.unique(codes[present], return_index=True)
    return present[first]


@dataclass(frozen=True)
class Condition:
    """What is given.

    Parameters
    ----------
    z
        Its values over all rows; where it is not present they mean nothing.
    present
        Rows in which all of it is known.
    groups
        The group of each row where all that is given are categories, otherwise None.
    """

    z: NDArray[Any]
    present: NDArray[np.bool_]
    groups: Codes | None


def null_of(x: EncodedColumn, y: EncodedColumn, condition: Condition | None = None) -> Draw:
    """Return the nulls of a pair of columns: x as it is, y renewed so that it does not depend on x (given z).

    - Without z, the values of y are shuffled over the rows that have one: exact.
    - Given groups, they are shuffled within each group: exact.
    - Given numbers, a y of numbers is what cross-validated kernel ridge regression on z predicts plus the residual of
      another row, and the simulated numbers then give way, rank by rank, to the values that y has; a y of names or
      points of a circle is drawn with the probabilities that the regression predicts. x is independent of such a y
      given z because only z and chance went into it. Residuals are taken to spread alike everywhere, and what the
      regression smooths away of y is no part of these nulls: they are a little kinder than the truth.

    Ties, frequencies (those of names given numbers on average only) and gaps are those of the table. That rows lack a
    value for reasons which depend on x or y is not kept.
    """
    rows = _rows(x, y, condition)
    renew = _renewal(y, condition)
    levels_x, levels_y = _levels(x), _levels(y)
    fixed = levels_x[x.codes[rows]]
    z = None if condition is None else condition.z[rows]

    def draw(rng: np.random.Generator) -> Sample:
        return fixed, levels_y[renew(rng)[rows]], z

    return draw


def _renewal(y: EncodedColumn, condition: Condition | None) -> Renew:
    """Return what draws new codes of y."""
    present = y.codes >= 0
    if condition is None:
        return lambda rng: _shuffled(y.codes, [np.flatnonzero(present)], rng)
    present &= condition.present
    if condition.groups is not None:
        order = np.flatnonzero(present)[np.argsort(condition.groups[present], kind="stable")]
        ends = np.flatnonzero(np.diff(condition.groups[order])) + 1
        return lambda rng: _shuffled(y.codes, np.split(order, ends), rng)
    return _regressed(y, present, count(condition.z[present], name="what is given"))


def _shuffled(codes: Codes, groups: Sequence[Codes], rng: np.random.Generator) -> Codes:
    new = codes.copy()
    for rows in groups:
        new[rows] = codes[rng.permutation(rows)]
    return new


def _regressed(y: EncodedColumn, present: NDArray[np.bool_], z: Counted) -> Renew:
    """Return what draws y from its regression on z."""
    over = y.over(present)
    in_order = over.values is not None and over.columns == 1
    features = over.values if over.values is not None and in_order else np.eye(over.size)
    left = Regression(z).residual(features, over, y.name)
    residual = left.rows[left.of.codes]
    fitted = features[over.codes] - residual
    old = y.codes[present]

    def by_rank(rng: np.random.Generator) -> Codes:
        simulated = (fitted + rng.permutation(residual))[:, 0]
        new = y.codes.copy()
        ranked = np.empty_like(old)
        ranked[np.argsort(simulated, kind="stable")] = np.sort(old)  # codes are in the order of the values
        new[present] = ranked
        return new

    # a regression may predict a probability below 0
    shares = np.cumsum(fitted.clip(1e-12), axis=1)
    distinct = np.unique(old)

    def by_share(rng: np.random.Generator) -> Codes:
        new = y.codes.copy()
        at = rng.random(len(shares)) * shares[:, -1]
        new[present] = distinct[(shares < at[:, None]).sum(axis=1)]
        return new

    return by_rank if in_order else by_share


def _rows(x: EncodedColumn, y: EncodedColumn, condition: Condition | None) -> NDArray[np.bool_]:
    """Say which rows a test sees."""
    both = (x.codes >= 0) & (y.codes >= 0)
    return both if condition is None else both & condition.present


def _levels(variable: EncodedColumn) -> NDArray[Any]:
    """Return the distinct values as the tests take them: numbers, points of a circle, or names."""
    counted = variable.counted
    return np.arange(counted.size).astype(str) if counted.values is None else counted.values


def _condition(given: Sequence[str], read: Mapping[str, EncodedColumn | str]) -> Condition | None:
    if not given:
        return None
    columns = []
    for name in given:
        column = read[name]
        if isinstance(column, str):
            raise InputError(f"{name} cannot be given: {column}")
        columns.append(column)
    present = np.all([column.codes >= 0 for column in columns], axis=0)
    categories = all(column.counted.values is None or column.counted.size <= MAX_LEVELS for column in columns)
    if not categories:
        return Condition(np.hstack([_numbers(column) for column in columns]), present, None)
    joint, _ = join(*(Counted(None, column.codes + 1, np.empty(0, np.intp)) for column in columns))
    groups = len(np.unique(joint.codes[present]))
    if groups * SMALLEST_GROUP > present.sum():
        raise InputError(f"{', '.join(given)} make {groups:,} groups of {present.sum():,} people; give fewer columns")
    if any(column.counted.values is None for column in columns):
        return Condition(joint.codes.astype(str), present, joint.codes)
    return Condition(np.hstack([_numbers(column) for column in columns]), present, joint.codes)


def _numbers(variable: EncodedColumn) -> NDArray[np.float64]:
    """Return the column as numbers, a name as one column a name but the last."""
    counted = variable.counted
    levels = np.eye(counted.size)[:, :-1] if counted.values is None else counted.values
    return levels[variable.codes]


def _read(series: pl.Series, kind: Kind, period: float | None) -> EncodedColumn | str:
    """Return the column, or why it cannot be tested."""
    try:
        return encode(series, kind, period)
    except UntestableError as error:
        return str(error)


def _readable(column: EncodedColumn | str) -> EncodedColumn:
    if isinstance(column, str):
        raise UntestableError(column)
    return column


def _chosen(
    features: Sequence[str],
    targets: Sequence[str],
    given: Sequence[str],
    kinds: Mapping[str, Kind],
    read: Mapping[str, EncodedColumn | str],
    pairs: Pairs,
) -> Iterator[tuple[int, str, str]]:
    """Yield (place in the whole grid, feature, target) of the pairs to calibrate."""
    every = _whole(features, targets, given)
    if pairs == "all":
        yield from every
        return
    alike: dict[tuple[Kind, Kind], list[tuple[int, str, str]]] = {}
    for pair in every:
        alike.setdefault((kinds[pair[1]], kinds[pair[2]]), []).append(pair)
    for group in alike.values():
        yield min(group, key=lambda pair: _together(read[pair[1]], read[pair[2]]))


def _whole(features: Sequence[str], targets: Sequence[str], given: Sequence[str]) -> list[tuple[int, str, str]]:
    """Return (place, feature, target) of every pair of the grid that can be tested."""
    whole = [(feature, target) for feature in dict.fromkeys(features) for target in dict.fromkeys(targets)]
    return [(i, f, t) for i, (f, t) in enumerate(whole) if f != t and not {f, t} & set(given)]


def _together(x: EncodedColumn | str, y: EncodedColumn | str) -> float:
    """Return how many people are expected to have the rarest value of both; columns that cannot be read come last."""
    if isinstance(x, str) or isinstance(y, str):
        return np.inf
    n = _rows(x, y, None).sum()
    return float(n * np.prod([v.counted.counts.min() / v.counted.n for v in (x, y)]))


def _fits(test: str, columns: Sequence[tuple[EncodedColumn, Kind]], condition: Condition | None) -> None:
    """Refuse what `screen` refuses, so that nothing is certified that it would not run."""
    if not battery()[test].categories:
        return
    for column, kind in columns:
        levels = column.counted.size
        if (kind == "continuous" and levels > MAX_LEVELS) or levels > MAX_CATEGORIES:
            raise UntestableError(f"{column.name} is no set of categories")
    if condition is not None and condition.groups is None:
        raise UntestableError("what is given is no set of categories")


def _check(
    frame: pl.DataFrame,
    names: Sequence[str],
    kinds: Mapping[str, Kind],
    tests: Sequence[str],
    pairs: Pairs,
    *,
    given: bool,
) -> None:
    if absent := [name for name in names if name not in frame.columns]:
        raise InputError(f"the table has no column {absent[0]}; name features and targets from its columns")
    if bare := [name for name in names if name not in kinds]:
        raise InputError(f"column {bare[0]} has no kind; say in kinds what its values mean")
    if unfit := [test for test in known(tests) if not battery()[test].fits(given=given)]:
        raise InputError(f"{unfit[0]} cannot run {'with' if given else 'without'} something given; choose other tests")
    if pairs not in get_args(Pairs):
        raise InputError(f"pairs is {pairs!r}; choose kinds or all")
