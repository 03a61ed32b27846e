"""independence: Level I, every feature against every trait, as a stage and for any table."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl

from personax.config import IndependenceSection
from personax.data.columns import infer_columns
from personax.data.dates import with_date_kinds
from personax.data.frames import read_parquet, write_csv, write_parquet
from personax.data.naming import says
from personax.data.object_store import is_remote
from personax.data.pvalues import everybody
from personax.data.remote_tables import RemoteTables, reading_tables
from personax.data.table import Table
from personax.engine import find_engine, ordered
from personax.errors import InputError, MissingExtraError, PlanError
from personax.graphs import to_graphml
from personax.independence import (
    DataSet,
    NoisyTable,
    dependence_graph,
    heterogeneity,
    open_dataset,
    pool,
    screen,
    screen_noisy,
    wide,
)
from personax.plots import draw_graph, heatmap, save
from personax.progress import Progress, Silent
from personax.release import load_release
from personax.release.statistics import NoisyStatistics
from personax.schema import LETTERS, Column, Graph, Kind, Notice, Role, select
from personax.sources import read_table
from personax.stages._base import Context, Reader, Results, Stage, private_left_out, results_folder
from personax.strict import nearest

__all__ = [
    "INDEPENDENCE",
    "FileResults",
    "analyse",
    "analyse_file",
    "analyse_statistics",
    "count_tests",
    "people_with_scores",
    "write_results",
]

LARGE_BYTES = 200_000_000
"""Of a Parquet file above which it is counted in pieces and never read whole."""

MAX_NAMED = 5
"""Pairs that a notice names."""

SAMPLE_ROWS = 100_000
"""Of such a file, from which kinds are inferred."""

NOISE_DRAWS = 9_999
"""Of the noise of noisy counts, for p-values."""

DRAWN = 60
"""More nodes than this make no picture."""


def analyse(
    frame: pl.DataFrame | pl.LazyFrame | DataSet,
    columns: Sequence[Column],
    section: IndependenceSection,
    progress: Progress,
    *,
    seed: int = 0,
    jobs: int | None = None,
    letters: Collection[str] = tuple(LETTERS.values()),
) -> tuple[pl.DataFrame, Graph]:
    """Test every feature against every target, group by group, and return tidy p-values and the dependence graph.

    Parameters
    ----------
    frame
        One row a person; lazy where it is larger than memory.
    columns
        What the columns of ``frame`` mean. Where a target is named ``<model>_o``, its group is the model.
    section
        Which features, targets and tests; see docs/study.md.
    progress
        Receives one step a pair.
    seed, jobs
        Of randomised tests; threads.
    letters
        Of the traits in names of targets; those of the Big Five by default.

    Raises
    ------
    PlanError
        When a feature or target is no column, or there are none.
    """
    columns = _with_dates(columns, frame)
    known = {column.name: column for column in columns}
    _check_named(section, known)
    features = _chosen("feature", section.features, columns)
    targets = _chosen("target", section.targets, columns)
    given = list(dict.fromkeys(section.given))
    apart = {*targets, *given, section.by, section.cluster, section.strata}
    pairs = [name for name in features if name not in apart]
    if not pairs:
        raise PlanError(
            "independence.features: every feature is also a target, given or what splits people; name others"
        )
    frame = frame.filter(pl.col(section.by).is_not_null()) if section.by else frame
    groups = _groups(targets, letters, per_model=section.per_model or section.targets is not None)
    total = len(pairs) * sum(len(names) for names in groups.values())
    results, before = [], 0
    parts = 1 if section.by is None else frame.lazy().select(pl.col(section.by).n_unique()).collect().item() + 1
    for group, names in groups.items():
        table = screen(
            frame,
            pairs,
            names,
            kinds={name: known[name].kind for name in [*pairs, *names, *given]},
            periods={c.name: c.period for c in columns if c.period is not None},
            tests=section.tests,
            given=given,
            by=section.by,
            cluster=section.cluster,
            strata=section.strata,
            options={str(name): options for name, options in section.options.items()},
            seed=seed,
            jobs=jobs,
            alpha=section.alpha,
            correction=section.correction,
            progress=partial(_report_progress, progress, before * parts, total * parts),
        )
        before += len(pairs) * len(names)
        results.append(table.select(pl.lit(group).alias("group"), pl.all()))
    pvalues = pl.concat(results)
    leading = everybody(pvalues).filter(pl.col("group") == next(iter(groups)))
    return pvalues, dependence_graph(leading)


def _with_dates(columns: Sequence[Column], frame: pl.DataFrame | pl.LazyFrame | DataSet) -> Sequence[Column]:
    """Return the columns, dates as numbers; looked for among columns that would be names."""
    held = set(frame.collect_schema().names())
    names = [column.name for column in columns if column.inferred and column.kind == "nominal" and column.name in held]
    if not names:
        return columns
    found = with_date_kinds(
        [c for c in columns if c.name in names], frame.lazy().select(names).head(SAMPLE_ROWS).collect()
    )
    told = {column.name: column for column in found}
    return [told.get(column.name, column) for column in columns]


def _report_progress(progress: Progress, before: int, total: int, done: int, _: int) -> None:
    progress.step(before + done, total)


@dataclass(frozen=True)
class FileResults:
    """Level I of a file: tidy p-values, what the columns mean (nothing for noisy tables), what a reader must know."""

    pvalues: pl.DataFrame
    columns: Sequence[Column]
    notices: Sequence[Notice]


def analyse_file(
    file: Path,
    section: IndependenceSection,
    out: Path,
    *,
    missing: Sequence[str],
    strict: bool = False,
    seed: int,
    jobs: int | None = None,
    progress: Progress,
) -> FileResults:
    """Test the columns of a table and write tables, graph and figures into a folder, all at once.

    Parameters
    ----------
    file
        A table of any format that `personax.read_table` reads. A large Parquet file, a folder or a pattern of them is
        counted part by part and never read whole; so is every file below an address (``s3://``, ``gs://``), each by
        the worker that counts it.
    section, seed, jobs
        As of `analyse`.
    out
        The folder of the results.
    missing
        Texts that mean missing.
    strict
        Refuse a table of which something had to be guessed.

    Raises
    ------
    PersonaxError
        A table that cannot be read, columns that are not there, a folder in which another process works.
    """
    with reading_tables(file):
        return _analyse_file(file, section, out, missing, strict, seed, jobs, progress)


def _analyse_file(
    file: Path,
    section: IndependenceSection,
    out: Path,
    missing: Sequence[str],
    strict: bool,
    seed: int,
    jobs: int | None,
    progress: Progress,
) -> FileResults:
    frame, sample, told = _read(file, missing, strict=strict)
    named = {*(section.features or ()), *(section.targets or ()), *section.given, section.by}
    inferred = with_date_kinds(infer_columns(sample), sample)
    columns = [_as_named(column, section) for column in inferred if column.name != "id" or named]
    read: Sequence[Path] | RemoteTables = [file]
    if isinstance(frame, DataSet):
        read = frame.remote or frame.files
    with _results(read, section, out, seed) as results:
        progress.stage("independence")
        results.notices.extend([*told, *repeated_people(sample, section)])
        if section.features is None:
            results.notices.extend(private_left_out(columns, "--features"))
        pvalues, graph = analyse(frame, columns, section, progress, seed=seed, jobs=jobs)
        results.notices.extend(write_results(pvalues, graph, results.out.path, section))
        results.counts.update(count_tests(pvalues))
    used = {*pvalues["feature"], *pvalues["target"], *section.given}
    return FileResults(pvalues, [column for column in columns if column.name in used], results.notices)


def analyse_statistics(
    folder: Path, section: IndependenceSection, out: Path, *, seed: int, progress: Progress
) -> FileResults:
    """Test the noisy tables of a release that has no people, as `analyse_file`; p-values are corrected for the noise.

    Raises
    ------
    PlanError
        A folder without noisy statistics, a feature or target that is in no table.
    """
    statistics = load_release(folder).statistics
    if statistics is None:
        raise PlanError(f"{folder} holds no study and no noisy statistics; name a table, or analyse the release")
    with _results([folder / "statistics.json"], section.replaced(tests=["chisq"]), out, seed) as results:
        progress.stage("independence")
        noisy = _noisy_tables(statistics, section)
        found = screen_noisy(noisy, statistics.scale, alpha=section.alpha, correction=section.correction,
                             draws=NOISE_DRAWS, seed=seed, progress=progress.step)  # fmt: skip
        pvalues = found.select(pl.lit("final").alias("group"), pl.all())
        results.notices.append(
            Notice(f"{statistics.sentence} P-values are corrected for the noise; the test is chi-square.")
        )
        graph = dependence_graph(pvalues)
        results.notices.extend(write_results(pvalues, graph, results.out.path, section))
        results.counts.update(count_tests(pvalues))
    return FileResults(pvalues, (), results.notices)


def _results(
    files: Sequence[Path] | RemoteTables, section: IndependenceSection, out: Path, seed: int
) -> AbstractContextManager[Results]:
    settings = section.model_dump(mode="json")
    return results_folder(out, INDEPENDENCE.name, INDEPENDENCE.revision, seed=seed, settings=settings, inputs=files)


def _noisy_tables(statistics: NoisyStatistics, section: IndependenceSection) -> list[NoisyTable]:
    """Return the tables that are asked for; all where none is named."""
    kinds = {column.name: column.kind for column in statistics.columns}
    for setting, names, known in (
        ("features", section.features, {table.feature for table in statistics.tables}),
        ("targets", section.targets, {table.target for table in statistics.tables}),
    ):
        for name in names or ():
            if name not in known:
                raise PlanError(f"independence.{setting}: no table is about {name}; {nearest(name, sorted(known))}")
    return [
        NoisyTable(one.feature, one.target, one.counts, kinds[one.feature], kinds[one.target])
        for one in statistics.tables
        if (section.features is None or one.feature in section.features)
        and (section.targets is None or one.target in section.targets)
    ]


MOST_ROWS = 20
"""Rows a value up to which a column is taken to say whose they are; of more it is a rater, a place or a group."""


def repeated_people(frame: pl.DataFrame, section: IndependenceSection) -> list[Notice]:
    """Warn where a column called after people or ids has values that repeat, and nobody said what that means."""
    used = {*(section.features or ()), *(section.targets or ()), *section.given, section.by, section.strata}
    if section.cluster is not None:
        return []
    rows = {}
    for column in frame:
        said = says(column.name)
        if said.topic in ("person", "id") and said.sure and not said.counted and column.name not in used:
            values, many = column.n_unique() - (column.null_count() > 0), column.len() - column.null_count()
            if values >= 5 and 1.2 * values <= many <= MOST_ROWS * values:
                rows[column.name] = values, many
    if not rows:
        return []
    name = max(rows, key=lambda one: rows[one][0])
    values, many = rows[name]
    text = (
        f"{many:,} rows have {values:,} values of {name}: rows of one person are not independent of one another, and "
        f"p-values that take them so are too small; say cluster: {name} (--cluster {name}), or keep one row each."
    )
    return [Notice(text)]


def _read(
    file: Path, missing: Sequence[str], *, strict: bool
) -> tuple[pl.DataFrame | DataSet, pl.DataFrame, list[Notice]]:
    """Return the table, the rows that kinds are inferred from, and how it was read.

    What is large or many files stays where it is.
    """
    large = file.suffix == ".parquet" and file.is_file() and file.stat().st_size > LARGE_BYTES
    pattern = file.suffix == ".parquet" and not file.exists() and any(sign in str(file) for sign in "*?[")
    if large or pattern or file.is_dir() or is_remote(file):
        asked = [option for option, given in (("--missing", any(missing)), ("--strict", strict)) if given]
        if asked:
            raise InputError(
                f"{file} is counted where it lies, as it is: {' and '.join(asked)} would not apply; write the table "
                "with empty cells for what is missing, or read it from a local file of less than 200 MB"
            )
        table = open_dataset(file)
        return table, table.lazy().head(SAMPLE_ROWS).collect(), []
    read = read_table(file, {}, missing=missing, strict=strict)
    return read.people, read.people, read.ledger.notices()


def _as_named(column: Column, section: IndependenceSection) -> Column:
    """Give a column the role that the command line names it for."""
    if column.name in (section.targets or ()):
        return Column(column.name, "target", column.kind, column.unit, column.period, column.inferred, column.why)
    return column


def write_results(
    pvalues: pl.DataFrame, graph: Graph, path: Callable[[str], Path], section: IndependenceSection
) -> list[Notice]:
    """Write tables, graph and figures; ``path`` says where a file goes. Return what was left out and why."""
    alpha, correction = section.alpha, section.correction
    write_parquet(pvalues, path("pvalues.parquet"), compression="zstd", statistics=False)
    write_csv(pvalues, path("pvalues.csv"))
    for test in pvalues["test"].unique(maintain_order=True):
        write_csv(wide(pvalues, test), path(f"pvalues_{test}.csv"))
    told: list[Notice] = []
    if "subgroup" in pvalues.columns:
        parts = [
            heterogeneity(part.drop("group"), alpha=alpha, correction=correction).select(
                pl.lit(group).alias("group"), pl.all()
            )
            for (group,), part in pvalues.group_by("group", maintain_order=True)
        ]
        differing = pl.concat(parts)
        write_csv(differing, path("heterogeneity.csv"))
        told = _differences(differing)
    path("graph.json").write_text(graph.to_json(), encoding="utf-8")
    path("graph.graphml").write_text(to_graphml(graph), encoding="utf-8")
    return told + (_draw(everybody(pvalues), graph, path, alpha) if section.figures else [])


def _differences(found: pl.DataFrame) -> list[Notice]:
    """Say which pairs depend on one another in another way from subgroup to subgroup, the surest first."""
    surest = found.filter(pl.col("differs")).sort("p_corrected").unique(["feature", "target"], maintain_order=True)
    if surest.is_empty():
        return []
    named = ", ".join(
        f"{row['feature']} and {row['target']} (p {row['p_corrected']:.1g})"
        for row in surest.head(MAX_NAMED).iter_rows(named=True)
    )
    text = f"The dependence of pairs is another one in other subgroups; heterogeneity.csv has them all: {named}."
    return [Notice(text, surest.height)]


def _draw(pvalues: pl.DataFrame, graph: Graph, path: Callable[[str], Path], alpha: float) -> list[Notice]:
    """Draw a heatmap a test and the graph, as SVG and PNG."""
    notices = []
    try:
        for test in pvalues["test"].unique(maintain_order=True):
            figure = heatmap(pvalues, test, alpha=alpha)
            save(figure, path(f"heatmap_{test}.svg"), path(f"heatmap_{test}.png"))
        linked = {end for edge in graph.edges for end in (edge.source, edge.target)}
        if len(linked) <= DRAWN:
            kept = replace(graph, nodes=[n for n in graph.nodes if n.id in linked or len(graph.nodes) <= DRAWN])
            save(draw_graph(kept), path("graph.svg"), path("graph.png"))
        else:
            notices.append(Notice(f"The dependence graph has more than {DRAWN} nodes: graph.json has it, undrawn."))
    except MissingExtraError:
        notices.append(Notice("No figures were drawn: they need matplotlib (pip install 'personax[figures]')."))
    return notices


def _check_named(section: IndependenceSection, known: Mapping[str, Column]) -> None:
    """Name every column that is not there, at once."""
    by = [] if section.by is None else [section.by]
    settings = {"features": section.features, "targets": section.targets, "given": section.given, "by": by}
    settings |= {name: [value] for name in ("cluster", "strata") if (value := getattr(section, name))}
    faults = [
        f"independence.{setting}: there is no column {name}; {nearest(name, list(known))}"
        for setting, names in settings.items()
        for name in dict.fromkeys(names or ())
        if name not in known
    ]
    if faults:
        raise PlanError("\n".join(faults))


def _chosen(role: Role, named: Sequence[str] | None, columns: Sequence[Column]) -> list[str]:
    chosen = list(dict.fromkeys(named)) if named is not None else [column.name for column in select(columns, role)]
    if not chosen:
        known = ", ".join(column.name for column in columns if column.role in ("feature", "target"))
        raise PlanError(f"independence.{role}s: no column has the role {role}; name columns from {known}")
    return chosen


def _groups(targets: Sequence[str], letters: Collection[str], *, per_model: bool) -> dict[str, list[str]]:
    """Group trait columns by who scored them, the aggregate first; other targets belong to the group ``final``."""
    groups: dict[str, list[str]] = {"final": []}
    for name in targets:
        model, _, letter = name.rpartition("_")
        groups.setdefault(model if model and letter in letters else "final", []).append(name)
    kept = {group: names for group, names in groups.items() if names}
    return kept if per_model or "final" not in kept else {"final": kept["final"]}


def people_with_scores(reader: Reader) -> Table:
    """Read people and trait scores as one table; private columns are left out."""
    people, scores = reader.people().open(), reader.scores()
    return people if scores is None else people.join(scores)


def _run(context: Context) -> None:
    """Test every feature against every trait (Level I); also on any table: personax independence people.csv."""
    section = context.plan.independence
    assert section is not None
    table = people_with_scores(context)
    cluster = section.cluster or _person_of_waves(context)
    if cluster is not None and cluster not in table.names:
        table = table.join(context.people().select(["id", cluster]))  # a private column may tell who belongs together
    if cluster != section.cluster:
        text = "The people are in several waves: the tests take the waves of a person as one cluster (cluster: person)."
        context.notices.append(Notice(text))
        section = section.model_copy(update={"cluster": cluster})
    columns = [column for column in table.columns if column.role != "id"]
    context.notices.extend(repeated_people(table.frame, section))
    letters = context.framework().letters.values()
    pvalues, graph = analyse(table.frame, columns, section, context.progress, seed=context.plan.seed, letters=letters)
    here = partial(context.out.path, "analysis", "independence")
    if section.imputations:
        _pool(context, table, here)
    context.notices.extend(write_results(pvalues, graph, here, section))
    context.counts.update(count_tests(pvalues))
    context.notices.extend(failure_notices(pvalues))


def _person_of_waves(context: Context) -> str | None:
    """Return the column that tells whose rows are of one person, where people are in several waves."""
    people = context.people()
    several = {"person", "wave"} <= set(people.names) and people.select(["person"]).frame[
        "person"
    ].is_duplicated().any()
    return "person" if several else None


def _pool(context: Context, table: Table, here: Callable[[str], Path]) -> None:
    """Repeat the tests of the final scores on plausible values of them, and write what remains of the findings."""
    section = context.plan.independence
    assert section is not None
    path = context.folder.output("traits", "imputations.parquet")
    if path is None:
        text = "independence.imputations: only scores of several raters have plausible values; set it to 0"
        raise PlanError(text)
    drawn = read_parquet(path)
    frame, columns = table.frame, [column for column in table.columns if column.role != "id"]
    finals = [c for c in columns if c.name in drawn.columns and drawn[c.name].null_count() < drawn.height]
    wanted = {"per_model": False, "figures": False, "targets": [c.name for c in finals], "by": None}
    if not finals:
        context.notices.append(Notice("No plausible values: the raters do not tell how uncertain their scores are."))
        return
    letters = tuple(context.framework().letters.values())
    narrow = section.model_copy(update=wanted)
    imputed = _Imputed(frame, columns, drawn, finals, narrow, context.plan.seed, letters)
    tables: list[pl.DataFrame] = []
    for found in ordered(find_engine("threads").map(_analysed, range(section.imputations), shared=imputed)):
        tables.append(found)
        context.progress.step(len(tables), section.imputations, "plausible values")
    pooled = pool(tables, alpha=section.alpha, correction=section.correction)
    write_csv(pooled, here("pooled.csv"))
    context.counts["rejected_with_uncertain_scores"] = int(pooled["rejected"].sum())


@dataclass(frozen=True)
class _Imputed:
    """People, and draws of their scores."""

    frame: pl.DataFrame
    columns: Sequence[Column]
    drawn: pl.DataFrame
    finals: Sequence[Column]
    section: IndependenceSection
    seed: int
    letters: Collection[str]


def _analysed(people: _Imputed, draw: int) -> pl.DataFrame:
    """Return the p-values of one draw of the scores."""
    frame, one = people.frame, people.drawn.filter(pl.col("draw") == draw)
    values = one.select("id", *(_like(one[c.name], frame[c.name], c.kind) for c in people.finals))
    version = frame.drop(c.name for c in people.finals).join(values, on="id", how="left", maintain_order="left")
    found = analyse(version, people.columns, people.section, Silent(), seed=people.seed, letters=people.letters)
    return found[0]


def _like(drawn: pl.Series, scores: pl.Series, kind: Kind) -> pl.Series:
    """Return draws of a score; on a scale with levels, each at the nearest level that the rule gave to anybody."""
    levels = scores.drop_nulls().unique().sort()
    if kind != "ordinal" or len(levels) < 2:
        return drawn
    middle = ((levels[1:] + levels[:-1]) / 2).to_numpy()
    places = np.searchsorted(middle, drawn.to_numpy())
    return pl.Series(drawn.name, levels.to_numpy()[places]).set(drawn.is_null(), None)


def count_tests(pvalues: pl.DataFrame) -> dict[str, int]:
    """Count tests run, tests that could not be run, and dependences found."""
    computed = pvalues.filter(pl.col("reason").is_null())
    return {
        "tests": computed.height,
        "not_run": pvalues.height - computed.height,
        "rejected": int(computed["rejected"].sum()),
    }


def failure_notices(pvalues: pl.DataFrame) -> list[Notice]:
    """Say once for each reason how many tests could not be run."""
    missing = pvalues.filter(pl.col("reason").is_not_null())
    grouped = missing.group_by("test", "reason", maintain_order=True).len()
    return [Notice(f"{test}: not run, {why}", number) for test, why, number in grouped.iter_rows()]


INDEPENDENCE = Stage("independence", revision=5, needs=("collect", "annotate"), run=_run)
