"""personax look: how a table is read, what its columns seem to be, and a study file to start from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from personax.cli.console import emit, say, table
from personax.cli.run import JsonOption, StrictOption
from personax.errors import StudyError
from personax.files import write_text

if TYPE_CHECKING:
    from personax.sources import TableProposal

__all__ = ["register"]

SHOWN = 80
"""So many columns at most are listed."""


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(
        epilog="Examples: personax look people.csv; personax look survey.sav --write my-study/study.yaml; "
        "personax look book.xlsx --table Sheet2"
    )
    def look(
        file: Annotated[
            Path, typer.Argument(help="A table: CSV, Excel, SPSS, Stata, SAS, R, SQLite, Parquet, JSON ...")
        ],
        write: Annotated[
            Path | None, typer.Option("--write", help="Write the study file here; it must not be there yet.")
        ] = None,
        preset: Annotated[
            str | None, typer.Option("--preset", help="Take it for a known table: lahman, qualtrics, prolific ...")
        ] = None,
        sheet: Annotated[
            str | None, typer.Option("--table", help="Which sheet, table or object of a file with several.")
        ] = None,
        separator: Annotated[str | None, typer.Option(help="Of a text table.")] = None,
        encoding: Annotated[str | None, typer.Option(help="Of a text file.")] = None,
        strict: StrictOption = False,
        as_json: JsonOption = False,
    ) -> None:
        """Tell how a table is read and what is open, and propose the study file."""
        from personax.sources import GuessedReading, propose_table
        from personax.study import Study

        if write is not None and write.exists():
            raise StudyError(f"{write} exists already; edit it, or choose another name")
        found = propose_table(file, preset=preset, table=sheet, separator=separator, encoding=encoding)
        if as_json:
            emit(found.to_json())
        else:
            _show(found)
        if write is not None:
            write_text(write, found.text(write.absolute().parent))
            Study.load(write).trust()
        if not as_json:
            say(f"wrote {write}; edit it, then: personax run {write}" if write else _hint(file))
        asked = [where for where, status, *_ in found.reading.open_points() if status == "question"]
        if strict and asked:
            raise GuessedReading(f"{file}: {len(asked)} questions are open ({', '.join(asked[:5])}); see above")


def _hint(file: Path) -> str:
    return f"personax look {file} --write my-study/study.yaml writes this as a study"


def _show(found: TableProposal) -> None:
    about = found.reading
    known = f", {found.preset}" if found.preset else ""
    say(f"{about.file}: {about.rows:,} people, {about.format}{known}")
    for fact in about.facts:
        say(f"  {fact.what}: {fact.value}" + (f" ({fact.status}: {fact.why})" if fact.why else ""))
    rows = (
        (one.name, one.reading.header, one.column.role, one.reading.read_as if one.column.role == "private" else
         f"{one.column.kind}{f' {one.column.unit}' if one.column.unit else ''}", one.summary, "; ".join(one.examples),
         one.reading.why or one.column.why)
        for one in found.columns[:SHOWN]
    )  # fmt: skip
    table("", ("column", "in the file", "role", "as", "values", "such as", "why"), rows)
    if len(found.columns) > SHOWN:
        say(f"and {len(found.columns) - SHOWN} more columns; --json has all")
    for one in found.columns:
        if one.reading.question:
            say(f"question: {one.name}: {one.reading.question}")
