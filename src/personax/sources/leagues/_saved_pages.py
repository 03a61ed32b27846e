"""Pages that a user saved: HAR files, as browsers write their network panel, answer in place of the site."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from personax.errors import FetchError, SourceError
from personax.files import parse_json
from personax.http import Page, Request

__all__ = ["SavedPages"]

MAX_BYTES: Final = 512 * 2**20
"""Of a HAR file."""

_Key = tuple[str, str, tuple[tuple[str, str], ...], str]


class SavedPages:
    """A fetch that answers from HAR files and asks nobody.

    Parameters
    ----------
    path
        A HAR file, or a folder of them.

    Raises
    ------
    SourceError
        When there is none, or one cannot be read.

    Notes
    -----
    A request is answered by the saved page of the same host, path and body whose query has the same parameters in any
    order; or, where only one page of this path was saved, by that one.
    """

    def __init__(self, path: Path) -> None:
        files = sorted(path.glob("*.har")) if path.is_dir() else [path]
        if not files or not all(file.is_file() for file in files):
            raise SourceError(f"pages: {path} is no HAR file and no folder of them; save the network panel as HAR")
        self._pages: dict[_Key, Page] = {}
        self._by_path: dict[tuple[str, str, str], list[_Key]] = {}
        for file in files:
            for key, page in _entries(file):
                self._pages[key] = page
        for key in self._pages:
            self._by_path.setdefault((key[0], key[1], key[3]), []).append(key)

    async def __call__(self, request: Request) -> Page:
        """Return the saved page of a request.

        Raises
        ------
        FetchError
            When it was not saved, or is of another type than the request accepts.
        """
        key = _key(request.url, _canonical(request.body) if request.body is not None else "")
        alike = self._by_path.get((key[0], key[1], key[3]), [])
        page = self._pages.get(key) or (self._pages[alike[0]] if len(alike) == 1 else None)
        if page is None:
            raise FetchError("the page is not among the saved ones; open it in the browser, and save again")
        if page.content_type not in request.accepts:
            raise FetchError(f"the saved page is {page.content_type or 'of no type'}, not {request.accepts[0]}")
        return page


def _key(url: str, body: str) -> _Key:
    parts = urlsplit(url)
    return parts.netloc.lower(), parts.path, tuple(sorted(parse_qsl(parts.query, keep_blank_values=True))), body


def _canonical(body: Mapping[str, Any] | object) -> str:
    return json.dumps(body, sort_keys=True)


def _entries(file: Path) -> Iterator[tuple[_Key, Page]]:
    """Yield the answered pages of a HAR file."""
    if file.stat().st_size > MAX_BYTES:
        raise SourceError(f"pages: {file.name} has more than {MAX_BYTES >> 20} MiB; save fewer pages a file")
    try:
        entries = parse_json(file.read_bytes())["log"]["entries"]
    except (ValueError, KeyError, TypeError):
        raise SourceError(f"pages: {file.name} is no HAR file; save the network panel as HAR with content") from None
    for entry in entries if isinstance(entries, list) else ():
        try:
            found = _entry(entry)
        except (KeyError, TypeError, ValueError, AttributeError, binascii.Error):
            continue  # a request that failed, or was not for a page
        if found is not None:
            yield found


def _entry(entry: Mapping[str, Any]) -> tuple[_Key, Page] | None:
    asked, came = entry["request"], entry["response"]
    content = came["content"]
    if came["status"] != 200 or not isinstance(content.get("text"), str):
        return None
    packed = content.get("encoding") == "base64"
    body = base64.b64decode(content["text"], validate=True) if packed else content["text"].encode()
    posted = (asked.get("postData") or {}).get("text") or ""
    kind = str(content.get("mimeType", "")).partition(";")[0].strip().lower()
    key = _key(asked["url"], _canonical(parse_json(posted)) if posted else "")
    time = str(entry.get("startedDateTime", ""))
    return key, Page(asked["url"], time, 200, hashlib.sha256(body).hexdigest(), kind, body, cached=True)
