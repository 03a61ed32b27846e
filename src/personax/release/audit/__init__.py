"""Campaigns against a release: what an attacker holds, and every attack with it beside guessing and a control.

- what is held: ``linkage`` (all originals), ``direct`` (one), ``strangers``, ``facts``, ``pairs``, ``versions``
- steps: ``seeds`` and ``gromov`` (first pairs), ``predicting`` and ``selftraining`` (everybody), ``network``
- ``together``: all measurements at once, and the groups of the table
- ``report``: all campaigns against one measurement; ``run``: against a release; ``gate``: what none may exceed
"""

from personax.release.audit._attack import Attack, wilson
from personax.release.audit._campaign import CAMPAIGNS, Campaign
from personax.release.audit._gate import Gate
from personax.release.audit._known_pairs import KnownPairsPoint
from personax.release.audit._report import AuditReport, audit_vectors
from personax.release.audit._table_attacks import audit_table
from personax.release.audit._version_linkage import VersionLinkage, link_versions

__all__ = [
    "CAMPAIGNS",
    "Attack",
    "AuditReport",
    "Campaign",
    "Gate",
    "KnownPairsPoint",
    "VersionLinkage",
    "audit_table",
    "audit_vectors",
    "link_versions",
    "wilson",
]
