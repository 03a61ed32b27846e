"""personax wikidata: an extract of a dump, which answers in place of the live site; who bears a name in it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from personax.cli.console import emit, say, showing_progress, table
from personax.cli.run import EngineOption, JobsOption, JsonOption

__all__ = ["register"]

OutOption = Annotated[Path, typer.Option("--out", help="The folder of the extract; empty, or of an interrupted run.")]
DumpArgument = Annotated[
    Path,
    typer.Argument(help="latest-all.json.bz2 (or .gz, .zst, .json) of dumps.wikimedia.org, or a folder of entities."),
]
EXAMPLES = "Example: personax wikidata extract latest-all.json.bz2 --out wikidata-2026-11 --jobs 16"


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    group = typer.Typer(no_args_is_help=True, help="Wikidata without the live site.")
    app.add_typer(group, name="wikidata")

    @group.command(epilog=EXAMPLES)
    def extract(
        dump: DumpArgument,
        out: OutOption,
        engine: EngineOption = None,
        jobs: JobsOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Read a dump once, and keep its people; a run that is stopped goes on where it was."""
        from personax.engine import parallel_config
        from personax.sources.wikidata import extract_dump

        with showing_progress() as progress, parallel_config(engine, jobs):
            summary = extract_dump(dump, out, progress=progress)
        if as_json:
            emit(asdict(summary))
        else:
            say(f"{out}: {summary.people:,} people with {summary.names:,} names, {summary.items:,} items that they "
                f"refer to, of {summary.entities:,} entities")  # fmt: skip
            for notice in summary.notices:
                say(notice)
        if not summary.complete:
            raise typer.Exit(1)

    @group.command()
    def lookup(
        extract_folder: Annotated[Path, typer.Argument(metavar="EXTRACT", help="The folder of an extract.")],
        name: Annotated[list[str], typer.Argument(help="Names.")],
        as_json: JsonOption = False,
    ) -> None:
        """Print who bears a name, with what tells namesakes apart."""
        from personax.sources.wikidata import WikidataExtract

        found = WikidataExtract(extract_folder).candidates(name)
        if as_json:
            emit(found.to_dicts())
            return
        shown = ("id", "match", "label", "birth_year", "gender", "occupation_groups", "sitelinks")
        rows = [(name[row["query"]], *(_cell(row[column]) for column in shown)) for row in found.iter_rows(named=True)]
        table("", ("name", *shown), rows)


def _cell(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)
