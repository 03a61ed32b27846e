"""How far raters can be relied on: agreement, repeatability, severity, halo, differences by group.

Nothing here is validity: raters that share what they have read agree, steadily, and may all be wrong.

``panel`` (scores as an array) and ``resampling`` (intervals) are below the rest; then a file a question: ``agreement``
(do raters agree), ``icc`` (how reliable is their mean), ``generalisability`` (how many raters and repeats are enough),
``traitwise`` (are the five traits told apart), ``habits`` (how each rater uses the scale), ``groups`` (is it the same
for all groups).
"""

from personax.traits.reliability.agreement import agreement, weighted_kappa
from personax.traits.reliability.alpha import krippendorff_alpha
from personax.traits.reliability.summary import reliability

__all__ = ["agreement", "krippendorff_alpha", "reliability", "weighted_kappa"]
