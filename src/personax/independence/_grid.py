"""The grid: every feature against every target by every test, with what could not be run and why."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from math import isnan
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.data.columns import infer_columns
from personax.data.dates import with_date_kinds
from personax.data.pvalues import EVERYBODY
from personax.engine import ThreadEngine, find_engine
from personax.errors import InputError, UntestableError
from personax.independence._blocks import Design, RowBlocks, blocks_of, exchanged
from personax.independence._corrections import Correction, correct
from personax.independence._counts import numbers_as_text
from personax.independence._direction import DIRECTION_SCHEMA, Direction, decided, direction_of
from personax.independence._frames import Frame, as_frame, whole_weights
from personax.independence._heterogeneity import told_apart
from personax.independence._pair import ColumnPair, Given, TestedColumn
from personax.independence._registered import check_categories, check_options, find_test, run_test
from personax.independence._state import WEIGHT, Distinct, State, count_each, too_many
from personax.independence._survey import survey_test
from personax.independence._variable import are_vectors
from personax.schema import KINDS, Kind
from personax.strict import check_alpha, nearest

__all__ = ["DEFAULT_TESTS", "SCHEMA", "judged", "screen"]

_Frame = Frame | State

DEFAULT_TESTS = ("kci", "chisq", "gsq")

MAX_SUBGROUPS = 100
"""More values of a column than this are no groups of people."""

EXCHANGES = 999
"""Of clusters, at most."""

INFERRED_FROM = 100_000
"""Rows of a file that kinds are inferred from."""

SCHEMA = {
    "feature": pl.String,
    "target": pl.String,
    "test": pl.String,
    "method": pl.String,
    "feature_kind": pl.String,
    "target_kind": pl.String,
    "given": pl.String,
    "n": pl.Int64,
    "statistic": pl.Float64,
    "dof": pl.Int64,
    "p_value": pl.Float64,
    "p_corrected": pl.Float64,
    "p_stability": pl.Float64,
    "effect_size": pl.Float64,
    "effect_low": pl.Float64,
    "effect_high": pl.Float64,
    "effect_name": pl.String,
    "rejected": pl.Boolean,
    "consensus": pl.Int64,
    "tests_run": pl.Int64,
    **DIRECTION_SCHEMA,
    "reason": pl.String,
    "details": pl.String,
}


def screen(
    frame: Any,  # noqa: ANN401 - any table
    features: Sequence[str],
    targets: Sequence[str],
    *,
    kinds: Mapping[str, Kind] | None = None,
    tests: Sequence[str] = DEFAULT_TESTS,
    given: Sequence[str] = (),
    by: str | None = None,
    weight: str | None = None,
    survey_weight: str | None = None,
    cluster: str | None = None,
    strata: str | None = None,
    alpha: float = 0.05,
    correction: Correction = "fdr_bh",
    periods: Mapping[str, float] | None = None,
    options: Mapping[str, Mapping[str, Any]] | None = None,
    seed: int = 0,
    jobs: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> pl.DataFrame:
    """Test every feature against every target.

    Parameters
    ----------
    frame
        One row a person: polars, pandas, Arrow, a numpy array, or Parquet files that may be larger than memory: a
        path, a folder, a pattern or a list (see `personax.independence._frames.as_frame`). Missing values are null or
        NaN and are deleted pair by pair. Or the `State` of any of these, from `count`, with a set of columns that holds
        feature, target, given columns and ``by`` for each pair. Of a table in memory, a column may hold a vector of
        numbers a row (embeddings): one variable of several columns.
    features, targets
        TestedColumn names.
    kinds
        What the values of each column mean; inferred where it is not said. Dates and ISO texts of dates are numbers of
        days; called cyclic, they turn once a year, or once a period (7: days of the week). Tests of tables need
        categories: on a continuous column of more than 20 distinct values, and on any of more than 2,000, they are not
        run, and the row says so.
    tests
        Names of registered tests: ``auto``, ``kci``, ``rcit``, ``hsic``, ``chisq``, ``gsq``, ``usp``, ``gcm`` and those
        of other packages; ``auto`` picks one for each pair and says why.
    given
        Columns to condition on, together.
    by
        A column whose values split the people: the grid is run over all and within each, and the column ``subgroup``
        says where.
    weight
        A column of whole numbers that says how many people a row stands for: tables that were counted before, by
        whatever tool and in however many pieces, give the same results as the people one by one.
    survey_weight
        A column of numbers that says how many people of a population a row stands for, such as the inverse of its
        probability to be drawn. Tests ``kci``, ``hsic``, ``chisq``, ``gsq`` and ``auto`` are then one, on features of
        ranks and of levels, with linearised variances between ``cluster`` within ``strata``; so are directions. The
        effect size is the size of the trend.
    cluster
        A column that says which rows belong together (the person, where each has a row a rater): p-values of ``kci``,
        ``hsic``, ``chisq`` and ``gsq`` are those over exchanges of whole clusters of one size, which are exact, and
        directions have standard errors between clusters. Other tests and given columns are refused; effect sizes
        have no intervals.
    strata
        A column within whose values clusters (or rows) are exchanged: independence within strata.
    alpha, correction
        ``rejected`` is p_corrected < alpha; p-values are corrected within each test (and subgroup), over the pairs that
        were run.
    periods
        Length of one turn of each cyclic column.
    options
        Test -> its own options, for example ``{"hsic": {"null": "permutation"}, "rcit": {"draws": 11}}``.
    seed
        Of the tests that draw random numbers. Each pair and test has its own stream, named after the columns: the order
        of columns and the number of jobs change nothing.
    jobs
        Threads, or workers of the engine of `personax.engine.parallel_config`; its number by default, one where it is
        not used.
    progress
        Called with (pairs done, pairs).

    Returns
    -------
    polars.DataFrame
        One row a feature, target and test. Where a test could not be run its numbers are null and ``reason`` says why.
        ``direction`` says how the target moves with the feature, where an interval leaves out 0: ``rises``, ``falls``,
        ``U``, ``peak``, ``groups`` (two groups differ), ``together`` or ``apart`` (two levels of a table), ``cycle``;
        with ``by`` also ``differs`` (between subgroups). ``direction_text`` is its sentence,
        `personax.independence.Direction` explains the numbers between. ``effect_low`` and ``effect_high`` are the 95 %
        interval of the effect size; ``consensus`` counts the tests of this pair that reject, of ``tests_run``;
        ``p_stability`` is the spread of the p-value over draws of a randomised test.

    Raises
    ------
    InputError
        When a test, a column or a value of an option is unknown, or the table is none.

    Examples
    --------
    >>> frame = pl.DataFrame({"height": range(60), "trait": [1, 2, 3] * 20, "team": ["a", "b", "c"] * 20})
    >>> screen(frame, ["height", "team"], ["trait"]).select("feature", "test", "rejected").rows()
    [('height', 'kci', False), ('height', 'chisq', None), ('height', 'gsq', None),
     ('team', 'kci', True), ('team', 'chisq', True), ('team', 'gsq', True)]
    """
    table = frame if isinstance(frame, State) else as_frame(frame)
    _check_arguments({"features": features, "targets": targets, "tests": tests, "given": given}, kinds or {}, alpha)
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise InputError(f"seed is {seed!r}; give a whole number of 0 or more")
    # pandas calls columns without a name 0, 1, ...
    features, targets, given = (list(dict.fromkeys(map(str, names))) for names in (features, targets, given))
    kinds = {str(name): kind for name, kind in (kinds or {}).items()}
    periods = _periods(periods or {}, kinds)
    kinds = {**dict.fromkeys(periods, "cyclic"), **kinds}
    names = list(dict.fromkeys([*features, *targets, *given]))
    apart = _one_each(by=by, weight=weight, cluster=cluster, strata=strata, survey_weight=survey_weight)
    _check(table, [*names, *apart], kinds, tests, by, options or {}, given=bool(given))
    meaning = _kinds(table, names, kinds, periods)
    plan = _Plan(
        features, targets, given, meaning, tests, options or {}, weight, seed, jobs, cluster, strata, survey_weight
    )
    if (cluster or strata or survey_weight) and (weight or not isinstance(table, pl.DataFrame)):
        raise InputError("clusters, strata and survey weights are for tables in memory without `weight`; read it first")
    if isinstance(table, State) and weight:
        raise InputError("a state has its weights already; name the weight where the parts are counted")
    if by is None:
        return judged(_run(table, plan, progress, 0, 1), alpha, correction)
    parts = _subgroups(table, by)
    results = [
        judged(_run(part, plan, progress, k, len(parts)), alpha, correction).select(
            pl.lit(str(value)).alias("subgroup"), pl.all()
        )
        for k, (value, part) in enumerate(parts)
    ]
    return told_apart(pl.concat(results), by, alpha, correction)


@dataclass(frozen=True, slots=True)
class _Plan:
    """What one grid asks for."""

    features: Sequence[str]
    targets: Sequence[str]
    given: Sequence[str]
    meaning: Mapping[str, tuple[Kind, float | None]]
    tests: Sequence[str]
    options: Mapping[str, Mapping[str, Any]]
    weight: str | None
    seed: int
    jobs: int | None
    cluster: str | None = None
    strata: str | None = None
    survey_weight: str | None = None


def _check_arguments(lists: Mapping[str, object], kinds: Mapping[str, str], alpha: float) -> None:
    """Refuse a name where a list of names belongs, kinds that there are not, and a level that is none."""
    for what, names in lists.items():
        if isinstance(names, str):
            raise InputError(f"{what} is a list of names; write {what}=[{names!r}]")
    for name, kind in kinds.items():
        if kind not in KINDS:
            raise InputError(f"kinds: {name} cannot be {kind!r}; {nearest(str(kind), list(KINDS))}")
    check_alpha(alpha)


def _one_each(**columns: object) -> list[str]:
    """Return the columns that say how the people were drawn; each is the name of one."""
    for what, name in columns.items():
        if name is not None and not isinstance(name, str):
            raise InputError(f"{what} is {name!r}; give the name of one column")
    return [str(name) for what, name in columns.items() if name and what != "by"]


def _periods(periods: Mapping[str, float], kinds: Mapping[str, Kind]) -> dict[str, float]:
    """Return how long a turn of a cyclic column is; a column that has a period and no kind is cyclic."""
    for name, period in periods.items():
        if isinstance(period, bool) or not isinstance(period, (int, float)) or not 0 < period < float("inf"):
            raise InputError(f"the period of {name} is {period!r}; give a number above 0, such as 12 or 365.25")
        if kinds.get(str(name), "cyclic") != "cyclic":
            raise InputError(f"{name} has a period and is called {kinds[str(name)]}; call it cyclic, or leave one out")
    return {str(name): period for name, period in periods.items()}


def _check(
    table: _Frame,
    names: Sequence[str],
    kinds: Collection[str],
    tests: Sequence[str],
    by: str | None,
    options: Mapping[str, Any],
    *,
    given: bool,
) -> None:
    for test in options:
        if test not in tests and find_test(test):
            raise InputError(f"options names {test}, which is not among tests ({', '.join(tests)}); leave it out")
    for test in tests:
        check_options(test, options.get(test, {}), given=given)
    known = table.columns if isinstance(table, State) else table.collect_schema().names()
    if absent := [name for name in dict.fromkeys((*names, *([by] if by else []), *kinds)) if name not in known]:
        told = "; ".join(f"the table has no column {name}, {nearest(name, known)}" for name in absent)
        raise InputError(told)
    if by in names:
        raise InputError(f"{by} splits the people, so it is constant within each part; leave it out of the columns")


def _kinds(
    table: _Frame, names: Sequence[str], kinds: Mapping[str, Kind], periods: Mapping[str, float]
) -> dict[str, tuple[Kind, float | None]]:
    """Return kind and period of each column, inferred where they are not given."""
    unsaid = [name for name in names if name not in kinds]
    inferred: dict[str, tuple[Kind, float | None]] = {}
    for sample in _samples(table, unsaid):
        for column in with_date_kinds(infer_columns(sample), sample):
            series = sample[column.name]
            text = series.dtype == pl.String and numbers_as_text(series.drop_nulls().unique().to_list())
            kind: Kind = "continuous" if are_vectors(series) or text else column.kind
            inferred[column.name] = kind, column.period
    said = {name: (kinds[name], periods.get(name)) for name in names if name in kinds}
    return {name: said.get(name) or inferred[name] for name in names}


def _samples(table: _Frame, names: Sequence[str]) -> Iterator[pl.DataFrame]:
    """Yield tables that kinds are inferred from; of a state each column by itself, as often as its values occur."""
    if isinstance(table, State):
        for name in names:
            counts = table.counts([name])
            most = -(-counts[WEIGHT] * INFERRED_FROM // max(INFERRED_FROM, counts[WEIGHT].sum()))
            yield counts.select(pl.col(name).repeat_by(most).explode())
    else:
        sample = table.select(names)
        yield sample.head(INFERRED_FROM).collect() if isinstance(sample, pl.LazyFrame) else sample


def _subgroups(table: _Frame, by: str) -> list[tuple[Any, _Frame]]:
    found = table.counts([by]) if isinstance(table, State) else table.lazy().select(pl.col(by).unique()).collect()
    values = found[by].drop_nulls().sort().to_list()
    if not 0 < len(values) <= MAX_SUBGROUPS:
        raise InputError(f"{by} has {len(values):,} values; give a column of 1 to {MAX_SUBGROUPS} groups")

    def part(value: Any) -> _Frame:  # noqa: ANN401 - a value of any column
        return table.where(by, value) if isinstance(table, State) else table.filter(pl.col(by) == value)

    return [(EVERYBODY, table), *((value, part(value)) for value in values)]


def _run(
    table: _Frame,
    plan: _Plan,
    progress: Callable[[int, int], None] | None,
    part: int,
    parts: int,
) -> pl.DataFrame:
    """Test all pairs of one table and return the rows in the order in which they were asked for."""
    grid, engine = _Grid(table, plan), find_engine("threads", plan.jobs)
    cells: _Rows = {}
    total = len(plan.features) * len(plan.targets)
    work = engine.map(_tested, grid.passing, shared=grid)
    if not isinstance(table, pl.DataFrame):
        work = engine.map(_tested_counts, _counted(table, plan), shared=plan)
    if isinstance(engine, ThreadEngine) and isinstance(table, pl.DataFrame):
        _ = grid.held, grid.given, grid.blocks  # read once, not once a thread
    for _, found in work:
        cells |= found
        if progress is not None:
            progress(part * total + len(cells), parts * total)
    ordered = [cells[feature, target] for feature in plan.features for target in plan.targets]
    return pl.DataFrame([row for cell in ordered for row in cell], schema=SCHEMA)


@dataclass(frozen=True)
class _Grid:
    """All pairs of one table: the shorter list of columns is held in memory, and the longer one passes by."""

    table: _Frame
    plan: _Plan

    def __getstate__(self) -> dict[str, Any]:
        """Leave behind what was read: another process reads for itself."""
        return {"table": self.table, "plan": self.plan}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    @property
    def across(self) -> bool:
        """Whether features pass by."""
        return len(self.plan.features) >= len(self.plan.targets)

    @property
    def passing(self) -> Sequence[str]:
        """The longer list."""
        return self.plan.features if self.across else self.plan.targets

    @property
    def others(self) -> Sequence[str]:
        """The shorter list."""
        return self.plan.targets if self.across else self.plan.features

    @cached_property
    def reader(self) -> Callable[[str], TestedColumn]:
        """Reads a column of a table in memory."""
        assert isinstance(self.table, pl.DataFrame)
        weight = self.plan.weight
        return _reader(self.table, self.plan, None if weight is None else whole_weights(self.table[weight]))

    @cached_property
    def held(self) -> list[TestedColumn]:
        """The shorter list, read."""
        return [self.reader(name) for name in self.others]

    @cached_property
    def given(self) -> Given | None:
        """What is conditioned on."""
        return Given([self.reader(name) for name in self.plan.given]) if self.plan.given else None

    @cached_property
    def blocks(self) -> RowBlocks | None:
        """Which rows belong together."""
        if not isinstance(self.table, pl.DataFrame):
            return None
        return blocks_of(self.table, self.plan.cluster, self.plan.strata, self.plan.survey_weight)


_Rows = dict[tuple[str, str], list[dict[str, Any]]]
"""Of each pair, a row a test."""


def _tested(grid: _Grid, name: str) -> _Rows:
    """Return the rows of every pair of a passing column."""
    passing = grid.reader(name)
    both = [(passing, other) if grid.across else (other, passing) for other in grid.held]
    return {(x.name, y.name): _pair(x, y, grid.given, grid.plan, grid.blocks) for x, y in both}


def _counted(table: _Frame, plan: _Plan) -> Iterator[tuple[tuple[str, str], Distinct]]:
    """Yield every pair with its counts, which one pass over the table has made."""
    pairs = [(feature, target) for feature in plan.features for target in plan.targets]
    sets = [tuple(dict.fromkeys([*pair, *plan.given])) for pair in pairs]
    if isinstance(table, State):
        counted: Iterator[Distinct] = map(table.distinct, sets)
    else:
        counted = count_each(table, sets, plan.weight, plan.jobs)
    yield from zip(pairs, counted, strict=True)


def _tested_counts(plan: _Plan, counted: tuple[tuple[str, str], Distinct]) -> _Rows:
    """Return the rows of a pair that was counted."""
    (feature, target), distinct = counted
    if distinct.names:
        row = _about(feature, target, plan) | {"reason": too_many(distinct.names[0]), "details": "{}"}
        return {(feature, target): [row | {"test": test} for test in plan.tests]}
    counts = distinct.middles()
    read = _reader(counts.drop(WEIGHT), plan, whole_weights(counts[WEIGHT]))
    given = Given([read(name) for name in plan.given]) if plan.given else None
    rows = _pair(read(feature), read(target), given, plan)
    return {(feature, target): [row | _with_steps(row["details"], distinct) for row in rows]}


def _with_steps(details: str, distinct: Distinct) -> dict[str, str]:
    """Say which columns had too many values and were rounded, and to what."""
    steps = {name: 2.0**step for name, step in distinct.steps.items()}
    return {"details": json.dumps(json.loads(details) | {"rounded to": steps})} if steps else {}


def _reader(frame: pl.DataFrame, plan: _Plan, weights: NDArray[np.intp] | None) -> Callable[[str], TestedColumn]:
    return lambda name: TestedColumn(frame[name], *plan.meaning[name], weights)


def _about(feature: str, target: str, plan: _Plan) -> dict[str, Any]:
    return {
        "feature": feature,
        "target": target,
        "feature_kind": plan.meaning[feature][0],
        "target_kind": plan.meaning[target][0],
        "given": ", ".join(plan.given) or None,
    }


def _pair(
    x: TestedColumn, y: TestedColumn, given: Given | None, plan: _Plan, blocks: RowBlocks | None = None
) -> list[dict[str, Any]]:
    """Return one row a test."""
    rows = x.present & y.present
    if given is not None:
        rows &= given.present
    if blocks is not None:
        rows &= blocks.present
    row = _about(x.name, y.name, plan) | {"n": x.people(rows)}

    @cache
    def pair() -> ColumnPair:
        z = None if given is None else given.over(rows)
        return ColumnPair(x.over(rows), y.over(rows), z)

    @cache
    def direction() -> Direction | None:
        return direction_of(pair(), (x.period, y.period), None if blocks is None else blocks.design(rows))

    def outcome(test: str) -> dict[str, Any]:
        try:
            _check_pair(x.name, y.name, plan.given)
            rng = _stream(plan.seed, x.name, y.name, test)
            if blocks is not None and blocks.weights is not None:
                return _weighted(test, pair(), (x.name, y.name), blocks.design(rows), direction())
            result, interval = run_test(test, pair(), plan.options.get(test, {}), (x.name, y.name), rng)
            if blocks is not None:
                times = plan.options.get(test, {}).get("permutations", EXCHANGES)
                result, interval = exchanged(test, pair(), result, blocks, rows, rng, times), None
            numbers = _numbers(result, interval)
        except UntestableError as error:
            return {"reason": str(error), "details": "{}"}
        found = direction()
        return numbers if found is None else numbers | found.row()

    return [row | {"test": test} | outcome(test) for test in plan.tests]


def _weighted(
    test: str, pair: ColumnPair, names: tuple[str, str], design: Design, direction: Direction | None
) -> dict[str, Any]:
    """Return the row of a test with survey weights; its effect size is the size of the trend."""
    check_categories(test, pair, names)
    numbers = _numbers(survey_test(test, pair, *design), None)
    if direction is None or direction.trend is None:
        return numbers
    low, high = sorted(abs(end or 0.0) for end in (direction.trend_low, direction.trend_high))
    low = low if (direction.trend_low or 0.0) * (direction.trend_high or 0.0) > 0 else 0.0
    effect = {"effect_size": abs(direction.trend), "effect_low": low, "effect_high": high}
    return numbers | direction.row() | effect | {"effect_name": f"size of the {direction.trend_name}"}


def _check_pair(feature: str, target: str, given: Sequence[str]) -> None:
    if feature == target:
        raise UntestableError(f"{feature} against itself")
    for name in (feature, target):
        if name in given:
            raise UntestableError(f"{name} is given; it is constant where it is known")


def _stream(seed: int, *names: str) -> np.random.Generator:
    """Return random numbers that belong to these names, whatever else is tested."""
    return np.random.default_rng([seed, *(zlib.crc32(name.encode()) for name in names)])


def _numbers(result: Any, interval: Any) -> dict[str, Any]:  # noqa: ANN401 - None where a test failed
    details = dict(result.details)
    low, high = interval or (None, None)
    refused = isnan(result.effect_size)
    if refused:
        details["effect_reason"] = "groups of fewer than two people on average have no effect size"
    return {
        "method": result.method,
        "statistic": result.statistic,
        "dof": details.pop("dof", None),
        "p_value": result.p_value,
        "p_stability": details.pop("p_stability", None),
        "effect_size": None if refused else result.effect_size,
        "effect_low": None if refused else low,
        "effect_high": None if refused else high,
        "effect_name": details.pop("effect_name", None),
        "details": json.dumps(details, default=str),
    }


def judged(results: pl.DataFrame, alpha: float, correction: Correction) -> pl.DataFrame:
    """Fill in what depends on the other rows: corrected p-values, rejections, and how many tests agree."""
    tests = results["test"].to_numpy()
    p = results["p_value"].to_numpy()
    corrected = np.full(len(p), np.nan)
    for test in results["test"].unique():
        corrected[tests == test] = correct(p[tests == test], correction)
    column = pl.Series("p_corrected", corrected).fill_nan(None)
    rejected = results.with_columns(column, (column < alpha).alias("rejected"))
    pair = ["feature", "target"]
    # auto is one of the other tests, so its vote would count twice
    voter = (
        pl.col("rejected") if set(results["test"]) == {"auto"} else pl.col("rejected").filter(pl.col("test") != "auto")
    )
    return decided(rejected, alpha, correction).with_columns(
        voter.sum().over(pair).cast(pl.Int64).alias("consensus"),
        voter.count().over(pair).cast(pl.Int64).alias("tests_run"),
    )
