"""Figures of the raters: how far they agree, what they answered, and how they used the scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from personax.report.intervals import Row, intervals
from personax.report.svg import element, figure
from personax.report.words import count, percent
from personax.schema import ENDINGS

__all__ = ["alphas", "ended", "ratings", "statuses"]

STACK = 26.0
LOW = -0.2
GUIDES = (0.0, 0.667, 0.8, 1.0)
"""Krippendorff's own marks: from .667 tentative conclusions, from .8 firm ones."""


def alphas(traits: Mapping[str, Mapping[str, Any]]) -> Markup:
    """Draw Krippendorff's alpha of each trait with its interval, on a line from -0.2 to 1."""
    rows = [
        Row(
            trait.capitalize(),
            found.get("alpha"),
            found.get("alpha_low"),
            found.get("alpha_high"),
            found.get("reason") or f"{count(found.get('n_people', 0))} people, {found.get('n_raters', 0)} raters",
        )
        for trait, found in traits.items()
    ]
    return intervals(rows, (LOW, 1.0), GUIDES, "Agreement between raters", meaning="alpha")


def statuses(raters: Mapping[str, Mapping[str, Any]]) -> Markup:
    """Draw how each rater's requests ended, as shares of all its requests."""
    rows = {
        name: [(ending, ended(found, ending), f"a{place}") for place, ending in enumerate(ENDINGS)]
        for name, found in raters.items()
    }
    return _stacks(rows, "How the requests of each rater ended")


def ended(found: Mapping[str, Any], ending: str) -> int:
    """Return how many of a rater's requests ended in one of `ENDINGS`."""
    return sum(int(found.get(status, 0)) for status in ENDINGS[ending])


def ratings(histograms: Mapping[str, Mapping[str, int]], trait: str) -> Markup:
    """Draw how often each rater gave each score of one trait, from the lowest (left) to the highest.

    Parameters
    ----------
    histograms
        Rater -> score as text -> how often.
    """
    scores = sorted({score for found in histograms.values() for score in found}, key=float)
    styles = {score: f"s{1 + round(4 * place / max(len(scores) - 1, 1))}" for place, score in enumerate(scores)}
    rows = {
        name: [(f"score {score}", int(found.get(score, 0)), styles[score]) for score in scores]
        for name, found in histograms.items()
    }
    return _stacks(rows, f"Scores of {trait} by rater")


def _stacks(rows: Mapping[str, Sequence[tuple[str, int, str]]], label: str) -> Markup:
    drawn = [_stack(name, parts, STACK * place) for place, (name, parts) in enumerate(rows.items())]
    return figure(*drawn, height=STACK * len(rows), label=label, class_="stacks")


def _stack(name: str, parts: Sequence[tuple[str, int, str]], y: float) -> Markup:
    whole = sum(size for _, size, _ in parts)
    clipped = element("svg", element("text", name, x=0, y=y + 16), width="31%", height=y + STACK, class_="clip")
    drawn, left = [clipped], 33.0
    for part, size, style in parts:
        wide = 67 * size / whole if whole else 0.0
        tip = f"{name}\n{part}: {count(size)} ({percent(size, whole)})"
        if size:
            box = {"x": f"{left:.2f}%", "width": f"{wide:.2f}%"}
            drawn.append(element("rect", y=y + 4, height=16, class_=f"part {style}", data_tip=tip, **box))
        left += wide
    return element("g", *drawn)
