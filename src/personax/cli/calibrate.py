"""personax calibrate: do the tests keep their level on a table like this one? A certificate beside the results."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import polars as pl
import typer

from personax.cli.console import emit, say, table, watching
from personax.cli.run import JsonOption
from personax.columns import infer_columns
from personax.data.table import Table
from personax.errors import PlanError
from personax.files import sha256
from personax.independence import calibrate_like, calibrate_scenarios, certificate, verdicts
from personax.sources import read_table
from personax.store import Manifest, StudyFolder
from personax.strict import nearest

__all__ = ["register"]

STAGE = "calibrate"

VERSIONED = ("personax", "numpy", "scipy", "polars")


@dataclass(frozen=True)
class _Asked:
    """What the command line asks for."""

    features: list[str] | None
    targets: list[str] | None
    given: list[str]
    tests: list[str]
    times: int
    alpha: float
    seed: int
    like_mine: bool
    all_pairs: bool

    def check(self) -> None:
        if self.times < 1:
            raise PlanError(f"--times: {self.times} nulls say nothing; give at least 1, better 1000")
        if not 0 < self.alpha < 1:
            raise PlanError(f"--alpha: {self.alpha:g} is no level; give a number between 0 and 1")
        if self.seed < 0:
            raise PlanError(f"--seed: {self.seed} is below 0; give a whole number from 0 on")

    def plan(self) -> dict[str, Any]:
        return asdict(self)


def _names(text: str | None) -> list[str] | None:
    return [name.strip() for name in text.split(",") if name.strip()] if text is not None else None


def _perform(file: Path, asked: _Asked, out: Path, missing: list[str], *, as_json: bool) -> None:
    frame = read_table(file, {}, missing=missing).people
    people = Table(frame, infer_columns(frame))
    features, targets = _columns(asked, people)
    names = list(dict.fromkeys((*features, *targets, *asked.given)))
    used = [people.column(name) for name in names]
    folder, start, began = StudyFolder(out), time.perf_counter(), datetime.now(UTC)
    with folder.lock(), folder.staging(STAGE) as staged, watching() as progress:
        progress.stage(STAGE)
        found = _calibrated(people, features, targets, asked, progress.step)
        versions = {name: version(name) for name in VERSIONED}
        facts = _facts(file, people, names, asked, versions)
        found.write_parquet(staged.path("calibration.parquet"), compression="zstd", statistics=False)
        staged.path("certificate.md").write_text(certificate(found, facts, asked.alpha), encoding="utf-8")
        plan, inputs = asked.plan(), {file.name: sha256(file)}
        seconds = round(time.perf_counter() - start, 3)
        counts = {"cells": found.height, "outside": found.filter(~_fine()).height}
        staged.commit(
            Manifest(STAGE, 1, asked.seed, plan, inputs, versions=versions, counts=counts,
                     started=began.isoformat(timespec="seconds"), seconds=seconds)
        )  # fmt: skip
    if as_json:
        emit({"out": str(out), **counts, "verdicts": verdicts(found, asked.alpha), "rates": found.to_dicts()})
        return
    table("Columns", ("name", "kind", "why"), ((c.name, c.kind, c.why if c.inferred else "given") for c in used))
    for sentence in verdicts(found, asked.alpha).values():
        say(sentence)
    say(f"wrote {out / 'certificate.md'}")


def _fine() -> pl.Expr:
    return pl.col("verdict").is_in(["level kept", "not run"])


def _columns(asked: _Asked, people: Table) -> tuple[list[str], list[str]]:
    """Return features and targets: those that are named, or those that look like it."""
    for name in (*(asked.features or ()), *(asked.targets or ()), *asked.given):
        if name not in people.names:
            raise PlanError(f"there is no column {name}; {nearest(name, people.names)}")
    targets = asked.targets or [c.name for c in people.targets() if c.name not in asked.given]
    others = {*targets, *asked.given}
    named = asked.features or [c.name for c in people.features()]
    features = [name for name in named if name not in others]
    if asked.like_mine and not (features and targets):
        raise PlanError(f"there are no features or no targets to pair; name both from {', '.join(people.names)}")
    return features, [name for name in targets if name not in asked.given]


def _calibrated(
    people: Table,
    features: Sequence[str],
    targets: Sequence[str],
    asked: _Asked,
    step: Callable[[int, int, str], None],
) -> pl.DataFrame:
    rng = np.random.default_rng(asked.seed)
    if not asked.like_mine:
        return calibrate_scenarios(
            people.height, tests=asked.tests, given=bool(asked.given), times=asked.times, rng=rng, alpha=asked.alpha,
            progress=step,
        )  # fmt: skip
    kinds = {column.name: column.kind for column in people.columns}
    periods = {column.name: column.period for column in people.columns if column.period is not None}
    return calibrate_like(
        people.frame, features, targets, kinds, given=asked.given, tests=asked.tests, times=asked.times, rng=rng,
        alpha=asked.alpha, periods=periods, pairs="all" if asked.all_pairs else "kinds", progress=step,
    )  # fmt: skip


def _facts(
    file: Path, people: Table, used: Sequence[str], asked: _Asked, versions: Mapping[str, str]
) -> dict[str, str]:
    kinds = ", ".join(f"{name} {people.column(name).kind}" for name in used)
    return {
        "nulls": _what(asked),
        "file": f"{file.name}, {people.height:,} rows, SHA-256 {sha256(file)}",
        "columns": kinds or "none",
        "given": ", ".join(asked.given) or "nothing",
        "nulls a cell": f"{asked.times:,}, from seed {asked.seed}",
        "versions": ", ".join(f"{name} {number}" for name, number in versions.items())
        + f", Python {platform.python_version()}",
    }


def _what(asked: _Asked) -> str:
    if not asked.like_mine:
        return "invented people, as many as the file has rows; nothing else of the file was used"
    how = "simulated from its regression on, or shuffled within groups of, what is given" if asked.given else "shuffled"
    pairs = "every pair" if asked.all_pairs else "of each two kinds the pair whose rarest values are fewest together"
    return f"the file's own columns, with their ties and gaps, the target {how}; {pairs}"


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(epilog="Example: personax calibrate people.csv --features Height,Weight --targets final_o --like-mine")
    def calibrate(
        file: Annotated[Path, typer.Argument(help="A table: CSV, TSV, Parquet, JSON, JSONL.")],
        features: Annotated[str | None, typer.Option(help="Columns, separated by commas; default: inferred.")] = None,
        targets: Annotated[str | None, typer.Option(help="Columns, separated by commas; default: inferred.")] = None,
        given: Annotated[str, typer.Option(help="Columns that are given, separated by commas.")] = "",
        tests: Annotated[str, typer.Option(help="Names of tests; a wrong one is answered with all.")] = "kci,chisq,gsq",
        times: Annotated[int, typer.Option(help="Nulls a cell.")] = 1000,
        alpha: Annotated[float, typer.Option(help="Level that the verdicts are about.")] = 0.05,
        like_mine: Annotated[
            bool, typer.Option("--like-mine/--synthetic", help="Nulls made of these columns, or invented people.")
        ] = False,
        all_pairs: Annotated[bool, typer.Option("--all-pairs", help="Every pair, not one of each two kinds.")] = False,
        seed: Annotated[int, typer.Option(help="Where the random numbers begin.")] = 0,
        missing: Annotated[str, typer.Option(help="Texts that mean missing, separated by commas.")] = "",
        out: Annotated[Path, typer.Option(help="Folder; that of the results, to stand beside them.")] = Path("results"),
        as_json: JsonOption = False,
    ) -> None:
        """Level I: say how often the tests reject where there is nothing to find, on data like these."""
        asked = _Asked(
            _names(features), _names(targets), _names(given) or [], _names(tests) or [], times, alpha, seed, like_mine,
            all_pairs,
        )  # fmt: skip
        asked.check()
        _perform(file, asked, out, missing.split(","), as_json=as_json)
