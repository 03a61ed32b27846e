"""personax status: which stages are done, stale or missing."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from personax.cli.console import emit, fail, remark, table
from personax.cli.run import FolderOption, JsonOption, StudyArgument

if TYPE_CHECKING:
    from personax.study import StageCost

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(epilog="Example: personax status my-study/study.yaml")
    def status(study: StudyArgument, folder: FolderOption = None, as_json: JsonOption = False) -> None:
        """Show which stages are done, stale or missing and why, how long each took and what it left."""
        from personax.study import Study  # late: help needs none

        loaded = Study.load(study, folder=folder, allow_missing=True)
        states, costs = loaded.status(), loaded.costs()
        if as_json:
            known = {name: asdict(cost) for name, cost in costs.items()}
            emit([{**asdict(state), **known.get(state.stage, {})} for state in states])
        else:
            header = ("stage", "state", "seconds", "MB", "why")
            table("", header, ((s.stage, s.state, *_cost(costs.get(s.stage)), s.why) for s in states))
        for note in loaded.remote.notes if loaded.remote else ():
            remark(note)
        if not loaded.missing and not loaded.is_trusted:
            remark(f"not allowed yet, so it cannot run: personax trust {study} lists what it needs beyond its folder")
        for sentence in loaded.missing:
            fail(sentence)
        if loaded.missing:
            raise typer.Exit(1)


def _cost(cost: StageCost | None) -> tuple[str, str]:
    """Return seconds and megabytes as the table writes them."""
    return (f"{cost.seconds:,.1f}", f"{cost.bytes / 1e6:,.1f}") if cost else ("", "")
