"""personax falsify: do the data speak against a causal graph that somebody gives."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from personax import registry
from personax.cli.console import emit, say, showing_progress, table
from personax.cli.run import JsonOption
from personax.cli.signals import NOTHING_KEPT, kept_when_stopped

if TYPE_CHECKING:
    from personax.discovery import Falsification

__all__ = ["register"]

FALSIFIED = 3
"""Exit code of a graph that the data speak against; 1 is that of a file that cannot be used."""

_SHOWN = 20


def _print(found: Falsification, out: Path, *, as_json: bool) -> None:
    if as_json:
        emit(
            {
                "out": str(out), "sentence": found.sentence, "falsified": found.falsified,
                "violations": found.violations, "as_few": found.as_few, "equivalent": found.equivalent,
                "implications": found.to_frame().to_dicts(),
            }
        )  # fmt: skip
        return
    violated = (one for one in found.implications if one.violated)
    wrong = sorted(violated, key=lambda one: (not one.independent, one.p_value))
    rows = ((one.x, one.y, ", ".join(one.given), one.says, f"{one.p_value:.2g}") for one in wrong[:_SHOWN])
    title = f"{len(wrong)} of {len(found.implications)} things that the graph says, which the data do not bear out"
    if wrong:
        table(title, ("", "", "given", "the graph says", "p"), rows)
    if len(wrong) > _SHOWN:
        say(f"{_SHOWN} of {len(wrong)} are shown; implications.csv holds all")
    say(found.sentence)
    say(f"wrote {out}")


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(epilog="Example: personax falsify graph.txt people.csv --test kci --out falsification")
    def falsify(
        graph: Annotated[Path, typer.Argument(help="graph.json, or a text with one a -> b a line.")],
        file: Annotated[Path, typer.Argument(help="A table: CSV, TSV, Parquet, JSON, JSONL.")],
        test: Annotated[str, typer.Option(help=f"Of fisherz, {', '.join(registry.names('tests'))}.")] = "kci",
        alpha: Annotated[float, typer.Option(min=1e-6, max=0.5, help="Level.")] = 0.05,
        permutations: Annotated[int, typer.Option(min=20, help="Graphs with permuted names, to compare with.")] = 200,
        seed: Annotated[int, typer.Option(min=0, help="Of the permutations.")] = 0,
        missing: Annotated[str, typer.Option(help="Texts that mean missing, separated by commas.")] = "",
        out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("falsification"),
        as_json: JsonOption = False,
    ) -> None:
        """Test a causal graph of yours on a table; ends with 3 where it is falsified."""
        from personax.stages import falsify_file

        with kept_when_stopped(lambda: NOTHING_KEPT), showing_progress() as progress:
            found = falsify_file(
                graph, file, out, test=test, alpha=alpha, permutations=permutations, seed=seed,
                missing=["", *missing.split(",")], progress=progress,
            )  # fmt: skip
        _print(found, out, as_json=as_json)
        if found.falsified:
            raise typer.Exit(FALSIFIED)
