"""discover: a causal graph by PC or FCI over latents, traits and biography, or over the columns of any table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl

from personax.config import Background, Discover
from personax.data.table import Table
from personax.discovery import Knowledge, bootstrap_edges, fci, pc
from personax.errors import InputError, MissingExtraError, PlanError
from personax.figures import draw_graph, save
from personax.graphs import to_dot, to_graphml
from personax.progress import Progress
from personax.schema import Column, Graph, Kind, Notice
from personax.stages.base import Context, Stage
from personax.stages.ci_tests import ci_test

__all__ = ["DISCOVER", "TIERS", "ci_test", "count", "find_causes", "fits", "knowledge_of", "told", "write_graph"]

TIERS = {"biography": 0, "shared": 1, "latents": 2, "traits": 3}
"""A later tier never causes an earlier one: what somebody was born with comes first, what is said of them last."""

SEARCHES = {"pc": pc, "fci": fci}


def find_causes(
    table: Table,
    section: Discover,
    knowledge: Knowledge,
    rng: np.random.Generator,
    progress: Progress,
    *,
    groups: Mapping[str, str] | None = None,
    jobs: int = 1,
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
    frame = table.frame
    kinds: dict[str, Kind] = {column.name: column.kind for column in table.columns}
    if section.test == "fisherz":
        _numbers_only(frame, kinds)
    periods = {column.name: column.period for column in table.columns if column.period is not None}
    search = partial(
        SEARCHES[section.algorithm],
        alpha=section.alpha,
        test=ci_test(section.test, kinds, periods),
        knowledge=knowledge,
        groups=dict(groups or {}),
    )
    graph = search(frame, progress=lambda tests, given: progress.step(tests, 0, f"tests, now given {given}"))
    if not section.bootstraps:
        return graph, None
    step = partial(progress.step, note="bootstrap draws")
    return bootstrap_edges(frame, search, times=section.bootstraps, rng=rng, jobs=jobs, graph=graph, progress=step)


def _numbers_only(frame: pl.DataFrame, kinds: Mapping[str, Kind]) -> None:
    """Refuse codes for fisherz: the size of a code means nothing, unless there are but two."""
    for name, kind in kinds.items():
        values = frame[name].drop_nulls()
        if kind == "nominal" and not (values.dtype.is_numeric() and values.n_unique() <= 2):
            raise InputError(
                f"fisherz needs numbers and {name} is nominal; use --test kci or test: kci, or leave it out"
            )


def knowledge_of(background: Background | None) -> Knowledge:
    """Return background knowledge as the searches take it.

    Raises
    ------
    InputError
        When a column stands in two tiers.

    Examples
    --------
    >>> knowledge_of(Background(tiers=[["sex"], ["height"]])).tiers
    {'sex': 0, 'height': 1}
    """
    if background is None:
        return Knowledge()
    tiers: dict[str, int] = {}
    for tier, names in enumerate(background.tiers or []):
        for name in names:
            if tiers.setdefault(name, tier) != tier:
                raise InputError(f"knowledge.tiers: {name} stands in two tiers; keep one")
    forbidden = [(cause, effect) for cause, effect in background.forbidden]
    required = [(cause, effect) for cause, effect in background.required]
    return Knowledge(tiers or None, forbidden, required)


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


def count(graph: Graph) -> dict[str, int]:
    """Count variables, edges, people and tests."""
    details = graph.details
    counts = {"variables": len(graph.nodes), "edges": len(graph.edges), "people": details["n"]}
    drawn = {name: details[name] for name in ("bootstraps", "bootstraps_failed") if name in details}
    return counts | {"tests": details["tests"], "tests_nothing_varies": details["tests_nothing_varies"]} | drawn


def told(graph: Graph, frame: pl.DataFrame) -> list[Notice]:
    """Say what a reader of the graph must know of missing values, undecided tests and failed draws."""
    details, notices = graph.details, []
    lacking = frame.height - frame.with_columns(pl.selectors.float().fill_nan(None)).drop_nulls().height
    if details["rows_left_out"]:
        text = "People with a missing value are left out of the causal graph."
        notices.append(Notice(text, details["rows_left_out"]))
    elif lacking:
        text = "People with a missing value are left out of those tests of the causal graph that need it."
        notices.append(Notice(text, lacking))
    if details["tests_nothing_varies"]:
        text = (
            "Tests of the causal graph in which no two people who agree in the given variables differ in both of the "
            "others; these were taken as independent given those variables."
        )
        notices.append(Notice(text, details["tests_nothing_varies"]))
    if details.get("bootstraps_failed"):
        text = "Bootstrap draws in which no causal graph could be searched for; they do not count."
        notices.append(Notice(text, details["bootstraps_failed"]))
    return notices


def _run(context: Context) -> None:
    """Draw a causal graph over latents, traits and biography; also over any table: personax discover people.csv."""
    section = context.plan.discover
    assert section is not None
    variables, groups, tiers = _variables(context, section)
    known = knowledge_of(section.knowledge)
    if known.tiers is None and len(set(tiers.values())) > 1:
        known = Knowledge(tiers, known.forbidden, known.required)
    graph, stability = find_causes(variables, section, known, context.rng, context.progress, groups=groups)
    context.notices.extend(write_graph(graph, lambda name: context.out.path("analysis", "discovery", name)))
    if stability is not None:
        stability.write_csv(context.out.path("analysis", "discovery", "stability.csv"))
    context.counts.update(count(graph))
    context.notices.extend(told(graph, variables.frame))


Part = list[tuple[Column, str, int, pl.DataFrame]]
"""Column, group, tier, and the table of its values."""


def _variables(context: Context, section: Discover) -> tuple[Table, dict[str, str], dict[str, int]]:
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


def _part(context: Context, part: str, section: Discover) -> Part:
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
        finals = context.finals()
        if finals is None:
            raise PlanError("discover.over: traits need an annotate section in the plan")
        meant = [column for column in finals.columns if column.role != "id"]
        return [(column, "trait", TIERS["traits"], finals.frame.select("id", column.name)) for column in meant]
    people = context.people()
    fitting = [column for column in people.features() if fits(column, people.frame[column.name], section)]
    return [(column, "biography", TIERS["biography"], people.frame.select("id", column.name)) for column in fitting]


def _latent(name: str) -> Column:
    return Column(name, "feature", "continuous")


def fits(column: Column, values: pl.Series, section: Discover) -> bool:
    """Say whether a feature can take part: fisherz needs numbers, and nominal ones of two values at most."""
    if section.test != "fisherz":
        return values.drop_nulls().n_unique() > 1
    return values.dtype.is_numeric() and (column.kind != "nominal" or values.drop_nulls().n_unique() <= 2)


DISCOVER = Stage("discover", revision=2, needs=("collect", "annotate", "crl"), run=_run)
