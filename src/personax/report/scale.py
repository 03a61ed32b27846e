"""The two colour scales of the page, in steps: fixed limits, so that colours of different panels can be compared.

The colours themselves are in style.css (``--s0`` ... ``--s6``): one scale of rising darkness, readable without colour
vision and in print, and its mirror for dark screens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from personax.report.svg import element

__all__ = ["CORRECTED", "EFFECT", "ColourScale"]


@dataclass(frozen=True, slots=True)
class ColourScale:
    """Steps of a quantity.

    Parameters
    ----------
    limits
        Ascending; a value at or above the k-th limit is in step k + 1.
    labels
        What the legend writes under each step.
    falling
        True when a small value is the strong one (p-values): the last step is then the smallest values.

    Examples
    --------
    >>> EFFECT.step(0.25), CORRECTED.step(0.2), CORRECTED.step(0.0)
    (4, 0, 6)
    """

    limits: Sequence[float]
    labels: Sequence[str]
    falling: bool = False

    def step(self, value: float) -> int:
        """Return the step of a value, 0 the weakest."""
        passed = sum(value >= limit for limit in self.limits)
        return len(self.limits) - passed if self.falling else passed

    def legend(self, letter: str) -> Markup:
        """Return the legend as a strip of steps with their labels."""
        return Markup("").join(
            element("span", element("i", class_=f"key {letter}{step}"), label, class_="step")
            for step, label in enumerate(self.labels)
        )


EFFECT = ColourScale((0.02, 0.05, 0.1, 0.2, 0.3, 0.5), ("under .02", ".02", ".05", ".1", ".2", ".3", ".5 and over"))
CORRECTED = ColourScale(
    (1e-30, 1e-12, 1e-6, 1e-3, 0.01, 0.05),
    (".05 and over", "under .05", ".01", ".001", "1e-6", "1e-12", "1e-30"),
    falling=True,
)
