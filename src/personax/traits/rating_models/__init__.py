"""Rating models: one score of several raters' scores, each with how uncertain it is; registered as ``rating_models``.

``_voting``: median, mean, majority, confidence-weighted mean, with a measurement model for their uncertainty;
``_dawid_skene``: confusion matrices; ``_many_facet``: the ordinal model of persons, raters, families, groups, repeats
and silence, ``_graded_response``: the scores that it gives, with raters alone or with all facets.
"""

from __future__ import annotations

from collections.abc import Callable

from personax import registry
from personax.traits._ratings import Ratings, ScoreEstimate
from personax.traits.rating_models._many_facet import ManyFacetFit, fit_many_facet

__all__ = ["ManyFacetFit", "RatingModel", "Ratings", "ScoreEstimate", "fit_many_facet",
           "rating_model"]  # fmt: skip

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
