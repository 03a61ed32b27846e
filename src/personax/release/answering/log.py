"""The log of answers: who asked what and when, what left, what did not and why; and the budget of requests.

A line of JSON an event, in a file that only the owner reads. The line ``asked`` is on the disk before anything is
computed: a process that is killed has spent a request and given no answer, never the other way round.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from personax.data.text import fold
from personax.errors import StudyError
from personax.release.journal import Journal

__all__ = ["AnswerLog", "Entry", "now"]

Event = Literal["asked", "answered", "refused"]


@dataclass(frozen=True)
class Entry:
    """One line of the log.

    Parameters
    ----------
    event
        ``asked``, then ``answered`` or ``refused``.
    time
        UTC.
    requester, request, asked
        Who; the SHA-256 of the request file; what was asked.
    base, parts
        The population of everybody, and those of subgroups, by name.
    questions
        Question -> the populations that it was answered on.
    left
        File -> its SHA-256.
    suppressed
        What did not leave, and why.
    reason
        Why it was refused.
    """

    event: Event
    time: str
    requester: str
    request: str
    asked: Mapping[str, Any] = field(default_factory=dict)
    base: str = ""
    parts: Sequence[str] = ()
    questions: Mapping[str, Sequence[str]] = field(default_factory=dict)
    left: Mapping[str, str] = field(default_factory=dict)
    suppressed: Sequence[Mapping[str, str]] = ()
    reason: str = ""


class AnswerLog:
    """The log of a study.

    Parameters
    ----------
    path
        ``answers/log.jsonl`` of the study folder. Hold the folder's lock while you use it.
    """

    def __init__(self, path: Path) -> None:
        self.path, self._journal = path, Journal(path)

    def entries(self) -> list[Entry]:
        """Return all lines; a last line that was cut off by a kill is passed over.

        Raises
        ------
        StudyError
            A line is no entry: without the log nobody can say what was answered.
        """
        try:
            return [Entry(**event) for event in self._journal.events()]
        except TypeError:
            raise StudyError(f"{self.path} has a line that is no entry; put the log back from a copy") from None

    def add(self, entry: Entry) -> None:
        """Append an entry; it is on the disk when this returns."""
        self._journal.add(asdict(entry))

    def spent(self, requester: str) -> int:
        """Return how many requests of somebody were looked at; refused ones count, for a refusal tells too."""
        who = fold(requester)
        return sum(entry.event == "asked" and fold(entry.requester) == who for entry in self.entries())


def now() -> str:
    """Return the time of an entry."""
    return datetime.now(UTC).isoformat(timespec="seconds")
