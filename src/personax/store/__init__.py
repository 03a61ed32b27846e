"""The study folder: content-addressed outputs, one manifest a stage that points at them, one lock.

::

    study.yaml           what is asked for
    objects/<2>/<hash>   every output, under its SHA-256; read-only, written once
    manifests/<stage>    which outputs a stage has; replaced in one step, which is the commit
    people/ traits/ ...  the same files under readable names: links to the objects, or copies where a disk has no links
    .staging/            what is being written, and what an interrupted stage need not do again

Whoever reads an output asks `StudyFolder.output`, which takes it from the manifest and verifies its hash; so a reader
sees a stage as it was or as it is, never half, and a file that somebody changed is never computed with.
"""

from __future__ import annotations

from personax.store._doctor import FolderFinding, examine_folder
from personax.store._folder import Staging, StudyFolder
from personax.store._lock import is_held
from personax.store._manifest import Manifest
from personax.store._remote import RemoteStore
from personax.store._tables import StageTables

__all__ = [
    "FolderFinding",
    "Manifest",
    "RemoteStore",
    "StageTables",
    "Staging",
    "StudyFolder",
    "examine_folder",
    "is_held",
]
