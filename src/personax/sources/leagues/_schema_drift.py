"""What can go wrong with one person, and when so much is wrong that the site must have changed."""

from __future__ import annotations

from collections.abc import Sequence

from personax.errors import SourceChanged
from personax.sources._records import Failure, Record

__all__ = ["NO_NAME", "DriftCounter", "ExpectedColumns", "SeenPeople"]

MAX_CHANGED_SHARE = 0.1
"""Share of pages, or of rows of a list, that may have another shape before the source is given up."""

MIN_CHANGED, MIN_READ = 3, 50
"""Fewer odd ones are no changed site, unless they are all there is; and so many are read before the share counts."""

EXPECTED_AFTER = 20
"""After so many people, somebody must have had each column that the league promises."""

NO_NAME = "the name is missing or cannot be read"


class DriftCounter:
    """Counts odd pages or rows, and says when they are a changed site."""

    def __init__(self, source: str, what: str) -> None:
        self._source, self._what = source, what
        self._read = self._odd = 0
        self._last = ""

    def add_valid(self) -> None:
        """Count one as it should be."""
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
    """Sees whether the columns that a league promises come at all; a renamed key would else be silently missing."""

    def __init__(self, source: str, columns: Sequence[str]) -> None:
        self._source, self._open, self._seen = source, set(columns), 0

    def check(self, result: Record | Failure, sample: bytes | None) -> None:
        """Look at one more person; raise when a column has not come yet and should have."""
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
    """Who is listed already: a person may stand on two lists, but two people may not have one id."""

    def __init__(self) -> None:
        self._names: dict[str, object] = {}

    def conflict(self, listed: Record) -> bool | None:
        """Return None for somebody new, False for the same person again, True for another one with the same id."""
        name = listed.values.get("name")
        if listed.ref not in self._names:
            self._names[listed.ref] = name
            return None
        return self._names[listed.ref] != name
