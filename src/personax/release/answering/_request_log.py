"""The log of requests: who asked what, what left, and whose data were in it, as hashes; the budget of requests.

A line of JSON an event, in a file that only the owner reads. The line ``asked`` is on the disk before anything is
computed: a process that is killed has spent a request and given no answer, never the other way round.

Two answers to one question, of which the second lacks three people, tell of these three what neither tells alone.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.data.text import fold
from personax.errors import StudyError
from personax.release._event_log import EventLog
from personax.release.keys._keystore import write_secret

__all__ = ["People", "Populations", "RequestLog", "RequestLogEntry", "hashes", "now", "population"]


Event = Literal["asked", "answered", "refused"]


@dataclass(frozen=True)
class RequestLogEntry:
    """One entry of the log.

    Parameters
    ----------
    event
        ``asked``, then ``answered`` or ``refused``.
    time
        UTC.
    requester, request, asked
        Who; the SHA-256 of the request file; its content.
    base, parts
        The population of everybody, and those of subgroups, by name.
    questions
        Question -> the populations that it was answered on.
    left
        File -> its SHA-256.
    suppressed
        What was suppressed, and why.
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


class RequestLog:
    """The log of a study.

    Parameters
    ----------
    path
        ``answers/log.jsonl`` of the study folder. Hold the folder's lock while you use it.
    """

    def __init__(self, path: Path) -> None:
        self.path, self._journal = path, EventLog(path)

    def entries(self) -> list[RequestLogEntry]:
        """Return all entries; an incomplete last line, left by a killed process, is ignored.

        Raises
        ------
        StudyError
            A line is no entry: without the log nobody can say what was answered.
        """
        try:
            return [RequestLogEntry(**event) for event in self._journal.events()]
        except TypeError:
            raise StudyError(f"{self.path} has an invalid line; restore the log from a backup") from None

    def add(self, entry: RequestLogEntry) -> None:
        """Append an entry; it is on the disk when this returns."""
        self._journal.add(asdict(entry))

    def spent(self, requester: str) -> int:
        """Return the number of requests of a requester; refused ones count, because a refusal discloses, too."""
        who = fold(requester)
        return sum(entry.event == "asked" and fold(entry.requester) == who for entry in self.entries())


def now() -> str:
    """Return the time of an entry."""
    return datetime.now(UTC).isoformat(timespec="seconds")


People = NDArray[np.uint64]
"""Hashes of ids, 8 bytes each; those of a population are sorted."""


def hashes(ids: pl.Series) -> People:
    """Return a hash of each id, in the order of the rows.

    Examples
    --------
    >>> a, b = hashes(pl.Series(["a", "b"])).tolist()
    >>> [b, a] == hashes(pl.Series(["b", "a"])).tolist()
    True
    """
    raw = b"".join(hashlib.sha256(str(one).encode()).digest()[:8] for one in ids)
    return np.frombuffer(raw, dtype="<u8").astype(np.uint64)


def population(people: People) -> People:
    """Return the people of an answer, given their hashes in any order."""
    return np.unique(people)


def name_of(people: People) -> str:
    """Return the name of a population: a hash of who is in it."""
    return hashlib.sha256(people.astype("<u8").tobytes()).hexdigest()[:16]


def differ_by_few(one: People, other: People, least: int) -> bool:
    """Say whether two populations differ by fewer than ``least`` people: what differencing would disclose."""
    if abs(len(one) - len(other)) >= least:
        return False
    apart = len(one) + len(other) - 2 * len(np.intersect1d(one, other, assume_unique=True))
    return 0 < apart < least


class Populations:
    """The populations of a study's answers, a file each, readable by the owner only.

    Parameters
    ----------
    root
        Their folder.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._read: dict[str, People] = {}

    def keep(self, people: People) -> str:
        """Write a population and return its name; one that is there already is not written again."""
        name = name_of(people)
        self._read[name] = people
        if not self._path(name).is_file():
            stream = io.BytesIO()
            np.save(stream, people, allow_pickle=False)
            write_secret(self._path(name), stream.getvalue())
        return name

    def get(self, name: str) -> People:
        """Return a saved population.

        Raises
        ------
        StudyError
            Its file is missing or was changed: without it nobody can say what an answer would tell.
        """
        if name not in self._read:
            try:
                found = np.load(self._path(name), allow_pickle=False)
            except (OSError, ValueError, EOFError):
                raise StudyError(f"{self._path(name)} is missing or damaged; restore it from a backup") from None
            if name_of(found) != name:
                raise StudyError(f"{self._path(name)} was changed; restore it from a backup")
            self._read[name] = found
        return self._read[name]

    def find_differencing(self, people: People, names: Iterable[str], least: int) -> str | None:
        """Return the first of these populations that differs from ``people`` by fewer than ``least``, if one does."""
        return next((name for name in names if differ_by_few(people, self.get(name), least)), None)

    def _path(self, name: str) -> Path:
        return self._root / f"{name}.npy"
