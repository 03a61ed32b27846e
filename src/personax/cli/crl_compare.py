"""personax crl compare: runs of Level II side by side, on one page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from personax.cli.console import emit, say, table
from personax.cli.outputs import own_file
from personax.cli.run import JsonOption
from personax.errors import PlanError
from personax.files import write_text

if TYPE_CHECKING:
    from personax.crl import RunComparison

__all__ = ["register"]

EXAMPLE = "Example: personax crl compare latents bench/parts/0-pca.npz my-study --truth truth.csv --out compare.html"


def register(group: typer.Typer) -> None:
    """Add the command."""

    @group.command("compare", epilog=EXAMPLE)
    def compare(
        runs: Annotated[
            list[Path],
            typer.Argument(help="Results of crl data, studies, benchmarks or their parts, saved fits; two or more."),
        ],
        out: Annotated[Path, typer.Option(help="The page.")] = Path("compare.html"),
        truth: Annotated[
            Path | None, typer.Option(help="True latents by person id: npz, Parquet or CSV; see docs/crl.md.")
        ] = None,
        data: Annotated[Path | None, typer.Option(help="People whom saved fits encode.")] = None,
        modalities: Annotated[Path | None, typer.Option(help="YAML of their measurements, as of crl data.")] = None,
        title: Annotated[str, typer.Option(help="Heading of the page.")] = "Runs of Level II",
        as_json: JsonOption = False,
    ) -> None:
        """Put methods, seeds, graphs, latents and traversals of several runs side by side."""
        from personax.config import read_modalities
        from personax.crl import compare_runs
        from personax.embed import read_measurements
        from personax.report import render_comparison
        from personax.stages import read_known_latents, read_runs

        if (data is None) != (modalities is None):
            raise PlanError("--data and --modalities say together whom saved fits encode; give both or neither")
        people = None
        if data is not None and modalities is not None:
            people = read_measurements(data, read_modalities(modalities).measurements)
        own_file(out)
        read = [run for path in runs for run in read_runs(path, people)]
        found = compare_runs(read, None if truth is None else read_known_latents(truth))
        write_text(out, render_comparison(found, title=title))
        if as_json:
            emit({"out": str(out), **found.facts()})
            return
        _show(found)
        say(f"wrote {out}")


def _show(found: RunComparison) -> None:
    rows = [(p.one, p.other, f"{p.people:,}", f"{p.mcc:.3f}", _edges(p.edges)) for p in found.pairs]
    table("Matched latents, mean absolute Spearman", ("run", "other", "people", "MCC", "edges"), rows)
    if found.apart:
        one, other = found.apart[0]
        more = f", and {len(found.apart) - 1} more pairs" if len(found.apart) > 1 else ""
        say(f"no people in common: {one} and {other}{more}")
    if found.scores:
        scores = [
            (row["run"], f"{row['r2']:.3f}", f"{row['mcc_pearson']:.3f}", f"{row['floor']:.3f}",
             "" if row["wrong_edges"] is None else str(row["wrong_edges"]))
            for row in found.scores
        ]  # fmt: skip
        table("Against the truth", ("run", "R2", "MCC", "floor", "edges wrong"), scores)


def _edges(rows: list[dict[str, object]]) -> str:
    verdicts = [str(row["verdict"]) for row in rows]
    agreed, opposite = verdicts.count("agreed"), verdicts.count("opposite")
    one = len(verdicts) - agreed - opposite
    return f"{agreed} agreed, {opposite} opposite, {one} in one only" if rows else ""
