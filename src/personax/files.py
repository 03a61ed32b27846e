"""Files: their hash, writing them so that nobody ever sees half of one, and databases of SQLite."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import sqlite3
import stat
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from personax.errors import StudyError

__all__ = [
    "SALVAGED",
    "Json",
    "cached_sha256",
    "is_on_local_disk",
    "is_shared",
    "make_private_folder",
    "open_sqlite",
    "parse_json",
    "private_mode",
    "salvage_sqlite",
    "sha256",
    "sqlite_faults",
    "sync_files",
    "sync_folder",
    "write_text",
    "written_aside",
]

Json = Any
"""Whatever JSON held, of any shape, until it has been looked at."""

BUSY_TIMEOUT: Final = 60
"""Seconds to wait for the lock of another process's transaction."""

REMOTE: Final = {"9p", "afs", "beegfs", "ceph", "cifs", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs4", "prl_fs",
                 "smb3", "smbfs", "vboxsf", "virtiofs"}  # fmt: skip
"""File systems, as mount tables call them, that machines share; so are those of ``fuse.`` (sshfs, rclone, gcsfuse)."""


def parse_json(text: str | bytes) -> Json:
    """Return what JSON of somebody else says; every way in which it cannot be read is a ValueError.

    Nesting that Python cannot follow, integers of thousands of digits, bytes that are no text, and ``NaN``, which JSON
    does not have, are among them.

    Examples
    --------
    >>> parse_json('{"a": [1]}')
    {'a': [1]}
    >>> parse_json("[" * 100_000)
    Traceback (most recent call last):
        ...
    ValueError: not readable as JSON
    """
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError, MemoryError):
        raise ValueError("not readable as JSON") from None


def _no_constant(word: str) -> float:
    raise ValueError(word)


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
        listed = "".join(f"{file.relative_to(path).as_posix()} {cached_sha256(file)}\n" for file in files)
        return hashlib.sha256(listed.encode()).hexdigest()
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


_known: dict[tuple[int, int], tuple[tuple[int, ...], str]] = {}
"""Device and inode -> size and times of a file, and its hash then."""

_SETTLED_NS: Final = 2_000_000_000
"""A file that changed so lately may change again within one tick of the disk's clock; its hash is not kept."""


def cached_sha256(path: Path) -> str:
    """Return the SHA-256 of a file or folder; of a file whose size and times are those of an earlier call, that one's.

    The time of the last change of the inode is among them, which no program can set back.
    """
    if path.is_dir():
        return sha256(path)
    with path.open("rb") as stream:
        before = os.fstat(stream.fileno())
        key, mark = (before.st_dev, before.st_ino), _mark(before)
        known = _known.get(key)
        if known is not None and known[0] == mark:
            return known[1]
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
        settled = time.time_ns() - max(before.st_mtime_ns, before.st_ctime_ns) > _SETTLED_NS
        if settled and _mark(os.fstat(stream.fileno())) == mark:
            _known[key] = mark, digest
        return digest


def _mark(found: os.stat_result) -> tuple[int, ...]:
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns


def write_text(path: Path, text: str) -> None:
    """Write a file aside and rename it into place."""
    with written_aside(path) as aside:
        aside.write_text(text, encoding="utf-8")


@contextmanager
def written_aside(path: Path, *, durable: bool = False) -> Iterator[Path]:
    """Yield a place beside a file to write to; it takes the file's place at the end, unless an error comes before.

    Parameters
    ----------
    path
        The file.
    durable
        Return when the file would be there after a power cut.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{hashlib.sha256(path.name.encode()).hexdigest()[:16]}.{os.getpid()}.tmp")
    try:
        yield aside
        if durable:
            sync_files([aside])
        aside.replace(path)
        if durable:
            sync_folder(path.parent)
    finally:
        aside.unlink(missing_ok=True)


_MANY: Final = 128
"""From so many files on, one flush of all disks takes less time than one a file."""


def sync_files(paths: Collection[Path]) -> None:
    """Return when the content of files is on disk."""
    if len(paths) > _MANY and hasattr(os, "sync"):
        os.sync()
        return
    for path in paths:
        _sync(path, os.O_RDONLY)


def sync_folder(path: Path) -> None:
    """Return when the names in a folder are on disk."""
    if stat.S_ISDIR(path.stat().st_mode):
        _sync(path, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))


def _sync(path: Path, flags: int) -> None:
    handle = os.open(path, flags)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EROFS):  # a disk that has no such thing
            raise
    finally:
        with suppress(OSError):
            os.close(handle)


def open_sqlite(path: Path, *, durable: bool, any_thread: bool = False) -> sqlite3.Connection:
    """Open or make a database that only its owner, or the group of its folder, reads; transactions begin explicitly.

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
    make_private_folder(path.parent)
    mode = private_mode(path.parent)
    # before SQLite makes it under the umask; its log and journal inherit these permissions
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, mode))
    if stat.S_IMODE(path.stat().st_mode) != mode and os.name == "posix":
        _set_mode(path, mode)
    db = sqlite3.connect(path, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=not any_thread)
    try:
        db.execute(f"PRAGMA journal_mode={'WAL' if is_on_local_disk(path) else 'DELETE'}")
        db.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
    except BaseException:
        db.close()
        raise
    return db


