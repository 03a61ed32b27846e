"""personax answer: a request of somebody else, worked out on the originals; the answer leaves, the people do not."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from personax.cli.console import emit, say, table, watching
from personax.cli.run import FolderOption, JsonOption
from personax.errors import StudyError
from personax.study import Study

__all__ = ["register"]

_NEEDED = ("collect", "annotate", "embed")
_SHOWN = 20


def _refuse_stale(study: Study) -> None:
    """Refuse to answer from people that are not those of the study file."""
    for state in study.status():
        if state.stage in _NEEDED and state.state in ("stale", "missing"):
            text = f"the stage {state.stage} is {state.state} ({state.why}); personax run brings it up to date"
            raise StudyError(text)


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(
        epilog="Example: personax answer request.yaml --study my-study/study.yaml --out answers --requester 'A. Reader'"
    )
    def answer(
        request: Annotated[Path, typer.Argument(metavar="REQUEST", help="What is asked; see docs/answering.md.")],
        study: Annotated[Path, typer.Option(help="The study file, or a folder that holds study.yaml.")],
        out: Annotated[Path, typer.Option(help="The answer becomes a new folder in here.")] = Path("answers"),
        requester: Annotated[
            str | None, typer.Option(help="Who asks, as you know them. Default: what the request says.")
        ] = None,
        folder: FolderOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Answer a request on the originals: p-values, effects, graphs and metrics leave, checked, and are logged."""
        from personax.config import read_request
        from personax.files import sha256
        from personax.stages.answer import answer as work_out
        from personax.stages.base import Reader

        asked = read_request(request)
        loaded = Study.load(study, folder=folder)
        with loaded.folder.lock(), watching() as progress:
            _refuse_stale(loaded)
            progress.stage("answer")
            reader = Reader(loaded.plan, loaded.base, loaded.folder)
            found = work_out(reader, asked, sha256(request), out, requester=requester, progress=progress)
        if as_json:
            emit({"answer": str(found.folder), "files": list(found.files), "suppressed": list(found.suppressed),
                  "requests_left": found.left})  # fmt: skip
            return
        for one in found.treated:
            say(f"{one.column}: {one.how}")
        if found.suppressed:
            title = f"{len(found.suppressed)} things do not leave"
            table(title, ("what", "why"), ((one["what"], one["why"]) for one in found.suppressed[:_SHOWN]))
        if requester is None:
            say("note: who asks is the request's own word, and so is the budget; --requester says whom you know")
        say(f"answer: {found.folder} ({', '.join(found.files)}); {found.left} requests left")
