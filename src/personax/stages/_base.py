"""What a stage is, and what it is given."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import polars as pl

import personax
from personax.config import Framed, Plan
from personax.data.columns import infer_columns
from personax.data.frames import read_parquet, write_parquet
from personax.data.hub_files import local_path
from personax.data.remote_tables import RemoteTables
from personax.data.table import COLUMNS, Table
from personax.errors import StudyError
from personax.files import Json, cached_sha256
from personax.progress import Progress, Silent
from personax.schema import Column, Notice, TraitFramework
from personax.store import Manifest, Staging, StudyFolder
from personax.traits import BIG_FIVE

__all__ = [
    "FRAMEWORK",
    "Context",
    "Reader",
    "Results",
    "Stage",
    "framework_of",
    "people_table",
    "private_left_out",
    "results_folder",
    "stage_rng",
    "versions",
]

FRAMEWORK = ("traits", "framework.json")
"""The traits of a study that scores others than the Big Five, for the stages and the report that read its scores."""

_VERSIONED = ("numpy", "scipy", "polars", "torch", "causal-learn", "pillow")


def versions() -> dict[str, str]:
    """Return the versions of the installed packages that numbers depend on."""
    found = {"personax": personax.__version__}  # of the code that runs, not of what was installed before it
    for name in _VERSIONED:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def framework_of(plan: Plan) -> TraitFramework:
    """Return the framework whose traits a plan has scored."""
    return plan.annotate.scored() if isinstance(plan.annotate, Framed) else BIG_FIVE


def stage_rng(seed: int, stage: str) -> np.random.Generator:
    """Return a stage's own stream of random numbers; adding a stage changes no other stage's numbers.

    Examples
    --------
    >>> int(stage_rng(1, "collect").integers(1000)) == int(stage_rng(1, "collect").integers(1000))
    True
    """
    return np.random.default_rng([seed, crc32(stage.encode())])


def people_table(folder: StudyFolder) -> Table:
    """Read the people of a study and what their columns mean.

    Raises
    ------
    StudyError
        Nobody has been collected yet, or the files are not what the stage wrote.
    """
    found = folder.outputs("people")
    for name in ("people.parquet", COLUMNS):
        if name not in found:
            raise StudyError(f"{folder.root / 'people' / name} is missing; personax collect makes it")
    return Table.read(found["people.parquet"], columns=found[COLUMNS], provenance=found.get("provenance.json"))


@dataclass
class Reader:
    """The study folder as a stage reads it.

    Parameters
    ----------
    plan
        The whole plan.
    base
        Folder from which relative paths of the plan start.
    folder
        The study folder.
    """

    plan: Plan
    base: Path
    folder: StudyFolder

    def external_path(self, path: str) -> Path:
        """Return the place of a file that the plan names."""
        return local_path(self.base, path)

    def frame(self, *parts: str) -> pl.DataFrame:
        """Read a Parquet file of the study folder."""
        path = self.folder.output(*parts)
        if path is None:
            text = f"{self.folder.path(*parts)} is missing; personax run makes it"
            raise StudyError(text)
        return read_parquet(path)

    def json(self, *parts: str) -> Json:
        """Read a JSON file of the study folder; None where no stage wrote it."""
        path = self.folder.output(*parts)
        return json.loads(path.read_text(encoding="utf-8")) if path is not None else None

    def people(self) -> Table:
        """Read the people and what their columns mean."""
        return people_table(self.folder)

    def scores(self) -> Table | None:
        """Read the trait scores, of raters and over them, and what they mean; None where the plan asks for none."""
        if self.plan.annotate is None:
            return None
        return score_table(self.frame("traits", "traits.parquet"), self.framework())

    def framework(self) -> TraitFramework:
        """Return the framework of the study's scores."""
        path = self.folder.output(*FRAMEWORK)
        return TraitFramework.from_json(path.read_text(encoding="utf-8")) if path is not None else BIG_FIVE

    def final_scores(self) -> Table | None:
        """Read the scores over raters that anybody has; None where the plan asks for none."""
        scores = self.scores()
        if scores is None:
            return None
        return scores.select(name for name in scores.names if name == "id" or _has_final(scores.frame[name]))

    def embeddings(self) -> dict[str, pl.DataFrame]:
        """Read the embeddings that the embed stage of this plan wrote, modality by modality."""
        manifest = self.folder.manifest("embed") if self.plan.embed is not None else None
        names = [name for name in manifest.outputs if name.endswith(".parquet")] if manifest else []
        return {Path(name).stem: self.frame(name) for name in names}


@dataclass
class Context(Reader):
    """What a stage is given: the plan, the folder to read, a private place to write, its random numbers.

    Parameters
    ----------
    plan
        The whole plan; a stage reads its own section.
    base
        Folder from which relative paths of the plan start.
    folder
        The study folder, for reading the stages before this one.
    out
        Where this stage writes; nobody sees it until the stage has ended.
    rng
        The stage's own random numbers.
    counts, notices
        Filled by the stage; they go into its manifest and into the report.
    inputs
        Filled by the stage: hashes of the weights that it read, which may have been fetched in this run.
    """

    out: Staging
    rng: np.random.Generator
    progress: Progress = field(default_factory=Silent)
    counts: dict[str, int] = field(default_factory=dict)
    notices: list[Notice] = field(default_factory=list)
    inputs: dict[str, str] = field(default_factory=dict)

    def write_frame(self, frame: pl.DataFrame, *parts: str, rows: int | None = None) -> None:
        """Write a table as Parquet, compressed; ``rows`` in a group, all of which are in memory once more."""
        path = self.out.path(*parts)
        write_parquet(frame, path, compression="zstd", statistics=False, row_group_size=rows)

    def write_text(self, text: str, *parts: str) -> None:
        """Write a text file in UTF-8."""
        self.out.path(*parts).write_text(text, encoding="utf-8")


