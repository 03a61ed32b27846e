"""Rating models: one score of several raters' scores, each with how uncertain it is; registered as ``rating_models``.

``_voting``: median, mean, majority, confidence-weighted mean, with a measurement model for their uncertainty;
``_dawid_skene``: confusion matrices; ``_graded_response``: Samejima's model.
"""

from __future__ import annotations

from collections.abc import Callable

from personax import registry
from personax.traits._ratings import Ratings, ScoreEstimate

__all__ = ["RatingModel", "Ratings", "ScoreEstimate", "rating_model"]

RatingModel = Callable[[Ratings], ScoreEstimate]


def rating_model(name: str) -> RatingModel:
    """Return a registered rating model.

    Raises
    ------
    RegistryError
        There is none of this name.

    Examples
    --------
    >>> rating_model("median").__name__
    'median'
    """
    model: RatingModel = registry.get("rating_models", name)
    return model
