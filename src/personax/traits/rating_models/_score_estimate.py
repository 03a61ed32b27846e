"""What a rule gives: a score a person, how uncertain it is, and other scores that it might as well have been."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from personax.traits._ratings import Floats

__all__ = ["MAX_LEVELS", "Draw", "ScoreEstimate"]

MAX_LEVELS: Final = 11
"""Distinct scores that still are levels."""

Draw = Callable[[np.random.Generator], Floats]
"""Random numbers -> a plausible score of everybody, shape (people,), NaN where nobody gave a score."""


@dataclass(frozen=True)
class ScoreEstimate:
    """One trait of everybody.

    Parameters
    ----------
    score
        Shape (people,), NaN where there is none.
    sd
        Standard deviation of the score as the measurement model has it, given what raters said; NaN where unknown.
    draw
        Makes plausible values; None where ``reason`` says why not.
    reason
        Why the uncertainty, or even the score, is not known.
    """

    score: Floats
    sd: Floats
    draw: Draw | None = None
    reason: str | None = None

    @classmethod
    def missing(cls, n_people: int, reason: str) -> ScoreEstimate:
        """Return no score for anybody."""
        return cls.without_sd(np.full(n_people, np.nan), reason)

    @classmethod
    def without_sd(cls, score: Floats, reason: str) -> ScoreEstimate:
        """Return scores whose uncertainty cannot be known."""
        return cls(score, np.full(len(score), np.nan), None, reason)
