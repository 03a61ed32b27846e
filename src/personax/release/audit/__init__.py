"""The audit of a release: linkage attacks in campaigns, each beside guessing and a control, and the gate.

Attacks are registered parts (``@register("attacks", name, title=..., campaign=...)``); another package adds one in one
file, and `personax.testing.check_attack` checks it. What it is depends on the campaign:

- ``originals``: a function ``(originals, released, rng)`` of two `CachedViews` that returns for each original the
  released row taken for the same person, a `NearestFeatures` of a function that returns the features of both sides, or
  a `SelfTraining`
- ``pairs``: a subclass of `KnownPairsAttack`, or of `KnownPairsCurve` where it has no features
- ``table``: a function ``(split, rng)`` of a `TableSplit` that returns an `Attack`

Files, each using the ones above it:

- ``_attack`` (a result with its intervals), ``_campaign`` (what attackers hold; registered attacks)
- ``_cached_views``, ``_nearest_neighbours``, ``_axes``: views of vectors, distance profiles, principal axes, ICA
- ``_gromov_wasserstein``, ``_seed_pairs``, ``_learned_maps``, ``_self_training``: initial pairs, extended to all people
- ``_linkage`` (all originals, or one), ``_distribution_alignment`` (only vectors of strangers), ``_known_pairs`` and
  ``_inverse_network``, ``_attribute_inference``, ``_unlinkability`` (two keys), ``_joint_attack`` (all measurements)
- ``_table_attacks`` (with joins of public facts), ``_version_linkage`` (two versions of a release)
- ``_report``: all campaigns against one measurement; ``_gate``: limits that no attack may exceed
"""

from personax.release.audit._attack import Attack, wilson
from personax.release.audit._cached_views import CachedViews
from personax.release.audit._campaign import CAMPAIGNS, Campaign, registered_attacks
from personax.release.audit._gate import Gate
from personax.release.audit._known_pairs import KnownPairs, KnownPairsAttack, KnownPairsCurve, KnownPairsPoint
from personax.release.audit._linkage import NearestFeatures, SelfTraining
from personax.release.audit._report import AuditReport, audit_vectors
from personax.release.audit._table_attacks import CodedTable, TableSplit, audit_table
from personax.release.audit._version_linkage import VersionLinkage, link_versions

__all__ = [
    "CAMPAIGNS", "Attack", "AuditReport", "CachedViews", "Campaign", "CodedTable", "Gate", "KnownPairs",
    "KnownPairsAttack", "KnownPairsCurve", "KnownPairsPoint", "NearestFeatures", "SelfTraining", "TableSplit",
    "VersionLinkage", "audit_table", "audit_vectors", "link_versions", "registered_attacks", "wilson",
]  # fmt: skip
