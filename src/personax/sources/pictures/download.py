"""Headshots through the fetcher: a picture that does not come costs itself and no other."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from personax.errors import FetchError
from personax.sources.pictures.guard import LARGEST
from personax.sources.web.pages import Fetch, Request

__all__ = ["TYPES", "Downloaded", "download_headshots"]

TYPES = ("image/jpeg", "image/png", "image/webp")
"""Content types that may come back; what the bytes are is seen by `open_picture`."""


@dataclass
class Downloaded:
    """What came.

    Parameters
    ----------
    pictures
        Id -> bytes, not yet looked at.
    origins
        Id -> url that answered, time, hash of the bytes.
    failed
        Id -> why there is no picture.
    """

    pictures: dict[str, bytes] = field(default_factory=dict)
    origins: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)


async def download_headshots(urls: Mapping[str, str], fetch: Fetch, *, at_once: int = 4) -> Downloaded:
    """Fetch pictures.

    Parameters
    ----------
    urls
        Id -> address. An address comes from a page; only https is asked for, and the fetcher decides which hosts.
    fetch
        Whoever fetches; its limits of hosts, rates and sizes hold.
    at_once
        Pictures that are waited for at the same time.
    """
    found = Downloaded()
    gate = asyncio.Semaphore(at_once)

    async def one(person: str, url: str) -> None:
        if not url.lower().startswith("https://"):
            found.failed[person] = "the address of the picture is not https"
            return
        async with gate:
            try:
                page = await fetch(Request(url, accepts=TYPES))
            except FetchError as error:
                found.failed[person] = str(error)
                return
        if len(page.body) > LARGEST:
            found.failed[person] = f"{len(page.body):,} bytes, more than {LARGEST:,}"
            return
        found.pictures[person] = page.body
        found.origins[person] = (page.url, page.time, page.sha256)

    async with asyncio.TaskGroup() as group:
        for person, url in urls.items():
            group.create_task(one(person, url))
    return found
