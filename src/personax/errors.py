"""Every error that a person can mend.

::

    PersonaxError
    ├── PlanError            study.yaml: unknown key, wrong type, newer version; names file, line, key
    ├── InputError           a file or table that cannot be used as it is
    │   └── TooManyBadCells  more bad cells than the plan allows
    ├── SourceError          a source of people on the web
    │   ├── FetchError       a page could not be had: refused, too slow, too large, not allowed
    │   └── SourceChanged    a page has another shape than this version reads; names what was looked for
    ├── TrustError           a study needs what its user has not allowed yet; see `personax trust`
    ├── StudyError           the study folder: locked, missing or unreadable stage output
    │   └── UnknownResult    a stage or a table that the study does not have; a KeyError too
    ├── MissingExtraError    an optional package is not installed; names the line that installs it
    └── ComputationError     a computation that has no honest answer on these data
        └── UntestableError  an independence test that cannot run (constant column, too few rows ...)
            ├── DeterminedError  what is given determines a variable, so that nothing of it is left to test
            └── UndecidedError   no regression on what is given can be relied on with so few rows

A message is one sentence: what, where, what to do. The command line prints it without a traceback and exits with 1,
with 3 for a TrustError.
A stage that meets an `UntestableError` in one cell stores its text as the reason why the cell is missing.
"""

from __future__ import annotations

import importlib
from types import ModuleType

__all__ = [
    "ComputationError",
    "DeterminedError",
    "FetchError",
    "InputError",
    "MissingExtraError",
    "PersonaxError",
    "PlanError",
    "SourceChanged",
    "SourceError",
    "StudyError",
    "TooManyBadCells",
    "TrustError",
    "UndecidedError",
    "UnknownResult",
    "UntestableError",
    "missing_extra",
    "require",
]


class PersonaxError(Exception):
    """Base of every error that the person who runs personax can mend."""


class PlanError(PersonaxError):
    """study.yaml says something that cannot be done."""


class InputError(PersonaxError):
    """An input file or table cannot be used as it is."""


class TooManyBadCells(InputError):
    """More cells of a column are bad than the plan allows."""


class SourceError(PersonaxError):
    """A source of people on the web gives nothing that can be used."""


class FetchError(SourceError):
    """A page could not be had."""


class SourceChanged(SourceError):
    """A page has another shape than this version reads.

    Parameters
    ----------
    sample
        The page's bytes where they are at hand, for whoever keeps a sample of it; never part of the text.
    """

    def __init__(self, text: str, *, sample: bytes | None = None) -> None:
        super().__init__(text)
        self.sample = sample


class StudyError(PersonaxError):
    """The study folder is locked, incomplete or unreadable."""


class UnknownResult(StudyError, KeyError):
    """A study has no results of this name; the nearest one is in the message."""

    def __str__(self) -> str:
        return str(self.args[0])  # a KeyError shows its text in quotes


class TrustError(PersonaxError):
    """A study file needs hosts, variables or files that this user has not allowed yet."""


class MissingExtraError(PersonaxError, ImportError):
    """An optional package is needed and not installed."""


class ComputationError(PersonaxError):
    """A computation has no honest answer on these data."""


class UntestableError(ComputationError):
    """An independence test cannot run on these data; the text is the reason."""


class DeterminedError(UntestableError):
    """What is given determines a variable, ``x`` or ``y``: nothing of it is left to test."""

    def __init__(self, message: str, variable: str) -> None:
        super().__init__(message)
        self.variable = variable

    def __reduce__(self) -> tuple[type[DeterminedError], tuple[str, str]]:
        return type(self), (str(self), self.variable)


class UndecidedError(UntestableError):
    """No regression on what is given can be relied on: the test abstains, where it would otherwise have rejected."""


def require(module: str, *, extra: str) -> ModuleType:
    """Import an optional module, or say the one line that installs it.

    Parameters
    ----------
    module
        Dotted module name, for example ``"torch"``.
    extra
        The personax extra that brings it, for example ``"crl"``.

    Raises
    ------
    MissingExtraError
        When the module cannot be imported.

    Examples
    --------
    >>> require("math", extra="none").sqrt(4)
    2.0
    >>> require("no_such_module", extra="crl")
    Traceback (most recent call last):
        ...
    personax.errors.MissingExtraError: this needs the package no_such_module: pip install "personax[crl]"
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise MissingExtraError(missing_extra(module, extra)) from error


def missing_extra(module: str, extra: str) -> str:
    """Return the sentence that says which package is needed and how it is installed."""
    return f'this needs the package {module.split(".")[0]}: pip install "personax[{extra}]"'
