"""Who holds a claim on requests, and whether that process still lives: by a lock and by heartbeats, never by a clock.

Clocks of two machines differ, and a process id means nothing in another container. An owner is a random id. As long as
it lives it holds a lock on a file beside the journal, which the kernel lets go when the process ends, whatever ends it;
who shares that kernel sees so at once. Whoever does not (another machine on a network disk) watches the owner's
heartbeat, a number in the journal, against a clock of their own: unchanged for `CLAIM_LEASE` seconds, it has stopped.
"""

from __future__ import annotations

import os
import re
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Final

try:
    import fcntl
except ImportError:  # Windows: heartbeats alone
    fcntl = None  # type: ignore[assignment]

__all__ = ["CLAIM_LEASE", "HEARTBEAT", "ClaimOwner", "ClaimWatch"]

CLAIM_LEASE: Final = 120
"""Seconds without a heartbeat after which a claim is taken over, where its owner's lock cannot be seen."""

HEARTBEAT: Final = CLAIM_LEASE / 4
"""Seconds between two heartbeats."""

LOOK: Final = 0.5
"""Seconds for which what was seen of a lock is believed."""

_OWNER: Final = re.compile(r"[0-9a-f]{32}:[0-9a-f-]*")
"""Random id, and the id of the kernel that it runs under; earlier versions wrote host and process id."""


def _kernel() -> str:
    """Return an id that all processes under one running kernel share, also those in containers; "" where unknown."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _lock_file(journal: Path, owner: str) -> Path:
    return journal.with_name(f"{journal.name}.{owner.partition(':')[0]}.claims")


class ClaimOwner:
    """A process as a holder of claims.

    Parameters
    ----------
    journal
        The file beside which the lock lies.
    """

    def __init__(self, journal: Path) -> None:
        self.name, self.beat = f"{uuid.uuid4().hex}:{_kernel()}", 0
        self._path = _lock_file(journal, self.name)
        self._lock: int | None = None
        if fcntl is not None:
            try:
                self._lock = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
                fcntl.flock(self._lock, fcntl.LOCK_EX)
            except OSError:  # a disk without locks, or a full one: others go by heartbeats
                self.close()
                self.name = f"{self.name.partition(':')[0]}:"

    def close(self) -> None:
        """Let the lock go; claims that are left are free."""
        if self._lock is not None:
            self._path.unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = None


class ClaimWatch:
    """What this process has seen of others' claims.

    Parameters
    ----------
    journal
        The file beside which locks lie.
    clock
        Seconds that never go back.

    Examples
    --------
    >>> now = [0.0]
    >>> watch = ClaimWatch(Path("journal.sqlite"), clock=lambda: now[0])
    >>> first = watch.is_over("elsewhere", 7)
    >>> now[0] = CLAIM_LEASE
    >>> first, watch.is_over("elsewhere", 8), watch.is_over("elsewhere", 8)
    (False, False, False)
    >>> now[0] = 2 * CLAIM_LEASE
    >>> watch.is_over("elsewhere", 8)
    True
    """

    def __init__(self, journal: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._journal, self._clock, self._kernel = journal, clock, _kernel()
        self._beats: dict[str, tuple[float, float]] = {}
        self._looked: dict[str, tuple[float, bool]] = {}

    def is_over(self, owner: str, beat: float) -> bool:
        """Say whether the owner of a claim has ended; ``beat`` is its heartbeat as the journal has it now."""
        now = self._clock()
        if self._shares_kernel(owner):
            looked = self._looked.get(owner)
            if looked is None or now - looked[0] >= LOOK:
                looked = self._looked[owner] = (now, self._is_unlocked(owner))
            return looked[1]
        seen = self._beats.get(owner)
        if seen is None or seen[0] != beat:
            self._beats[owner] = (beat, now)
            return False
        return now - seen[1] >= CLAIM_LEASE

    def _shares_kernel(self, owner: str) -> bool:
        kernel = owner.partition(":")[2]
        return fcntl is not None and kernel != "" and kernel == self._kernel and _OWNER.fullmatch(owner) is not None

    def _is_unlocked(self, owner: str) -> bool:
        path = _lock_file(self._journal, owner)
        try:
            lock = os.open(path, os.O_RDWR)
        except FileNotFoundError:
            return True  # it ended in order
        except OSError:
            return False
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        else:
            path.unlink(missing_ok=True)
            return True
        finally:
            os.close(lock)
