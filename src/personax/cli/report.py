"""personax report: the page of a study, or of any table; what is missing of it is done first."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from personax.cli.console import emit, say
from personax.cli.options import refuse, refuse_others
from personax.cli.outputs import own_file
from personax.cli.run import (
    FolderOption,
    ForceOption,
    JsonOption,
    comma_separated,
    is_study,
    run_study,
)
from personax.cli.trust import load_study
from personax.errors import InputError, StudyError
from personax.files import write_text

__all__ = ["register"]

FILE_ENDINGS = {".csv", ".tsv", ".parquet", ".json", ".jsonl", ".ndjson", ".xlsx", ".xls", ".sav"}
"""Of files that are meant as tables, whether they can be read or not."""

_MADE = "# Made by personax report; every setting can be changed, then: personax run {}\n"


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(
        epilog="Examples: personax report my-study/study.yaml --out page.html, "
        "personax report people.csv --targets mood,final_o"
    )
    def report(
        ctx: typer.Context,
        study: Annotated[
            Path, typer.Argument(help="A study file or folder, or a table: CSV, TSV, Parquet, JSON, JSONL.")
        ],
        folder: FolderOption = None,
        force: ForceOption = False,
        out: Annotated[
            Path | None, typer.Option(help="Write the page of what is there to this file; nothing is computed.")
        ] = None,
        features: Annotated[
            str | None, typer.Option(help="Of a table: columns, separated by commas; all others by default.")
        ] = None,
        targets: Annotated[
            str | None, typer.Option(help="Of a table: what the others are tested against; trait scores by default.")
        ] = None,
        missing: Annotated[str, typer.Option(help="Of a table: texts that mean missing, separated by commas.")] = "",
        as_json: JsonOption = False,
    ) -> None:
        """Write one page that opens from disk."""
        from personax.study import Study

        if study.suffix.lower() in FILE_ENDINGS and not study.exists():
            raise InputError(f"there is no file {study}; check the path, or name a study")
        if not is_study(study) and study.is_file():
            refuse(ctx, ["out"], "to a table; the page is in the folder that is made, which --folder names")
            settings = _settings(study, comma_separated(features), comma_separated(targets), missing.split(","))
            study = _write_study(study, folder, settings)
        else:
            refuse(ctx, ["features", "targets", "missing"], "to a study, whose study.yaml says it")
        if out is None:
            run_study(load_study(study, folder=folder), ["report"], force=force, as_json=as_json)
            return
        refuse_others(ctx, ["out"], "with --out, which writes the page of what is there and computes nothing")
        own_file(out)
        write_text(out, Study.load(study, folder=folder).page())
        if as_json:
            emit({"report": str(out)})
        else:
            say(str(out))


def _settings(table: Path, features: list[str] | None, targets: list[str] | None, missing: list[str]) -> dict[str, Any]:
    """Return the study that a table makes by itself.

    Raises
    ------
    InputError
        No such column; nothing that the others could be tested against.
    """
    from personax.sources import ColumnSpec, private_headers, read_table
    from personax.strict import nearest

    read = read_table(table, {}, missing=missing)
    private = private_headers([one.header for one in read.ledger.files[0].columns])
    hidden = {name: ColumnSpec(role="private") for name in private}
    if private:
        read = read_table(table, hidden, missing=missing)
    columns = read.columns
    known = [column.name for column in columns]
    for option, names in (("features", features), ("targets", targets)):
        for name in names or ():
            if name not in known:
                raise InputError(f"--{option}: {table} has no column {name}; {nearest(name, known)}")
    if targets is None and not any(column.role == "target" for column in columns):
        some = [
            one.name for one in columns if one.role == "feature" and read.people[one.name].drop_nulls().n_unique() > 1
        ]
        raise InputError(
            f"{table} has no trait scores; say what the others may go with by --targets: {', '.join(some)}"
        )
    section: dict[str, Any] = {"tests": ["auto"]}
    if targets is not None:
        usable = [column.name for column in columns if column.role in ("feature", "target")]
        section |= {"targets": targets, "features": features or [name for name in usable if name not in targets]}
    elif features is not None:
        section["features"] = features
    collect: dict[str, Any] = {"source": "table", "path": str(table.resolve()), "missing": missing}
    if private:
        collect["columns"] = {name: {"role": "private"} for name in private}
    return {"version": 1, "name": table.stem, "seed": 0, "collect": collect, "independence": section}


def _write_study(table: Path, folder: Path | None, settings: dict[str, Any]) -> Path:
    """Write the study of a table into a folder of its own, and return its file.

    Raises
    ------
    StudyError
        The folder holds something else.
    """
    import yaml

    from personax.study import Study

    place = folder or Path(f"{table.stem}-report")
    path = place / "study.yaml"
    made = _MADE.format(path)
    if place.exists() and not place.is_dir():
        raise StudyError(f"{place} is a file; give another folder by --folder")
    others = place.is_dir() and any(place.iterdir())
    if others and not (path.is_file() and path.read_text(encoding="utf-8").startswith(made[: made.index(";")])):
        raise StudyError(f"{place} holds other files, and stays as it is; give another folder by --folder")
    write_text(path, made + yaml.safe_dump(settings, sort_keys=False, allow_unicode=True))
    Study.load(path, folder=folder).trust()  # it reads the table that was named just now, and nothing else
    return path
