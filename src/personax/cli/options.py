"""Options that do not apply: an error, never ignored."""

from __future__ import annotations

from collections.abc import Collection

import typer

from personax.errors import InputError

__all__ = ["UsageFault", "given", "refuse", "refuse_others"]

_ALWAYS = {"as_json", "folder", "quiet", "verbose"}
"""What every form of a command takes."""


class UsageFault(InputError):
    """Wrong usage that only the command itself can see; the program exits with 2."""


def given(ctx: typer.Context) -> dict[str, str]:
    """Return parameter -> its option, of all options that stand on the command line."""
    found = {}
    for param in ctx.command.params:
        source = ctx.get_parameter_source(param.name) if param.name else None
        if param.name and param.param_type_name == "option" and source is not None and source.name == "COMMANDLINE":
            off = ctx.params.get(param.name) is False and param.secondary_opts
            found[param.name] = max(param.secondary_opts if off else param.opts, key=len)
    return found


def refuse(ctx: typer.Context, names: Collection[str], why: str) -> None:
    """Refuse options that do not apply.

    Parameters
    ----------
    ctx
        The context of the command.
    names
        Parameters of its function.
    why
        Ends the sentence: "--draws does not apply", then this.

    Raises
    ------
    UsageFault
        One of them stands on the command line.
    """
    wrong = [option for name, option in given(ctx).items() if name in names]
    if wrong:
        listed = ", ".join(wrong[:-1]) + " and " * (len(wrong) > 1) + wrong[-1]
        raise UsageFault(f"{listed} {'does' if len(wrong) == 1 else 'do'} not apply {why}")


def refuse_others(ctx: typer.Context, names: Collection[str], why: str) -> None:
    """Refuse all options but those that apply; `refuse` says how. ``--json``, ``--folder`` and the like always do."""
    refuse(ctx, set(given(ctx)) - set(names) - _ALWAYS, why)
