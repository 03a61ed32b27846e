"""The report: one page that says what a study holds, what it found and how far that can be trusted."""

from __future__ import annotations

from personax.report._data import ReportData
from personax.report._gather import gather
from personax.report._page import render

__all__ = ["ReportData", "gather", "render"]
