"""What can be seen of a release without its study: one group of checks a file, all of them listed here."""

from collections.abc import Callable, Iterable, Sequence

from personax.release.checks.audit import audited
from personax.release.checks.check import Check, Outcome, Release, look
from personax.release.checks.croissant import croissant
from personax.release.checks.papers import papers
from personax.release.checks.people import people
from personax.release.checks.shape import shape
from personax.release.checks.tables import tables
from personax.release.checks.vectors import vectors

__all__ = ["CHECKS", "Check", "Outcome", "Release", "look"]

CHECKS: Sequence[Callable[[Release], Iterable[Check]]] = (
    shape, tables, vectors, people, papers, croissant, audited
)  # fmt: skip
