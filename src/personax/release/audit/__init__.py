"""Attacks on a release, one a file, each beside guessing and a control."""

from personax.release.audit.attack import Attack, wilson
from personax.release.audit.gate import Gate
from personax.release.audit.report import AuditReport, audit
from personax.release.audit.tabular import audit_table
from personax.release.audit.versions import Versions, versions

__all__ = ["Attack", "AuditReport", "Gate", "Versions", "audit", "audit_table", "versions", "wilson"]
