"""personax answer: a request of somebody else, worked out on the originals; the answer leaves, the people do not."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from personax.cli.console import emit, say, showing_progress, table
from personax.cli.run import FolderOption, JsonOption
from personax.cli.trust import load_study

__all__ = ["register"]

_SHOWN = 20


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
        """Answer a request on the originals: p-values, effects, graphs and metrics leave, checked and logged."""
        with showing_progress() as progress:
            found = load_study(study, folder=folder).answer(request, out, requester=requester, progress=progress)
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
