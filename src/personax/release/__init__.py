"""What may leave the study folder, and how little it gives away.

A map, each line using the ones above it:

- secrets: ``hkdf``, ``draws`` (random numbers from a seed), ``key``, ``beside`` (what lies beside it)
- ``transforms/``: one step a file, ``chain`` joins them, ``keeps`` says what each keeps; ``fitted`` beside the key
- ``disclosure/``: rare categories, years, groups of people alike, noise
- ``pii/``: known private values in any spelling, contacts; ``scan``, ``scan_folder``: looked for everywhere
- ``audit/``: campaigns; ``report`` runs them on a measurement, ``run`` on a release, ``tabular`` on a table, ``gate``
- ``packaging/``: shards, card, datasheet, licences, Croissant, checksums
- building: ``contents`` and ``settings`` in, ``decide`` (what becomes of each column; ``proposal`` prints it),
  ``protect`` (the table), ``veil`` (the vectors), ``audit.run``, ``build``
- meeting a release: ``undo`` (its owner), ``reading/``, ``checks/`` and ``verify``, ``push``
"""

from personax.release._build import build
from personax.release._column_plan import ColumnPlan, plan_columns
from personax.release._column_policy import ColumnRule, ColumnTreatment
from personax.release._invert import invert, restore_ids, restore_people
from personax.release._key_rotation import archive_key, describe_risks, differencing_risks, install_key, release_record
from personax.release._keystore import Keystore, ReleaseKey, load_key, load_or_make_key, new_key, write_secret
from personax.release._preserved_geometry import cka, neighbours_kept
from personax.release._push import PushPreview, PushResult, push
from personax.release._reduction import ReducedVectors, Reduction, ReductionMethod, clip_norms, project, reduce
from personax.release._release_audit import ReleaseAudit, audit_release
from personax.release._release_input import EncoderFacts, ReleaseInput
from personax.release._settings import AnonymityRequirements, NoiseSettings, ReleaseSettings
from personax.release._table_protection import protect
from personax.release._third_party_readers import check_third_party_readers
from personax.release._untrusted_folder import open_folder
from personax.release.audit import Attack, AuditReport, Gate, audit, audit_table
from personax.release.checks._verify import verify
from personax.release.pii._table_scan import scan
from personax.release.reading import Released, load_release, propose_mapping
from personax.release.transforms import PRESERVATION, PRESETS, Chain, Preset

__all__ = [
    "PRESERVATION",
    "PRESETS",
    "AnonymityRequirements",
    "Attack",
    "AuditReport",
    "Chain",
    "ColumnPlan",
    "ColumnRule",
    "ColumnTreatment",
    "EncoderFacts",
    "Gate",
    "Keystore",
    "NoiseSettings",
    "Preset",
    "PushPreview",
    "PushResult",
    "ReducedVectors",
    "Reduction",
    "ReductionMethod",
    "ReleaseAudit",
    "ReleaseInput",
    "ReleaseKey",
    "ReleaseSettings",
    "Released",
    "archive_key",
    "audit",
    "audit_release",
    "audit_table",
    "build",
    "check_third_party_readers",
    "cka",
    "clip_norms",
    "describe_risks",
    "differencing_risks",
    "install_key",
    "invert",
    "load_key",
    "load_or_make_key",
    "load_release",
    "neighbours_kept",
    "new_key",
    "open_folder",
    "plan_columns",
    "project",
    "propose_mapping",
    "protect",
    "push",
    "reduce",
    "release_record",
    "restore_ids",
    "restore_people",
    "scan",
    "verify",
    "write_secret",
]