def score_table(scores: pl.DataFrame, framework: TraitFramework) -> Table:
    """Return trait scores with what their columns mean: ``<rater>_<letter>`` is a target, whatever the framework."""
    columns = infer_columns(scores)
    if framework != BIG_FIVE:  # whose columns are known by their names
        endings = tuple(f"_{letter}" for letter in framework.letters.values())
        why = "a target, the point of the data set"
        columns = [
            replace(column, role="target", identity="sensitive", identity_why=why)
            if column.name.endswith(endings)
            else column
            for column in columns
        ]
    return Table(scores, columns)


def _has_final(values: pl.Series) -> bool:
    return values.name.startswith("final_") and values.count() > 0


def _nothing(plan: Plan) -> Sequence[str]:
    return ()


def _no_weights(plan: Plan, base: Path, folder: StudyFolder) -> Mapping[str, str | None]:
    return {}


@dataclass(frozen=True)
class Stage:
    """One step of a study.

    Parameters
    ----------
    name
        Its command, its section in study.yaml and its manifest.
    revision
        Grows whenever the code changes what the stage writes, so that old output is seen to be stale.
    needs
        The stages whose output it reads; those absent from the plan are passed over.
    run
        Does the work.
    names_study
        Its output carries the study's name.
    uses_manifests
        Its output tells the settings, counts and notices of the stages that it needs.
    external_files
        The files outside the study folder that it reads, as the plan names them.
    also_needs
        Further stages whose output it reads under this plan.
    optional_files
        Files of the study folder that no stage writes, and that it reads where they are there.
    model_hashes
        The models that it reads, and the hash of each one's files as they are now; None where they are not here.
    """

    name: str
    revision: int
    needs: tuple[str, ...]
    run: Callable[[Context], None]
    external_files: Callable[[Plan], Sequence[str]] = _nothing
    names_study: bool = False
    uses_manifests: bool = False
    also_needs: Callable[[Plan], Sequence[str]] = _nothing
    optional_files: tuple[str, ...] = ()
    model_hashes: Callable[[Plan, Path, StudyFolder], Mapping[str, str | None]] = _no_weights

    def needs_under(self, plan: Plan) -> tuple[str, ...]:
        """Return the stages whose output it reads under a plan."""
        return (*self.needs, *self.also_needs(plan))


@dataclass
class Results:
    """Results that belong to no study: where they are written, and what their manifest says of them."""

    out: Staging
    counts: dict[str, int] = field(default_factory=dict)
    notices: list[Notice] = field(default_factory=list)


def _hashes(inputs: Sequence[Path] | RemoteTables) -> dict[str, str]:
    """Return the name of each file, as far as it tells it from the others, and its hash."""
    if isinstance(inputs, RemoteTables):
        return {inputs.root: inputs.listed_again().digest()}
    if len(inputs) == 1:
        return {inputs[0].name: cached_sha256(inputs[0])}
    root = os.path.commonpath([path.absolute().parent for path in inputs])
    return {path.absolute().relative_to(root).as_posix(): cached_sha256(path) for path in inputs}


def private_left_out(columns: Iterable[Column], option: str) -> list[Notice]:
    """Say which columns of a table are left out because they tell of persons, and by what they were taken for that."""
    private = [column for column in columns if column.role == "private"]
    named = ", ".join(f"{column.name} ({column.why.rpartition('private: ')[2]})" for column in private)
    return [Notice(f"Private columns are left out unless {option} names them: {named}.")] if private else []


_BESIDE = ("independence", "calibrate")
"""What may stand in one folder: results, and the certificate of their tests."""


@contextmanager
def results_folder(
    out: Path,
    name: str,
    revision: int,
    *,
    seed: int,
    settings: Mapping[str, Any],
    inputs: Sequence[Path] | RemoteTables,
) -> Iterator[Results]:
    """Give a place to write the results of a computation on somebody's files; they appear in ``out`` all at once.

    Parameters
    ----------
    out
        The folder of the results, locked meanwhile.
    name, revision, seed, settings
        For the manifest, as of a stage.
    inputs
        The files that were read; their hashes go into the manifest. They are taken before and after.

    Raises
    ------
    StudyError
        When another process works in the folder, when it holds files that this did not make, or when an input was
        changed meanwhile.
    """
    started, clock = datetime.now(UTC), time.perf_counter()
    folder, hashes = StudyFolder(out, results=True), _hashes(inputs)
    folder.refuse_foreign(name, beside=_BESIDE if name in _BESIDE else ())
    with folder.lock(), folder.staging(name) as staged:
        results = Results(staged)
        yield results
        if changed := [name for name, digest in _hashes(inputs).items() if hashes.get(name) != digest]:
            raise StudyError(f"{changed[0]} was changed while it was computed with; run it again")
        staged.commit(
            Manifest(
                name, revision, seed, settings, hashes, versions=versions(),
                counts=results.counts, notices=[asdict(notice) for notice in results.notices],
                started=started.isoformat(timespec="seconds"), seconds=round(time.perf_counter() - clock, 3),
            )
        )  # fmt: skip
