"""Pages on disk: each with its address, time, status, hash and the headers that matter; never a secret one.

SQLite, one transaction a page: a process killed at any instant leaves every page that it had written, and
no half of one.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import zlib
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from personax.errors import StudyError
from personax.files import open_sqlite, sqlite_faults
from personax.http._request import Page, Request

__all__ = ["Cache", "CachedPage", "key_of"]

VERSION: Final = 1

CACHED_HEADERS: Final = ("content-type", "content-language", "date", "etag", "last-modified")
"""Headers of a reply that are written down; cookies are not."""

_TABLE = """CREATE TABLE IF NOT EXISTS pages (
    key TEXT PRIMARY KEY, asked TEXT NOT NULL, url TEXT NOT NULL, time TEXT NOT NULL, checked TEXT NOT NULL,
    status INTEGER NOT NULL, sha256 TEXT NOT NULL, content_type TEXT NOT NULL, headers TEXT NOT NULL, body BLOB NOT NULL
) WITHOUT ROWID"""

_EARLIER = """CREATE TABLE IF NOT EXISTS earlier_pages (
    key TEXT NOT NULL, asked TEXT NOT NULL, url TEXT NOT NULL, time TEXT NOT NULL, checked TEXT NOT NULL,
    status INTEGER NOT NULL, sha256 TEXT NOT NULL, content_type TEXT NOT NULL, headers TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (key, time, sha256)
) WITHOUT ROWID"""
"""Pages that another one has replaced since; a version of before the table reads and writes the cache without it."""


def key_of(request: Request) -> str:
    """Return a hash of everything that changes the answer; keys and other secrets are no part of it.

    Examples
    --------
    >>> a = Request("https://example.org", {"X-Key": "one"}, secret=("x-key",))
    >>> b = Request("https://example.org", {"X-Key": "two"}, secret=("x-key",))
    >>> key_of(a) == key_of(b)
    True
    """
    secret = {name.lower() for name in request.secret}
    shown = sorted((name.lower(), value) for name, value in request.headers.items() if name.lower() not in secret)
    content = json.dumps([request.url, shown, request.body, sorted(request.accepts)], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class CachedPage:
    """A page of the cache.

    Parameters
    ----------
    page
        As it came; its ``time`` is when it came.
    checked
        When the site last confirmed that it has not changed.
    headers
        Those that matter.
    """

    page: Page
    checked: str
    headers: Mapping[str, str] = field(default_factory=dict)


class Cache:
    """Pages on disk; used from one thread.

    Parameters
    ----------
    path
        Of the SQLite file; made where there is none.

    Raises
    ------
    StudyError
        A file that is not a cache, a cache of a newer version, or a full disk.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            # a commit outlives the process; a power cut costs the last pages at most, which are fetched again
            self._db = open_sqlite(path, durable=False)
            with ExitStack() as on_failure:
                on_failure.callback(self._db.close)
                self._prepare()
                on_failure.pop_all()
        except (sqlite3.Error, OSError) as error:
            raise StudyError(f"{path} cannot be used as a cache of pages ({error}); move it aside") from None

    def _prepare(self) -> None:
        found = self._db.execute("PRAGMA user_version").fetchone()[0]
        if found not in (0, VERSION):
            raise StudyError(f"{self.path} is a cache of format {found}; install a newer personax or move it aside")
        self._db.execute(_TABLE)
        self._db.execute(_EARLIER)
        self._db.execute(f"PRAGMA user_version={VERSION}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def get(self, key: str) -> CachedPage | None:
        """Return a page; None when there is none, or its bytes are not those that came."""
        with sqlite_faults(self.path):
            row = self._db.execute("SELECT * FROM pages WHERE key = ?", (key,)).fetchone()
        return None if row is None else _page_in(row)

    def earlier(self, key: str) -> list[CachedPage]:
        """Return the pages that the present one has replaced, the first first."""
        with sqlite_faults(self.path):
            rows = self._db.execute("SELECT * FROM earlier_pages WHERE key = ? ORDER BY time", (key,)).fetchall()
        return [page for row in rows if (page := _page_in(row)) is not None]

    def put(self, key: str, asked: str, page: Page, headers: Mapping[str, str]) -> None:
        """Write a page; it is on disk when this returns. A page that it replaces is kept beside it, see `earlier`.

        Parameters
        ----------
        key, asked
            Of the request, and its address.
        page, headers
            The response.
        """
        kept = {name: headers[name] for name in CACHED_HEADERS if name in headers}
        row = (
            key, asked, page.url, page.time, page.time, page.status, page.sha256, page.content_type,
            json.dumps(kept), zlib.compress(page.body),
        )  # fmt: skip
        with sqlite_faults(self.path):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                replaced = "INSERT OR IGNORE INTO earlier_pages SELECT * FROM pages WHERE key = ? AND sha256 != ?"
                self._db.execute(replaced, (key, page.sha256))
                self._db.execute("INSERT OR REPLACE INTO pages VALUES (?,?,?,?,?,?,?,?,?,?)", row)
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def unchanged(self, key: str, time: str) -> None:
        """Note that the site says that a page is still the same."""
        self._write("UPDATE pages SET checked = ? WHERE key = ?", (time, key))

    def __len__(self) -> int:
        with sqlite_faults(self.path):
            return int(self._db.execute("SELECT count(*) FROM pages").fetchone()[0])

    def _write(self, statement: str, row: tuple[object, ...]) -> None:
        with sqlite_faults(self.path):
            self._db.execute(statement, row)


def _page_in(row: tuple[Any, ...]) -> CachedPage | None:
    """Return the page of a row; None where its bytes are not those that came."""
    _, _, url, time, checked, status, sha256, content_type, headers, packed = row
    try:
        body = zlib.decompress(packed)
    except zlib.error:
        return None
    if hashlib.sha256(body).hexdigest() != sha256:
        return None
    page = Page(url, time, status, sha256, content_type, body, cached=True)
    return CachedPage(page, checked, json.loads(headers))
