"""Schema drift: when so many pages or rows have another shape that the site must have changed."""

from __future__ import annotations

from collections.abc import Sequence

from personax.errors import SourceChanged
from personax.sources._records import Failure, Record

__all__ = ["NO_NAME", "DriftCounter", "ExpectedColumns", "SeenPeople"]

MAX_CHANGED_SHARE = 0.1
"""Share of pages, or of rows of a list, that may have another shape before the source ends."""

MIN_CHANGED, MIN_READ = 3, 50
"""Number that must have changed, unless all have; and number that is read before the share counts."""

EXPECTED_AFTER = 20
"""Number of people after which each expected column must have occurred."""

NO_NAME = "the name is missing or cannot be read"


class DriftCounter:
    """Counts pages or rows of another shape, and raises when they are a changed site."""

    def __init__(self, source: str, what: str) -> None:
        self._source, self._what = source, what
        self._read = self._odd = 0
        self._last = ""

    def add_valid(self) -> None:
        """Count one of the expected shape."""
        self._read += 1

    def add_changed(self, reason: str, sample: bytes | None) -> None:
        """Count one of another shape; raise when they are too many."""
        self._read, self._odd, self._last = self._read + 1, self._odd + 1, reason
        if self._odd > MAX_CHANGED_SHARE * max(self._read, MIN_READ):
            self._give_up(sample)

    def finish(self, sample: bytes | None = None) -> None:
        """Raise when they were too many of the few there are."""
        too_many = self._odd >= MIN_CHANGED and self._odd > MAX_CHANGED_SHARE * self._read
        if self._odd and (too_many or self._odd == self._read):
            self._give_up(sample)

    def _give_up(self, sample: bytes | None) -> None:
        counted = f"{self._odd} of {self._read} {self._what}"
        text = f"{self._source}: {counted} have another shape than this version reads: {self._last}"
        raise SourceChanged(text, sample=sample)


class ExpectedColumns:
    """Checks that the columns that a league always has occur; a renamed key would otherwise be missing silently."""

    def __init__(self, source: str, columns: Sequence[str]) -> None:
        self._source, self._open, self._seen = source, set(columns), 0

    def check(self, result: Record | Failure, sample: bytes | None) -> None:
        """Count one more person; raise when an expected column has not occurred by then."""
        record = result.list_record if isinstance(result, Failure) and result.reason == NO_NAME else result
        if not isinstance(record, Record):
            return
        self._seen += 1
        self._open -= {*record.values, *(cell.column for cell in record.bad)}
        if "birth_year" in record.values:
            self._open.discard("birth_date")
        if self._seen >= EXPECTED_AFTER and self._open:
            missing = ", ".join(sorted(self._open))
            counted = f"nobody of {self._seen} people has {missing}"
            text = f"{self._source}: {counted}; the site has renamed it, look for a newer version of personax"
            raise SourceChanged(text, sample=sample)


class SeenPeople:
    """People listed so far: a person may stand on two lists, but two people may not have one id."""

    def __init__(self) -> None:
        self._names: dict[str, object] = {}

    def conflict(self, listed: Record) -> bool | None:
        """Return None for a new person, False for the same person again, True for another one with the same id."""
        name = listed.values.get("name")
        if listed.ref not in self._names:
            self._names[listed.ref] = name
            return None
        return self._names[listed.ref] != name
