"""personax embed, report ...: bring one stage up to date, with the stages that it needs."""

from __future__ import annotations

import typer

from personax.cli.run import FolderOption, ForceOption, JsonOption, StudyArgument, run_study
from personax.cli.trust import load_study
from personax.stages import STAGES, Stage

__all__ = ["register"]

_WITH_OWN_COMMAND = {"collect", "annotate", "release", "crl", "independence", "discover"}


def register(app: typer.Typer) -> None:
    """Add one command a stage."""
    for stage in STAGES:
        if stage.name not in _WITH_OWN_COMMAND:
            _register(app, stage)


def _register(app: typer.Typer, stage: Stage) -> None:
    summary = (stage.run.__doc__ or stage.name).splitlines()[0]

    @app.command(stage.name, help=summary, epilog=f"Example: personax {stage.name} my-study/study.yaml")
    def command(
        study: StudyArgument, folder: FolderOption = None, force: ForceOption = False, as_json: JsonOption = False
    ) -> None:
        run_study(load_study(study, folder=folder), [stage.name], force=force, as_json=as_json)
