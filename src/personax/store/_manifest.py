"""The manifest of a stage: what went in and what came out. Read from disk it is somebody's file, and is checked."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Final, Self

from pydantic import ConfigDict, TypeAdapter, ValidationError

from personax.errors import InputError, StudyError
from personax.names import safe_name

__all__ = ["FORMAT", "Manifest", "UnreadableManifest", "check_outputs", "read_manifest"]

FORMAT: Final = 2
"""Of a study folder: 1, outputs at their readable paths alone; 2, outputs in ``objects/``."""

_MAX_BYTES: Final = 256 << 20
_DIGEST: Final = re.compile("[0-9a-f]{64}")


class UnreadableManifest(Exception):
    """A file that is no manifest of this stage; its text says why."""


@dataclass(frozen=True)
class Manifest:
    """What went into a stage and what came out.

    Parameters
    ----------
    stage, revision
        Stage name, and the number that grows when the stage's code changes its results.
    seed, plan
        The study's seed and the stage's own section of study.yaml.
    inputs, outputs
        Path (relative to the study folder) -> SHA-256.
    versions, counts, notices
        Package versions; how many of what; what a reader must know.
    started, seconds
        When (UTC) and how long; kept here and nowhere else, so that data files do not depend on the clock.
    """

    __pydantic_config__ = ConfigDict(extra="forbid", strict=True)

    stage: str
    revision: int
    seed: int
    plan: Mapping[str, Any]
    inputs: Mapping[str, str]
    outputs: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    notices: Sequence[Mapping[str, Any]] = field(default_factory=list)
    started: str = ""
    seconds: float = 0.0

    def content_hash(self) -> str:
        """Return a hash of what a report tells of this stage; not of the time it took."""
        content = [
            self.revision,
            self.seed,
            dict(self.plan),
            dict(self.versions),
            dict(self.counts),
            list(self.notices),
        ]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def differs(self, other: Self) -> str | None:
        """Return in words why this stage must run again, given what would go in now; None when nothing changed."""
        if self.revision != other.revision:
            return "this version of personax computes it differently"
        if self.seed != other.seed:
            return f"the seed changed from {self.seed} to {other.seed}"
        if self.plan != other.plan:
            keys = sorted(k for k in {*self.plan, *other.plan} if self.plan.get(k) != other.plan.get(k))
            return f"the setting {', '.join(keys)} changed"
        changed = sorted(k for k in {*self.inputs, *other.inputs} if self.inputs.get(k) != other.inputs.get(k))
        return f"its input {changed[0]} changed" if changed else None

    def to_json(self) -> str:
        """Return the text of the file."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=1, ensure_ascii=False)


_VALID: Final = TypeAdapter(Manifest)


def read_manifest(path: Path, stage: str) -> tuple[Manifest, int]:
    """Return a stage's manifest, and the format of the study folder that it was written for.

    Raises
    ------
    UnreadableManifest
        It is empty, cut short, of another stage, or names outputs that cannot be.
    StudyError
        A newer personax wrote it.
    """
    if path.is_symlink() or not path.is_file():
        raise UnreadableManifest("it is no plain file")
    if path.stat().st_size > _MAX_BYTES:
        raise UnreadableManifest("it is too large")
    try:
        raw = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        raise UnreadableManifest("it is empty or cut short" if path.stat().st_size == 0 else "it is no JSON") from None
    written = raw.pop("format", 1) if isinstance(raw, dict) else 1
    if isinstance(written, int) and written > FORMAT:
        text = f"{path} is of format {written}, written by a newer personax; this one reads up to {FORMAT}: update it"
        raise StudyError(text)
    try:
        found = _VALID.validate_json(json.dumps(raw))  # of strict classes only JSON may be objects
        check_outputs(found.outputs)
    except (ValidationError, InputError, RecursionError):
        raise UnreadableManifest("it does not hold what a manifest holds") from None
    if found.stage != stage:
        raise UnreadableManifest("it is of another stage")
    return found, written


def check_outputs(outputs: Mapping[str, str]) -> None:
    """Refuse outputs that would lie outside the study folder or among what is its own, or that would be one file.

    Raises
    ------
    InputError
        For the first such name, or a hash that is none.
    """
    folded: set[str] = set()
    for name, digest in outputs.items():
        parts = PurePosixPath(name).parts
        if not parts or "/".join(parts) != name or parts[0] in OWN or name.startswith("."):
            raise InputError(f"{name!r} is no place for an output; give a path inside the study folder")
        for part in parts:
            safe_name(part, "an output")
        if name.casefold() in folded:
            raise InputError(f"two outputs would be one file on some disks: {name!r}; give them names that differ")
        folded.add(name.casefold())
        if not _DIGEST.fullmatch(digest):
            raise InputError(f"the hash of {name!r} is none; run the stage again")


OWN: Final = frozenset({"manifests", "objects", "keys", "cache", "answers", "study.yaml"})
"""What lies in a study folder and is no output; names that begin with a dot are neither."""
