"""How far raters can be relied on: agreement, repeatability, severity, halo, differences by group.

Nothing here is validity: raters that share what they have read agree, steadily, and may all be wrong.

``panel`` (scores as an array) and ``resampling`` (intervals) are below the rest; then a file a question: ``agreement``
(do raters agree), ``icc`` (how reliable is their mean), ``generalisability`` (how many raters and repeats are enough),
``traitwise`` (are the five traits told apart), ``habits`` (how each rater uses the scale), ``groups`` (is it the same
for all groups).
"""

from personax.traits.reliability._agreement import agreement, krippendorff_alpha, weighted_kappa
from personax.traits.reliability._group_differences import LEVELS
from personax.traits.reliability._panel import Resampler
from personax.traits.reliability._summary import reliability

__all__ = ["LEVELS", "Resampler", "agreement", "krippendorff_alpha", "reliability", "weighted_kappa"]
