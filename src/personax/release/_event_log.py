"""An append-only event log: one line of JSON an event, synced to disk at once, readable by its owner only."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from personax.errors import StudyError
from personax.files import make_private_folder, private_mode

__all__ = ["EventLog"]


class EventLog:
    """Events in the order in which they were written.

    Parameters
    ----------
    path
        The file; its folder is created with the first event. Writers hold the study's lock.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     log = EventLog(Path(folder) / "log.jsonl")
    ...     log.add({"event": "asked"})
    ...     log.events()
    [{'event': 'asked'}]
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def events(self) -> list[dict[str, Any]]:
        """Return all events; an incomplete last line, left by a killed process, is ignored.

        Raises
        ------
        StudyError
            Another line is invalid: without its log a study cannot tell what it has released.
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
            raise StudyError(f"{self.path} has an invalid line; restore the file from a backup")
        return found

    def add(self, event: Mapping[str, Any]) -> None:
        """Append an event; it is on the disk when this returns."""
        make_private_folder(self.path.parent)
        self._cut_half_line()
        handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, private_mode(self.path.parent))
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
