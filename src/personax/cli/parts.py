"""personax parts: the registered tests, methods, transforms and so on, of personax and of other packages."""

from __future__ import annotations

from typing import Annotated

import typer

from personax import registry
from personax.cli.console import emit, say, table
from personax.cli.run import JsonOption

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(epilog="Examples: personax parts, personax parts tests")
    def parts(
        kind: Annotated[str | None, typer.Argument(help=f"Of {', '.join(registry.KINDS)}; all by default.")] = None,
        as_json: JsonOption = False,
    ) -> None:
        """List the registered parts: what can be named in a study, and which package brings it."""
        found = [part for one in ([kind] if kind else registry.KINDS) for part in registry.parts(one)]
        if as_json:
            shown = ("kind", "name", "title", "help", "package", "fault")
            emit([{word: getattr(part, word) for word in shown} for part in found])
            return
        table("", ("kind", "name", "what", "package"), ((p.kind, p.name, p.help, p.package) for p in found))
        for fault in registry.faults():
            say(f"note: {fault}")
