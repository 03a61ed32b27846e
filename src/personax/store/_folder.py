"""The study folder: where things are, and how a stage's output becomes visible all at once.

A stage writes into ``.staging/<stage>.partial``, a mirror of the study folder. To commit, every file is moved to
``objects/`` under its hash and flushed to disk; then the new manifest takes the place of the old one in a single
rename, flushed too: that is the commit. Before it readers find the old outputs, after it the new ones. Last, the
readable names are linked to the new outputs, and what no manifest refers to is removed; ``.staging/<stage>.publish``
stands from before the commit until that is done, so that whoever opens the folder next completes what a killed process
left.
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from personax.config import SECTIONS
from personax.errors import InputError, StudyError
from personax.files import cached_sha256, written_aside
from personax.names import safe_name
from personax.store._lock import held, telling_of_a_full_disk
from personax.store._manifest import (
    OWN,
    Manifest,
    UnreadableManifest,
    check_outputs,
    read_manifest,
)
from personax.store._modes import HANDED_ON, modes_of, using_umask
from personax.store._objects import Objects, holds, is_within, place, remove

__all__ = ["KNOWN_STAGES", "Staging", "StudyFolder"]

KNOWN_STAGES: Final = (*SECTIONS, "report")
"""Whose manifests a study folder has; what other names say there is not read."""


class StudyFolder:
    """A study on disk.

    Parameters
    ----------
    root
        The folder; it is made when the first stage commits.
    results
        It holds results that belong to no study: they have their readable names alone, and no objects.
    durable
        What is committed is there after a power cut.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as root:
    ...     folder = StudyFolder(Path(root))
    ...     with folder.lock(), folder.staging("collect") as staged:
    ...         _ = staged.path("people", "note.txt").write_text("hello")
    ...         _ = staged.commit(Manifest("collect", 1, 0, {}, {}))
    ...     folder.output("people", "note.txt").read_text()
    'hello'
    """

    def __init__(self, root: Path, *, results: bool = False, durable: bool = True) -> None:
        self.root, self._results, self._durable = root, results, durable
        self.objects = Objects(root)
        self._read: dict[str, tuple[tuple[int, ...], Manifest | UnreadableManifest, int]] = {}
        self._claimed: tuple[object, dict[str, str]] = (None, {})
        self._umask = 0o022

    def path(self, *parts: str) -> Path:
        """Return a path inside the folder, of what no stage writes; for outputs see `output`."""
        return self.root.joinpath(*parts)

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the folder for this process, after completing what a killed one left; released even by kill -9.

        Meanwhile everything that the process writes can be read by the owner alone, or by the group that the folder was
        made for: the umask is set.

        Raises
        ------
        StudyError
            Another process works in the folder, it cannot be written or locked, or the disk is full.
        """
        mask = modes_of(self.root).umask
        with using_umask(mask) as self._umask, held(self.root), telling_of_a_full_disk(self.root):
            self._recover()
            yield

    @contextlib.contextmanager
    def private(self) -> Iterator[None]:
        """Let what the process writes meanwhile be read by those alone who may read the folder; `lock` does so, too."""
        with using_umask(modes_of(self.root).umask):
            yield

    def is_writable(self) -> bool:
        """Say whether the folder, or what it will be made in, can be written."""
        there = next((one for one in (self.root, *self.root.absolute().parents) if one.exists()), self.root)
        return os.access(there, os.W_OK | os.X_OK)

    def manifest(self, stage: str) -> Manifest | None:
        """Return a stage's manifest, or None when the stage has not run; one that cannot be read is none.

        Raises
        ------
        StudyError
            A newer personax wrote it.
        """
        found = self._manifest(stage)
        return found if isinstance(found, Manifest) else None

    def manifest_fault(self, stage: str) -> str | None:
        """Return why a manifest that is there cannot be read; None where there is none or nothing is wrong."""
        found = self._manifest(stage)
        return str(found) if isinstance(found, UnreadableManifest) else None

    def _manifest(self, stage: str) -> Manifest | UnreadableManifest | None:
        path = self.path("manifests", f"{stage}.json")
        try:
            found = path.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        mark = (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
        if stage not in self._read or self._read[stage][0] != mark:
            read: Manifest | UnreadableManifest
            try:
                if not is_within(self.root, path):
                    raise UnreadableManifest("it is reached through a link")
                read, written = read_manifest(path, stage)
            except UnreadableManifest as error:
                read, written = error, 0
            self._read[stage] = (mark, read, written)
        return self._read[stage][1]

    def stages(self) -> list[str]:
        """Return the names of the stages that have a manifest, readable or not."""
        folder = self.path("manifests")
        names = sorted(path.name for path in folder.glob("*.json")) if is_within(self.root, folder) else []
        stages = [name.removesuffix(".json") for name in names if not name.startswith(".")]
        return stages if self._results else [stage for stage in KNOWN_STAGES if stage in stages]

    def claims(self) -> dict[str, str]:
        """Return output -> hash over all stages; what two stages claim is the earlier one's."""
        manifests = {stage: self.manifest(stage) for stage in self.stages()}
        marks = {stage: self._read[stage][0] for stage in manifests if stage in self._read}
        if self._claimed[0] != marks:
            claims: dict[str, str] = {}
            for manifest in manifests.values():
                claims = {**manifest.outputs, **claims} if manifest else claims
            self._claimed = (marks, claims)
        return self._claimed[1]

    def output(self, *parts: str) -> Path | None:
        """Return a file with the content of a stage's output, verified against the manifest; None where there is none.

        The file may have another name than the output. Nothing but what a manifest names is ever returned.

        Raises
        ------
        StudyError
            A manifest names it, and no file has its content any more.
        """
        name = "/".join(parts)
        digest = self.claims().get(name)
        return None if digest is None else self._verified(name, digest)

    def outputs(self, *parts: str) -> dict[str, Path]:
        """Return name below a folder -> verified file, of all outputs in the folder."""
        start = "/".join(parts) + "/"
        claims = {name: digest for name, digest in sorted(self.claims().items()) if name.startswith(start)}
        return {name.removeprefix(start): self._verified(name, digest) for name, digest in claims.items()}

    def verified(self, manifest: Manifest, name: str) -> Path:
        """Return a file with the content of an output of this manifest.

        Raises
        ------
        StudyError
            No file has it any more.
        """
        return self._verified(name, manifest.outputs[name])

    def _verified(self, name: str, digest: str) -> Path:
        for path in (self.objects.path(digest), self.path(name)):
            if holds(self.root, path, digest):
                return path
        raise StudyError(f"{self.path(name)} is missing or was changed; personax run makes it again")

    def readable_folder(self, stage: str, name: str) -> Path:
        """Return a folder of a stage's outputs under their readable names, all as the stage wrote them.

        Raises
        ------
        StudyError
            The stage has not run, or one of them is missing or was changed.
        """
        manifest = self.manifest(stage)
        if manifest is None:
            raise StudyError(f"the stage {stage} has not run in {self.root}; personax run does it")
        inside = {one: digest for one, digest in manifest.outputs.items() if one.startswith(f"{name}/")}
        changed = self.changed_output(replace(manifest, outputs=inside))
        if changed:
            raise StudyError(f"{changed} in {self.root}; personax run makes it again")
        return self.path(name)

    def changed_output(self, manifest: Manifest) -> str | None:
        """Return in words which output is gone or edited; None when all are as the stage left them."""
        for name, digest in manifest.outputs.items():
            path = self.path(name)
            if not path.exists():
                return f"its output {name} is missing"
            if not holds(self.root, path, digest):
                return f"its output {name} was changed by hand"
        return None

    def refuse_foreign(self, stage: str, *, beside: Collection[str] = ()) -> None:
        """Refuse a folder of results that holds a user's own files, or what other commands wrote.

        Parameters
        ----------
        stage
            Whose results are to be written.
        beside
            The stages whose results may stand there too.

        Raises
        ------
        StudyError
            It is not a new folder, nor an empty one, nor one with results of this stage.
        """
        if not self.root.is_dir():
            return
        there = self.stages()
        others = [name for name in there if name != stage and name not in beside]
        if others and stage not in there:
            raise StudyError(f"{self.root} holds the results of {others[0]}; give {stage} another folder by --out")
        foreign = sorted(path.name for path in self.root.iterdir() if path.name[0] != "." and path.name != "objects")
        if foreign and not there:
            raise StudyError(
                f"{self.root} holds files that personax did not make, such as {foreign[0]}, and stays as it is; "
                "give a new folder by --out"
            )

    @contextlib.contextmanager
    def staging(self, stage: str) -> Iterator[Staging]:
        """Give a stage a place to write that nobody sees until it commits."""
        partial = self.path(".staging", f"{stage}.partial")
        remove(partial)
        if not is_within(self.root, partial):
            raise StudyError(f"{partial.parent} is a link; a study writes in its own folder: remove the link")
        partial.mkdir(parents=True)
        try:
            yield Staging(self, stage, partial)
        finally:
            remove(partial, quiet=True)

    def checkpoint_folder(self, stage: str, run: str) -> Path:
        """Return a folder for what an interrupted stage need not do again; other runs' folders are removed.

        It lasts until the stage commits. ``run`` names everything that its content depends on.
        """
        folder = self.path(".staging", f"{stage}.kept")
        for other in folder.glob("*"):
            if other.name != run:
                remove(other)
        (folder / run).mkdir(parents=True, exist_ok=True)
        return folder / run

    def commit(self, stage: str, written: Path, manifest: Manifest) -> Manifest:
        """Make the files below a folder a stage's output, all at once; return the manifest with their hashes."""
        files = _plain_files(written)
        manifest = replace(manifest, outputs={name: cached_sha256(file) for name, file in files.items()})
        check_outputs(manifest.outputs)
        self._refuse_others_outputs(stage, manifest)
        self.install(manifest, {digest: files[name] for name, digest in manifest.outputs.items()})
        return manifest

    def install(self, manifest: Manifest, files: Mapping[str, Path]) -> None:
        """Make a manifest that of its stage; ``files`` (hash -> file, verified) are the outputs to take in."""
        stage = manifest.stage
        modes, old = modes_of(self.root), self.manifest(stage)
        places = {
            digest: name for name, digest in sorted(manifest.outputs.items(), key=lambda one: _is_handed_on(one[0]))
        }
        for digest, file in files.items():
            self.objects.put(file, digest, modes.of_output(places[digest], self._umask))
        if self._durable:
            self.objects.sync(set(manifest.outputs.values()))
        self._write(self._marker(stage), json.dumps(sorted(old.outputs if old else ())))
        self._write(self.path("manifests", f"{stage}.json"), manifest.to_json())
        self._publish(stage)
        remove(self.path(".staging", f"{stage}.kept"))

    def _refuse_others_outputs(self, stage: str, manifest: Manifest) -> None:
        for other in self.stages():
            own = self.manifest(other) if other != stage else None
            shared = sorted(set(own.outputs if own else ()) & set(manifest.outputs))
            if shared:
                raise StudyError(f"{stage} writes {shared[0]}, which is an output of {other}; give it another name")
        for name, digest in manifest.outputs.items() if self._results else ():
            path = self.path(name)
            if name not in self.claims() and path.exists() and not holds(self.root, path, digest):
                raise StudyError(f"{path} was not made by personax, and stays; give another folder by --out")

    def _marker(self, stage: str) -> Path:
        return self.path(".staging", f"{stage}.publish")

    def _write(self, path: Path, text: str) -> None:
        if not is_within(self.root, path.parent):
            raise StudyError(f"{path.parent} is a link; a study keeps its state in its own folder: remove the link")
        with written_aside(path, durable=self._durable) as aside:
            aside.write_text(text, encoding="utf-8")

    def _publish(self, stage: str) -> None:
        """Give a stage's outputs their readable names and remove those of the run before; safe to repeat."""
        marker, manifest = self._marker(stage), self.manifest(stage)
        if manifest is not None:
            claims = self.claims()
            for name in _names_in(marker):
                if name not in claims and is_within(self.root, self.path(name).parent):
                    _unlink_file(self.path(name))
            for name, digest in manifest.outputs.items():
                self._place(name, digest)
        self.collect()
        marker.unlink(missing_ok=True)

    def _place(self, name: str, digest: str) -> None:
        target, source = self.path(name), self.objects.path(digest)
        if not source.is_file():  # of results, which keep no objects: a run before came to here
            return
        if is_within(self.root, target.parent):
            self._make_folders(name)
        place(self.root, source, target, self.aside())

    def _make_folders(self, name: str) -> None:
        """Make the folders above an output; only those that were not there get modes."""
        modes, parts = modes_of(self.root), name.split("/")[:-1]
        for depth in range(len(parts)):
            folder = self.path(*parts[: depth + 1])
            if folder.exists() and not folder.is_dir():
                raise StudyError(f"{folder} is a file, and the study keeps a folder of this name; move it away")
            if not folder.exists():
                folder.mkdir()
                if parts[0] in HANDED_ON:
                    folder.chmod(modes.of_folder(name, self._umask))

    def collect(self) -> list[Path]:
        """Remove objects that no manifest refers to, and return them; none while a manifest cannot be read."""
        if self._results:
            return self._let_go()
        if any(self.manifest_fault(stage) for stage in self.stages()):
            return []
        return self.objects.collect(set(self.claims().values()))

    def _let_go(self) -> list[Path]:
        """Remove the objects of results, whose readable names stay, and make those files the user's."""
        for name in self.claims():
            path = self.path(name)
            if is_within(self.root, path) and path.is_file() and path.stat().st_uid == os.geteuid():
                path.chmod(0o666 & ~self._umask)
        found = list(self.objects.stored().values())
        remove(self.objects.folder)
        return found

    def _recover(self) -> None:
        """Complete what a killed process left: readable names after a commit; what is partial is thrown away."""
        staging = self.path(".staging")
        if not is_within(self.root, staging):
            raise StudyError(f"{staging} is a link; a study writes in its own folder: remove the link")
        mirrors = sorted(staging.glob("*.ready"))
        for ready in mirrors:
            self._install_ready(ready)
        if mirrors:
            self.close_to_others()
        for marker in sorted(staging.glob("*.publish")):
            self._publish(marker.name.removesuffix(".publish"))
        for left in (*staging.glob("*.partial"), *staging.glob("*.link"), *staging.glob(".*.tmp")):
            remove(left)
        for left in self.path("manifests").glob(".*.tmp"):
            remove(left)
        if not self._results:
            self._migrate()
        self.collect()  # what a commit that did not come to its manifest had put there

    def _migrate(self) -> None:
        """Take the outputs of versions 0.1 and 0.2 into ``objects`` without computing anything."""
        old = [stage for stage in self.stages() if self.manifest(stage) is not None and self._read[stage][2] == 1]
        for stage in old:
            manifest = self.manifest(stage)
            if manifest is not None:
                self._adopt(manifest)
                self._write(self.path("manifests", f"{stage}.json"), manifest.to_json())
        if old:
            self.close_to_others()

    def _adopt(self, manifest: Manifest) -> None:
        """Link outputs from their readable paths into ``objects``; those that were changed stay as they are."""
        modes, adopted = modes_of(self.root), set()
        for name, digest in manifest.outputs.items():
            target = self.objects.path(digest)
            if holds(self.root, self.path(name), digest) and not holds(self.root, target, digest):
                target.parent.mkdir(parents=True, exist_ok=True)
                place(self.root, self.path(name), target, self.aside())
                with contextlib.suppress(PermissionError):  # of a colleague's file
                    target.chmod(modes.of_output(name, self._umask))
                adopted.add(digest)
        if self._durable and adopted:
            self.objects.sync(adopted)

    def _install_ready(self, ready: Path) -> None:
        """Complete a commit of version 0.2 that was killed; one that is not whole and valid is thrown away.

        The mirror holds the manifest and what was not yet moved; the rest is in place already.
        """
        stage = ready.name.removesuffix(".ready")
        with contextlib.suppress(UnreadableManifest, StudyError, InputError):
            manifest, files = _ready_mirror(self.root, ready, stage)
            for name, digest in manifest.outputs.items():
                if name not in files and holds(self.root, self.path(name), digest):
                    (ready / name).parent.mkdir(parents=True, exist_ok=True)
                    place(self.root, self.path(name), ready / name, self.aside())
            whole = all(holds(self.root, ready / name, digest) for name, digest in manifest.outputs.items())
            if whole and (self._results or stage in KNOWN_STAGES):
                self.commit(stage, ready, manifest)
        remove(ready)

    def close_to_others(self) -> None:
        """Give the folders with people in them the modes of this study."""
        for folder in self.own_folders():
            with contextlib.suppress(PermissionError):  # a colleague's
                folder.chmod(modes_of(self.root).folder)

    def own_folders(self) -> list[Path]:
        """Return the folders that hold people and what was computed of them, as far as they are there."""
        names = {name.split("/")[0] for name in self.claims() if "/" in name} - HANDED_ON
        found = [self.path(name) for name in sorted({*names, *OWN, ".staging"})]
        return [path for path in found if path.is_dir() and not path.is_symlink()]

    def aside(self) -> Path:
        """Return a name on the disk of the study that nobody else uses."""
        aside = self.path(".staging", f"{os.getpid()}.link")
        aside.parent.mkdir(parents=True, exist_ok=True)
        return aside


class Staging:
    """A stage's private mirror of the study folder, and the one way out of it."""

    def __init__(self, folder: StudyFolder, stage: str, root: Path) -> None:
        self._folder, self._stage, self.root = folder, stage, root

    def path(self, *parts: str) -> Path:
        """Return a path to write to; its folder exists.

        Raises
        ------
        InputError
            A part is no name of a file, or the path leads out.
        """
        for part in parts:
            for name in part.split("/"):
                safe_name(name, "an output")
        path = self.root.joinpath(*parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def commit(self, manifest: Manifest) -> Manifest:
        """Make everything written here the stage's output, all at once, and return the manifest with its hashes."""
        return self._folder.commit(self._stage, self.root, manifest)


def _is_handed_on(name: str) -> bool:
    return name.split("/")[0] in HANDED_ON


def _plain_files(folder: Path) -> dict[str, Path]:
    """Return path below the folder -> file.

    Raises
    ------
    StudyError
        There is something else than files and folders.
    """
    found = {}
    for path in sorted(folder.rglob("*")):
        kind = path.lstat().st_mode
        if stat.S_ISREG(kind):
            found[path.relative_to(folder).as_posix()] = path
        elif not stat.S_ISDIR(kind):
            raise StudyError(f"a stage wrote {path.name}, which is neither file nor folder; it was not kept")
    return found


def _ready_mirror(root: Path, ready: Path, stage: str) -> tuple[Manifest, set[str]]:
    """Return the manifest that a mirror of version 0.2 holds, taken out of it, and its other files.

    Raises
    ------
    UnreadableManifest
        It has none, or files that it does not name.
    StudyError
        It holds links.
    """
    if not is_within(root, ready):
        raise UnreadableManifest("it is a link")
    files = set(_plain_files(ready)) - {f"manifests/{stage}.json"}
    path = ready / "manifests" / f"{stage}.json"
    manifest, _ = read_manifest(path, stage)
    if not files <= set(manifest.outputs):
        raise UnreadableManifest("it names other files")
    path.unlink()
    return manifest, files


def _names_in(marker: Path) -> list[str]:
    """Return the readable names of the run before; none where the file does not say."""
    with contextlib.suppress(OSError, ValueError, InputError, AttributeError, TypeError):
        names = json.loads(marker.read_text(encoding="utf-8"))
        check_outputs(dict.fromkeys(names, "0" * 64))
        return list(names)
    return []


def _unlink_file(path: Path) -> None:
    with contextlib.suppress(FileNotFoundError, NotADirectoryError, IsADirectoryError):
        path.unlink()
