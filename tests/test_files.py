"""Databases: private, with a write-ahead log on local disks only, and patient."""

from __future__ import annotations

import os
import sqlite3
import threading
from pathlib import Path

import pytest

from personax import files
from personax.files import is_on_local_disk, open_sqlite

MOUNTS = """22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 / /home rw - nfs4 server:/home rw
31 30 8:2 / /home/ann/local rw - xfs /dev/sdb1 rw
32 22 0:41 / /mnt/box rw - fuse.sshfs box:/ rw
33 22 0:42 / /mnt/win rw - 9p C: rw
34 22 8:3 / /mnt/usb rw - fuseblk /dev/sdc1 rw
35 22 0:43 / /over rw - cifs //nas/a rw
36 35 8:4 / /over rw - ext4 /dev/sdd1 rw
not a line of a mount table
"""


@pytest.mark.skipif(os.name == "nt", reason="mount tables are of Linux")
@pytest.mark.parametrize(
    ("path", "local"),
    [
        ("/var/study/a", True), ("/home/ann/study/a", False), ("/home/ann/local/a", True), ("/mnt/box/a", False),
        ("/mnt/win/a", False), ("/mnt/usb/a", True), ("/over/a", True), ("/homes/a", True),
    ],
)  # fmt: skip
def test_a_disk_of_several_machines_is_told_by_its_mount(path: str, local: bool) -> None:
    assert is_on_local_disk(Path(path), MOUNTS) == local


@pytest.mark.parametrize(("local", "mode"), [(True, "wal"), (False, "delete")])
def test_the_log_is_ahead_of_writes_on_local_disks_only(
    local: bool, mode: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_sqlite(tmp_path / "a", durable=True) as db:
        db.execute("CREATE TABLE t (x)")
    db.close()
    monkeypatch.setattr(files, "is_on_local_disk", lambda path: local)
    db = open_sqlite(tmp_path / "a", durable=True)
    assert db.execute("PRAGMA journal_mode").fetchone()[0] == mode
    assert db.execute("PRAGMA synchronous").fetchone()[0] == 2
    db.execute("INSERT INTO t VALUES (1)")
    db.close()


@pytest.mark.skipif(os.name == "nt", reason="permissions are of POSIX")
def test_only_the_owner_may_read_whatever_the_umask_is(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        db = open_sqlite(tmp_path / "new" / "a", durable=False)
        db.execute("CREATE TABLE t (x)")
        assert {file.stat().st_mode & 0o777 for file in (tmp_path / "new").iterdir()} == {0o600}
        db.close()
        (tmp_path / "old").touch(0o644)
        open_sqlite(tmp_path / "old", durable=False).close()
        assert (tmp_path / "old").stat().st_mode & 0o777 == 0o600
    finally:
        os.umask(before)


def test_a_writer_waits_for_another(tmp_path: Path) -> None:
    one, other = (open_sqlite(tmp_path / "a", durable=False, any_thread=True) for _ in range(2))
    one.execute("CREATE TABLE t (x)")
    one.execute("BEGIN IMMEDIATE")
    started = threading.Event()

    def write() -> None:
        started.set()
        other.execute("INSERT INTO t VALUES (1)")

    thread = threading.Thread(target=write)
    thread.start()
    started.wait()
    one.execute("INSERT INTO t VALUES (0)")
    one.execute("COMMIT")
    thread.join()
    assert one.execute("SELECT count(*) FROM t").fetchone()[0] == 2
    one.close()
    other.close()


def test_what_is_no_database_leaves_nothing_open(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"no database at all, but long enough to be looked at" * 30)
    with pytest.raises(sqlite3.DatabaseError):
        open_sqlite(tmp_path / "a", durable=True)
    with pytest.raises(OSError):
        open_sqlite(tmp_path / "a" / "b", durable=True)
