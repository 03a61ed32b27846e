"""A study in an object store: stages work in a folder of this machine, which is brought level with the bucket.

In the bucket lie ``study.yaml``, ``objects/<2>/<hash>``, ``manifests/<stage>.json`` and ``journal/<hash>.jsonl.gz``.
Objects and shards of the journal are called by their content and never replaced. A manifest is
replaced only if it is still the one that this machine saw: that conditional write is the commit, in place of a lock.
Of two machines that finish a stage at once the second is told so; what it made is kept in its own folder.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from personax.data.object_store import Bucket, Outrun, Version
from personax.errors import InputError, StudyError
from personax.files import cached_sha256, parse_json, sha256, write_text
from personax.names import safe_name
from personax.store._doctor import FolderFinding
from personax.store._folder import KNOWN_STAGES, StudyFolder
from personax.store._manifest import Manifest, UnreadableManifest, read_manifest
from personax.store._objects import holds, place

__all__ = ["RemoteStore", "local_copy"]

STATE: Final = ".remote.json"
"""In the local copy: which versions of the bucket's manifests it has seen."""

SHARDS: Final = ".shards"
ASIDE: Final = ".conflicts"
JOURNAL: Final = ("traits", "journal.sqlite")

_MANIFEST: Final = 256 << 20
_STUDY: Final = 16 << 20
_LINE: Final = 64 << 20
_SHARD: Final = re.compile(r"journal/([0-9a-f]{64})\.jsonl\.gz")


@dataclass(frozen=True)
class _Seen:
    """What this machine knows of a stage in the bucket: its version, the local manifest then, whether it was taken."""

    e_tag: str | None = None
    version: str | None = None
    digest: str = ""
    taken: bool = True

    @property
    def seen(self) -> Version | None:
        return Version(self.e_tag, self.version) if self.e_tag or self.version else None


def local_copy(url: str) -> Path:
    """Return where this machine keeps its copy of a study: ``personax/studies`` in XDG_CACHE_HOME or ``~/.cache``."""
    given = os.environ.get("XDG_CACHE_HOME", "")
    root = Path(given) if Path(given).is_absolute() else Path.home() / ".cache"
    return root / "personax" / "studies" / hashlib.sha256(url.encode()).hexdigest()[:24]


