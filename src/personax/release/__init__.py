"""What may leave the study folder, and how little it discloses.

A map, each line using the ones above it:

- ``keys/``: the keystore, HKDF, pseudonyms, key rotation
- ``transforms/``: keyed, invertible transforms of vectors, one a file; `Chain` composes them
- ``vectors/``: obfuscation of embeddings, and reduction to few numbers with noise
- ``disclosure/``: rare categories, k-anonymity by generalisation, local differential privacy
- ``pii/``: the scan for known private values in any spelling, and for contacts
- ``statistics/``: noisy contingency tables, the privacy budget and its ledger; ``answering/``: checked answers
- ``audit/``: linkage attacks in campaigns, and the gate; attacks are registered parts
- ``packaging/``: shards, dataset card, datasheet, licences, Croissant, checksums
- ``_release_input`` and ``_settings``, ``_column_policy`` (`plan_columns` prints it), ``_table_protection``,
  ``_release_audit`` and ``_build``: building a release
- ``_invert`` (by its owner), ``reading/`` (by anybody), ``checks/`` (`verify`), ``_push``: an existing release
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from personax.release._build import build
    from personax.release._column_plan import ColumnPlan, plan_columns
    from personax.release._column_policy import ColumnRule, ColumnTreatment
    from personax.release._invert import invert, restore_ids, restore_people
    from personax.release._push import PushPreview, PushResult, push
    from personax.release._release_audit import ReleaseAudit, audit_release
    from personax.release._release_input import ReleaseInput
    from personax.release._settings import (
        AnonymityRequirements,
        NoiseSettings,
        Publisher,
        ReleaseOptions,
        ReleaseSettings,
    )
    from personax.release._table_protection import protect
    from personax.release._third_party_readers import check_third_party_readers
    from personax.release.audit import AuditReport, Gate, audit_table, audit_vectors
    from personax.release.checks._verify import verify
    from personax.release.keys import Keystore, ReleaseKey, load_key
    from personax.release.pii import scan
    from personax.release.reading import Released, load_release, propose_mapping
    from personax.release.transforms import PRESETS, Chain

__all__ = [
    "PRESETS",
    "AnonymityRequirements",
    "AuditReport",
    "Chain",
    "ColumnPlan",
    "ColumnRule",
    "ColumnTreatment",
    "Gate",
    "Keystore",
    "NoiseSettings",
    "Publisher",
    "PushPreview",
    "PushResult",
    "ReleaseAudit",
    "ReleaseInput",
    "ReleaseKey",
    "ReleaseOptions",
    "ReleaseSettings",
    "Released",
    "audit_release",
    "audit_table",
    "audit_vectors",
    "build",
    "check_third_party_readers",
    "invert",
    "load_key",
    "load_release",
    "plan_columns",
    "propose_mapping",
    "protect",
    "push",
    "restore_ids",
    "restore_people",
    "scan",
    "verify",
]

_HOME = {
    "PRESETS": "transforms",
    "AnonymityRequirements": "_settings",
    "AuditReport": "audit",
    "Chain": "transforms",
    "ColumnPlan": "_column_plan",
    "ColumnRule": "_column_policy",
    "ColumnTreatment": "_column_policy",
    "Gate": "audit",
    "Keystore": "keys",
    "NoiseSettings": "_settings",
    "Publisher": "_settings",
    "PushPreview": "_push",
    "PushResult": "_push",
    "ReleaseAudit": "_release_audit",
    "ReleaseInput": "_release_input",
    "ReleaseKey": "keys",
    "ReleaseOptions": "_settings",
    "ReleaseSettings": "_settings",
    "Released": "reading",
    "audit_release": "_release_audit",
    "audit_table": "audit",
    "audit_vectors": "audit",
    "build": "_build",
    "check_third_party_readers": "_third_party_readers",
    "invert": "_invert",
    "load_key": "keys",
    "load_release": "reading",
    "plan_columns": "_column_plan",
    "propose_mapping": "reading",
    "protect": "_table_protection",
    "push": "_push",
    "restore_ids": "_invert",
    "restore_people": "_invert",
    "scan": "pii",
    "verify": "checks._verify",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        text = f"module 'personax.release' has no attribute {name!r}"
        raise AttributeError(text)
    return getattr(import_module(f"personax.release.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
