"""personax explore: a study in the browser of this machine."""

from __future__ import annotations

import secrets
import sys
import webbrowser
from typing import Annotated

import typer

from personax.cli.console import emit, say
from personax.cli.run import FolderOption, JsonOption, StudyArgument
from personax.cli.signals import kept_when_stopped
from personax.cli.trust import load_study
from personax.errors import require

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(epilog="Examples: personax explore my-study; personax explore my-study --private --port 8765")
    def explore(
        study: StudyArgument,
        folder: FolderOption = None,
        port: Annotated[int, typer.Option(min=0, max=65535, help="A port of this machine; 0: any free one.")] = 0,
        private: Annotated[
            bool, typer.Option("--private", help="Show names, addresses, texts and free text of replies, too.")
        ] = False,
        browser: Annotated[bool, typer.Option(help="Open the browser, where somebody is at a terminal.")] = True,
        as_json: JsonOption = False,
    ) -> None:
        """Look at a study in the browser: people, tests, the audit, latents; nothing is written or sent."""
        require("starlette", extra="explore")
        require("uvicorn", extra="explore")
        from personax.explorer import AccessGuard, ExploredStudy, listening_socket, make_application, serve
        from personax.stages import JOURNAL

        loaded = load_study(study, folder=folder)
        shown = ExploredStudy(
            loaded.folder, title=loaded.plan.name, journal=loaded.folder.path(*JOURNAL), private=private,
            seed=loaded.plan.seed,
        )  # fmt: skip
        token = secrets.token_urlsafe(24)
        with listening_socket(port) as listening:
            given = listening.getsockname()[1]
            hosts = [f"127.0.0.1:{given}", f"localhost:{given}"]
            address = f"http://127.0.0.1:{given}/?token={token}"
            told = f"{loaded.plan.name}: {address}\nOnly this machine can open it; Ctrl-C ends it."
            emit({"address": address, "port": given}) if as_json else say(told)
            sys.stdout.flush()
            if browser and sys.stdout.isatty():
                webbrowser.open(address)
            with kept_when_stopped(lambda: "the pages are served no longer, and nothing was changed"):
                serve(AccessGuard(make_application(shown), token=token, hosts=hosts), listening)
