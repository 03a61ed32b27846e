"""Fits that do not need one another: seeds, and refits of diagnostics; on the engine of `personax.engine`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from personax.crl._estimator import Arrays, Fitted, Method, Progress
from personax.engine import RayEngine, find_engine
from personax.errors import ComputationError

__all__ = ["FitTask", "run_fits"]


@dataclass(frozen=True)
class FitTask:
    """One fit.

    Parameters
    ----------
    method, rng
        Who fits, with which random numbers.
    measurements
        Modality -> the measurements that are fitted on; all by default.
    latents
        Of each modality.
    checkpoint
        A file of this machine from which a fit goes on where it was interrupted.
    """

    method: Method
    rng: np.random.Generator
    latents: Mapping[str, int]
    measurements: Mapping[str, Sequence[str]] | None = None
    checkpoint: Path | None = None


@dataclass
class _Given:
    views: Arrays
    shared: int
    progress: Callable[[int], Progress | None] | None

    def __getstate__(self) -> tuple[Arrays, int]:
        return self.views, self.shared  # who watches cannot be sent to another process

    def __setstate__(self, state: tuple[Arrays, int]) -> None:
        self.views, self.shared = state
        self.progress = None


def run_fits(
    tasks: Sequence[FitTask],
    views: Arrays,
    *,
    shared: int,
    progress: Callable[[int], Progress | None] = lambda _: None,
) -> Iterator[tuple[int, Fitted | str]]:
    """Yield the place of a task and its fit, or the reason why there is none, as they end.

    Parameters
    ----------
    tasks, views, shared
        What is fitted; see `Method.fit`.
    progress
        Called with a task's place for what its fit reports to; on several workers, with the number of tasks that have
        ended.
    """
    needs_gpu = any(getattr(getattr(task.method, "budget", None), "device", "cpu") != "cpu" for task in tasks)
    # torch has one number of threads for a whole process, which every fit sets
    engine = find_engine("processes", threads_do=False, gpu=needs_gpu)
    if isinstance(engine, RayEngine):  # another machine has no such file
        tasks = [replace(task, checkpoint=None) for task in tasks]
    given = _Given(views, shared, progress if engine.workers == 1 else None)
    for done, (place, fit) in enumerate(engine.map(_fit, enumerate(tasks), shared=given)):
        report = progress(done) if engine.workers > 1 else None
        if report is not None and not isinstance(fit, str):
            report(1, 1, float(fit.objective))
        yield place, fit


def _fit(given: _Given, numbered: tuple[int, FitTask]) -> Fitted | str:
    place, task = numbered
    kept = task.measurements
    views = given.views if kept is None else {m: {k: given.views[m][k] for k in kept[m]} for m in kept}
    report = None if given.progress is None else given.progress(place)
    resuming = None if task.checkpoint is None else getattr(task.method, "resuming", None)
    method: Method = task.method if resuming is None else resuming(task.checkpoint)
    try:
        return method.fit(views, latents=task.latents, shared=given.shared, rng=task.rng, progress=report)
    except ComputationError as error:
        return str(error)
