"""independence: Level I, every feature against every trait, as a stage and for any table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl

from personax.columns import infer_columns
from personax.errors import PlanError
from personax.independence import dependence_graph, screen, wide
from personax.plan import Independence
from personax.progress import Progress
from personax.schema import LETTERS, Column, Graph, Notice, select
from personax.stages.base import Context, Stage
from personax.strict import nearest

__all__ = ["INDEPENDENCE", "analyse", "write_results"]

FINAL = [f"final_{letter}" for letter in LETTERS.values()]


def analyse(
    frame: pl.DataFrame, columns: Sequence[Column], section: Independence, progress: Progress
) -> tuple[pl.DataFrame, Graph]:
    """Test every feature against every target, group by group, and return tidy p-values and the dependence graph.

    Parameters
    ----------
    frame
        One row a person.
    columns
        What the columns of ``frame`` mean. Where a target is named ``<model>_o``, its group is the model.
    section
        Which features, targets and tests; see docs/study.md.
    progress
        Receives one step a pair.

    Raises
    ------
    PlanError
        When a feature or target is no column, or there are none.
    """
    known = {column.name: column for column in columns}
    features = _chosen("features", section.features, [c.name for c in select(columns, "feature")], known)
    targets = _chosen("targets", section.targets, [c.name for c in select(columns, "target")], known)
    pairs = [name for name in features if name not in targets]
    if not pairs:
        raise PlanError("independence.features: every feature is also a target; name others")
    groups = _groups(targets, per_model=section.per_model or section.targets is not None)
    total = len(pairs) * sum(len(names) for names in groups.values())
    results, before = [], 0
    for group, names in groups.items():
        offset = before
        table = screen(
            frame,
            pairs,
            names,
            kinds={name: known[name].kind for name in [*pairs, *names]},
            periods={c.name: c.period for c in columns if c.period is not None},
            tests=section.tests,
            alpha=section.alpha,
            correction=section.correction,
            progress=lambda done, _: progress.step(offset + done, total),  # noqa: B023 - called within this turn
        )
        before += len(pairs) * len(names)
        results.append(table.select(pl.lit(group).alias("group"), pl.all()))
    pvalues = pl.concat(results)
    return pvalues, dependence_graph(pvalues.filter(pl.col("group") == next(iter(groups))))


def write_results(pvalues: pl.DataFrame, graph: Graph, path: Callable[[str], Path]) -> None:
    """Write the tidy table, one wide CSV a test and the graph; ``path`` says where a file goes."""
    pvalues.write_parquet(path("pvalues.parquet"), compression="zstd", statistics=False)
    for test in pvalues["test"].unique(maintain_order=True):
        wide(pvalues, test).write_csv(path(f"pvalues_{test}.csv"))
    path("graph.json").write_text(graph.to_json(), encoding="utf-8")


def _chosen(setting: str, named: Sequence[str] | None, default: list[str], known: dict[str, Column]) -> list[str]:
    for name in named or ():
        if name not in known:
            raise PlanError(f"independence.{setting}: there is no column {name}; {nearest(name, list(known))}")
    chosen = list(dict.fromkeys(named)) if named is not None else default
    if not chosen:
        roles = "feature" if setting == "features" else "target"
        raise PlanError(f"independence.{setting}: no column has the role {roles}; name columns from {', '.join(known)}")
    return chosen


def _groups(targets: Sequence[str], *, per_model: bool) -> dict[str, list[str]]:
    """Group trait columns by who scored them, the aggregate first; other targets belong to the group ``final``."""
    letters = set(LETTERS.values())
    groups: dict[str, list[str]] = {"final": []}
    for name in targets:
        model, _, letter = name.rpartition("_")
        groups.setdefault(model if model and letter in letters else "final", []).append(name)
    kept = {group: names for group, names in groups.items() if names}
    return kept if per_model or "final" not in kept else {"final": kept["final"]}


def _joined(context: Context) -> tuple[pl.DataFrame, list[Column]]:
    """Join people and traits, private columns left out."""
    columns = [column for column in context.columns() if column.role in ("feature", "target")]
    frame = context.frame("people", "people.parquet").select("id", *(column.name for column in columns))
    if context.plan.annotate is not None:
        traits = context.frame("traits", "traits.parquet")
        scores = [name for name in traits.columns if name != "id"]
        frame = frame.drop(name for name in scores if name in frame.columns).join(traits, on="id", how="left")
        columns = [c for c in columns if c.name not in scores] + infer_columns(traits.select(scores))
    return frame, columns


def _run(context: Context) -> None:
    """Test every feature against every trait (Level I); also on any table: personax independence people.csv."""
    section = context.plan.independence
    assert section is not None
    frame, columns = _joined(context)
    pvalues, graph = analyse(frame, columns, section, context.progress)
    write_results(pvalues, graph, lambda name: context.out.path("analysis", "independence", name))
    context.counts.update(count(pvalues))
    context.notices.extend(reasons(pvalues))


def count(pvalues: pl.DataFrame) -> dict[str, int]:
    """Count tests run, tests that could not be run, and dependences found."""
    computed = pvalues.filter(pl.col("reason").is_null())
    return {
        "tests": computed.height,
        "not_run": pvalues.height - computed.height,
        "rejected": int(computed["rejected"].sum()),
    }


def reasons(pvalues: pl.DataFrame) -> list[Notice]:
    """Say once for each reason how many tests could not be run."""
    missing = pvalues.filter(pl.col("reason").is_not_null())
    grouped = missing.group_by("test", "reason", maintain_order=True).len()
    return [Notice(f"{test}: not run, {why}", number) for test, why, number in grouped.iter_rows()]


INDEPENDENCE = Stage("independence", revision=1, needs=("collect", "annotate"), run=_run)
