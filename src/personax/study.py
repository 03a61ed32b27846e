"""A study: its plan, its folder, and the walk through its stages that does what is left to do, and no more."""

from __future__ import annotations

import os
import platform
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from personax import __version__
from personax.config import Permissions, Plan, permissions, read_plan, read_request
from personax.data.hub_files import local_path
from personax.data.labels import labels_of
from personax.data.object_store import Bucket, is_remote
from personax.engine import parallel_config
from personax.errors import PlanError, StudyError, TrustError, UnknownResult
from personax.files import cached_sha256, sha256
from personax.progress import Progress, Silent
from personax.registry import KINDS, describe, missing_part, missing_parts
from personax.registry import names as part_names
from personax.run_log import Meter, RunLog, logged_counts, read_log
from personax.stages import (
    STAGES,
    Context,
    Reader,
    Stage,
    check_columns,
    check_files,
    check_method,
    check_packages,
    check_plan,
    plan_notices,
    report_data,
    report_page,
    stage_rng,
    versions,
)
from personax.store import Manifest, RemoteStore, StageTables, StudyFolder, is_held
from personax.strict import nearest
from personax.trust import check_trust, record_trust

if TYPE_CHECKING:
    from personax.report import ReportData
    from personax.stages import AnswerResult

__all__ = ["StageCost", "StageRun", "StageStatus", "Study", "StudyResults"]


@dataclass(frozen=True)
class StageStatus:
    """Where a stage stands.

    ``done``: its output matches its settings, inputs and seed; ``stale``: it must run again, ``why`` says what changed;
    ``missing``: it has not run; ``unasked``: the plan has no such section.
    """

    stage: str
    state: Literal["done", "stale", "missing", "unasked"]
    why: str = ""


@dataclass(frozen=True)
class StageRun:
    """What `Study.run` did with a stage: ran it because of ``why``, or left it alone."""

    stage: str
    ran: bool
    why: str
    seconds: float = 0.0


_SAME = "settings, inputs and seed are the same"


class StudyResults(dict[str, StageTables]):
    """Finished stage -> its tables."""

    def __missing__(self, stage: str) -> StageTables:
        known = [one.name for one in STAGES]
        text = f"the stage {stage} has written nothing yet; personax run makes it"
        if stage not in known:
            text = f"there is no stage {stage}; {nearest(stage, known)}"
        raise UnknownResult(text)


@dataclass(frozen=True)
class StageCost:
    """What the last finished run of a stage took, and what it left.

    Parameters
    ----------
    started, seconds
        When it began (UTC), and for how long it ran.
    files, bytes
        How many files it wrote that are there, and their size.
    counts, versions
        How many of what; the packages that numbers depend on, as they were then.
    last_event
        The last record of the stage in ``run.log``, which may be of a later run that failed; None without a log.
    """

    started: str
    seconds: float
    files: int
    bytes: int
    counts: Mapping[str, int]
    versions: Mapping[str, str]
    last_event: Mapping[str, Any] | None


