"""What is wrong with a study folder, and the mending of what can be mended without computing anything."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from personax.errors import StudyError
from personax.files import cached_sha256, salvage_sqlite
from personax.store._folder import KNOWN_STAGES, StudyFolder
from personax.store._lock import HOLDER, holder, is_held
from personax.store._manifest import Manifest
from personax.store._modes import GROUP, modes_of
from personax.store._objects import holds, place

__all__ = ["FolderFinding", "examine_folder"]

LEFT: Final = ("*.partial", "*.ready", "*.publish", "*.link", ".*.tmp")
EDITED: Final = ".edited"
"""Where mending puts what somebody changed."""


@dataclass(frozen=True)
class FolderFinding:
    """One thing that is wrong with a study folder.

    Parameters
    ----------
    kind
        What was looked at.
    text
        What is wrong, and what to do.
    state
        ``fault``; ``mended``; ``note``, which is no fault.
    """

    kind: str
    text: str
    state: Literal["fault", "mended", "note"] = "fault"


_OF_A_STUDY: Final = ("study.yaml", "manifests", "objects", ".staging", "people", "traits", "cache", "keys")
"""Of which a folder holds one at least that ever was a study's."""

_Check = Callable[[StudyFolder, bool], Iterator[FolderFinding]]


def examine_folder(folder: StudyFolder, *, mend: bool = False) -> list[FolderFinding]:
    """Look at everything that a study folder holds.

    Parameters
    ----------
    folder
        The study folder.
    mend
        Mend what can be: finish or remove what a killed process left, write readable names anew (what somebody changed
        goes to ``.edited/``), take damaged outputs from their copies, remove what nobody refers to, set modes.

    Raises
    ------
    StudyError
        There is no such folder, or it is to be mended and cannot be written, or somebody works in it.
    """
    if not folder.root.is_dir():
        raise StudyError(f"there is no study folder {folder.root}; check the path")
    if not any(os.path.lexists(folder.path(name)) for name in _OF_A_STUDY):
        raise StudyError(f"{folder.root} holds no study: neither study.yaml nor what a stage writes; check the path")
    if is_held(folder.root):
        text = f"personax works in it{holder(folder.root)}; examine it when it has ended"
        if mend:
            raise StudyError(f"{folder.root}: {text}")
        return [FolderFinding("lock", text, "note")]
    found, orphans = list(_leftovers(folder, mend)), _orphaned(folder)
    with folder.lock() if mend else contextlib.nullcontext():
        for check in _CHECKS:
            found += check(folder, mend)
        found += _orphans(folder, orphans, mend)
    return found


def _state(mended: bool) -> Literal["fault", "mended"]:
    return "mended" if mended else "fault"


def _leftovers(folder: StudyFolder, mend: bool) -> Iterator[FolderFinding]:
    """Yield what opening the folder completes or removes."""
    for pattern in LEFT:
        for path in sorted(folder.path(".staging").glob(pattern)):
            yield FolderFinding("left behind", f".staging/{path.name}; opening the study settles it", _state(mend))
    if folder.path(HOLDER).exists():
        yield FolderFinding("left behind", f"{HOLDER}; nobody holds the lock", _state(mend))


def _links(folder: StudyFolder, mend: bool) -> Iterator[FolderFinding]:
    claimed = {name.split("/")[0] for _, name, _ in _claimed(folder)}
    for top in (folder.path(name) for name in sorted({*claimed, ".staging", "manifests", "objects"})):
        for path in (top, *top.rglob("*")) if not top.is_symlink() else (top,):
            if path.is_symlink():
                name = path.relative_to(folder.root).as_posix()
                yield FolderFinding("link", f"{name} is a link and not followed; put the file itself there")


def _manifests(folder: StudyFolder, mend: bool) -> Iterator[FolderFinding]:
    for stage in folder.stages():
        try:
            fault = folder.manifest_fault(stage)
        except StudyError as error:
            yield FolderFinding("manifest", str(error))
            continue
        if fault:
            if mend:
                folder.path("manifests", f"{stage}.json").unlink()
            yield FolderFinding("manifest", f"manifests/{stage}.json: {fault}; the stage runs again", _state(mend))
        for name in _of_others(folder, stage):
            yield FolderFinding("manifest", f"{stage} claims {name}, an output of another stage; run both again")
    for path in sorted(folder.path("manifests").glob("*")):
        if path.name.removesuffix(".json") not in KNOWN_STAGES:
            yield FolderFinding("manifest", f"manifests/{path.name} is of no stage and not read", "note")


def _of_others(folder: StudyFolder, stage: str) -> list[str]:
    manifest = _manifest(folder, stage)
    claims = folder.claims() if manifest else {}
    return [name for name, digest in manifest.outputs.items() if claims[name] != digest] if manifest else []


def _manifest(folder: StudyFolder, stage: str) -> Manifest | None:
    with contextlib.suppress(StudyError):
        return folder.manifest(stage)
    return None


def _claimed(folder: StudyFolder) -> Iterator[tuple[str, str, str]]:
    """Yield stage, output and hash of all stages that this personax reads."""
    for stage in folder.stages():
        manifest = _manifest(folder, stage)
        for name, digest in manifest.outputs.items() if manifest else ():
            yield stage, name, digest


