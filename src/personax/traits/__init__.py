"""Traits of people as raters see them: annotation, aggregation, reliability, validity.

================================  =======================================================================
`trait_framework`, `BIG_FIVE`     the traits that are scored; others are registered as ``trait_frameworks``
`read_framework`                  one of your own, in a file: traits, facets, items, anchors, language
`domain_framework` ...            facets put together into the broader traits that they are part of
`annotate_lexicon`                trait scores of texts by published adjective markers, offline
`read_scoring_key`, `score_items` trait scores of questionnaires
``llms``                          annotation by several LLMs: prompts, journal, runner, batches, judge
`aggregate`                       several raters' scores -> one score a trait; ``rating_models`` has how
`flag_report`                     scores beside words of doubt, and the result without them
`agreement`, ``reliability``      do raters agree, and how far can they be relied on
`counterfactual_audit`            do scores move when one field of the same person is changed
``model_selection``               which LLMs and prompt formats to ask
``validity``                      do inferred traits agree with what people say
================================  =======================================================================
"""

from personax.traits._aggregate import AggregatedScores, aggregate, aggregate_ratings
from personax.traits._domains import (
    consistency_notices,
    domain_framework,
    domain_ratings,
    domain_scores,
    facet_consistency,
)
from personax.traits._flagged_scores import flag_report, without_flagged
from personax.traits._framework_files import FrameworkDescription, read_framework
from personax.traits._frameworks import BIG_FIVE, trait_framework
from personax.traits._lexicon import annotate_lexicon
from personax.traits._questionnaire import read_scoring_key, score_items
from personax.traits._stereotype_audit import (
    AuditEffects,
    CounterfactualAudit,
    audit_effects,
    counterfactual_audit,
    most_frequent,
)
from personax.traits.reliability import agreement

__all__ = [
    "BIG_FIVE",
    "AggregatedScores",
    "AuditEffects",
    "CounterfactualAudit",
    "FrameworkDescription",
    "aggregate",
    "aggregate_ratings",
    "agreement",
    "annotate_lexicon",
    "audit_effects",
    "consistency_notices",
    "counterfactual_audit",
    "domain_framework",
    "domain_ratings",
    "domain_scores",
    "facet_consistency",
    "flag_report",
    "most_frequent",
    "read_framework",
    "read_scoring_key",
    "score_items",
    "trait_framework",
    "without_flagged",
]
