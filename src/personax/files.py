"""Files: their hash, writing them so that nobody ever sees half of one, and databases of SQLite."""

from __future__ import annotations

import hashlib
import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

__all__ = ["is_on_local_disk", "open_sqlite", "sha256", "write_text", "written_aside"]

BUSY_TIMEOUT: Final = 60
"""Seconds to wait for the lock of another process's transaction."""

REMOTE: Final = {"9p", "afs", "beegfs", "ceph", "cifs", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs4", "prl_fs",
                 "smb3", "smbfs", "vboxsf", "virtiofs"}  # fmt: skip
"""File systems, as mount tables call them, that machines share; so are those of ``fuse.`` (sshfs, rclone, gcsfuse)."""


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, or of a folder's file names and their hashes.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "a"
    ...     _ = file.write_text("")
    ...     sha256(file)[:12]
    'e3b0c44298fc'
    """
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.is_file())
        listed = "".join(f"{file.relative_to(path).as_posix()} {sha256(file)}\n" for file in files)
        return hashlib.sha256(listed.encode()).hexdigest()
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_text(path: Path, text: str) -> None:
    """Write a file aside and rename it into place."""
    with written_aside(path) as aside:
        aside.write_text(text, encoding="utf-8")


@contextmanager
def written_aside(path: Path) -> Iterator[Path]:
    """Yield a place beside a file to write to; it takes the file's place at the end, unless an error comes before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield aside
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def open_sqlite(path: Path, *, durable: bool, any_thread: bool = False) -> sqlite3.Connection:
    """Open or make a database that only its owner may read; transactions are begun explicitly.

    A write-ahead log (WAL) needs memory that all processes share, which a disk of several machines does not have: there
    the database has a rollback journal, which is slower, and relies on the locks of files alone.

    Parameters
    ----------
    path
        Its folder is made too.
    durable
        Whether a commit is on disk when it returns; else a power cut may cost the last ones.
    any_thread
        Whether another thread than this one may use the connection, one at a time.

    Raises
    ------
    OSError
        When the file cannot be made.
    sqlite3.Error
        When it is no database, or another process keeps it locked for a minute.

    References
    ----------
    https://www.sqlite.org/wal.html (section 1: WAL does not work over a network file system)

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     db = open_sqlite(Path(folder) / "a.sqlite", durable=True)
    ...     db.close()
    ...     oct((Path(folder) / "a.sqlite").stat().st_mode & 0o777) if os.name == "posix" else "0o600"
    '0o600'
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # before SQLite makes it under the umask; its log and journal inherit these permissions
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    if path.stat().st_mode & 0o077 and os.name == "posix":
        _make_private(path)
    db = sqlite3.connect(path, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=not any_thread)
    try:
        db.execute(f"PRAGMA journal_mode={'WAL' if is_on_local_disk(path) else 'DELETE'}")
        db.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
    except BaseException:
        db.close()
        raise
    return db


def _make_private(path: Path) -> None:
    """Take the rights of others away from a database and what lies beside it; one of another owner stays as it is."""
    for file in (path, *(path.with_name(path.name + end) for end in ("-wal", "-shm", "-journal"))):
        try:
            file.chmod(0o600)
        except (FileNotFoundError, PermissionError):
            continue


def is_on_local_disk(path: Path, mounts: str | None = None) -> bool:
    r"""Say whether a file lies on a disk of this machine; where the system does not say, it does.

    Parameters
    ----------
    path
        Need not exist.
    mounts
        The mount table, as ``/proc/self/mountinfo`` has it; by default that file.

    Examples
    --------
    >>> table = "1 0 8:1 / / rw - ext4 /dev/sda rw\n2 1 0:9 / /srv/lab\\040data rw - nfs4 host:/data rw\n"
    >>> is_on_local_disk(Path("/srv/lab data/a"), table), is_on_local_disk(Path("/srv/a"), table)
    (False, True)
    """
    if os.name == "nt":
        return not str(path.absolute()).startswith("\\\\")
    try:
        table = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace") if mounts is None else mounts
    except OSError:
        return True
    place, kind, longest = path.resolve(), "", -1
    for line in table.splitlines():
        before, separator, after = line.partition(" - ")
        fields = before.split()
        if not separator or len(fields) < 5:
            continue
        # a blank, tab, newline or backslash of a path stands there as \\040 and so on
        point = Path(re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), fields[4]))
        # of several mounts on one place the last one is seen
        if place.is_relative_to(point) and len(point.parts) >= longest:
            kind, longest = after.split()[0], len(point.parts)
    return kind not in REMOTE and not kind.startswith("fuse.")
