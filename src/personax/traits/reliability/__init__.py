"""Reliability of raters: agreement, repeatability, severity, halo, differential functioning.

Nothing here is validity: raters that share what they have read agree, steadily, and may all be wrong.

=========================  ================================================================
`agreement`                Krippendorff's alpha, weighted kappa, use of the scale
`icc`                      intraclass correlations: how reliable one rater and the mean are
`decision_study`           generalisability: how many raters and repeats are enough
`multitrait_multimethod`   whether raters tell the traits apart: HTMT, halo
`rater_effects`            severity, test-retest, scale use, missing answers, order of levels
`differential_functioning` whether raters treat groups of people alike
`silence_by_group`         whether raters are silent about one group more than about another
`reliability_report`       all of them, as reliability.json holds it
`RatingArray`, `Bootstrap` scores as one array; intervals over people
=========================  ================================================================
"""

from personax.traits.reliability._agreement import AgreementReport, agreement, icc, krippendorff_alpha, weighted_kappa
from personax.traits.reliability._differential import differential_functioning
from personax.traits.reliability._generalisability import decision_study, variance_components
from personax.traits.reliability._group_differences import MAX_GROUPS, group_indicators
from personax.traits.reliability._multitrait import halo, htmt, multitrait_multimethod
from personax.traits.reliability._rater_effects import rater_effects
from personax.traits.reliability._rating_array import Bootstrap, RatingArray
from personax.traits.reliability._silence import silence_by_group
from personax.traits.reliability._summary import ReliabilityReport, reliability_report

__all__ = [
    "MAX_GROUPS",
    "AgreementReport",
    "Bootstrap",
    "RatingArray",
    "ReliabilityReport",
    "agreement",
    "decision_study",
    "differential_functioning",
    "group_indicators",
    "halo",
    "htmt",
    "icc",
    "krippendorff_alpha",
    "multitrait_multimethod",
    "rater_effects",
    "reliability_report",
    "silence_by_group",
    "variance_components",
    "weighted_kappa",
]
