"""What a transform can keep: so that a publisher knows which results of the originals still hold on the release."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

__all__ = ["ORTHOGONAL", "PROPERTIES", "SMOOTH", "Preservation"]

Preservation = Literal["exactly", "approximately", "not"]
"""``approximately`` is measured, in docs/protection.md."""

PROPERTIES: Mapping[str, str] = {
    "distances": "Euclidean distances between people",
    "inner products": "inner products of people, and so cosines",
    "neighbours": "who is nearest to whom",
    "rbf": "the RBF kernel of whole vectors with the median distance as its width",
    "level I": "p-values of HSIC and KCI on whole vectors, which standardise each coordinate before their kernel",
    "linear": "all linear functions of the vector: linear and logistic regression, partial correlation, CCA",
    "coordinates": "each coordinate up to order, sign and a monotone map: rank tests of single coordinates",
    "independence": "what is independent of the whole vector, given anything: the truth that Level I asks about",
    "linear mixing": "if the originals are a linear map of latents, so is the release (assumed by ICA and linear CRL)",
    "smooth mixing": "if the originals are a smooth invertible map of latents, so is the release (nonlinear CRL)",
}
"""Property -> what it means."""

ORTHOGONAL: Mapping[str, Preservation] = {
    **dict.fromkeys(PROPERTIES, "exactly"),
    "coordinates": "not",
    "level I": "approximately",
}
"""By a map that turns and mirrors."""

SMOOTH: Mapping[str, Preservation] = {
    **dict.fromkeys(PROPERTIES, "not"),
    **dict.fromkeys(("neighbours", "rbf", "level I"), "approximately"),
    **dict.fromkeys(("independence", "smooth mixing"), "exactly"),
}
"""By a smooth invertible map."""
