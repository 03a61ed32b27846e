"""What can be seen of a release without its study: one group of checks a file, all of them listed here."""

from collections.abc import Callable, Iterable, Sequence

from personax.release.checks._check import Check, CheckedRelease, Outcome, inspect_folder
from personax.release.checks._checksums import shape
from personax.release.checks._croissant import croissant
from personax.release.checks._documents import audited, papers
from personax.release.checks._tables import people, tables
from personax.release.checks._vectors import vectors

__all__ = ["CHECKS", "Check", "CheckedRelease", "Outcome", "inspect_folder"]

CHECKS: Sequence[Callable[[CheckedRelease], Iterable[Check]]] = (
    shape, tables, vectors, people, papers, croissant, audited
)  # fmt: skip
