"""What a site's robots.txt allows, read as RFC 9309 says."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from personax.errors import FetchError, require

if TYPE_CHECKING:
    from protego import Protego

__all__ = ["AGENT", "Robots", "RobotsRules"]

AGENT: Final = "personax"
"""What robots.txt files may call us."""


@dataclass(frozen=True)
class RobotsRules:
    """What one robots.txt says.

    Parameters
    ----------
    rules
        None where nothing could be learned; ``reason`` says why, and nothing is allowed then.
    """

    rules: Protego | None
    reason: str = ""

    @property
    def delay(self) -> float | None:
        """Seconds between two requests that the site asks for."""
        return None if self.rules is None else self.rules.crawl_delay(AGENT)

    def check(self, host: str, url: str) -> None:
        """Refuse an address that is not allowed.

        Raises
        ------
        FetchError
            With the reason.
        """
        if self.rules is None:
            raise FetchError(f"{host}: its robots.txt could not be read ({self.reason}), so nothing there is fetched")
        if not self.rules.can_fetch(url, AGENT):
            raise FetchError(f"{host}: its robots.txt does not allow this page; ask the site, or leave the source out")


class Robots:
    """The rules of every host, asked for once a run.

    Parameters
    ----------
    ask
        Origin (``https://host``) -> status and text of its robots.txt. A `FetchError` of it means that the host cannot
        be reached.
    """

    def __init__(self, ask: Callable[[str], Awaitable[tuple[int, str]]]) -> None:
        self._ask = ask
        self._known: dict[str, asyncio.Task[RobotsRules]] = {}

    async def rules(self, origin: str) -> RobotsRules:
        """Return the rules of an origin; whoever comes while they are under way waits for the same answer."""
        if origin not in self._known:
            self._known[origin] = asyncio.ensure_future(self._read(origin))
        return await asyncio.shield(self._known[origin])

    async def _read(self, origin: str) -> RobotsRules:
        parse = require("protego", extra="web").Protego.parse
        try:
            status, text = await self._ask(origin)
        except FetchError as error:
            return RobotsRules(None, str(error))
        if 200 <= status < 300:
            return RobotsRules(parse(text))
        if 400 <= status < 500 and status != 429:
            return RobotsRules(parse(""))
        return RobotsRules(None, f"status {status}")

    async def close(self) -> None:
        """End what is still under way."""
        for task in self._known.values():
            task.cancel()
        await asyncio.gather(*self._known.values(), return_exceptions=True)
