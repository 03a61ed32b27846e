"""What the kits of `personax.testing` share: whatever a part does, the check ends in one sentence of ours.

A kit states its demands through a `Demand`. Code of the part runs under a rule, so that an error of that code becomes a
`ConformanceError` that names the rule and what is expected; `kit` does the same for what no rule has foreseen.
"""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from types import FunctionType, ModuleType
from typing import Any, Final, ParamSpec

from personax import registry
from personax.errors import MissingExtraError
from personax.registry import Part, RegistryError

__all__ = ["ConformanceError", "Demand", "described", "kit", "registered"]

P = ParamSpec("P")

STRAY: Final = (Exception, SystemExit, CancelledError, GeneratorExit)
"""What code of others may raise; Ctrl-C is ours."""

ERROR_LENGTH: Final = 200
SENTENCE_LENGTH: Final = 700


class ConformanceError(AssertionError):
    """A part breaks a rule; the message is ``part: what is wrong; what is expected``."""


class Demand:
    """What a part is held to.

    Parameters
    ----------
    name
        Of the part, at the head of every message.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, holds: object, text: str) -> None:
        """Raise an error with a text unless something holds."""
        if not holds:
            raise self.error(text)

    def error(self, text: str) -> ConformanceError:
        """Return the error with a text, on one line."""
        return ConformanceError(_short(f"{self.name}: {text}", SENTENCE_LENGTH))

    @contextmanager
    def rule(self, rule: str, expected: str = "let it hold without an error") -> Iterator[None]:
        """Turn errors of the part's code into a sentence.

        Parameters
        ----------
        rule
            What the part is held to within the block.
        expected
            What its authors have to do.
        """
        try:
            yield
        except ConformanceError:
            raise
        except STRAY as error:
            raise self.error(f"under the rule '{rule}' it raises {raised(error)}; {expected}") from error

    def hold(self, rules: Mapping[str, Callable[[Any], None]], checked: Any) -> None:  # noqa: ANN401 - each kit has its own
        """Run checks in their order, each under the rule that is its key."""
        for rule, check in rules.items():
            with self.rule(rule):
                check(checked)


def kit(check: Callable[P, None]) -> Callable[P, None]:
    """Let a kit end well or in a `ConformanceError`, whatever it is given."""

    @wraps(check)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            check(*args, **kwargs)
        except (ConformanceError, MissingExtraError):
            raise
        except STRAY as error:
            given = ", ".join(described(one) for one in (*args, *kwargs.values()))
            name = getattr(check, "__name__", "kit")
            text = f"{name}: with {given or 'no arguments'} it ends in {raised(error)}; give what its page describes"
            raise ConformanceError(_short(text, SENTENCE_LENGTH)) from error

    return run


def registered(kind: str, name: object) -> tuple[Demand, Part, Any]:
    """Return the demands on a registered part, its declaration, and the part itself.

    Raises
    ------
    ConformanceError
        When that is no name, or the name of nothing that can be used.
    """
    noun = registry.KINDS[kind][0]
    if not isinstance(name, str):
        text = f"{described(name)} is given: it is no name; register the {noun} by"
        raise ConformanceError(f'{text} @register("{kind}", "a-name") and give that name')
    demand = Demand(name or repr(name))
    try:
        thing = registry.get(kind, name)
        return demand, registry.describe(kind, name), thing
    except RegistryError as error:
        raise demand.error(str(error)) from None


def described(thing: object) -> str:
    """Return what something is, without asking it anything."""
    if thing is None or isinstance(thing, bool | int | float | str):
        return _short(repr(thing), 60)
    for kind, noun in ((type, "the class"), (FunctionType, "the function"), (ModuleType, "the module")):
        if isinstance(thing, kind):
            return f"{noun} {thing.__name__}"
    return f"an object of the type {type(thing).__name__}"


def raised(error: BaseException) -> str:
    """Return type and message of an error, on one line."""
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - an error of others may not even be printable
        text = ""
    return f"{type(error).__name__} ({_short(text, ERROR_LENGTH)})" if text else type(error).__name__


def _short(text: str, length: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= length else f"{line[: length - 4]} ..."