def is_shared(folder: Path) -> bool:
    """Say whether a folder was made for a group: it is set-group-ID, and the group may write (``chmod g+ws``)."""
    mode = folder.stat().st_mode
    return bool(mode & stat.S_ISGID and mode & stat.S_IWGRP)


def private_mode(folder: Path) -> int:
    """Return the mode of a file with people in it: for its owner alone, or the group that the folder was made for."""
    return 0o660 if is_shared(folder) else 0o600


def make_private_folder(path: Path) -> None:
    """Make a folder for files with people in them, and what is missing above it; one that is there stays as it is.

    Its owner alone may read it, whatever the umask; or the group that the folder above was made for.
    """
    if path.is_dir():
        return
    make_private_folder(path.parent)
    path.mkdir(mode=0o700, exist_ok=True)
    if is_shared(path.parent):
        path.chmod(0o2770)


def _set_mode(path: Path, mode: int) -> None:
    """Give a database and what lies beside it to its owner, or group, alone; one of another owner stays as it is."""
    for file in (path, *(path.with_name(path.name + end) for end in ("-wal", "-shm", "-journal"))):
        try:
            file.chmod(mode)
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


@contextmanager
def sqlite_faults(path: Path) -> Iterator[None]:
    """Turn an error of SQLite within the block into one sentence that says what to do.

    Raises
    ------
    StudyError
        The database is damaged, the disk is full, another process holds it, or it cannot be written.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise StudyError(f"{path} {_meaning(error)}") from error


def _meaning(error: sqlite3.Error) -> str:
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return f"is damaged ({error}); `personax doctor STUDY --mend` goes on with what can still be read of it"
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return f"is held by another process ({error}); wait for it, then run again"
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH):
        return f"cannot be opened or written ({error}); look at its rights and those of its folder"
    return f"could not be written or read ({error}); free some space and run again, what was written stays"


_HEX: Final = [f"{number:02x}" for number in range(256)]


SALVAGED: Final = 0x5A17
"""``application_id`` of a database that was copied from a damaged one, until its owner has looked what is lost."""


def salvage_sqlite(path: Path, new: Path) -> Mapping[str, tuple[int, bool]]:
    """Copy what can still be read of a damaged database into a new one.

    Every table is read from its beginning, from its end, and, where its key is a hash, within each two digits of it
    from both sides: a damaged page costs the rows on it and few beside it.

    Parameters
    ----------
    path
        The damaged file; it is left as it is.
    new
        Where the copy is made; nothing may be there.

    Returns
    -------
    Table -> how many rows were copied, and whether all of them.

    Raises
    ------
    StudyError
        When not even the list of tables can be read, or the copy cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with closing(open_sqlite(Path(folder) / "a.sqlite", durable=True)) as db:
    ...         _ = db.execute("CREATE TABLE t (key TEXT PRIMARY KEY) WITHOUT ROWID")
    ...         _ = db.execute("INSERT INTO t VALUES ('ab')")
    ...     salvage_sqlite(Path(folder) / "a.sqlite", Path(folder) / "b.sqlite")
    {'t': (1, True)}
    """
    if new.exists():
        raise StudyError(f"{new} is there already; move it aside")
    with closing(sqlite3.connect(path, timeout=BUSY_TIMEOUT, isolation_level=None)) as old, sqlite_faults(path):
        listed = old.execute("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
        version = old.execute("PRAGMA user_version").fetchone()[0]
        with closing(open_sqlite(new, durable=True)) as copy:
            copy.execute("BEGIN")
            copied = {}
            for kind, name, sql in sorted(listed, key=lambda row: row[0] != "table"):
                copy.execute(sql)
                if kind == "table":
                    copied[name] = _copy_readable(old, copy, name)
            copy.execute(f"PRAGMA user_version={int(version)}")
            copy.execute(f"PRAGMA application_id={SALVAGED}")
            copy.execute("COMMIT")
    return copied


def _copy_readable(old: sqlite3.Connection, copy: sqlite3.Connection, table: str) -> tuple[int, bool]:
    """Copy the rows of a table from both ends of the whole, and of each range where that does not reach all."""
    quoted = '"' + table.replace('"', '""') + '"'
    columns = old.execute(f"PRAGMA table_info({quoted})").fetchall()
    keys = [row[1] for row in columns if row[5]]
    key = '"' + keys[0].replace('"', '""') + '"' if len(keys) == 1 else "rowid"
    insert = f"INSERT OR IGNORE INTO {quoted} VALUES ({','.join('?' * len(columns))})"
    whole = _both_ways(old, copy, f"SELECT * FROM {quoted}", key, (), insert)
    if not whole and key != "rowid":
        for start in _HEX:
            within = f"SELECT * FROM {quoted} WHERE {key} >= ? AND {key} < ?"
            _both_ways(old, copy, within, key, (start, start + "g"), insert)
    count = int(copy.execute(f"SELECT count(*) FROM {quoted}").fetchone()[0])
    return count, whole


def _both_ways(
    old: sqlite3.Connection, copy: sqlite3.Connection, query: str, key: str, values: Sequence[str], insert: str
) -> bool:
    """Copy rows in the order of their key until one cannot be read, then from the other end; say whether all were."""
    for order in ("ASC", "DESC"):
        try:
            with closing(old.execute(f"{query} ORDER BY {key} {order}", values)) as rows:
                for row in rows:
                    copy.execute(insert, row)
        except sqlite3.DatabaseError:
            continue
        return True
    return False
