"""A request, the page that answered it, and whoever fetches one: what sources and the fetcher share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

__all__ = ["Fetch", "Page", "Request"]


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
    """What came back.

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
    """Whoever fetches a page: the fetcher, or a test."""

    async def __call__(self, request: Request) -> Page:
        """Return the page.

        Raises
        ------
        FetchError
            When there is none, with its reason.
        """
