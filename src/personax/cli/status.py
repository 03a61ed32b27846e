"""personax status: which stages are done, stale or missing."""

from __future__ import annotations

from dataclasses import asdict

import typer

from personax.cli.console import emit, fail, table
from personax.cli.run import FolderOption, JsonOption, StudyArgument
from personax.study import Study

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(epilog="Example: personax status my-study/study.yaml")
    def status(study: StudyArgument, folder: FolderOption = None, as_json: JsonOption = False) -> None:
        """Show which stages are done, stale or missing, and why."""
        loaded = Study.load(study, folder=folder, allow_missing=True)
        states = loaded.status()
        if as_json:
            emit([asdict(state) for state in states])
        else:
            table("", ("stage", "state", "why"), ((s.stage, s.state, s.why) for s in states))
        for sentence in loaded.missing:
            fail(sentence)
        if loaded.missing:
            raise typer.Exit(1)
