"""Attacks on a release: what an attacker holds, and every attack with it beside guessing and a control.

- what is held: ``_linkage`` (all originals, or one), ``_distribution_alignment`` (strangers' vectors),
  ``_known_pairs``, ``_attribute_inference``, ``_table_attacks``, ``_unlinkability`` (two keys), ``_version_linkage``
- steps: ``_nearest_neighbours``, ``_axes``, ``_gromov_wasserstein`` and ``_seed_pairs`` (first pairs),
  ``_learned_maps`` and ``_self_training`` (everybody); ``_cached_views`` has equal rows, too
- ``_joint_attack``: all measurements at once; ``_report``: all campaigns against one measurement; ``_gate``: limits
"""

from personax.release.audit._attack import Attack, wilson
from personax.release.audit._campaign import CAMPAIGNS, Campaign
from personax.release.audit._gate import Gate
from personax.release.audit._known_pairs import Point
from personax.release.audit._report import AuditReport, audit
from personax.release.audit._table_attacks import audit_table
from personax.release.audit._version_linkage import Versions, versions

__all__ = [
    "CAMPAIGNS",
    "Attack",
    "AuditReport",
    "Campaign",
    "Gate",
    "Point",
    "Versions",
    "audit",
    "audit_table",
    "versions",
    "wilson",
]
