"""personax waves: the waves of a study, what changed between them, and how traits moved."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import typer

from personax.cli.console import emit, say, table
from personax.cli.run import FolderOption, JsonOption, StudyArgument
from personax.cli.trust import load_study

if TYPE_CHECKING:
    import polars as pl

    from personax.stages import Reader

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("waves")
    def command(study: StudyArgument, folder: FolderOption = None, as_json: JsonOption = False) -> None:
        """List the waves of a study: who came, went and changed; with waves: all, how traits moved."""
        from personax.stages import kept_waves

        reader = load_study(study, folder=folder).reader
        kept = kept_waves(reader)
        changes, drift = _changes(reader), _drift(reader)
        if as_json:
            emit({"earlier": [asdict(one) for one in kept], "changes": changes.to_dicts(), "drift": drift.to_dicts()})
            return
        if not kept:
            say("there is one wave; collect again when the people have changed (--refresh asks the sites again)")
            return
        table("Earlier waves, in people/waves", ("wave", "collected", "people"), (
            (str(one.wave), one.collected, f"{one.people:,}") for one in kept
        ))  # fmt: skip
        table("Changes, by wave; people/changes.parquet names people", changes.columns, (
            tuple("" if cell is None else f"{cell}" for cell in row) for row in changes.iter_rows()
        ))  # fmt: skip
        if drift.height:
            table("Scores, in the people of both waves", drift.columns, (_cells(row) for row in drift.iter_rows()))


def _changes(reader: Reader) -> pl.DataFrame:
    """Return how many people are concerned by each kind of change in each wave."""
    import polars as pl

    if reader.folder.output("people", "changes.parquet") is None:
        return pl.DataFrame(schema={"wave": pl.Int64, "change": pl.String, "column": pl.String, "people": pl.UInt32})
    found = reader.frame("people", "changes.parquet")
    return found.group_by("wave", "change", "column").agg(people=pl.len()).sort("wave", "change", "column")


def _drift(reader: Reader) -> pl.DataFrame:
    import polars as pl

    from personax.stages import trait_drift

    scores = reader.final_scores()
    people = reader.frame("people", "people.parquet") if reader.folder.output("people", "people.parquet") else None
    if scores is None or people is None or "wave" not in people.columns:
        return pl.DataFrame()
    names = [name for name in scores.names if name.startswith("final_")]
    return trait_drift(people, scores.frame, names)


def _cells(row: tuple[Any, ...]) -> tuple[str, ...]:
    return tuple(f"{cell:.3g}" if isinstance(cell, float) else str(cell) for cell in row)
