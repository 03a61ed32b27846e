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
from personax.release._column_plan import Proposal, propose
from personax.release._column_policy import Leave, Leaves
from personax.release._invert import named, people_of, undo
from personax.release._key_rotation import entry, install, keep_old, sentence_of, told_of_by_difference
from personax.release._keystore import Key, KeyFolder, load_key, load_or_make_key, new_key, write_secret
from personax.release._preserved_geometry import cka, neighbours_kept
from personax.release._push import Pushed, Sending, push
from personax.release._reduction import Keep, Reduced, Reduction, clipped, reduce, scores
from personax.release._release_audit import ReleaseAudit, audit_release
from personax.release._release_input import Contents, Encoded
from personax.release._settings import Alike, Noise, Settings
from personax.release._table_protection import protect
from personax.release._third_party_readers import load_by_others
from personax.release._untrusted_folder import open_folder
from personax.release.audit import Attack, AuditReport, Gate, audit, audit_table
from personax.release.checks._verify import verify
from personax.release.pii._table_scan import scan
from personax.release.reading import Released, load_release, propose_mapping
from personax.release.transforms import KEEPS, PRESETS, Chain, Preset

__all__ = [
    "KEEPS",
    "PRESETS",
    "Alike",
    "Attack",
    "AuditReport",
    "Chain",
    "Contents",
    "Encoded",
    "Gate",
    "Keep",
    "Key",
    "KeyFolder",
    "Leave",
    "Leaves",
    "Noise",
    "Preset",
    "Proposal",
    "Pushed",
    "Reduced",
    "Reduction",
    "ReleaseAudit",
    "Released",
    "Sending",
    "Settings",
    "audit",
    "audit_release",
    "audit_table",
    "build",
    "cka",
    "clipped",
    "entry",
    "install",
    "keep_old",
    "load_by_others",
    "load_key",
    "load_or_make_key",
    "load_release",
    "named",
    "neighbours_kept",
    "new_key",
    "open_folder",
    "people_of",
    "propose",
    "propose_mapping",
    "protect",
    "push",
    "reduce",
    "scan",
    "scores",
    "sentence_of",
    "told_of_by_difference",
    "undo",
    "verify",
    "write_secret",
]
