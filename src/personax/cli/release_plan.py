"""personax release plan: what would become of every column, as lines for the study file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from personax.cli.console import emit, say
from personax.cli.run import FolderOption, JsonOption, StudyArgument
from personax.errors import StudyError
from personax.study import Study

if TYPE_CHECKING:
    from personax.release import ColumnPlan

__all__ = ["add_plan"]

PLAN = "Examples: personax release plan study.yaml   |   personax release plan study.yaml > columns.yaml"


def add_plan(group: typer.Typer) -> None:
    """Add the command."""

    @group.command("plan", epilog=PLAN)
    def plan(study: StudyArgument, folder: FolderOption = None, as_json: JsonOption = False) -> None:
        """Print for every column its identity class, why, and what would happen to it, as YAML to paste."""
        found = _proposal(Study.load(study, folder=folder))
        if as_json:
            emit({"columns": [one.to_dict() for one in found.columns], "private": list(found.private),
                  "fault": found.fault})  # fmt: skip
        else:
            say(str(found))


def _proposal(study: Study) -> ColumnPlan:
    from personax.config import Release
    from personax.release import ReleaseInput, ReleaseSettings, plan_columns
    from personax.stages.base import Reader
    from personax.stages.release import settings_of

    reader = Reader(study.plan, study.base, study.folder)
    if not study.folder.path("people", "columns.json").is_file():
        raise StudyError(f"{study.folder.root} has no people yet; personax collect {study.plan.name!r} first")
    traits = study.folder.path("traits", "traits.parquet")
    data = ReleaseInput(
        study.plan.name,
        reader.people(),
        reader.frame("traits", "traits.parquet") if study.plan.annotate and traits.is_file() else None,
    )
    settings = settings_of(reader) if isinstance(study.plan.release, Release) else ReleaseSettings()
    return plan_columns(data, settings)
