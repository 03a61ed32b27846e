"""Record linkage: one person across sources.

``_link`` links records, ``_merge`` merges those of one person. ``_comparison`` scores two records by fixed points;
``_candidates`` makes the candidate pairs of large sources with ``_names``, and ``_fellegi_sunter``
learns the weights of their fields. ``_review`` asks a person about what is between.
"""

from personax.sources.record_linkage._fellegi_sunter import (
    CandidateLevels,
    FieldModel,
    FittedLinkage,
    fit,
    link_threshold,
    marginals,
)
from personax.sources.record_linkage._link import Linkage, link
from personax.sources.record_linkage._merge import LinkedRecords, link_and_merge, merge
from personax.sources.record_linkage._review import read_decisions, review_rows, review_tasks

__all__ = [
    "CandidateLevels",
    "FieldModel",
    "FittedLinkage",
    "Linkage",
    "LinkedRecords",
    "fit",
    "link",
    "link_and_merge",
    "link_threshold",
    "marginals",
    "merge",
    "read_decisions",
    "review_rows",
    "review_tasks",
]
