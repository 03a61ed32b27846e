"""personax embed: the vectors of a study."""

from __future__ import annotations

import typer

from personax.cli.run import EngineOption, FolderOption, ForceOption, JobsOption, JsonOption, StudyArgument, run_study
from personax.cli.trust import load_study

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(epilog="Example: personax embed my-study/study.yaml")
    def embed(
        study: StudyArgument,
        folder: FolderOption = None,
        force: ForceOption = False,
        as_json: JsonOption = False,
        engine: EngineOption = None,
        jobs: JobsOption = None,
    ) -> None:
        """Turn texts and images into vectors."""
        loaded = load_study(study, folder=folder)
        run_study(loaded, ["embed"], force=force, as_json=as_json, engine=engine, jobs=jobs)