def _objects(folder: StudyFolder, mend: bool) -> Iterator[FolderFinding]:
    for stage, name, digest in _claimed(folder):
        kept, shown = folder.objects.path(digest), folder.path(name)
        if holds(folder.root, kept, digest):
            continue
        if holds(folder.root, shown, digest):
            if mend:
                kept.parent.mkdir(parents=True, exist_ok=True)
                place(folder.root, shown, kept, folder.aside())
            yield FolderFinding("output", f"the object of {name} is missing or damaged, its copy right", _state(mend))
        else:
            yield FolderFinding("output", f"{name} is lost or damaged; personax run computes {stage} again")
    damaged = [file for digest, file in folder.objects.stored().items() if cached_sha256(file) != digest]
    for file in damaged:
        if mend:
            file.unlink()
        yield FolderFinding("object", f"objects/{file.parent.name}/{file.name} is not what its name says", _state(mend))


def _readable(folder: StudyFolder, mend: bool) -> Iterator[FolderFinding]:
    for _, name, digest in _claimed(folder):
        shown, kept = folder.path(name), folder.objects.path(digest)
        if holds(folder.root, shown, digest) or not holds(folder.root, kept, digest):
            continue
        said = "was changed by hand" if shown.exists() else "is missing"
        if mend:
            if shown.exists():
                put = folder.path(EDITED, name)
                put.parent.mkdir(parents=True, exist_ok=True)
                shown.replace(put)
                said += f" (kept as {EDITED}/{name})"
            shown.parent.mkdir(parents=True, exist_ok=True)
            place(folder.root, kept, shown, folder.aside())
        yield FolderFinding("readable name", f"{name} {said}; personax run makes it again", _state(mend))


def _orphaned(folder: StudyFolder) -> set[Path]:
    used = {digest for _, _, digest in _claimed(folder)}
    return {file for digest, file in folder.objects.stored().items() if digest not in used}


def _orphans(folder: StudyFolder, before: set[Path], mend: bool) -> Iterator[FolderFinding]:
    """Yield objects of no stage; ``before`` are those that were there before the folder was opened, which clears up."""
    orphans = before | _orphaned(folder)
    if mend:
        folder.collect()
    if orphans:
        text = f"{len(orphans)} objects belong to no stage"
        yield FolderFinding("orphans", text, _state(mend and not _orphaned(folder)))


def _modes(folder: StudyFolder, mend: bool) -> Iterator[FolderFinding]:
    modes = modes_of(folder.root)
    wanted = modes.folder & 0o777
    for path in folder.own_folders():
        mode = stat.S_IMODE(path.stat().st_mode) & 0o777
        if mode & ~wanted or (modes is GROUP and wanted & ~mode):
            mended = mend and _chmod(path, modes.folder)
            text = f"{path.name}/ has the mode {mode:o} and holds people; {wanted:o} is right"
            yield FolderFinding("modes", text, _state(mended))
    writable = [file for file in folder.objects.stored().values() if stat.S_IMODE(file.lstat().st_mode) & 0o222]
    for file in writable:
        mended = mend and _chmod(file, stat.S_IMODE(file.stat().st_mode) & ~0o222)
        yield FolderFinding("modes", f"objects/{file.parent.name}/{file.name} can be written", _state(mended))


def _chmod(path: Path, mode: int) -> bool:
    with contextlib.suppress(PermissionError):  # a colleague's
        path.chmod(mode)
        return True
    return False


def _journals(folder: StudyFolder, mend: bool) -> Iterator[FolderFinding]:
    for path in (folder.path("traits", "journal.sqlite"), folder.path("cache", "pages.sqlite")):
        if path.is_file():
            try:
                with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as base:
                    told = str(base.execute("PRAGMA quick_check(1)").fetchone()[0])
            except sqlite3.Error as error:
                told = str(error)
            if told != "ok":
                yield _salvaged(folder, path, told.splitlines()[0], mend)


def _salvaged(folder: StudyFolder, path: Path, why: str, mend: bool) -> FolderFinding:
    """Put what can be read of a damaged database in its place, and keep the damaged one."""
    name = path.relative_to(folder.root).as_posix()
    if not mend:
        text = f"{name} is damaged ({why}); --mend keeps it in {EDITED}/ and goes on with the rows that can be read"
        return FolderFinding("journal", text)
    kept, copy = folder.path(EDITED, name), path.with_name(f".{path.name}.tmp")
    copy.unlink(missing_ok=True)
    try:
        rows = salvage_sqlite(path, copy)
    except StudyError as error:
        return FolderFinding("journal", f"{error}; put a copy of it back, or move it away")
    kept.parent.mkdir(parents=True, exist_ok=True)
    for suffix in ("-wal", "-shm"):
        copy.with_name(copy.name + suffix).unlink(missing_ok=True)
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + suffix).replace(kept.with_name(kept.name + suffix))
    path.replace(kept)
    copy.replace(path)
    lost = [table for table, (_, whole) in rows.items() if not whole]
    read = sum(count for count, _ in rows.values())
    share = f"not all of {', '.join(lost)}" if lost else "all"
    text = f"{name} was damaged ({why}); {read:,} rows were read, {share}; the damaged file is {EDITED}/{name}"
    return FolderFinding("journal", text, "mended")


def _space(folder: StudyFolder, mend: bool) -> Iterator[FolderFinding]:
    sizes: dict[str, int] = {}
    for stage, _, digest in _claimed(folder):
        file = folder.objects.path(digest)
        sizes[stage] = sizes.get(stage, 0) + (file.lstat().st_size if file.exists() else 0)
    stage, most = max(sizes.items(), key=lambda one: one[1], default=("", 0))
    free = shutil.disk_usage(folder.root).free
    if free < most:
        yield FolderFinding("space", f"{free:,} bytes are free, and {stage} alone writes {most:,}; free some space")
    if not os.access(folder.root, os.W_OK):
        yield FolderFinding("space", "the folder cannot be written here; it can be read", "note")


_CHECKS: Final[tuple[_Check, ...]] = (
    _links, _manifests, _objects, _readable, _modes, _journals, _space,
)  # fmt: skip
