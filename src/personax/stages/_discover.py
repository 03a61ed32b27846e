"""discover: a causal graph over latents, traits and biography, or over the columns of any table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import Literal, cast
from zlib import crc32

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.config import DiscoverSection
from personax.data.columns import infer_columns
from personax.data.dates import are_dates, dates_as_numbers
from personax.data.frames import write_csv
from personax.data.table import Table
from personax.discovery import (
    CiTest,
    Knowledge,
    NothingVaries,
    ScoreAlgorithm,
    Undecided,
    bootstrap_edges,
    fci,
    listed,
    pc,
    score_search,
)
from personax.errors import (
    ComputationError,
    DeterminedError,
    InputError,
    MissingExtraError,
    PlanError,
    UndecidedError,
    UntestableError,
)
from personax.graphs import to_dot, to_graphml
from personax.independence import (
    MAX_LEVELS,
    ColumnPair,
    Given,
    RegisteredTest,
    TestedColumn,
    TestResult,
    count,
    find_test,
)
from personax.plots import draw_graph, save
from personax.progress import Progress
from personax.schema import Column, Graph, Kind, Notice
from personax.sources import read_table
from personax.stages._base import Context, Stage, private_left_out, results_folder
from personax.strict import nearest

__all__ = [
    "DISCOVER",
    "TIERS",
    "FileGraph",
    "can_be_tested",
    "ci_test",
    "discover_file",
    "find_causes",
    "graph_counts",
    "graph_notices",
    "numbers_only",
    "write_graph",
]

TIERS = {"biography": 0, "shared": 1, "latents": 2, "traits": 3}
"""A later tier never causes an earlier one: what somebody was born with comes first, what is said of them last."""

SEARCHES = {"pc": pc, "fci": fci}

REPEATS = 4
"""Rows of a table for each distinct one, from which a search reads the distinct ones and how many people have each."""

MAX_NAMED = 5
"""Ambiguous triples that a notice names; ``graph.json`` holds all."""


def find_causes(
    table: Table,
    section: DiscoverSection,
    knowledge: Knowledge,
    rng: np.random.Generator,
    progress: Progress,
    *,
    groups: Mapping[str, str] | None = None,
    jobs: int | None = None,
) -> tuple[Graph, pl.DataFrame | None]:
    """Search for the causal graph of a table, and again in every bootstrap draw.

    Parameters
    ----------
    table
        One row a person, one column a variable, and what they mean.
    section
        Algorithm, test, level and number of draws; ``over`` and ``knowledge`` are not looked at.
    knowledge, groups
        As for `personax.discovery.pc`.
    rng, jobs
        As for `personax.discovery.bootstrap_edges`.
    progress
        Receives a step a test, then a step a draw.

    Returns
    -------
    tuple
        The graph, and the stability of its edges where there were draws.

    Raises
    ------
    InputError
        A column that the test cannot use, or knowledge that contradicts itself.
    """
    frame, columns = dates_as_numbers(table.frame, table.columns)
    table = Table(frame, columns)
    if section.algorithm in SEARCHES:
        search = _test_search(table, section, knowledge, groups)
        graph = search(
            frame, effects=True, progress=lambda tests, given: progress.step(tests, 0, f"tests, now given {given}")
        )
    else:
        numbers_only(frame, {column.name: column.kind for column in columns}, section.algorithm)
        algorithm = cast("ScoreAlgorithm", section.algorithm)
        search = partial(score_search, algorithm=algorithm, knowledge=knowledge, groups=dict(groups or {}))
        graph = search(frame)
    if not section.bootstraps:
        return graph, None
    step = partial(progress.step, note="bootstrap draws")
    return bootstrap_edges(frame, search, times=section.bootstraps, rng=rng, jobs=jobs, graph=graph, progress=step)


def _test_search(
    table: Table, section: DiscoverSection, knowledge: Knowledge, groups: Mapping[str, str] | None
) -> Callable[..., Graph]:
    """Return PC or FCI with its settings."""
    kinds: dict[str, Kind] = {column.name: column.kind for column in table.columns}
    if section.test == "fisherz":
        numbers_only(table.frame, kinds, "fisherz")
    periods = {column.name: column.period for column in table.columns if column.period is not None}
    return partial(
        SEARCHES[section.algorithm],
        alpha=section.alpha,
        test=ci_test(section.test, kinds, periods),
        knowledge=knowledge,
        groups=dict(groups or {}),
        max_given=section.max_given,
    )


def numbers_only(frame: pl.DataFrame, kinds: Mapping[str, Kind], asking: str) -> None:
    """Refuse codes where numbers are needed: the size of a code means nothing, unless there are but two."""
    for name, kind in kinds.items():
        values = frame[name].drop_nulls()
        if kind == "nominal" and not (values.dtype.is_numeric() and values.n_unique() <= 2):
            raise InputError(
                f"{asking} needs numbers and {name} is nominal; use --test kci or test: kci (pc, fci), or leave it out"
            )


def write_graph(graph: Graph, path: Callable[[str], Path]) -> list[Notice]:
    """Write a graph as JSON, GraphML, DOT and, where matplotlib is there, SVG and PNG; ``path`` says where a file goes.

    Returns
    -------
    list of Notice
        What was not written.
    """
    path("graph.json").write_text(graph.to_json(), encoding="utf-8")
    path("graph.graphml").write_text(to_graphml(graph), encoding="utf-8")
    path("graph.dot").write_text(to_dot(graph), encoding="utf-8")
    try:
        save(draw_graph(graph), path("graph.svg"), path("graph.png"))
    except MissingExtraError:
        return [Notice("The causal graph was not drawn: pictures need matplotlib (pip install 'personax[figures]').")]
    return []


def graph_counts(graph: Graph) -> dict[str, int]:
    """Count variables, edges, people and tests."""
    details = graph.details
    counts = {"variables": len(graph.nodes), "edges": len(graph.edges), "people": details["n"]}
    drawn = {name: details[name] for name in ("bootstraps", "bootstraps_failed") if name in details}
    return counts | {"tests": details["tests"], "tests_nothing_varies": details["tests_nothing_varies"]} | drawn


def graph_notices(graph: Graph, frame: pl.DataFrame) -> list[Notice]:
    """Say what a reader of the graph must know of missing values, undecided tests and failed draws."""
    details, notices = graph.details, []
    lacking = frame.height - frame.with_columns(pl.selectors.float().fill_nan(None)).drop_nulls().height
    if details["rows_left_out"]:
        text = "People with a missing value are left out of the causal graph."
        notices.append(Notice(text, details["rows_left_out"]))
    elif lacking:
        text = "People with a missing value are left out of those tests of the causal graph that need it."
        notices.append(Notice(text, lacking))
    for cause, effect in details.get("against_knowledge", ()):
        notices.append(Notice(f"{cause} -> {effect} is found by {details['algorithm']} and contradicts what is known."))
    if details.get("normal_residuals"):
        text = (
            f"The noise of {', '.join(details['normal_residuals'])} may be normal: LiNGAM cannot tell directions by it."
        )
        notices.append(Notice(text, len(details["normal_residuals"])))
    if details["tests_nothing_varies"]:
        text = (
            "Tests of the causal graph in which no two people who agree in the given variables differ in both of the "
            "others; these were taken as independent given those variables."
        )
        notices.append(Notice(text, details["tests_nothing_varies"]))
    for one in details.get("alone", ()):
        text = (
            f"{one['column']} has no edge although it depends on {one['depends_on']} (p {one['p_value']:.2g}, nothing "
            "given): others explain that dependence, or are so near to it that little is left to test."
        )
        notices.append(Notice(text))
    for group in details.get("determined", ()):
        text = f"{listed(group)} determine one another: to which of them an edge belongs cannot be told; leave one out."
        notices.append(Notice(text))
    if details.get("ambiguous"):
        named = "; ".join(f"{a} - {b} - {c}" for a, b, c in details["ambiguous"][:MAX_NAMED])
        text = (
            f"The sets that separate two columns disagree on a collider between them, so it directs nothing: {named}."
        )
        notices.append(Notice(text, len(details["ambiguous"])))
    for text in details.get("undecided", ()):
        notices.append(Notice(f"{text[0].upper()}{text[1:]}: that was not tested, and separates nothing in the graph."))
    if details.get("bootstraps_failed"):
        text = "Bootstrap draws in which no causal graph could be searched for; they do not count."
        notices.append(Notice(text, details["bootstraps_failed"]))
    return notices


def ci_test(
    name: str,
    kinds: Mapping[str, Kind],
    periods: Mapping[str, float] | None = None,
    *,
    seed: int = 0,
) -> Literal["fisherz"] | CiTest:
    """Return a test as `personax.discovery.pc` and `personax.discovery.fci` take it.

    Rows with a missing value are left out test by test: only those that lack x, y or one of z.

    Parameters
    ----------
    name
        A registered test, such as ``kci``, ``auto`` or ``gsq``. One that runs only with given columns (``gcm``) or only
        without (``hsic``, ``usp``) is joined by ``kci``, of categories by ``chisq``, for the others; ``fisherz`` is
        causal-learn's and returned as it is.
    kinds
        Column -> what its values mean. Tests of categories take every value for one.
    periods
        Length of one turn of the cyclic columns.
    seed
        Of tests that draw random numbers: each question has its own stream, whatever else is asked.

    Raises
    ------
    InputError
        When there is no such test.

    Examples
    --------
    >>> frame = pl.DataFrame({"a": [0, 1] * 20, "b": ["x", "y"] * 20, "c": [1, 2, 3, 4] * 10})
    >>> test = ci_test("kci", {"a": "ordinal", "b": "nominal", "c": "ordinal"})
    >>> test.prepare(frame)(0, 1, ()) < 0.001
    True
    """
    if name == "fisherz":
        return "fisherz"
    test = find_test(name)
    other = "" if test.given == "either" else f", {_asked(name, given=test.given == 'without').name} "
    other += {"either": "", "with": "where nothing is given", "without": "given others"}[test.given]
    return CiTest(name + other, partial(_prepare, name=name, kinds=dict(kinds), periods=dict(periods or {}), seed=seed))


def _asked(name: str, *, given: bool) -> RegisteredTest:
    """Return the test, or where it does not run the one that is asked in its place."""
    test = find_test(name)
    return test if test.fits(given=given) else find_test("chisq" if test.categories else "kci")


def _prepare(
    frame: pl.DataFrame, name: str, kinds: dict[str, Kind], periods: dict[str, float], seed: int
) -> _PreparedTable:
    """Make the test ready for a table; a function of this module, so that it can be sent to another process."""
    whole = frame.with_columns(pl.selectors.float().fill_nan(None))
    categories = find_test(name).categories
    if categories:
        for series in whole:
            levels = series.drop_nulls().n_unique()
            if kinds[series.name] == "continuous" and levels > MAX_LEVELS:
                text = f"{name} needs categories and {series.name} has {levels:,} different numbers; use kci or fisherz"
                raise InputError(text)
    for series in whole:
        if series.dtype.is_float() and series.is_infinite().any():
            raise InputError(f"{series.name} holds infinite values; leave those rows out")
        if series.dtype.is_nested() or series.dtype in (pl.Object, pl.Binary):
            raise InputError(f"{series.name} holds {series.dtype} values, which cannot be tested; leave it out")
    table, weights = _counted(whole, name)
    columns = [
        TestedColumn(s, _kind(s, kinds[s.name], categories=categories), periods.get(s.name), weights) for s in table
    ]
    return _PreparedTable(name, table, columns, seed, weights)


def _counted(frame: pl.DataFrame, test: str) -> tuple[pl.DataFrame, NDArray[np.intp] | None]:
    """Return the distinct rows and how many people have each, where these are few; a search then reads no others."""
    levels = [series.n_unique() for series in frame]
    if find_test(test).package != "personax" or max(levels) * REPEATS > frame.height:
        return frame, None
    counts = count(frame, frame.columns).counts(frame.columns)
    if counts.height * REPEATS > frame.height:
        return frame, None
    return counts.select(frame.columns), counts.to_series(-1).to_numpy().astype(np.intp)


def _kind(series: pl.Series, kind: Kind, *, categories: bool) -> Kind:
    """Return what a column is to a test: categories to a test of tables, and text whatever it is called."""
    number = series.dtype.is_numeric() or series.dtype == pl.Boolean
    return kind if number and not categories else "nominal"


@dataclass(frozen=True)
class _PreparedTable:
    """A table ready for testing; calling it answers "x and y are independent given z" with a p-value."""

    test: str
    frame: pl.DataFrame
    columns: Sequence[TestedColumn]
    seed: int
    weights: NDArray[np.intp] | None = None

    @cached_property
    def _given(self) -> Callable[[tuple[int, ...]], Given]:
        """What was given before: a search asks about many pairs given the same columns."""
        return lru_cache(maxsize=256)(lambda z: Given([self.columns[one] for one in z]))

    def __call__(self, x: int, y: int, z: tuple[int, ...]) -> float:
        """Return the p-value of "x and y are independent given z"."""
        return self._run(x, y, z, with_effect=False).p_value  # a search looks at p-values alone

    def effect(self, x: int, y: int, z: tuple[int, ...]) -> float:
        """Return the effect size of the test."""
        return self._run(x, y, z, with_effect=True).effect_size

    def _run(self, x: int, y: int, z: tuple[int, ...], *, with_effect: bool) -> TestResult:
        rows = np.logical_and.reduce([self.columns[one].present for one in (x, y, *z)])
        # a column that is constant over these rows holds no condition
        varying = tuple(one for one in z if self.frame.to_series(one).filter(rows).n_unique() > 1) if z else ()
        try:
            given = self._given(varying).over(rows) if varying else None
            pair = ColumnPair(self.columns[x].over(rows), self.columns[y].over(rows), given, with_effect=with_effect)
            test = _asked(self.test, given=given is not None)
            return test.run(pair, self._rng(x, y, z), **test.search)
        except UntestableError as error:
            if z and self._nothing_varies(x, y, z):
                raise NothingVaries from None
            if isinstance(error, DeterminedError | UndecidedError):
                raise Undecided(self._undecided(x, y, z, error)) from None
            raise ComputationError(self._sentence(x, y, z, self.columns[x].people(rows), error)) from None

    def _undecided(self, x: int, y: int, z: tuple[int, ...], error: UntestableError) -> str:
        """Return which column is determined by which, or which question had no answer."""
        names = self.frame.columns
        given = ", ".join(names[one] for one in z)
        if isinstance(error, DeterminedError):
            return f"{names[y if error.variable == 'y' else x]} is determined by {given}"
        return f"no regression of {names[x]} and {names[y]} on {given} can be relied on with so few rows"

    def _rng(self, x: int, y: int, z: tuple[int, ...]) -> np.random.Generator:
        names = [crc32(self.columns[one].name.encode()) for one in (x, y, *z)]
        return np.random.default_rng([self.seed, *names])

    def _nothing_varies(self, x: int, y: int, z: tuple[int, ...]) -> bool:
        """Say whether x and y both vary in these rows, but no two rows that agree in z differ both in x and in y."""
        given = [pl.nth(one).alias(f"given {one}") for one in z]  # a column may itself be called x
        rows = self.frame.select(pl.nth(x).alias("x"), pl.nth(y).alias("y"), *given).drop_nulls()
        if rows["x"].n_unique() < 2 or rows["y"].n_unique() < 2:
            return False
        both = pl.col("x").n_unique().gt(1) & pl.col("y").n_unique().gt(1)
        strata = rows.group_by(rows.columns[2:]).agg(both.alias("both"))
        # numbers that never repeat have no strata; a test given them failed for another reason
        numbers = any(self.columns[one].kind != "nominal" for one in z)
        repeat = self.weights is not None or strata.height < rows.height
        return not strata["both"].any() and not (numbers and not repeat)

    def _sentence(self, x: int, y: int, z: tuple[int, ...], rows: int, error: UntestableError) -> str:
        names = self.frame.columns
        given = f" given {', '.join(names[one] for one in z)}" if z else ""
        test = _asked(self.test, given=bool(z)).name
        return f"{test} cannot test {names[x]} and {names[y]}{given} on {rows} rows: {error}; leave one out"


@dataclass(frozen=True)
class FileGraph:
    """The causal graph of a table, what its columns mean, and what a reader must know."""

    graph: Graph
    columns: Sequence[Column]
    notices: Sequence[Notice]


def discover_file(
    file: Path,
    section: DiscoverSection,
    out: Path,
    *,
    columns: Sequence[str] | None = None,
    missing: Sequence[str],
    strict: bool = False,
    seed: int,
    jobs: int | None = None,
    progress: Progress,
) -> FileGraph:
    """Search for the causal graph of a table and write it into a folder, all at once.

    Parameters
    ----------
    file
        CSV, TSV, Parquet, JSON or JSONL.
    section
        As of `find_causes`.
    out
        The folder of the results.
    columns
        Those to search over; all features and targets by default.
    missing
        Texts that mean missing.
    strict
        Refuse a table of which something had to be guessed.
    seed, jobs
        Of the bootstrap draws.

    Raises
    ------
    PersonaxError
        A table that cannot be read or searched, a folder in which another process works.
    """
    read = read_table(file, {}, missing=missing, strict=strict)
    people = read.people
    variables = _variables_of(people, columns)
    if len(variables.names) < 2:
        raise InputError(f"{file}: a causal graph needs at least two columns; name them with --columns")
    left_out = private_left_out(infer_columns(people), "--columns") if columns is None else []
    settings = section.model_dump(mode="json", exclude={"over"}) | {"columns": variables.names}
    with results_folder(out, DISCOVER.name, DISCOVER.revision, seed=seed, settings=settings, inputs=[file]) as results:
        progress.stage("discover")
        knowledge, rng = section.knowledge or Knowledge(), np.random.default_rng(seed)
        graph, stability = find_causes(variables, section, knowledge, rng, progress, jobs=jobs)
        results.notices.extend([*read.ledger.notices(), *left_out])
        results.notices.extend([*write_graph(graph, results.out.path), *graph_notices(graph, variables.frame)])
        if stability is not None:
            write_csv(stability, results.out.path("stability.csv"))
        results.counts.update(graph_counts(graph))
    return FileGraph(graph, variables.columns, results.notices)


def _variables_of(people: pl.DataFrame, named: Sequence[str] | None) -> Table:
    """Return the columns of a table to search over: those named, or all that are features or targets."""
    table = Table(people, infer_columns(people))
    if named is None:
        return table.select(column.name for column in table.columns if column.role in ("feature", "target"))
    known = {column.name: column for column in table.columns}
    names = list(dict.fromkeys(named))
    for name in names:
        if name not in known:
            raise PlanError(f"--columns: there is no column {name}; {nearest(name, list(known))}")
        if known[name].role == "embedding":
            raise PlanError(f"--columns: {name} holds vectors; name columns of numbers or text")
    return table.select(names)


def _run(context: Context) -> None:
    """Draw a causal graph over latents, traits and biography; also over any table: personax discover people.csv."""
    section = context.plan.discover
    assert section is not None
    variables, groups, tiers = _variables(context, section)
    known = section.knowledge or Knowledge()
    if not known.tiers and len(set(tiers.values())) > 1:
        known = known.replaced(tiers=tiers)
    graph, stability = find_causes(variables, section, known, context.rng, context.progress, groups=groups)
    context.notices.extend(write_graph(graph, lambda name: context.out.path("analysis", "discovery", name)))
    if stability is not None:
        write_csv(stability, context.out.path("analysis", "discovery", "stability.csv"))
    context.counts.update(graph_counts(graph))
    context.notices.extend(graph_notices(graph, variables.frame))


Part = list[tuple[Column, str, int, pl.DataFrame]]
"""Column, group, tier, and the table of its values."""


def _variables(context: Context, section: DiscoverSection) -> tuple[Table, dict[str, str], dict[str, int]]:
    """Return the variables, one row a person, and the group and the tier of each."""
    frame = context.frame("people", "people.parquet").select("id")
    columns: dict[str, Column] = {}
    groups: dict[str, str] = {}
    tiers: dict[str, int] = {}
    for part in section.over:
        for column, group, tier, values in _part(context, part, section):
            frame = frame.join(values, on="id", how="left", maintain_order="left")
            columns[column.name], groups[column.name], tiers[column.name] = column, group, tier
    if frame.width < 3:
        kind = "numeric variables" if section.test == "fisherz" else "variables"
        raise PlanError(f"discover.over: fewer than two {kind}; add latents, traits or features")
    frame = frame.drop("id")
    return Table(frame, [columns[name] for name in frame.columns]), groups, tiers


def _part(context: Context, part: str, section: DiscoverSection) -> Part:
    if part == "latents":
        if context.plan.crl is None:
            raise PlanError("discover.over: latents need a crl section in the plan")
        latents = context.frame("analysis", "crl", "latents.parquet")
        named = [(name, name.rpartition("_")[0]) for name in latents.columns[1:]]
        return [
            (_latent(name), group, TIERS["shared" if group == "shared" else "latents"], latents.select("id", name))
            for name, group in named
        ]
    if part == "traits":
        finals = context.final_scores()
        if finals is None:
            raise PlanError("discover.over: traits need an annotate section in the plan")
        meant = [column for column in finals.columns if column.role != "id"]
        return [(column, "trait", TIERS["traits"], finals.frame.select("id", column.name)) for column in meant]
    people = context.people()
    fitting = [column for column in people.features() if can_be_tested(column, people.frame[column.name], section)]
    return [(column, "biography", TIERS["biography"], people.frame.select("id", column.name)) for column in fitting]


def _latent(name: str) -> Column:
    return Column(name, "feature", "continuous")


def can_be_tested(column: Column, values: pl.Series, section: DiscoverSection) -> bool:
    """Say whether a feature can take part: fisherz needs numbers, and nominal ones of two values at most."""
    if section.test != "fisherz":
        return values.drop_nulls().n_unique() > 1
    if are_dates(values) and (column.inferred or column.kind != "nominal"):
        return values.drop_nulls().n_unique() > 1
    return values.dtype.is_numeric() and (column.kind != "nominal" or values.drop_nulls().n_unique() <= 2)


DISCOVER = Stage("discover", revision=4, needs=("collect", "annotate", "crl"), run=_run)
