"""report: the page."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import polars as pl

from personax.config import SECTIONS, Plan
from personax.data.frames import read_parquet, scan_parquet
from personax.report import ReportData, gather, render
from personax.stages._base import Context, Reader, Stage
from personax.stages._waves import trait_drift
from personax.store import StudyFolder

__all__ = ["REPORT"]


def _run(context: Context) -> None:
    """Write one page that opens from disk."""
    page = report_page(context.plan, context.folder)
    context.write_text(page, "report", "index.html")
    context.counts["bytes"] = len(page.encode())


def report_page(plan: Plan, folder: StudyFolder) -> str:
    """Return the report of what a study folder holds."""
    return render(report_data(plan, folder))


def report_data(plan: Plan, folder: StudyFolder) -> ReportData:
    """Return what the report of a study folder shows."""
    asked = [name for name in SECTIONS if getattr(plan, name) is not None]
    data = gather(folder, title=plan.report.title or plan.name, stages=asked)
    return replace(data, drift=_drift(Reader(plan, Path(), folder), asked))


def _drift(reader: Reader, asked: Collection[str]) -> pl.DataFrame | None:
    """Return how final scores moved between waves; None of a study whose people are in one."""
    traits = reader.folder.output("traits", "traits.parquet") if "annotate" in asked else None
    people = reader.folder.output("people", "people.parquet")
    if traits is None or people is None or not {"person", "wave"} <= set(scan_parquet(people).collect_schema()):
        return None
    scores = read_parquet(traits)
    names = [name for name in scores.columns if name.startswith("final_")]
    return trait_drift(read_parquet(people, ["id", "person", "wave"]), scores, names)


COMPARED = tuple(
    f"traits/validity/{name}" for name in ("agreement.csv", "effects.csv", "alt_test.json", "summary.json")
)
"""What `personax traits validate compare` writes."""

CALIBRATED = ("calibration/calibration.parquet",)
"""What `personax calibrate STUDY` writes."""

REPORT = Stage(
    "report",
    revision=3,
    needs=SECTIONS,
    run=_run,
    names_study=True,
    uses_manifests=True,
    optional_files=(*COMPARED, *CALIBRATED),
)
