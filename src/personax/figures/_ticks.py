"""Round numbers along an axis, known before the page is laid out, so that room can be kept for them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axis import Axis

__all__ = ["Ticks", "nice_ticks", "padded_limits", "set_ticks"]

Ticks = list[tuple[float, str]]
"""Places, with what to write there."""

TICK_SIZE = 7.0
"""Of the numbers, in points."""


def nice_ticks(low: float, high: float, most: int = 4) -> Ticks:
    """Return round numbers from low to high.

    Examples
    --------
    >>> nice_ticks(0, 1), nice_ticks(-3.2, 21, 3)
    ([(0.0, '0.0'), (0.5, '0.5'), (1.0, '1.0')], [(0.0, '0'), (10.0, '10'), (20.0, '20')])
    >>> [text for _, text in nice_ticks(12_000, 31_000)]
    ['15,000', '20,000', '25,000', '30,000']
    """
    raw = (high - low) / most
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(times * power for times in (1, 2, 5, 10) if times * power >= raw * (1 - 1e-9))
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    places = [i * step for i in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]
    return [(place, f"{place:,.{digits}f}") for place in places]


def padded_limits(values: Iterable[float], share: float = 0.05) -> tuple[float, float]:
    """Return limits that leave a little room around values; padded_limits one value, room to see it.

    Examples
    --------
    >>> padded_limits([0, 10]), padded_limits([3, 3])
    ((-0.5, 10.5), (2.95, 3.05))
    """
    seen = list(values)
    low, high = min(seen), max(seen)
    room = (high - low) * share or abs(high) * share / 3 or share
    return low - room, high + room


def set_ticks(axis: Axis, ticks: Ticks) -> None:
    """Mark places on an axis."""
    axis.set_ticks([place for place, _ in ticks], [text for _, text in ticks])
