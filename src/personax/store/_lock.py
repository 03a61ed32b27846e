"""One process at a time in a study folder; and in words why there can be none."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import filelock

from personax.errors import PersonaxError, StudyError
from personax.files import write_text
from personax.store._modes import modes_of

__all__ = ["HOLDER", "LOCK", "held", "holder", "is_held", "telling_of_a_full_disk"]

LOCK: Final = ".lock"
HOLDER: Final = ".lock.json"
"""Who works in the folder, while somebody does."""


@contextlib.contextmanager
def held(root: Path) -> Iterator[None]:
    """Hold a folder for this process; it is made where it is not there.

    Raises
    ------
    StudyError
        Another process holds it, or it cannot be written or locked.
    """
    lock = filelock.FileLock(root / LOCK, timeout=0, mode=modes_of(root).file)
    try:
        root.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except filelock.Timeout:
        raise StudyError(f"another personax works in {root}{holder(root)}; wait until it ends") from None
    except (OSError, NotImplementedError) as error:
        raise StudyError(_why_not(root, error)) from None
    try:
        with telling_of_a_full_disk(root):
            write_text(root / HOLDER, json.dumps({"process": os.getpid(), "host": platform.node()}))
        yield
    finally:
        with contextlib.suppress(OSError):
            (root / HOLDER).unlink()
        lock.release()


def is_held(root: Path) -> bool:
    """Say whether another process holds a folder; nothing is written."""
    if not (root / LOCK).is_file() or not os.access(root / LOCK, os.R_OK | os.W_OK):
        return False
    lock = filelock.FileLock(root / LOCK, timeout=0, mode=modes_of(root).file)
    with contextlib.suppress(OSError, NotImplementedError):
        try:
            lock.acquire()
        except filelock.Timeout:
            return True
        lock.release()
    return False


def holder(root: Path) -> str:
    """Return in words who said last that they work in a folder."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        told = json.loads((root / HOLDER).read_text(encoding="utf-8"))
        return f" (process {int(told['process'])} on {str(told['host'])[:80]})"
    return ""


def _why_not(root: Path, error: Exception) -> str:
    number = getattr(error, "errno", None)
    if number in (errno.EROFS, errno.EACCES, errno.EPERM):
        return (
            f"{root} cannot be written ({os.strerror(number)}); what is finished can be read with personax status and"
            " personax report --out; to go on, copy the study to a disk of your own, or see personax doctor"
        )
    if number in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk of {root} is full; free some space and run it again"
    if number in (errno.EEXIST, errno.ENOTDIR):
        return f"{root} or what it lies in is a file; choose another folder"
    told = getattr(error, "strerror", None) or str(error)
    return f"{root} cannot be locked ({told}); its disk may not know locks: work on a local disk"


_FULL: Final = {errno.ENOSPC, errno.EDQUOT}
_FULL_WORDS: Final = ("No space left on device", "disk is full", "Disk quota exceeded", "os error 28")


@contextlib.contextmanager
def telling_of_a_full_disk(root: Path) -> Iterator[None]:
    """Turn whatever a library makes of a full disk into one sentence."""
    try:
        yield
    except PersonaxError:
        raise
    except Exception as error:
        if _is_full(error):
            text = f"the disk of {root} is full; what was finished is kept: free some space and run it again"
            raise StudyError(text) from None
        raise


def _is_full(error: BaseException | None) -> bool:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if getattr(error, "errno", None) in _FULL or any(words in str(error) for words in _FULL_WORDS):
            return True
        error = error.__cause__ or error.__context__
    return False
