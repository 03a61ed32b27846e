"""The command line: one thin file a command; each parses, calls the library and prints.

A command's file is imported when the command is called: ``personax --help`` reads a table of their names and nothing
of the library.
"""

from __future__ import annotations

import signal
import sys
import traceback

import typer

from personax import __version__
from personax.cli.lazy import QUIET, VERBOSE, LazyCommands, set_verbosity, verbosity
from personax.cli.signals import signals_raise, stop_code
from personax.errors import PersonaxError, TrustError

__all__ = ["app", "main"]

app = typer.Typer(
    name="personax",
    cls=LazyCommands,
    context_settings={"help_option_names": ["-h", "--help"]},
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback(epilog="Every command has --help with an example. Begin: personax demo, or personax report people.csv")
def _root(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Show the version."),
    quiet: bool = QUIET,
    verbose: bool = VERBOSE,
) -> None:
    """From public people to causal structure: what behaviour traits depend on, and what causes what."""
    set_verbosity(-1 if quiet else int(verbose))


STOPPED = 128 + signal.SIGINT
"""What typer makes of any KeyboardInterrupt."""

KEPT = "what was finished is kept; the same command goes on from there"


def main() -> None:
    """Run the command line.

    It exits with 0: done, 1: what the user can mend, 2: wrong usage, 3: not trusted, 130: Ctrl-C, 143: SIGTERM.
    """
    try:
        with signals_raise():
            app()
    except (PersonaxError, ModuleNotFoundError, OSError) as error:
        sys.exit(_told(error))
    except (KeyboardInterrupt, SystemExit) as end:
        if isinstance(end, SystemExit) and end.code != STOPPED:
            raise
        from personax.cli.console import fail

        code, text = stop_code(KEPT)
        fail(text)
        sys.exit(code)


def _told(error: Exception) -> int:
    """Say in one sentence what is wrong, and return the exit code; what is no mistake of the user is raised again."""
    from personax.cli.console import fail
    from personax.cli.options import UsageFault

    text, code = str(error), 2 if isinstance(error, UsageFault) else 3 if isinstance(error, TrustError) else 1
    if isinstance(error, ModuleNotFoundError) and not isinstance(error, PersonaxError):
        from personax.cli.doctor import extra_of

        extra = extra_of(error.name)  # where a package is used that nobody asked for by `require`
        if extra is None:
            raise error
        text = f'this needs the package {error.name}: pip install "personax[{extra}]"'
    elif isinstance(error, OSError) and not isinstance(error, PersonaxError):
        what = error.filename or "input or output"
        text = f"{what}: {error.strerror or error}; check the path, its rights and the disk"
    if verbosity() > 0:
        traceback.print_exception(error)
    fail(text)
    return code
