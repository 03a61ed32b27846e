"""personax report: the page of a study; what is missing of it is done first."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from personax.cli.console import emit, say
from personax.cli.options import refuse
from personax.cli.outputs import own_file
from personax.cli.run import FolderOption, ForceOption, JsonOption, StudyArgument, run_study
from personax.cli.trust import load_study
from personax.files import write_text
from personax.study import Study

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("report", epilog="Example: personax report my-study/study.yaml --out page.html")
    def report(
        ctx: typer.Context,
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
        refuse(ctx, ["force"], "with --out, which writes the page of what is there and computes nothing")
        own_file(out)
        write_text(out, Study.load(study, folder=folder).page())
        if as_json:
            emit({"report": str(out)})
        else:
            say(str(out))
