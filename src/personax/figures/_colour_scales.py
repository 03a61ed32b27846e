"""The colours of a heatmap: two sequential scales that read the same without colour vision and in grey print."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from personax.errors import require

__all__ = ["Colour", "Effects", "PValues", "shade"]

Colour = tuple[float, float, float]

SMALLEST = 1e-300
"""A p-value too small for a double is drawn as this one."""

KEPT = 0.2
"""Share of the scale of p-values above the border, however far the scale reaches."""

FEWEST, MOST = 4, 30
"""The scale of p-values ends at 10 to the minus so many, by its smallest p-value."""


@dataclass(frozen=True, slots=True)
class PValues:
    """Corrected p-values: pale grey where independence is kept, blue from the border on, darker as they fall.

    Parameters
    ----------
    border
        Largest p-value that is not grey.
    digits
        The scale ends at 10 to the minus this.
    """

    border: float
    digits: int

    @classmethod
    def over(cls, corrected: Iterable[float], border: float) -> PValues:
        """Return the scale that suits these values."""
        most = max((_digits(p) for p in corrected), default=0.0)
        return cls(border, min(max(math.ceil(most), FEWEST), MOST))

    def place(self, p: float) -> float:
        """Return where on the scale a p-value lies, from 0 (p = 1) to 1."""
        digits, border = _digits(p), _digits(self.border)
        if digits < border:
            return KEPT * digits / border
        return KEPT + (1 - KEPT) * min((digits - border) / max(self.digits - border, 1e-9), 1.0)

    def colour(self, place: float) -> Colour:
        """Return the colour at a place on the scale."""
        # Cells lie exactly on the border only where a p-value equals it, and such a pair is kept.
        if place <= KEPT:
            return shade("Greys", 0.06 + 0.18 * place / KEPT)
        return shade("Blues", 0.34 + 0.66 * (place - KEPT) / (1 - KEPT))

    def ticks(self) -> Sequence[tuple[float, str]]:
        """Return places to mark, with what to write there: 1, the border and powers of ten."""
        middle = round((self.digits + _digits(self.border)) / 2)
        powers = [(self.place(10.0**-k), f"{sign}1e-{k}") for k, sign in ((middle, ""), (self.digits, "≤"))]
        return [(0.0, "1"), (KEPT, f"{self.border:.2g}"), *powers]


@dataclass(frozen=True, slots=True)
class Effects:
    """Effect sizes: pale yellow at 0, brown at the end of the scale.

    Parameters
    ----------
    top
        Where the scale ends: 1, or less where all effects are small.
    """

    top: float

    @classmethod
    def over(cls, effects: Iterable[float]) -> Effects:
        """Return the scale that suits these values."""
        most = max((abs(effect) for effect in effects), default=1.0)
        return cls(next((top for top in (0.1, 0.2, 0.5) if most <= top), 1.0))

    def place(self, effect: float) -> float:
        """Return where on the scale an effect lies, by its size, from 0 to 1."""
        return min(abs(effect) / self.top, 1.0)

    def colour(self, place: float) -> Colour:
        """Return the colour at a place on the scale."""
        return shade("YlOrBr", 0.85 * place)

    def ticks(self) -> Sequence[tuple[float, str]]:
        """Return places to mark, with what to write there."""
        return [(0.0, "0"), (0.5, f"{self.top / 2:g}"), (1.0, f"{self.top:g}")]


def _digits(p: float) -> float:
    return -math.log10(min(max(p, SMALLEST), 1.0))


def shade(name: str, place: float) -> Colour:
    """Return the colour at a place of one of matplotlib's scales, from 0 to 1."""
    red, green, blue, _ = _colormap(name)(float(place))
    return float(red), float(green), float(blue)


@cache
def _colormap(name: str) -> Callable[[float], tuple[float, float, float, float]]:
    # matplotlib hands out a fresh copy each time, which is slow for thousands of cells.
    return require("matplotlib", extra="figures").colormaps[name]  # type: ignore[no-any-return]
