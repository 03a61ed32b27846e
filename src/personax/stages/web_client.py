"""How a stage asks the web: one fetcher, made of what the study says, with the study's own cache of pages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

import numpy as np

from personax.http import Cache, Fetcher
from personax.sources import CollectSeveral
from personax.store import StudyFolder

__all__ = ["CACHE", "REACHABLE", "fetching"]

CACHE: Final = ("cache", "pages.sqlite")
"""Beside the stage's output and no part of it: what was fetched once outlives every run."""

REACHABLE: Sequence[str] = ()
"""Addresses that are asked although they are not public; only code can name any, no study file."""


@asynccontextmanager
async def fetching(
    folder: StudyFolder, section: CollectSeveral, rng: np.random.Generator, *, anew: bool = False
) -> AsyncIterator[Fetcher]:
    """Give a fetcher of this study; with ``anew`` pages are asked for again, and none stands in for one that fails."""
    with Cache(folder.path(*CACHE)) as cache:
        async with Fetcher(
            cache,
            contact=section.contact,
            rng=rng,
            limits=section.fetch,
            refresh=section.refresh or anew,
            fall_back=not anew,
            offline=section.offline,
            reachable=REACHABLE,
        ) as fetcher:
            yield fetcher
