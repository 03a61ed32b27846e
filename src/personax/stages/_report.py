"""report: the page."""

from __future__ import annotations

from personax.config import SECTIONS
from personax.report import gather, render
from personax.stages._base import Context, Stage

__all__ = ["REPORT"]


def _run(context: Context) -> None:
    """Write one page that opens from disk."""
    title = context.plan.report.title or context.plan.name
    planned = [name for name in SECTIONS if getattr(context.plan, name) is not None]
    page = render(gather(context.folder.root, title=title, stages=planned))
    context.write_text(page, "report", "index.html")
    context.counts["bytes"] = len(page.encode())


COMPARED = tuple(
    f"traits/validity/{name}" for name in ("agreement.csv", "effects.csv", "alt_test.json", "summary.json")
)
"""What `personax traits validate compare` writes."""

REPORT = Stage(
    "report", revision=2, needs=SECTIONS, run=_run, names_study=True, uses_manifests=True, optional_files=COMPARED
)
