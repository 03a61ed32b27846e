"""calibrate: do the tests of Level I keep their level on a table like this one? A certificate beside the results."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import get_args

import numpy as np
import polars as pl

from personax.data.columns import infer_columns
from personax.data.frames import write_parquet
from personax.data.table import Table
from personax.errors import PlanError
from personax.files import sha256
from personax.independence import FAMILIES, Correction, calibrate_like, calibrate_scenarios, certificate, family_wise
from personax.progress import Progress
from personax.schema import Column, Kind, Notice
from personax.sources import read_table
from personax.stages._base import Reader, results_folder
from personax.stages._independence import people_with_scores
from personax.strict import nearest

__all__ = ["Calibration", "CalibrationSettings", "calibrate_file", "calibrate_study"]

NAME, REVISION = "calibrate", 1

VERSIONED = ("personax", "numpy", "scipy", "polars")


@dataclass(frozen=True)
class CalibrationSettings:
    """What is calibrated.

    Parameters
    ----------
    features, targets, given
        Columns; those that look like it where none are named.
    tests
        Registered tests.
    times
        Nulls a cell.
    alpha
        Level that the verdicts are about.
    seed
        Of all random numbers.
    like_mine
        Nulls made of the file's own columns, not of invented people.
    all_pairs
        Every pair, not one of each two kinds.
    correction
        The correction that the grid will have: the verdicts are also about the level at which it looks.
    grids
        Whole grids of true nulls, for the family-wise error; of the file's own columns only.
    """

    features: list[str] | None
    targets: list[str] | None
    given: list[str]
    tests: list[str]
    times: int
    alpha: float
    seed: int
    like_mine: bool
    all_pairs: bool
    correction: Correction = "fdr_bh"
    grids: int = 0

    def check(self) -> None:
        """Refuse what cannot be calibrated.

        Raises
        ------
        PlanError
            No nulls, a level that is none, a seed below 0, a correction that there is not, fewer than no grids.
        """
        if self.times < 1:
            raise PlanError(f"--times: {self.times} nulls say nothing; give at least 1, better 1000")
        if not 0 < self.alpha < 1:
            raise PlanError(f"--alpha: {self.alpha:g} is no level; give a number between 0 and 1")
        if self.seed < 0:
            raise PlanError(f"--seed: {self.seed} is below 0; give a whole number from 0 on")
        if self.correction not in get_args(Correction):
            raise PlanError(
                f"--correction: there is no {self.correction}; choose from {', '.join(get_args(Correction))}"
            )
        if self.grids < 0:
            raise PlanError(f"--grids: {self.grids} is below 0; give a whole number, 0 for none")


@dataclass(frozen=True)
class Calibration:
    """What a calibration found.

    Parameters
    ----------
    rates, families
        One row a cell; one row a test, none where no grid was run.
    alpha
        The level.
    columns
        What the columns mean.
    counts
        Cells, and how many of them are outside.
    """

    rates: pl.DataFrame
    families: pl.DataFrame
    alpha: float
    columns: Sequence[Column]
    counts: Mapping[str, int]


def calibrate_file(
    file: Path, settings: CalibrationSettings, out: Path, *, missing: Sequence[str], progress: Progress
) -> Calibration:
    """Calibrate the tests for a table and write rates and certificate into a folder, all at once.

    Raises
    ------
    PersonaxError
        A table that cannot be read, columns or tests that are not there, a folder in which another process works.
    """
    settings.check()
    read = read_table(file, {}, missing=missing)
    people = Table(read.people, infer_columns(read.people))
    return _calibrate(people, [file], settings, out, progress, read.ledger.notices())


def calibrate_study(reader: Reader, settings: CalibrationSettings, out: Path, *, progress: Progress) -> Calibration:
    """Calibrate the tests of a study's Level I for its own people and scores; the report shows what was found.

    Columns that the settings do not name are those of the study file.

    Raises
    ------
    PersonaxError
        People who were not collected, a study without Level I, a folder in which another process works.
    """
    section = reader.plan.independence
    if section is None:
        raise PlanError("the study file has no section independence; add it, there is nothing to calibrate")
    settings = replace(
        settings, features=settings.features or section.features, targets=settings.targets or section.targets
    )
    settings.check()
    stages = ("collect", "annotate") if reader.plan.annotate else ("collect",)
    inputs = [reader.folder.root / "manifests" / f"{stage}.json" for stage in stages]
    return _calibrate(people_with_scores(reader), inputs, settings, out, progress, [])


def _calibrate(
    people: Table,
    inputs: Sequence[Path],
    settings: CalibrationSettings,
    out: Path,
    progress: Progress,
    notices: Sequence[Notice],
) -> Calibration:
    features, targets = _columns(settings, people)
    names = list(dict.fromkeys((*features, *targets, *settings.given)))
    with results_folder(out, NAME, REVISION, seed=settings.seed, settings=asdict(settings), inputs=inputs) as results:
        progress.stage(NAME)
        results.notices.extend(notices)
        for notice in results.notices:
            progress.message(notice.text)
        rates = _rates(people, features, targets, settings, progress)
        write_parquet(rates, results.out.path("calibration.parquet"), compression="zstd", statistics=False)
        families = _families(people, features, targets, settings, progress)
        write_parquet(families, results.out.path("family_wise.parquet"), compression="zstd", statistics=False)
        facts = _facts(inputs[0], people, names, settings)
        page = certificate(rates, facts, settings.alpha, families)
        results.out.path("certificate.md").write_text(page, encoding="utf-8")
        fine = pl.col("verdict").is_in(["level kept", "not run"])
        outside = sum(found.filter(~fine).height for found in (rates, families))
        results.counts.update({"cells": rates.height + families.height, "outside": outside})
    return Calibration(rates, families, settings.alpha, [people.column(name) for name in names], results.counts)


def _columns(settings: CalibrationSettings, people: Table) -> tuple[list[str], list[str]]:
    """Return features and targets: those that are named, or those that look like it."""
    for name in (*(settings.features or ()), *(settings.targets or ()), *settings.given):
        if name not in people.names:
            raise PlanError(f"there is no column {name}; {nearest(name, people.names)}")
    targets = settings.targets or [c.name for c in people.targets() if c.name not in settings.given]
    others = {*targets, *settings.given}
    named = settings.features or [c.name for c in people.features()]
    features = [name for name in named if name not in others]
    if settings.like_mine and not (features and targets):
        raise PlanError(f"there are no features or no targets to pair; name both from {', '.join(people.names)}")
    return features, [name for name in targets if name not in settings.given]


def _rates(
    people: Table,
    features: Sequence[str],
    targets: Sequence[str],
    settings: CalibrationSettings,
    progress: Progress,
) -> pl.DataFrame:
    rng = np.random.default_rng(settings.seed)
    if not settings.like_mine:
        return calibrate_scenarios(
            people.height,
            tests=settings.tests,
            given=bool(settings.given),
            times=settings.times,
            rng=rng,
            alpha=settings.alpha,
            progress=progress.step,
        )
    kinds, periods = _meaning(people)
    return calibrate_like(
        people.frame,
        features,
        targets,
        kinds,
        given=settings.given,
        tests=settings.tests,
        times=settings.times,
        rng=rng,
        alpha=settings.alpha,
        correction=settings.correction,
        periods=periods,
        pairs="all" if settings.all_pairs else "kinds",
        progress=progress.step,
    )


def _meaning(people: Table) -> tuple[dict[str, Kind], dict[str, float]]:
    """Return the kind of each column, and the period of those that have one."""
    kinds = {column.name: column.kind for column in people.columns}
    return kinds, {column.name: column.period for column in people.columns if column.period is not None}


def _families(
    people: Table, features: Sequence[str], targets: Sequence[str], settings: CalibrationSettings, progress: Progress
) -> pl.DataFrame:
    """Return what whole grids of nulls say; nothing where none is asked for or the people are invented."""
    if not (settings.like_mine and settings.grids):
        return pl.DataFrame(schema=FAMILIES)
    kinds, periods = _meaning(people)
    return family_wise(
        people.frame,
        features,
        targets,
        kinds,
        given=settings.given,
        tests=settings.tests,
        grids=settings.grids,
        rng=np.random.default_rng([settings.seed, 1]),
        alpha=settings.alpha,
        correction=settings.correction,
        periods=periods,
        progress=progress.step,
    )


def _facts(file: Path, people: Table, used: Sequence[str], settings: CalibrationSettings) -> dict[str, str]:
    versions = {name: version(name) for name in VERSIONED}
    kinds = ", ".join(f"{name} {people.column(name).kind}" for name in used)
    return {
        "nulls": _what(settings),
        "file": f"{file.name}, {people.height:,} rows, SHA-256 {sha256(file)}",
        "columns": kinds or "none",
        "given": ", ".join(settings.given) or "nothing",
        "nulls a cell": f"{settings.times:,}, from seed {settings.seed}",
        "correction": f"{settings.correction}; {settings.grids:,} whole grids" if settings.like_mine else "none",
        "versions": ", ".join(f"{name} {number}" for name, number in versions.items())
        + f", Python {platform.python_version()}",
    }


def _what(settings: CalibrationSettings) -> str:
    if not settings.like_mine:
        return "invented people, as many as the file has rows; nothing else of the file was used"
    how = (
        "simulated from its regression on, or shuffled within groups of, what is given"
        if settings.given
        else "shuffled"
    )
    pairs = "every pair" if settings.all_pairs else "of each two kinds the pair whose rarest values are fewest together"
    return f"the file's own columns, with their ties and gaps, the target {how}; {pairs}"
