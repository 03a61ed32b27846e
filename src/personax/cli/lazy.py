"""Commands that are imported when they are called; options that every command has."""

from __future__ import annotations

from importlib import import_module
from typing import Annotated, Any, cast

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command, get_group

__all__ = ["COMMANDS", "QUIET", "VERBOSE", "LazyCommands", "set_verbosity", "verbosity"]

COMMANDS = {
    "Begin": {
        "demo": "Run a whole study on invented people, whose true causes are known, and write its report.",
        "init": "Begin a study: write a commented study.yaml.",
        "look": "Tell how a table is read and what is open, and propose the study file.",
        "doctor": "Tell what is installed and what each missing piece would give; or what is wrong with a study.",
        "parts": "List the registered parts: what can be named in a study, and which package brings it.",
    },
    "A study": {
        "run": "Do all that the study file asks and that is not done yet.",
        "status": "Show which stages are done, stale or missing and why, how long each took and what it left.",
        "collect": "Collect people from where the study file says.",
        "waves": "List the waves of a study: who came, went and changed; with waves: all, how traits moved.",
        "wikidata": "Wikidata without the live site.",
        "annotate": "Rate people's traits, or score their answers; one score a trait.",
        "embed": "Turn texts and images into vectors.",
        "traits": "Choose LLMs and prompts, and check traits against people.",
        "explore": "Look at a study in the browser: people, tests, the audit, latents; nothing is written or sent.",
        "notebook": "Write a Jupyter notebook that opens a study.",
        "journal": "What LLMs said, as the journal of a study has it.",
        "trust": "List what a study needs beyond its folder (hosts, variables, files, what is sent), and allow it.",
    },
    "A study, or any table": {
        "independence": "Level I: test every feature against every trait, in a study or in any table.",
        "calibrate": "Level I: say how often the tests reject where there is nothing to find, on data like these.",
        "discover": "Draw the causal graph of a study or of any table, by PC, FCI, or a score.",
        "falsify": "Test a causal graph of yours on a table; ends with 3 where it is falsified.",
        "crl": "Level II: latent causes of a study, of embeddings, or (benchmark) of people whose latents are known.",
        "report": "Write one page that opens from disk.",
        "compare": "Put studies that differ in LLM, prompt, people or seed side by side: which findings hold.",
    },
    "What leaves, and what others published": {
        "release": "Build what may leave, attack it, verify one that somebody made, go back with the key.",
        "answer": "Answer a request on the originals: p-values, effects, graphs and metrics leave, checked and logged.",
        "analyse": "Analyse a release by one command: Level I, Level II and the report, in a study folder of its own.",
    },
}
"""Panel of the help -> command -> the first line of its help. The file of a command has its name."""

_HELP = {name: (panel, text) for panel, commands in COMMANDS.items() for name, text in commands.items()}


class _Verbosity:
    """What --quiet and --verbose ask for: -1, 0 or 1."""

    level = 0


def verbosity() -> int:
    """Return -1 where only results and errors are wanted, 1 where everything is, else 0."""
    return _Verbosity.level


def set_verbosity(level: int) -> None:
    """Say how much is to be shown: -1, 0 or 1."""
    _Verbosity.level = level


QUIET = typer.Option(False, "--quiet", "-q", help="No progress and no remarks: results and errors alone.")
VERBOSE = typer.Option(False, "--verbose", "-v", help="Every step of progress, and the traceback of an error.")


def _quiet(given: bool) -> None:
    if given:
        set_verbosity(-1)


def _verbose(given: bool) -> None:
    if given:
        set_verbosity(1)


def _with_verbosity(command: TyperCommand | TyperGroup) -> None:
    """Give a command, and all of a group, the options of every command."""
    if isinstance(command, TyperGroup):
        for one in command.commands.values():
            _with_verbosity(cast("TyperCommand | TyperGroup", one))
        return
    made = typer.Typer(add_completion=False)

    @made.command()
    def _every(
        quiet: Annotated[
            bool, typer.Option("--quiet", "-q", callback=_quiet, expose_value=False, help=QUIET.help)
        ] = False,
        verbose: Annotated[
            bool, typer.Option("--verbose", "-v", callback=_verbose, expose_value=False, help=VERBOSE.help)
        ] = False,
    ) -> None:
        """Hold the options of every command."""

    command.params.extend(get_command(made).params)


class LazyCommands(TyperGroup):
    """The commands of `COMMANDS`: their names and help lines at once, their files when they are called."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401 - typer hides its types
        """Return all names, in the order of the help."""
        return list(_HELP)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401 - typer hides its types
        """Return a command as far as it is there: before it is called, its name and help line."""
        if cmd_name not in _HELP or cmd_name in self.commands:
            return self.commands.get(cmd_name)
        panel, text = _HELP[cmd_name]
        return TyperCommand(cmd_name, callback=None, help=text, rich_help_panel=panel)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # noqa: ANN401 - typer hides its types
        """Import the command that is called."""
        self.load(args[0])
        return super().resolve_command(ctx, args)

    def load(self, name: str) -> None:
        """Import the file of a command, if there is one of this name and it is not there yet."""
        if name not in _HELP:
            self.commands.update({one: self.get_command(None, one) for one in _HELP if one not in self.commands})
        elif name not in self.commands:
            made = typer.Typer(rich_markup_mode="rich")
            import_module(f"personax.cli.{name}").register(made)
            self.commands[name] = get_group(made).commands[name]
            _with_verbosity(cast("TyperCommand | TyperGroup", self.commands[name]))
