"""personax discover: the causal graph of a study, or of anybody's table with no study at all."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from personax import registry
from personax.cli.console import emit, say, showing_progress, table
from personax.cli.options import refuse, refuse_others
from personax.cli.run import (
    OF_STUDY,
    OF_TABLE,
    STUDY_OPTIONS,
    EngineOption,
    FolderOption,
    ForceOption,
    JobsOption,
    JsonOption,
    StrictOption,
    comma_separated,
    from_options,
    is_study,
    run_study,
)
from personax.cli.signals import NOTHING_KEPT, kept_when_stopped
from personax.cli.trust import load_study
from personax.engine import parallel_config
from personax.schema import Edge, Graph

if TYPE_CHECKING:
    from personax.stages import FileGraph

__all__ = ["register"]

_SHOWN = 30

_ALGORITHMS = "pc; fci: common causes may be hidden; ges, grasp, boss: the best BIC; lingam: noise that is not normal."


def _print(found: FileGraph, out: Path, *, as_json: bool) -> None:
    from personax.stages import graph_counts

    if as_json:
        notices = [asdict(notice) for notice in found.notices]
        columns = [asdict(column) for column in found.columns]
        graph = json.loads(found.graph.to_json())
        emit({"out": str(out), **graph_counts(found.graph), "columns": columns, "graph": graph, "notices": notices})
        return
    rows = ((c.name, c.kind, c.why if c.inferred else "given") for c in found.columns)
    table("Columns", ("name", "kind", "why"), rows)
    _show(found.graph)
    for notice in found.notices:
        say(f"note: {notice.text} ({notice.count})" if notice.count > 1 else f"note: {notice.text}")
    say(f"wrote {out}")


def _show(graph: Graph) -> None:
    """Print the edges, the most stable first."""
    from personax.data.edges import EDGES

    edges: Sequence[Edge] = sorted(graph.edges, key=lambda edge: -(edge.weight or 0))
    title = f"{graph.meaning} {graph.details['tests']:,} tests." if graph.details["tests"] else graph.meaning
    if len(edges) > _SHOWN:
        title += f" {_SHOWN} of {len(edges)} edges:"
    drawn = "bootstraps" in graph.details
    rows = ((e.source, EDGES[e.kind].symbol, e.target, *([f"{e.weight:.2f}"] if drawn else [])) for e in edges[:_SHOWN])
    table(title, ("", "", "", *(["share of draws"] if drawn else [])), rows)


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(
        epilog="Examples: personax discover my-study/study.yaml, "
        "personax discover people.csv --test kci --knowledge known.yaml --bootstraps 100 --jobs 4 --out discovery"
    )
    def discover(
        ctx: typer.Context,
        file: Annotated[Path, typer.Argument(help="A study file (.yaml), or a table: CSV, TSV, Parquet, JSON, JSONL.")],
        columns: Annotated[str | None, typer.Option(help="Columns, separated by commas; default: inferred.")] = None,
        test: Annotated[
            str | None, typer.Option(help=f"Of fisherz, {', '.join(registry.names('tests'))}; default: kci.")
        ] = None,
        algorithm: Annotated[str, typer.Option(help=_ALGORITHMS)] = "pc",
        alpha: Annotated[float | None, typer.Option(help="Level of each test; default: 0.01.")] = None,
        knowledge: Annotated[Path | None, typer.Option(help="YAML file: tiers, forbidden, required.")] = None,
        max_given: Annotated[int | None, typer.Option(min=0, help="Largest number of columns given; no limit.")] = None,
        bootstraps: Annotated[int, typer.Option(help="Draws of people, to see which edges come back.")] = 0,
        engine: EngineOption = None,
        jobs: JobsOption = None,
        seed: Annotated[int, typer.Option(min=0, help="Of the draws.")] = 0,
        missing: Annotated[str, typer.Option(help="Texts that mean missing, separated by commas.")] = "",
        strict: StrictOption = False,
        out: Annotated[Path, typer.Option(help="Folder for the results of a table.")] = Path("discovery"),
        folder: FolderOption = None,
        force: ForceOption = False,
        as_json: JsonOption = False,
    ) -> None:
        """Draw the causal graph of a study or of any table, by PC, FCI, or a score."""
        from personax.config import DiscoverSection, read_knowledge
        from personax.stages import discover_file

        if is_study(file):
            refuse_others(ctx, STUDY_OPTIONS, OF_STUDY.format("discover"))
            run_study(
                load_study(file, folder=folder), ["discover"], force=force, as_json=as_json, engine=engine, jobs=jobs
            )
            return
        refuse(ctx, ["folder", "force"], OF_TABLE)
        raw = {"algorithm": algorithm, "bootstraps": bootstraps}
        tested = {"test": test, "alpha": alpha, "max_given": max_given}
        raw |= {name: value for name, value in tested.items() if value is not None}
        if algorithm in ("pc", "fci"):
            raw.setdefault("test", "kci")
        known = read_knowledge(knowledge) if knowledge else None
        section = from_options(DiscoverSection, raw | {"knowledge": known})
        with kept_when_stopped(lambda: NOTHING_KEPT), parallel_config(engine, jobs), showing_progress() as progress:
            found = discover_file(
                file, section, out, columns=comma_separated(columns), missing=["", *missing.split(",")],
                strict=strict, seed=seed,
                progress=progress,
            )  # fmt: skip
        _print(found, out, as_json=as_json)
