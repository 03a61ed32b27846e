"""The colours of a heatmap: two sequential scales that read the same without colour vision and in grey print."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from personax.errors import require

__all__ = ["Colour", "EffectScale", "PValueScale", "colormap_colour"]

Colour = tuple[float, float, float]

SMALLEST = 1e-300
"""A p-value too small for a double is drawn as this one."""

ACCEPTED_SHARE = 0.2
"""Share of the scale of p-values above the level, however far the scale reaches."""

MIN_DIGITS, MAX_DIGITS = 4, 30
"""The scale of p-values ends at 10 to the minus so many, by its smallest p-value."""


@dataclass(frozen=True, slots=True)
class PValueScale:
    """Corrected p-values: pale grey where independence is kept, blue from the level on, darker as they fall.

    Parameters
    ----------
    alpha
        The level: the largest p-value that is not grey.
    digits
        The scale ends at 10 to the minus this.
    """

    alpha: float
    digits: int

    @classmethod
    def spanning(cls, corrected: Iterable[float], alpha: float) -> PValueScale:
        """Return the scale that suits these values."""
        most = max((_digits(p) for p in corrected), default=0.0)
        return cls(alpha, min(max(math.ceil(most), MIN_DIGITS), MAX_DIGITS))

    def position(self, p: float) -> float:
        """Return where on the scale a p-value lies, from 0 (p = 1) to 1."""
        digits, alpha = _digits(p), _digits(self.alpha)
        if digits < alpha:
            return ACCEPTED_SHARE * digits / alpha
        return ACCEPTED_SHARE + (1 - ACCEPTED_SHARE) * min((digits - alpha) / max(self.digits - alpha, 1e-9), 1.0)

    def colour(self, place: float) -> Colour:
        """Return the colour at a place on the scale."""
        # Cells lie exactly on the level only where a p-value equals it, and such a pair is kept.
        if place <= ACCEPTED_SHARE:
            return colormap_colour("Greys", 0.06 + 0.18 * place / ACCEPTED_SHARE)
        return colormap_colour("Blues", 0.34 + 0.66 * (place - ACCEPTED_SHARE) / (1 - ACCEPTED_SHARE))

    def ticks(self) -> Sequence[tuple[float, str]]:
        """Return places to mark, with what to write there: 1, the level and powers of ten."""
        middle = round((self.digits + _digits(self.alpha)) / 2)
        powers = [(self.position(10.0**-k), f"{sign}1e-{k}") for k, sign in ((middle, ""), (self.digits, "≤"))]
        return [(0.0, "1"), (ACCEPTED_SHARE, f"{self.alpha:.2g}"), *powers]


@dataclass(frozen=True, slots=True)
class EffectScale:
    """Effect sizes: pale yellow at 0, brown at the end of the scale.

    Parameters
    ----------
    top
        Where the scale ends: 1, or less where all effects are small.
    """

    top: float

    @classmethod
    def spanning(cls, effects: Iterable[float]) -> EffectScale:
        """Return the scale that suits these values."""
        most = max((abs(effect) for effect in effects), default=1.0)
        return cls(next((top for top in (0.1, 0.2, 0.5) if most <= top), 1.0))

    def position(self, effect: float) -> float:
        """Return where on the scale an effect lies, by its size, from 0 to 1."""
        return min(abs(effect) / self.top, 1.0)

    def colour(self, place: float) -> Colour:
        """Return the colour at a place on the scale."""
        return colormap_colour("YlOrBr", 0.85 * place)

    def ticks(self) -> Sequence[tuple[float, str]]:
        """Return places to mark, with what to write there."""
        return [(0.0, "0"), (0.5, f"{self.top / 2:g}"), (1.0, f"{self.top:g}")]


def _digits(p: float) -> float:
    return -math.log10(min(max(p, SMALLEST), 1.0))


def colormap_colour(name: str, place: float) -> Colour:
    """Return the colour at a place of one of matplotlib's scales, from 0 to 1."""
    red, green, blue, _ = _colormap(name)(float(place))
    return float(red), float(green), float(blue)


@cache
def _colormap(name: str) -> Callable[[float], tuple[float, float, float, float]]:
    # matplotlib hands out a fresh copy each time, which is slow for thousands of cells.
    return require("matplotlib", extra="figures").colormaps[name]  # type: ignore[no-any-return]
