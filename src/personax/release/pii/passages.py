"""Passages: words in a row that a private text and something that leaves share."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

from personax.data import words

__all__ = ["PASSAGE", "Passages"]

PASSAGE = 8
"""Words in a row that a private text and something that leaves must not share."""


class Passages:
    """Private texts, each of at least `PASSAGE` words."""

    def __init__(self, texts: Collection[str]) -> None:
        self._texts = texts

    def shared(self, texts: Collection[str]) -> set[str]:
        """Return those of the texts that share a passage with a private text.

        Examples
        --------
        >>> Passages(["one two three four five six seven eight"]).shared(["One, two (three) four five six seven eight"])
        {'One, two (three) four five six seven eight'}
        """
        owners: defaultdict[str, set[str]] = defaultdict(set)
        for text in texts if self._texts else ():
            for run in _runs(words(text)):
                owners[run].add(text)
        found: set[str] = set()
        if not owners:
            return found
        ends = {(run.split(" ", 1)[0], run.rsplit(" ", 1)[1]) for run in owners}
        for private in self._texts:
            for run in _runs(words(private), ends):
                found |= owners.get(run, set())
        return found


def _runs(words: Sequence[str], ends: Collection[tuple[str, str]] | None = None) -> Iterable[str]:
    for place in range(len(words) - PASSAGE + 1):
        if ends is None or (words[place], words[place + PASSAGE - 1]) in ends:
            yield " ".join(words[place : place + PASSAGE])
