"""The study folder: where things are, and how a stage's output becomes visible all at once.

A stage writes into ``.staging/<stage>.partial``, a mirror of the study folder. When all is written, manifest
included, the mirror is renamed to ``.staging/<stage>.ready``: that rename is the commit. The files are then moved into
place one by one, the manifest last. Whoever opens the folder next first completes a ready mirror that a killed process
left, and throws partial ones away; so a stage killed at any instant leaves its old output or its new one.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import filelock
import polars as pl

from personax.errors import StudyError, UnknownResult
from personax.files import sha256
from personax.strict import nearest

__all__ = ["Manifest", "StageTables", "Staging", "StudyFolder"]


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


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


class StudyFolder:
    """A study on disk.

    Parameters
    ----------
    root
        The folder; it is made when the first stage commits.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as root:
    ...     folder = StudyFolder(Path(root))
    ...     with folder.lock(), folder.staging("collect") as staged:
    ...         _ = staged.path("people", "note.txt").write_text("hello")
    ...         _ = staged.commit(Manifest("collect", 1, 0, {}, {}))
    ...     folder.path("people", "note.txt").read_text()
    'hello'
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, *parts: str) -> Path:
        """Return a path inside the folder."""
        return self.root.joinpath(*parts)

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the folder for this process, after completing what a killed one left; released even by kill -9.

        Raises
        ------
        StudyError
            When another process works in the folder.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True)
        except FileExistsError:
            text = f"{self.root} is a file; choose another folder"
            raise StudyError(text) from None
        lock = filelock.FileLock(self.path(".lock"), timeout=0)
        try:
            lock.acquire()
        except filelock.Timeout:
            text = f"another personax works in {self.root}; wait until it ends"
            raise StudyError(text) from None
        try:
            self._recover()
            yield
        finally:
            lock.release()

    def manifest(self, stage: str) -> Manifest | None:
        """Return a stage's manifest, or None when the stage has not run."""
        path = self.path("manifests", f"{stage}.json")
        if not path.is_file():
            return None
        try:
            return Manifest(**json.loads(path.read_text(encoding="utf-8")))
        except (ValueError, TypeError) as error:
            text = f"{path} is not a manifest that this personax reads ({error}); remove it to run the stage again"
            raise StudyError(text) from None

    def changed_output(self, manifest: Manifest) -> str | None:
        """Return in words which output is gone or edited; None when all are as the stage left them."""
        for name, digest in manifest.outputs.items():
            path = self.path(name)
            if not path.exists():
                return f"its output {name} is missing"
            if sha256(path) != digest:
                return f"its output {name} was changed by hand"
        return None

    @contextlib.contextmanager
    def staging(self, stage: str) -> Iterator[Staging]:
        """Give a stage a place to write that nobody sees until it commits."""
        partial = self.path(".staging", f"{stage}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        try:
            yield Staging(self, stage, partial)
        finally:
            shutil.rmtree(partial, ignore_errors=True)

    def checkpoint_folder(self, stage: str, run: str) -> Path:
        """Return a folder for what an interrupted stage need not do again; other runs' folders are removed.

        It lasts until the stage commits. ``run`` names everything that its content depends on.
        """
        folder = self.path(".staging", f"{stage}.kept")
        for other in folder.glob("*"):
            if other.name != run:
                shutil.rmtree(other)
        (folder / run).mkdir(parents=True, exist_ok=True)
        return folder / run

    def _recover(self) -> None:
        staging = self.path(".staging")
        for ready in sorted(staging.glob("*.ready")):
            self._install(ready)
        for partial in staging.glob("*.partial"):
            shutil.rmtree(partial)

    def _install(self, ready: Path) -> None:
        """Move a ready mirror into place; safe to repeat from any point, because the manifest moves last."""
        stage = ready.stem
        name = f"manifests/{stage}.json"
        if not (ready / name).exists():  # the manifest moves last: everything is in place
            shutil.rmtree(ready)
            return
        new = json.loads((ready / name).read_text(encoding="utf-8"))
        old = self.manifest(stage)
        for output in set(old.outputs if old else ()) - set(new["outputs"]):
            self.path(output).unlink(missing_ok=True)
        for file in _files(ready):
            relative = file.relative_to(ready)
            if relative.as_posix() != name:
                self._place(file, relative)
        self._place(ready / name, Path(name))
        shutil.rmtree(ready)

    def _place(self, file: Path, relative: Path) -> None:
        target = self.root / relative
        target.parent.mkdir(parents=True, exist_ok=True)
        file.replace(target)


class Staging:
    """A stage's private mirror of the study folder, and the one way out of it."""

    def __init__(self, folder: StudyFolder, stage: str, root: Path) -> None:
        self._folder, self._stage, self.root = folder, stage, root

    def path(self, *parts: str) -> Path:
        """Return a path to write to; its folder exists."""
        path = self.root.joinpath(*parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def commit(self, manifest: Manifest) -> Manifest:
        """Make everything written here the stage's output, all at once, and return the manifest with its hashes."""
        outputs = {file.relative_to(self.root).as_posix(): sha256(file) for file in _files(self.root)}
        manifest = replace(manifest, outputs=outputs)
        text = json.dumps(asdict(manifest), indent=1, ensure_ascii=False)
        self.path("manifests", f"{self._stage}.json").write_text(text, encoding="utf-8")
        ready = self.root.with_suffix(".ready")
        self.root.rename(ready)
        self._folder._install(ready)
        shutil.rmtree(self.root.with_suffix(".kept"), ignore_errors=True)
        return manifest


class StageTables(Mapping[str, pl.DataFrame]):
    """The tables that a stage wrote, by name; each is read when it is asked for.

    A name is that of the file without its ending, with the folders in which tables of the stage differ where two files
    have one name.

    Parameters
    ----------
    folder
        The study folder.
    manifest
        Of the stage.

    Raises
    ------
    StudyError
        On reading a table that is gone or cannot be read.
    """

    def __init__(self, folder: StudyFolder, manifest: Manifest) -> None:
        self._folder, self.stage = folder, manifest.stage
        paths = [Path(name) for name in sorted(manifest.outputs) if Path(name).suffix in _READERS]
        stems = [path.stem for path in paths]
        self._paths = {p.stem if stems.count(p.stem) == 1 else p.with_suffix("").as_posix(): p for p in paths}

    def __getitem__(self, name: str) -> pl.DataFrame:
        if name not in self._paths:
            raise UnknownResult(f"the stage {self.stage} wrote no table {name}; {nearest(name, list(self))}")
        path = self._folder.path(*self._paths[name].parts)
        try:
            return _READERS[path.suffix](path)
        except (OSError, pl.exceptions.PolarsError) as error:
            text = f"{path} cannot be read ({error}); run the stage {self.stage} again"
            raise StudyError(text) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.stage}: {', '.join(self) or 'no tables'})"


def _read_csv(path: Path) -> pl.DataFrame:
    return pl.read_csv(path, infer_schema_length=None)


_READERS: Mapping[str, Callable[[Path], pl.DataFrame]] = {
    ".parquet": pl.read_parquet, ".csv": _read_csv, ".arrow": pl.read_ipc,
}  # fmt: skip
