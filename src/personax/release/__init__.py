"""What may leave the study folder, and how little it gives away.

A map, each line using the ones above it:

- secrets: ``hkdf``, ``draws`` (random numbers from a seed), ``key``
- ``transforms/``: one step a file, ``chain`` joins them, ``keeps`` says what each keeps; ``fitted`` beside the key
- ``audit/``: attacks, one a file; ``report`` runs those on a measurement, ``tabular`` those on a table, ``gate`` limits
- the folder: ``scan`` for private values, ``examine`` (all attacks on a release), ``package``, ``undo`` for the owner
"""

from personax.release.audit import Attack, AuditReport, Gate, audit, audit_table
from personax.release.key import Key, load_key, load_or_make_key
from personax.release.package import Contents, build
from personax.release.scan import scan
from personax.release.transforms import KEEPS, PRESETS, Chain, Preset
from personax.release.undo import undo

__all__ = [
    "KEEPS",
    "PRESETS",
    "Attack",
    "AuditReport",
    "Chain",
    "Contents",
    "Gate",
    "Key",
    "Preset",
    "audit",
    "audit_table",
    "build",
    "load_key",
    "load_or_make_key",
    "scan",
    "undo",
]
