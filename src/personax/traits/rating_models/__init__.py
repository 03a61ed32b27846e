"""Rules that make one score of several raters' scores, each with how uncertain it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, get_args

from personax.traits._ratings import Ratings
from personax.traits.rating_models._dawid_skene import dawid_skene
from personax.traits.rating_models._graded_response import graded
from personax.traits.rating_models._score_estimate import ScoreEstimate
from personax.traits.rating_models._voting import confidence, majority, mean, median

__all__ = ["RULES", "Rule", "ScoreEstimate", "rating_model"]

Rule = Literal["median", "mean", "majority", "confidence", "dawid_skene", "graded"]

RULES: tuple[Rule, ...] = get_args(Rule)


def rating_model(name: Rule) -> Callable[[Ratings], ScoreEstimate]:
    """Return a rule by its name."""
    known: Mapping[Rule, Callable[[Ratings], ScoreEstimate]] = {
        "median": median, "mean": mean, "majority": majority, "confidence": confidence, "dawid_skene": dawid_skene,
        "graded": graded,
    }  # fmt: skip
    return known[name]
