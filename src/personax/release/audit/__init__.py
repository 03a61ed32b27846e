"""Attacks on a release, one a file, each beside guessing and a control."""

from personax.release.audit.attack import Attack, wilson
from personax.release.audit.gate import Gate
from personax.release.audit.report import AuditReport, audit
from personax.release.audit.tabular import audit_table

__all__ = ["Attack", "AuditReport", "Gate", "audit", "audit_table", "wilson"]
