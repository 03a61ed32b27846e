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

from personax.release.audit import Attack, AuditReport, Gate, audit, audit_table
from personax.release.beside import KeyFolder
from personax.release.build import build
from personax.release.contents import Contents, Encoded
from personax.release.decide import Leave
from personax.release.key import Key, load_key, load_or_make_key
from personax.release.proposal import propose
from personax.release.push import push
from personax.release.reading import Released, load_release, propose_mapping
from personax.release.scan import scan
from personax.release.settings import Alike, Noise, Settings
from personax.release.transforms import KEEPS, PRESETS, Chain, Preset
from personax.release.undo import undo
from personax.release.verify import verify

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
    "Key",
    "KeyFolder",
    "Leave",
    "Noise",
    "Preset",
    "Released",
    "Settings",
    "audit",
    "audit_table",
    "build",
    "load_key",
    "load_or_make_key",
    "load_release",
    "propose",
    "propose_mapping",
    "push",
    "scan",
    "undo",
    "verify",
]
