"""report: the page."""

from __future__ import annotations

from personax.config import SECTIONS, Plan
from personax.report import ReportData, gather, render
from personax.stages._base import Context, Stage
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
    return gather(folder, title=plan.report.title or plan.name, stages=asked)


COMPARED = tuple(
    f"traits/validity/{name}" for name in ("agreement.csv", "effects.csv", "alt_test.json", "summary.json")
)
"""What `personax traits validate compare` writes."""

REPORT = Stage(
    "report", revision=2, needs=SECTIONS, run=_run, names_study=True, uses_manifests=True, optional_files=COMPARED
)
