"""One count for a whole fit: its parts report on their own, each within its span of the count, which never goes back.

The spans are shares of processor time of fits of 800 people, two modalities, two latents each.
"""

from __future__ import annotations

import math
from typing import Final

from personax.crl._estimator import Progress

__all__ = ["forward", "reach", "span"]

TOTAL: Final = 1000
"""Steps of the count."""


def span(progress: Progress | None, start: float, end: float) -> Progress | None:
    """Return what a part reports to that begins and ends at these shares of the whole.

    Examples
    --------
    >>> half = span(lambda done, total, _: print(done, "of", total), 0.5, 1.0)
    >>> half(1, 4, 0.0)
    625 of 1000
    """
    if progress is None:
        return None
    return lambda done, total, value: progress(round(TOTAL * (start + (end - start) * done / total)), TOTAL, value)


def reach(progress: Progress | None, share: float) -> None:
    """Report that a share of the whole is done, after a part that reports nothing."""
    if progress is not None:
        progress(round(TOTAL * share), TOTAL, math.nan)


def forward(progress: Progress | None) -> Progress | None:
    """Return what passes on reports that are not behind an earlier one: a fit that diverged begins anew."""
    if progress is None:
        return None
    reached = 0.0

    def report(done: int, total: int, value: float) -> None:
        nonlocal reached
        if done / total >= reached:
            reached = done / total
            progress(done, total, value)

    return report
