"""A request, the page that answered it, the settings of fetching and who fetches: what sources and fetcher share."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol
from urllib.parse import urlsplit

from pydantic import Field

from personax.strict import Strict

__all__ = ["Fetch", "FetchSettings", "Page", "Request", "is_loopback"]


def is_loopback(host: str) -> bool:
    """Say whether a host, with or without a port, is this machine.

    Examples
    --------
    >>> is_loopback("127.0.0.1:8000"), is_loopback("[::1]"), is_loopback("localhost.example.org")
    (True, True, False)
    """
    name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


class FetchSettings(Strict):
    """Limits and waits, for every host on its own; the block ``fetch`` of study.yaml.

    Parameters
    ----------
    per_second
        Requests that begin in a second; None for no limit. A longer crawl-delay of robots.txt wins.
    concurrency
        Requests under way together.
    attempts
        Attempts for one page: a refusal (403, 429), a failing server (5xx), a lost connection and a cut body are tried
        again.
    connect_seconds, read_seconds, total_seconds
        Time limits: to connect; between two pieces of a response; from the request to the last byte.
    max_bytes
        Of a page, after decompression.
    max_redirects
        In a row.
    backoff, max_backoff
        The wait before try n is drawn evenly from 0 to ``backoff * 2**n`` seconds, at most ``max_backoff``.
    max_wait
        A host that asks for more seconds than this (Retry-After) gets no more requests in this run.
    failures
        Pages that fail in a row, after which a host gets no more requests in this run.
    max_pages
        Bound on the pages of one source in one run.
    """

    old_keys: ClassVar[Mapping[str, str]] = {
        "at_once": "concurrency", "tries": "attempts", "longest_backoff": "max_backoff", "longest_wait": "max_wait",
        "most_bytes": "max_bytes", "most_pages": "max_pages", "redirects": "max_redirects",
    }  # fmt: skip

    per_second: float | None = Field(default=1.0, gt=0)
    concurrency: int = Field(default=2, ge=1)
    attempts: int = Field(default=4, ge=1, le=20)
    connect_seconds: float = Field(default=10.0, gt=0)
    read_seconds: float = Field(default=20.0, gt=0)
    total_seconds: float = Field(default=60.0, gt=0)
    max_bytes: int = Field(default=32 * 2**20, ge=1)
    max_redirects: int = Field(default=5, ge=0, le=20)
    backoff: float = Field(default=1.0, ge=0)
    max_backoff: float = Field(default=60.0, ge=0)
    max_wait: float = Field(default=300.0, ge=0)
    failures: int = Field(default=5, ge=1)
    max_pages: int = Field(default=20_000, ge=1)


@dataclass(frozen=True)
class Request:
    """What to fetch.

    Parameters
    ----------
    url
        Absolute, with its query.
    headers
        Beside those of the fetcher. Secret ones (keys) are named in ``secret`` and are never written down.
    body
        Sent as JSON by POST; None for a GET.
    accepts
        Content types that may come back; anything else is an error. A JSON source takes ``application/json``, say.
    secret
        Names of headers that are no part of the cache key and of no log.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    accepts: tuple[str, ...] = ("application/json",)
    secret: tuple[str, ...] = ()


@dataclass(frozen=True)
class Page:
    """A page, as it was received.

    Parameters
    ----------
    url
        That answered, after redirects.
    time
        When it was fetched, ISO 8601 in UTC; of a cached page, when it was fetched then.
    status
        Of HTTP.
    sha256
        Of the body.
    content_type
        Without parameters, in lower case.
    body
        As it was sent, decompressed.
    cached
        No request was sent for it.
    """

    url: str
    time: str
    status: int
    sha256: str
    content_type: str
    body: bytes
    cached: bool = False


class Fetch(Protocol):
    """A callable that fetches a page: the fetcher's, or a test's."""

    async def __call__(self, request: Request) -> Page:
        """Return the page.

        Raises
        ------
        FetchError
            When there is none, with its reason.
        """
