"""personax embed, report ...: bring one stage up to date, with the stages that it needs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from personax.cli.console import emit, say
from personax.cli.run import EngineOption, FolderOption, ForceOption, JobsOption, JsonOption, StudyArgument, run_study
from personax.cli.trust import load_study
from personax.files import write_text
from personax.stages import STAGES, Stage
from personax.study import Study

__all__ = ["register"]

_WITH_OWN_COMMAND = {"collect", "annotate", "release", "crl", "independence", "discover", "report"}


def register(app: typer.Typer) -> None:
    """Add one command a stage."""
    for stage in STAGES:
        if stage.name not in _WITH_OWN_COMMAND:
            _register(app, stage)
    _register_report(app)


def _register_report(app: typer.Typer) -> None:
    """Write a page from the study folder; with ``--out`` elsewhere, of a study that need not be writable."""

    @app.command("report", epilog="Example: personax report my-study/study.yaml --out page.html")
    def report(
        study: StudyArgument,
        folder: FolderOption = None,
        force: ForceOption = False,
        out: Annotated[
            Path | None, typer.Option(help="Write the page of what is there to this file; nothing is computed.")
        ] = None,
        as_json: JsonOption = False,
    ) -> None:
        """Write one page that opens from disk."""
        if out is None:
            run_study(load_study(study, folder=folder), ["report"], force=force, as_json=as_json)
            return
        write_text(out, Study.load(study, folder=folder).page())
        if as_json:
            emit({"report": str(out)})
        else:
            say(str(out))


def _register(app: typer.Typer, stage: Stage) -> None:
    summary = (stage.run.__doc__ or stage.name).splitlines()[0]

    @app.command(stage.name, help=summary, epilog=f"Example: personax {stage.name} my-study/study.yaml")
    def command(
        study: StudyArgument,
        folder: FolderOption = None,
        force: ForceOption = False,
        as_json: JsonOption = False,
        engine: EngineOption = None,
        jobs: JobsOption = None,
    ) -> None:
        run_study(
            load_study(study, folder=folder), [stage.name], force=force, as_json=as_json, engine=engine, jobs=jobs
        )