class RemoteStore:
    """A study's prefix in an object store, and the folder of this machine that is its copy.

    Parameters
    ----------
    bucket
        The prefix.
    root
        The copy; by default `local_copy`, made with mode 0700.

    Raises
    ------
    StudyError
        The folder is the copy of another address; on use what `Bucket` raises.
    """

    def __init__(self, bucket: Bucket, root: Path | None = None) -> None:
        self.bucket, self.root = bucket, root or local_copy(bucket.url)
        self.notes: list[str] = []
        """Sentences on what was found damaged and is made again."""
        self._damaged: set[str] = set()
        self._shipped: set[str] = set()
        self._read_shards: set[str] = set()
        self._read_state()

    def _read_state(self) -> None:
        try:
            raw = parse_json((self.root / STATE).read_bytes())
            url, self._conditional = str(raw["url"]), bool(raw["conditional"])
            self._stages = {str(stage): _Seen(**one) for stage, one in raw["stages"].items()}
            self._files = {str(name): list(one) for name, one in raw["files"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            url, self._conditional, self._stages = self.bucket.url, False, dict[str, _Seen]()
            self._files = dict[str, list[str | None]]()
        if url != self.bucket.url:
            raise StudyError(f"{self.root} is the copy of another study in a bucket; give another --folder")

    def _write_state(self) -> None:
        stages = {stage: asdict(one) for stage, one in self._stages.items()}
        state = {"url": self.bucket.url, "conditional": self._conditional, "stages": stages, "files": self._files}
        write_text(self.root / STATE, json.dumps(state, indent=1))

    def permission(self) -> str:
        """Return what is sent where, as a line of `personax trust`."""
        return f"sends outputs of stages and replies of models to {self.bucket.url} at {self.bucket.host}"

    def fetch_study(self) -> Path:
        """Bring study.yaml to this machine, and return it."""
        found = self.bucket.get("study.yaml", most=_STUDY)
        if found is None:
            raise StudyError(f"there is no {self.bucket.url}/study.yaml; put the study file there")
        file = self.root / "study.yaml"
        if not (self.root / STATE).exists() and file.exists() and file.read_bytes() != found[0]:
            raise StudyError(f"{file} is another study file than that of {self.bucket.url}; give another --folder")
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not (self.root / STATE).exists():
            self._write_state()
        if not file.exists() or file.read_bytes() != found[0]:
            _replace(file, found[0])
        return file

    def fetch_files(self, names: Iterable[str]) -> None:
        """Bring the files that a study file names beside itself to this machine, folders with all that is in them."""
        for name in names:
            if not _is_below(name):
                continue
            there, alone = dict(self.bucket.names(name)), self.bucket.find(name)
            for one, (_, version) in (there or ({name: alone} if alone else {})).items():
                self._fetch_file(one, version)
        self._write_state()

    def _fetch_file(self, name: str, version: Version) -> None:
        """Bring one file here unless it is the one that was brought before and is as it was."""
        target = self.root / name
        if not _is_below(name) or not target.resolve().is_relative_to(self.root.resolve()):
            raise StudyError(f"{self.bucket.url} holds {name[:200]!r}, which is no name for a file; rename it")
        if target.is_file() and self._files.get(name) == [version.e_tag, cached_sha256(target)]:
            return
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        aside = target.with_name(f".{target.name[:80]}.tmp")
        found = self.bucket.fetch(name, aside)
        if found is None or (target.is_file() and sha256(target) == found):
            aside.unlink()
        else:
            aside.replace(target)
        self._files[name] = [version.e_tag, found]

    def synchronise(self, folder: StudyFolder) -> None:
        """Take what others have finished, send what this machine has and they do not; under the folder's lock."""
        self.pull(folder)
        self.take_journal(folder)
        self.push(folder)

    def pull(self, folder: StudyFolder) -> None:
        """Take the stages that others have finished since; under the folder's lock.

        Raises
        ------
        StudyError
            This machine has finished the same stage with another result, which is kept aside.
        """
        there = self.bucket.names("manifests")
        for stage in KNOWN_STAGES:
            name, known = f"manifests/{stage}.json", self._stages.get(stage, _Seen())
            if name not in there:
                self._stages.pop(stage, None)  # somebody removed it: it is sent again
            elif there[name][1].e_tag != known.e_tag or not known.taken:
                found = self.bucket.get(name, most=_MANIFEST)
                if found is not None:
                    self._take(folder, stage, *found)
        self._write_state()

    def _take(self, folder: StudyFolder, stage: str, data: bytes, version: Version) -> None:
        """Take a stage of the bucket; where this machine has another result of its own, keep that aside."""
        known, own = self._stages.get(stage, _Seen()), _local(folder, stage)
        mine = folder.manifest(stage) if own != known.digest else None
        if own == hashlib.sha256(data).hexdigest():  # sent or taken, and killed before that was noted
            self._stages[stage] = _Seen(version.e_tag, version.version, own)
            return
        with folder.staging(stage) as out:
            theirs = self._manifest(out.root / ".manifest", stage, data)
            files = self._objects(folder, out.root, stage, theirs) if theirs else None
            aside = self._keep_aside(folder, mine, theirs) if mine and theirs and files is not None else None
            if theirs and files is not None:
                folder.install(theirs, files)
        # what cannot be read there is made again here, and then replaces it
        digest = _local(folder, stage) if files is not None else known.digest
        self._stages[stage] = _Seen(version.e_tag, version.version, digest, files is not None)
        if aside is not None:
            self._write_state()
            raise StudyError(
                f"{stage} was finished on another machine meanwhile, and {self.bucket.url} has that result; what this "
                f"machine made is kept in {aside}: run it again to go on from theirs"
            )

    def _manifest(self, file: Path, stage: str, data: bytes) -> Manifest | None:
        file.write_bytes(data)
        try:
            return read_manifest(file, stage)[0]
        except UnreadableManifest as error:
            self.notes.append(f"{self.bucket.url}/manifests/{stage}.json: {error}; {stage} counts as missing")
            return None
        finally:
            file.unlink()

    def _objects(self, folder: StudyFolder, out: Path, stage: str, manifest: Manifest) -> dict[str, Path] | None:
        """Return hash -> file of outputs that this machine lacks; None where one is lost or damaged."""
        files: dict[str, Path] = {}
        for digest in dict.fromkeys(manifest.outputs.values()):
            if holds(folder.root, folder.objects.path(digest), digest):
                continue
            files[digest] = out / digest
            if self.bucket.fetch(_object(digest), files[digest]) != digest:
                self._damaged.add(digest)
                text = f"{self.bucket.url}/{_object(digest)} is lost or damaged; {stage} counts as missing"
                self.notes.append(text)
                return None
        return files

    def _keep_aside(self, folder: StudyFolder, mine: Manifest, theirs: Manifest) -> Path | None:
        """Keep this machine's result, unless the other is the same."""
        if mine.outputs == theirs.outputs and mine.differs(theirs) is None:
            return None
        text = mine.to_json()
        aside = folder.path(ASIDE, f"{mine.stage}-{hashlib.sha256(text.encode()).hexdigest()[:12]}")
        for name in mine.outputs:
            (aside / name).parent.mkdir(parents=True, exist_ok=True)
            place(folder.root, folder.verified(mine, name), aside / name, folder.aside())
        aside.mkdir(parents=True, exist_ok=True)
        write_text(aside / "manifest.json", text)
        return aside

    def push(self, folder: StudyFolder) -> None:
        """Send the stages that this machine has finished: objects first, then the manifest; under the folder's lock.

        Raises
        ------
        StudyError
            Another machine was first with another result; this one's is kept aside.
        """
        for stage in folder.stages():
            manifest, own = folder.manifest(stage), _local(folder, stage)
            known = self._stages.get(stage, _Seen())
            if manifest is None or own == known.digest:
                continue
            if not self._conditional:
                self.bucket.check_conditions()
                self._conditional = True
            for digest, name in {digest: name for name, digest in manifest.outputs.items()}.items():
                damaged = digest in self._damaged
                self.bucket.put_object(_object(digest), folder.verified(manifest, name), damaged=damaged)
                self._damaged.discard(digest)
            self._commit(folder, stage, known)
            self._write_state()

    def _commit(self, folder: StudyFolder, stage: str, known: _Seen) -> None:
        name = f"manifests/{stage}.json"
        data = folder.path(*name.split("/")).read_bytes()
        try:
            new = self.bucket.replace(name, data, known.seen)
        except Outrun:
            found = self.bucket.get(name, most=_MANIFEST)
            if found is None:
                raise StudyError(f"{self.bucket.url}/{name} was removed meanwhile; run it again") from None
            self._take(folder, stage, *found)
        else:
            self._stages[stage] = _Seen(new.e_tag, new.version, hashlib.sha256(data).hexdigest())

    def take_journal(self, folder: StudyFolder) -> None:
        """Merge the replies that other machines have paid for into the journal, each request's once."""
        from personax.traits.llms import ReplyJournal, merge_replies  # late: most studies ask no models

        there = {found[1]: name for name in self.bucket.names("journal") if (found := _SHARD.fullmatch(name))}
        for digest in sorted(set(there) - {path.name for path in (self.root / SHARDS).glob("*")}):
            kept = self.root / SHARDS / digest
            kept.parent.mkdir(mode=0o700, exist_ok=True)
            aside = kept.with_name(f".{digest}.tmp")
            if self.bucket.fetch(there[digest], aside) != digest:
                aside.unlink()
                self.notes.append(f"{self.bucket.url}/{there[digest]} is lost or damaged; its replies are asked again")
                continue
            folder.path(*JOURNAL).parent.mkdir(parents=True, exist_ok=True)
            with ReplyJournal(folder.path(*JOURNAL)) as journal:
                merge_replies(journal, _lines(aside))
            aside.replace(kept)

    def ship_journal(self, folder: StudyFolder) -> None:
        """Send the replies that no shard holds as a new shard; a shard is never changed."""
        from personax.traits.llms import ReplyJournal, export_replies, reply_key

        if not folder.path(*JOURNAL).is_file():
            return
        for path in sorted((self.root / SHARDS).glob("[0-9a-f]*")):
            if path.name not in self._read_shards:
                self._shipped.update(map(reply_key, _lines(path)))
                self._read_shards.add(path.name)
        aside = self.root / SHARDS / f".{os.getpid()}.tmp"
        aside.parent.mkdir(mode=0o700, exist_ok=True)
        count = 0
        with (
            ReplyJournal(folder.path(*JOURNAL)) as journal,
            aside.open("wb") as raw,
            gzip.GzipFile("", "wb", 6, raw, mtime=0) as stream,
        ):
            for line in export_replies(journal, self._shipped):
                count += stream.write(line)
        digest = sha256(aside)
        if count:
            self.bucket.put_object(f"journal/{digest}.jsonl.gz", aside)
            aside.replace(aside.with_name(digest))
        else:
            aside.unlink()

    def examine(self, folder: StudyFolder, *, mend: bool = False) -> Iterator[FolderFinding]:
        """Yield what is lost or damaged in the bucket of the stages of this machine; all objects are read."""
        for name, digest in folder.claims().items():
            aside = self.root / ".examined.tmp"
            found = self.bucket.fetch(_object(digest), aside)
            aside.unlink()
            if found == digest:
                continue
            kept, mended = folder.objects.path(digest), False
            if mend and holds(folder.root, kept, digest):
                self.bucket.put_object(_object(digest), kept, damaged=True)
                mended = True
            text = f"{_object(digest)} ({name}) is lost or damaged in {self.bucket.url}; --mend sends it again"
            yield FolderFinding("bucket", text, "mended" if mended else "fault")


def _object(digest: str) -> str:
    return f"objects/{digest[:2]}/{digest}"


def _local(folder: StudyFolder, stage: str) -> str:
    """Return the hash of the local manifest; empty where there is none."""
    path = folder.path("manifests", f"{stage}.json")
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def _replace(file: Path, data: bytes) -> None:
    aside = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    aside.write_bytes(data)
    aside.replace(file)


def _is_below(name: str) -> bool:
    """Say whether a name is a plain path below the study file, and none of the study's own places."""
    path = PurePosixPath(name)
    try:
        for part in path.parts:
            safe_name(part, "a file")
    except InputError:
        return False
    return bool(path.parts) and not path.is_absolute() and not name.startswith(".")


def _lines(path: Path) -> Iterator[bytes]:
    """Yield the lines of a shard; one that is too long ends it with a sentence."""
    try:
        with gzip.open(path) as stream:
            while line := stream.readline(_LINE):
                if not line.endswith(b"\n"):
                    raise ValueError
                yield line
    except (EOFError, OSError, ValueError):
        raise StudyError(f"{path.name} is no shard of a journal; remove it from journal/ in the bucket") from None
