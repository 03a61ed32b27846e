"""The page."""

from __future__ import annotations

from personax.strict import Strict


class Report(Strict):
    """The page."""

    title: str | None = None
