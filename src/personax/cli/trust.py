"""personax trust: what a study needs beyond its folder, and whether its user allows that."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from personax.cli.console import emit, say
from personax.cli.options import refuse
from personax.errors import TrustError

if TYPE_CHECKING:
    from personax.config import Permissions
    from personax.study import Study

__all__ = ["load_study", "register"]


def load_study(path: Path, *, folder: Path | None = None) -> Study:
    """Load a study that is about to be worked on; one that came from elsewhere is asked about, where somebody is there.

    Raises
    ------
    TrustError
        When it is not allowed, or nobody is there to ask.
    """
    from personax.study import Study  # late: the help of a command that takes a study needs none

    study = Study.load(path, folder=folder)
    try:
        study.check_trust()
    except TrustError:
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            raise
        _ask(study, study.permissions, [])
    return study


def _ask(study: Study, needed: Permissions, variables: list[str]) -> None:
    """Show the lines, and record a yes; of a variable with another name, the name has to be typed."""
    say("This study file needs, beyond its own folder:")
    for line in needed.lines():
        say(f"  {line}")
    for name in sorted(set(needed.unusual_variables) - set(variables)):
        if typer.prompt(f"The value of {name} can leave this machine. Type its name to allow that", default="") != name:
            raise TrustError(f"{name} was not allowed, nothing was read or sent; take it out of the study file")
        variables.append(name)
    if not typer.confirm("Allow this, from now on?"):
        raise TrustError("the study was not allowed, nothing was read or sent; take out of its file what is unwanted")
    study.trust(variables=variables)


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(epilog="Example: personax trust their-study/study.yaml")
    def trust(
        ctx: typer.Context,
        study: Annotated[Path, typer.Argument(help="The study file, or a folder that holds study.yaml.")],
        folder: Annotated[Path | None, typer.Option(help="The study folder.")] = None,
        yes: Annotated[bool, typer.Option("--yes", help="Allow what is listed, without a question.")] = False,
        variable: Annotated[
            list[str] | None, typer.Option(help="An environment variable of another name that may be sent.")
        ] = None,
        as_json: Annotated[bool, typer.Option("--json", help="Print the list as JSON, and ask nothing.")] = False,
    ) -> None:
        """List what a study needs beyond its folder (hosts, variables, files, what is sent), and allow it."""
        if as_json and not yes:
            refuse(ctx, ["variable"], "with --json, which asks nothing; add --yes to allow it")
        from personax.study import Study
        from personax.trust import TRUSTED

        loaded = Study.load(study, folder=folder)
        needed = loaded.permissions
        if loaded.remote and not as_json:
            say(f"{loaded.remote.permission()} (the bucket is your own choice, and not asked about)")
        if yes:
            loaded.trust(variables=variable or [])
        if as_json:
            emit({"lines": needed.lines(), "digest": needed.digest, "trusted": loaded.is_trusted})
        elif not needed.lines():
            say("it needs nothing beyond its own folder: there is nothing to allow")
        elif yes or loaded.is_trusted:
            for line in needed.lines():
                say(line)
            say(f"allowed; where it runs elsewhere, set {TRUSTED}={needed.digest}")
        elif sys.stdin.isatty() and sys.stdout.isatty():
            _ask(loaded, needed, variable or [])
        else:
            for line in needed.lines():
                say(line)
            raise TrustError(f"not allowed yet; read the lines, then: personax trust {study} --yes")
