"""The command line: one thin file a command; each parses, calls the library and prints."""

from __future__ import annotations

import signal
import sys

import typer

from personax import __version__
from personax.cli import (
    analyse,
    annotate,
    answer,
    calibrate,
    collect,
    compare,
    crl,
    demo,
    discover,
    doctor,
    falsify,
    independence,
    init,
    journal,
    look,
    parts,
    release,
    run,
    stage,
    status,
    traits,
    trust,
    waves,
    wikidata,
)
from personax.cli.console import fail
from personax.cli.signals import signals_raise, stop_code
from personax.errors import PersonaxError, TrustError

__all__ = ["app", "main"]

app = typer.Typer(
    name="personax",
    help="From public people to causal structure: what behaviour traits depend on, and what causes what.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode="rich",
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Show the version."),
) -> None:
    """From public people to causal structure."""


demo.register(app)
analyse.register(app)
init.register(app)
look.register(app)
run.register(app)
status.register(app)
stage.register(app)
compare.register(app)
release.register(app)
answer.register(app)
collect.register(app)
annotate.register(app)
independence.register(app)
calibrate.register(app)
discover.register(app)
falsify.register(app)
crl.register(app)
traits.register(app)
journal.register(app)
doctor.register(app)
parts.register(app)
waves.register(app)
wikidata.register(app)
trust.register(app)


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
    except PersonaxError as error:
        fail(str(error))
        sys.exit(3 if isinstance(error, TrustError) else 1)
    except ModuleNotFoundError as error:  # where a package is used that nobody asked for by `require`
        extra = doctor.extra_of(error.name)
        if extra is None:
            raise
        fail(f'this needs the package {error.name}: pip install "personax[{extra}]"')
        sys.exit(1)
    except OSError as error:
        fail(
            f"{error.filename or 'input or output'}: {error.strerror or error}; check the path, its rights and the disk"
        )
        sys.exit(1)
    except (KeyboardInterrupt, SystemExit) as end:
        if isinstance(end, SystemExit) and end.code != STOPPED:
            raise
        code, text = stop_code(KEPT)
        fail(text)
        sys.exit(code)