class Study:
    """One study on disk.

    Parameters
    ----------
    plan
        What is asked for.
    folder
        Where it goes.
    base
        Folder from which relative paths of the plan start.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as root:
    ...     file = Path(root) / "study.yaml"
    ...     _ = file.write_text("{name: tiny, collect: {source: simulate, n: 20, images: false}}")
    ...     study = Study.load(file)
    ...     first = [outcome.ran for outcome in study.run()]
    ...     second = [outcome.ran for outcome in study.run()]
    >>> first, second
    ([True, True], [False, False])
    """

    def __init__(self, plan: Plan, folder: Path, *, base: Path) -> None:
        self.plan, self.folder, self.base = plan, StudyFolder(folder), base
        self.missing: Sequence[str] = ()
        """Sentences about parts of packages that are not installed; see `load`."""
        self.remote: RemoteStore | None = None
        """The bucket that the folder is a copy of; None for a study on disk."""
        self._file: Path | None = None

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        *,
        folder: str | os.PathLike[str] | None = None,
        allow_missing: bool = False,
    ) -> Self:
        """Read a study file.

        Parameters
        ----------
        path
            The study file, or a folder that holds a ``study.yaml``; or ``s3://BUCKET/FOLDER``, ``gs://BUCKET/FOLDER``,
            of which a copy on this machine is made and kept level (see `personax.store.RemoteStore`).
        folder
            The study folder; of a study in a bucket, its copy. By default the folder of a file called ``study.yaml``;
            for any other file a folder of its name beside it, so that ``studies/bfi.yaml`` is worked out in
            ``studies/bfi/``; for a bucket one in ``personax/studies`` of XDG_CACHE_HOME.
        allow_missing
            Load a study that names parts of packages that are not installed, too: its status and results can be read,
            ``missing`` says what to install, and `run` refuses.

        Raises
        ------
        PlanError
            When the file cannot be read or says something that cannot be done.
        StudyError
            A bucket cannot be reached, read or written, or another machine has finished the same stage differently.
        """
        if is_remote(path):
            return cls._load_remote(str(path), folder, allow_missing=allow_missing)
        file = Path(path)
        if file.is_dir() and (file / "study.yaml").is_file():
            file = file / "study.yaml"
        own = file.parent if file.name == "study.yaml" else file.with_suffix("")
        place = Path(folder) if folder is not None else own
        try:
            study = cls(read_plan(file), place, base=file.parent)
        except PlanError as error:
            found = cls._with_missing_parts(file, place)
            if found is None or not allow_missing:
                installs = [] if found is None else [one for one in found.missing if "pip install" in one]
                raise PlanError("\n".join([str(error), *installs])) from None
            study = found
        study._file = file
        return study

    @classmethod
    def _load_remote(cls, url: str, folder: str | os.PathLike[str] | None, *, allow_missing: bool) -> Self:
        remote = RemoteStore(Bucket(url), Path(folder) if folder is not None else None)
        study = cls.load(remote.fetch_study(), folder=remote.root, allow_missing=allow_missing)
        study.remote = remote
        if not is_held(remote.root):  # another process of this machine is at work, and keeps it level
            with study.folder.lock():
                remote.fetch_files(sorted(study._files_named()))
                remote.pull(study.folder)
        return study

    def _files_named(self) -> set[str]:
        return {name for stage in STAGES if self.is_planned(stage) for name in stage.external_files(self.plan)}

    @contextmanager
    def _kept_level(self, progress: Progress) -> Iterator[None]:
        """Take what others have finished; at the end, whatever happened, send the replies that were paid for."""
        if self.remote is None:
            yield
            return
        self.remote.synchronise(self.folder)
        for note in self.remote.notes:
            progress.message(note)
        try:
            yield
        except BaseException:
            if not self.remote.bucket.has_failed:
                with suppress(StudyError):
                    self.remote.ship_journal(self.folder)
            raise
        self.remote.ship_journal(self.folder)

    @classmethod
    def _with_missing_parts(cls, file: Path, place: Path) -> Self | None:
        """Return the study of a file whose only faults are names of parts that are not installed."""
        with missing_parts() as missing:
            try:
                study = cls(read_plan(file), place, base=file.parent)
            except PlanError:
                return None
        study.missing = study._sentences(missing)
        return study if missing else None

    def _sentences(self, missing: Collection[tuple[str, str]]) -> list[str]:
        """Return which package brought each missing part, as the manifests of stages that used it say."""
        manifests = [self.folder.manifest(stage.name) for stage in STAGES] if missing else []
        brought = {key: package for one in manifests if one is not None for key, package in one.versions.items()}
        return [missing_part(kind, name, brought.get(f"{kind} {name}", "")) for kind, name in sorted(missing)]

    @property
    def permissions(self) -> Permissions:
        """What the plan needs beyond its folder: hosts, variables, files, packages, and what is sent where.

        Examples
        --------
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as root:
        ...     file = Path(root) / "study.yaml"
        ...     _ = file.write_text("{name: sent, collect: {source: table, path: ../diary.csv}}")
        ...     [line.split("/")[-1] for line in Study.load(file).permissions.lines()]
        ['diary.csv']
        """
        return permissions(self.plan, self.base, self.folder.root)

    def trust(self, *, variables: Collection[str] = ()) -> None:
        """Allow, for this user and from now on, what `permissions` lists; read it first.

        Parameters
        ----------
        variables
            Environment variables that may be sent although their names are not those of keys for language models.

        Raises
        ------
        TrustError
            For such a variable that is not named here.
        """
        record_trust(self.permissions, variables=variables)

    @property
    def is_trusted(self) -> bool:
        """Whether this user has allowed what `permissions` lists, or nothing is listed."""
        try:
            self.check_trust()
        except TrustError:
            return False
        return True

    def check_trust(self) -> None:
        """Raise a `TrustError` when the plan needs what this user has not allowed; see `personax.trust`."""
        check_trust(self.permissions, self._file or self.folder.root)

    @property
    def report(self) -> Path:
        """Where the report is, once it has been made."""
        return self.folder.path("report", "index.html")

    @property
    def reader(self) -> Reader:
        """The study folder as stages read it: people, scores, embeddings; a TrustError as in `run`."""
        self.check_trust()
        return Reader(self.plan, self.base, self.folder)

    def __repr__(self) -> str:
        found = self.results
        people = self.folder.manifest("collect")
        rows = f"{people.counts.get('people', 0)} people, " if people is not None else ""
        return f"Study({self.plan.name}: {rows}finished: {', '.join(found) or 'nothing yet'})"

    @property
    def results(self) -> StudyResults:
        """Finished stage -> its tables; each is read when it is asked for.

        What a stage wrote is there although it is stale by now; `status` tells.

        Examples
        --------
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as root:
        ...     file = Path(root) / "study.yaml"
        ...     _ = file.write_text("{name: tiny, collect: {source: simulate, n: 20, images: false}}")
        ...     study = Study.load(file)
        ...     _ = study.run(["collect"])
        ...     study.results["collect"]["people"].height
        20
        """
        manifests = {stage.name: self.folder.manifest(stage.name) for stage in STAGES}
        return StudyResults({name: StageTables(self.folder, m) for name, m in manifests.items() if m is not None})

    def _repr_html_(self) -> str:
        """Show in a notebook where every stage stands, and which tables it wrote."""
        results = self.results
        rows = [(one.stage, one.state, one.why, ", ".join(results.get(one.stage, ()))) for one in self.status()]
        header = "".join(f"<th>{word}</th>" for word in ("stage", "state", "why", "tables"))
        body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
        return f"<table><caption>{escape(self.plan.name)}</caption><tr>{header}</tr>{body}</table>"

    def is_planned(self, stage: Stage) -> bool:
        """Say whether the plan has a section for this stage."""
        return getattr(self.plan, stage.name) is not None

    def status(self) -> list[StageStatus]:
        """Return where every stage stands, without running anything."""
        states: list[StageStatus] = []
        moving: set[str] = set()
        for stage in self._ordered():
            state = self._state(stage)
            waits = sorted(moving.intersection(stage.needs_under(self.plan)), key=[s.name for s in STAGES].index)
            if state.state == "done" and waits:
                state = StageStatus(stage.name, "stale", f"{waits[0]} will run again")
            if state.state in ("stale", "missing"):
                moving.add(stage.name)
            states.append(state)
        return states

    def costs(self) -> dict[str, StageCost]:
        """Return finished stage -> times, sizes, counts and versions of its last run.

        Examples
        --------
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as root:
        ...     file = Path(root) / "study.yaml"
        ...     _ = file.write_text("{name: tiny, collect: {source: simulate, n: 20, images: false}}")
        ...     study = Study.load(file)
        ...     _ = study.run(["collect"])
        ...     cost = study.costs()["collect"]
        >>> cost.counts["people"], cost.seconds > 0, cost.last_event["event"]
        (20, True, 'stage_done')
        """
        last = {record["stage"]: record for record in read_log(self.folder.root) if "stage" in record}
        found = {}
        for stage in STAGES:
            manifest = self.folder.manifest(stage.name)
            if manifest is not None:
                sizes = [path.stat().st_size for path in map(self.folder.path, manifest.outputs) if path.is_file()]
                found[stage.name] = StageCost(
                    manifest.started, manifest.seconds, len(sizes), sum(sizes), manifest.counts, manifest.versions,
                    last.get(stage.name),
                )  # fmt: skip
        return found

    def _ordered(self) -> list[Stage]:
        """Return all stages in the order in which they run: each after those that it needs under this plan."""
        order: list[Stage] = []
        known = {stage.name: stage for stage in STAGES}

        def put(stage: Stage) -> None:
            if stage not in order:
                for need in stage.needs_under(self.plan):
                    put(known[need])
                order.append(stage)

        for stage in STAGES:
            put(stage)
        return order

    def run(
        self,
        stages: Iterable[str] | None = None,
        *,
        force: bool = False,
        progress: Progress | None = None,
        engine: str | None = None,
        jobs: int | None = None,
    ) -> list[StageRun]:
        """Do what the plan asks and is not done yet.

        Parameters
        ----------
        stages
            Names of the stages to bring up to date, with the ones they need; all by default.
        force
            Run the named stages again even if nothing changed.
        progress
            Receives steps and messages.
        engine, jobs
            Where loops run, see `personax.engine.parallel_config`; what the plan says by default. Results are the same.

        Raises
        ------
        TrustError
            The plan needs hosts, variables or files that this user has not allowed; nothing was read.
        PersonaxError
            What a person can mend. Stages that ended before stay done.
        """
        if self.missing:
            raise PlanError("\n".join(self.missing))
        self.check_trust()
        wanted, progress = self._wanted(stages), progress or Silent()
        named = {stage.name for stage in wanted} if stages is None else set(stages)
        outcomes: list[StageRun] = []
        names = [stage.name for stage in wanted]
        check_plan(self.plan, names)
        by_name = {stage.name: stage for stage in wanted}

        def is_done(name: str) -> bool:
            return not force and self._state(by_name[name]).state == "done"

        check_packages(self.plan, names, is_done)
        check_files(wanted, self.plan, self._may_exist, is_done)
        check_method(self.plan, names, is_done)
        if not self.folder.is_writable() and not force:
            states = [self._state(stage) for stage in wanted]
            if all(state.state == "done" for state in states):
                return [StageRun(state.stage, False, _SAME) for state in states]
        engine, jobs = engine or self.plan.engine, jobs or self.plan.jobs
        with self.folder.lock(), parallel_config(engine, jobs), self._kept_level(progress):
            log = RunLog(self.folder.root, tell=progress.message)
            if "crl" in names and (force or self._state(by_name["crl"]).state != "done"):
                for sentence in plan_notices(self.plan):
                    progress.message(f"note: {sentence}")
            with log.span("run", personax=__version__, python=platform.python_version()) as ended:
                for stage in wanted:
                    if "collect" in (one.stage for one in outcomes[-1:]):  # nobody has been asked or paid yet
                        check_columns(self.plan, self.folder, names)
                    state = self._state(stage)
                    if state.state == "done" and not (force and stage.name in named):
                        outcomes.append(StageRun(stage.name, False, _SAME))
                        continue
                    with log.span("stage", stage=stage.name, state=state.state) as facts:
                        outcomes.append(self._run_stage(stage, state.why or "asked to", progress, facts))
                    if self.remote is not None:
                        self.remote.push(self.folder)
                ended.update(stages=len(outcomes), ran=sum(outcome.ran for outcome in outcomes))
        return outcomes

    def page(self) -> str:
        """Return the report of what the folder holds now; nothing is computed and nothing written."""
        with labels_of(self.reader.framework()):
            return report_page(self.plan, self.folder)

    def report_data(self) -> ReportData:
        """Return what the report would show, to be compared with that of other studies."""
        with labels_of(self.reader.framework()):
            return report_data(self.plan, self.folder)

    def answer(
        self, request: Path, out: Path, *, requester: str | None = None, progress: Progress | None = None
    ) -> AnswerResult:
        """Work out the request of somebody else on the originals; see docs/answering.md.

        Parameters
        ----------
        request
            The file that asks.
        out
            The answer becomes a new folder in here.
        requester
            Who asks, as the owner knows them; what the request says by default.

        Raises
        ------
        StudyError
            The people are not those of the study file, or the requester has no request left.
        PlanError
            The request asks for what nobody may ask about.
        """
        from personax.stages import answer  # late: only who answers needs it

        self.check_trust()
        question, progress = read_request(request), progress or Silent()
        with self.folder.lock():
            for one in self.status():
                if one.stage in ("collect", "annotate", "embed") and one.state in ("stale", "missing"):
                    text = f"the stage {one.stage} is {one.state} ({one.why}); personax run brings it up to date"
                    raise StudyError(text)
            progress.stage("answer")
            return answer(self.reader, question, sha256(request), out, requester=requester, progress=progress)

    def _wanted(self, names: Iterable[str] | None) -> list[Stage]:
        planned = [stage for stage in self._ordered() if self.is_planned(stage)]
        if names is None:
            return planned
        known = {stage.name: stage for stage in STAGES}
        wanted: set[str] = set()
        for name in names:
            if name not in known:
                raise PlanError(f"there is no stage {name}; {nearest(name, list(known))}")
            if not self.is_planned(known[name]):
                raise PlanError(f"the plan has no section {name}; add `{name}:` to the study file")
            wanted |= self._with_needs(known[name], known)
        return [stage for stage in planned if stage.name in wanted]

    def _may_exist(self, name: str) -> bool:
        """Return whether a file that the plan names is there, or lies where a stage may write it."""
        path = local_path(self.base, name)
        written = (self.folder.path(name).absolute() for name in ("people", "traits", "embeddings", "analysis"))
        return path.exists() or any(path.absolute().is_relative_to(folder) for folder in written)

    def _with_needs(self, stage: Stage, known: dict[str, Stage]) -> set[str]:
        found = {stage.name}
        for need in stage.needs_under(self.plan):
            if self.is_planned(known[need]):
                found |= self._with_needs(known[need], known)
        return found

    def _state(self, stage: Stage) -> StageStatus:
        if not self.is_planned(stage):
            return StageStatus(stage.name, "unasked", "not in the plan")
        old = self.folder.manifest(stage.name)
        if old is None:
            fault = self.folder.manifest_fault(stage.name)
            return StageStatus(stage.name, "missing", f"its manifest: {fault}" if fault else "it has not run yet")
        why = old.differs(self._expected(stage)) or self.folder.changed_output(old)
        return StageStatus(stage.name, "stale", why) if why else StageStatus(stage.name, "done")

    def _expected(self, stage: Stage) -> Manifest:
        """Return the manifest that a run of this stage would begin with now."""
        section = getattr(self.plan, stage.name)
        settings = {**section.model_dump(mode="json"), **({"name": self.plan.name} if stage.names_study else {})}
        inputs = self._files_read(stage) | self._weights(stage)
        return Manifest(stage.name, stage.revision, self.plan.seed, settings, inputs)

    def _files_read(self, stage: Stage) -> dict[str, str]:
        """Return the hashes of the files that a stage reads, of the study and from elsewhere, as they are now."""
        inputs: dict[str, str] = {}
        files = stage.external_files(self.plan)
        allowed = not files or self.is_trusted
        for name in files:
            path = local_path(self.base, name)
            exists = path.is_file() or path.is_dir()
            inputs[name] = (cached_sha256(path) if allowed else "not allowed") if exists else "missing"
        there = [name for name in stage.optional_files if self.folder.path(name).is_file()]
        inputs.update({name: cached_sha256(self.folder.path(name)) for name in there})
        for need in stage.needs_under(self.plan):
            manifest = self.folder.manifest(need) if getattr(self.plan, need) is not None else None
            inputs.update(manifest.outputs if manifest else {})
            if manifest and stage.uses_manifests:
                inputs[f"manifests/{need}.json"] = manifest.content_hash()
        return inputs

    def _weights(self, stage: Stage) -> dict[str, str]:
        """Return the hashes of the models that a stage reads; of those not on this machine, what its last run read."""
        old = self.folder.manifest(stage.name)
        known = old.inputs if old else {}
        now = stage.model_hashes(self.plan, self.base, self.folder)
        hashes = {name: digest or known.get(name) for name, digest in now.items()}
        return {name: digest for name, digest in hashes.items() if digest}

    def _refuse_changed_inputs(self, stage: Stage, before: Manifest) -> None:
        """Refuse to certify numbers of files that changed while they were read."""
        now = self._files_read(stage)
        names = {*now, *before.inputs} - set(self._weights(stage))  # which may have been fetched in this run
        changed = sorted(name for name in names if before.inputs.get(name) != now.get(name))
        if changed:
            text = f"{changed[0]} changed while {stage.name} ran, and nothing of it was kept; run it again"
            raise StudyError(text)

    def _refuse_shared_folder(self, stage: Stage) -> None:
        """Refuse to read from the folder that the study writes to: it would change while it is read."""
        own = self.folder.path().resolve()
        if getattr(self.plan.collect, "source", None) == "table":
            return  # a table is a file, and who names a folder is told so
        for name in stage.external_files(self.plan):
            if "\0" in str(name):
                continue  # the stage says that no file is called so
            path = (self.base / name).resolve()
            if path.is_dir() and own.is_relative_to(path):
                text = f"{stage.name} reads {name}, and the study's own folder is {own}: give the study another folder \
with --folder, or rename its file"
                raise StudyError(text)

    def _run_stage(self, stage: Stage, why: str, progress: Progress, facts: dict[str, Any]) -> StageRun:
        """Run a stage and commit what it wrote; ``facts`` receives what the log says of it."""
        self._refuse_shared_folder(stage)
        progress.stage(stage.name)
        expected = self._expected(stage)
        started, meter = datetime.now(UTC), Meter()
        with self.folder.staging(stage.name) as out:
            rng = stage_rng(self.plan.seed, stage.name)
            context = Context(self.plan, self.base, self.folder, out, rng, progress)
            with labels_of(context.framework()):
                stage.run(context)
            seconds = meter.seconds
            self._refuse_changed_inputs(stage, expected)
            manifest = out.commit(
                replace(
                    expected,
                    inputs={**expected.inputs, **context.inputs},
                    versions=versions() | _packages(expected.plan),
                    counts=context.counts,
                    notices=[asdict(notice) for notice in context.notices],
                    started=started.isoformat(timespec="seconds"),
                    seconds=round(seconds, 3),
                )
            )
        facts.update(counts=logged_counts(manifest.counts), notices=len(manifest.notices), files=len(manifest.outputs))
        return StageRun(stage.name, True, why, seconds)


def _packages(settings: object) -> dict[str, str]:
    """Return which packages bring the parts that settings name, where these are not ours: `Study.load` misses them."""
    texts = set(_texts(settings))
    return {
        f"{kind} {name}": describe(kind, name).package
        for kind in KINDS
        for name in texts.intersection(part_names(kind))
        if describe(kind, name).package != "personax"
    }


def _texts(settings: object) -> Iterator[str]:
    if isinstance(settings, str):
        yield settings
    elif isinstance(settings, Mapping):
        yield from (text for key, value in settings.items() for text in (*_texts(key), *_texts(value)))
    elif isinstance(settings, Sequence):
        yield from (text for value in settings for text in _texts(value))
