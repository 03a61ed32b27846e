"""Groups of commands whose first word may be left out: ``personax crl study.yaml`` means ``crl study study.yaml``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from typer.core import TyperGroup

__all__ = ["group_with_default"]


def group_with_default(meant: Callable[[Sequence[str]], str]) -> type[TyperGroup]:
    """Return a group whose first argument, when it is no command, is given to the command that is meant.

    Parameters
    ----------
    meant
        Arguments -> the name of a command.
    """

    class Group(TyperGroup):
        """What is no command is an argument of one."""

        def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # noqa: ANN401 - typer hides its types
            """Put the command before a first argument that is none."""
            return super().resolve_command(ctx, args if args[0] in self.commands else [meant(args), *args])

    return Group
