"""The report: one page that says what a study holds, what it found and how far that can be trusted."""

from __future__ import annotations

from personax.report.data import ReportData
from personax.report.gather import gather
from personax.report.page import render

__all__ = ["ReportData", "gather", "render"]
