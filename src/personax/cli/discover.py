"""personax discover: the causal graph of a study, or of anybody's table with no study at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import numpy as np
import polars as pl
import typer
from pydantic import ValidationError

from personax.cli.console import emit, say, table, watching
from personax.cli.run import FolderOption, ForceOption, JsonOption, perform
from personax.columns import infer_columns
from personax.config import Discover, read_background, search_tests
from personax.data.edges import EDGES
from personax.data.table import Table
from personax.errors import InputError, PlanError
from personax.files import sha256
from personax.schema import Edge, Graph
from personax.sources import read_table
from personax.stages.discover import DISCOVER, count, find_causes, knowledge_of, told, write_graph
from personax.store import Manifest, StudyFolder
from personax.strict import nearest
from personax.study import Study

__all__ = ["register"]

_SHOWN = 30


def _section(test: str, algorithm: str, alpha: float, bootstraps: int, knowledge: Path | None) -> Discover:
    raw = {"test": test, "algorithm": algorithm, "alpha": alpha, "bootstraps": bootstraps}
    try:
        return Discover.model_validate(raw | {"knowledge": read_background(knowledge) if knowledge else None})
    except ValidationError as error:
        first = error.errors()[0]
        raise PlanError(f"--{first['loc'][0]}: {first['msg']}") from None


def _chosen(people: pl.DataFrame, named: str | None) -> Table:
    """Return the columns to search over: those named, or all that are features or targets."""
    table = Table(people, infer_columns(people))
    if named is None:
        return table.select(column.name for column in table.columns if column.role in ("feature", "target"))
    known = {column.name: column for column in table.columns}
    names = list(dict.fromkeys(name.strip() for name in named.split(",") if name.strip()))
    for name in names:
        if name not in known:
            raise PlanError(f"--columns: there is no column {name}; {nearest(name, list(known))}")
        if known[name].role == "embedding":
            raise PlanError(f"--columns: {name} holds vectors; name columns of numbers or text")
    return table.select(names)


def _on_table(
    file: Path, columns: str | None, section: Discover, jobs: int, seed: int, missing: str, out: Path, *, as_json: bool
) -> None:
    people = read_table(file, {}, missing=missing.split(",")).people
    chosen = _chosen(people, columns)
    if len(chosen.names) < 2:
        raise InputError(f"{file}: a causal graph needs at least two columns; name them with --columns")
    folder, rng = StudyFolder(out), np.random.default_rng(seed)
    with folder.lock(), folder.staging(DISCOVER.name) as staged, watching() as progress:
        progress.stage("discover")
        known = knowledge_of(section.knowledge)
        graph, shares = find_causes(chosen, section, known, rng, progress, jobs=jobs)
        notices = [*write_graph(graph, staged.path), *told(graph, chosen.frame)]
        if shares is not None:
            shares.write_csv(staged.path("stability.csv"))
        plan = section.model_dump(mode="json", exclude={"over"}) | {"columns": chosen.names}
        inputs = {file.name: sha256(file)}
        said = [asdict(notice) for notice in notices]
        staged.commit(Manifest(DISCOVER.name, DISCOVER.revision, seed, plan, inputs, counts=count(graph), notices=said))
    if as_json:
        emit({"out": str(out), **count(graph), "notices": said})
        return
    rows = ((c.name, c.kind, c.why if c.inferred else "given") for c in chosen.columns)
    table("Columns", ("name", "kind", "why"), rows)
    _show(graph)
    for notice in notices:
        say(f"note: {notice.text} ({notice.count})" if notice.count > 1 else f"note: {notice.text}")
    say(f"wrote {out}")


def _show(graph: Graph) -> None:
    """Print the edges, the most stable first."""
    edges: Sequence[Edge] = sorted(graph.edges, key=lambda edge: -(edge.weight or 0))
    title = f"{graph.meaning} {graph.details['tests']:,} tests."
    if len(edges) > _SHOWN:
        title += f" {_SHOWN} of {len(edges)} edges:"
    drawn = "bootstraps" in graph.details
    rows = ((e.source, EDGES[e.kind].symbol, e.target, *([f"{e.weight:.2f}"] if drawn else [])) for e in edges[:_SHOWN])
    table(title, ("", "", "", *(["share of draws"] if drawn else [])), rows)


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(
        epilog="Examples: personax discover my-study/study.yaml, "
        "personax discover people.csv --test kci --knowledge known.yaml --bootstraps 100 --jobs 4 --out results"
    )
    def discover(
        file: Annotated[Path, typer.Argument(help="A study file (.yaml), or a table: CSV, TSV, Parquet, JSON, JSONL.")],
        columns: Annotated[str | None, typer.Option(help="Columns, separated by commas; default: inferred.")] = None,
        test: Annotated[str, typer.Option(help=f"Of {', '.join(search_tests())}.")] = "kci",
        algorithm: Annotated[str, typer.Option(help="pc, or fci: common causes may be hidden.")] = "pc",
        alpha: Annotated[float, typer.Option(help="Level of each test.")] = 0.01,
        knowledge: Annotated[Path | None, typer.Option(help="YAML file: tiers, forbidden, required.")] = None,
        bootstraps: Annotated[int, typer.Option(help="Draws of people, to see which edges come back.")] = 0,
        jobs: Annotated[int, typer.Option(min=1, help="Processes for the draws.")] = 1,
        seed: Annotated[int, typer.Option(min=0, help="Of the draws.")] = 0,
        missing: Annotated[str, typer.Option(help="Texts that mean missing, separated by commas.")] = "",
        out: Annotated[Path, typer.Option(help="Folder for the results of a table.")] = Path("results"),
        folder: FolderOption = None,
        force: ForceOption = False,
        as_json: JsonOption = False,
    ) -> None:
        """Draw the causal graph of a study or of any table, by PC or FCI."""
        if file.suffix in (".yaml", ".yml") or (file / "study.yaml").is_file():
            perform(Study.load(file, folder=folder), ["discover"], force=force, as_json=as_json)
            return
        section = _section(test, algorithm, alpha, bootstraps, knowledge)
        _on_table(file, columns, section, jobs, seed, missing, out, as_json=as_json)
