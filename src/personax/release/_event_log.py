"""A journal: one line of JSON an event, on the disk before anything follows from it, readable by its owner only."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from personax.errors import StudyError

__all__ = ["EventLog"]


class EventLog:
    """Events in the order in which they were written.

    Parameters
    ----------
    path
        The file; its folder is made when the first event is written. Whoever writes holds the study's lock.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     journal = EventLog(Path(folder) / "log.jsonl")
    ...     journal.add({"event": "asked"})
    ...     journal.events()
    [{'event': 'asked'}]
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def events(self) -> list[dict[str, Any]]:
        """Return all events; a last line that a kill has cut off is passed over.

        Raises
        ------
        StudyError
            Another line is none: without its journal a study cannot say what it has given away.
        """
        if not self.path.is_file():
            return []
        lines = self.path.read_text(encoding="utf-8").split("\n")[
            :-1
        ]  # after the last line end: nothing, or half a line
        try:
            found = [json.loads(line) for line in lines if line]
        except ValueError:
            found = [None]
        if not all(isinstance(one, dict) for one in found):
            raise StudyError(f"{self.path} has a line that is no entry; put the file back from a copy")
        return found

    def add(self, event: Mapping[str, Any]) -> None:
        """Append an event; it is on the disk when this returns."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._cut_half_line()
        handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(json.dumps(event, ensure_ascii=False) + "\n")
            stream.flush()
            os.fsync(stream.fileno())

    def _cut_half_line(self) -> None:
        if not self.path.is_file():
            return
        raw = self.path.read_bytes()
        if raw and not raw.endswith(b"\n"):
            with self.path.open("r+b") as stream:
                stream.truncate(raw.rfind(b"\n") + 1)
