"""The report: one page that says what a study holds, what it found and how far that can be trusted.

A map, each line using the ones above it:

- ``_data``: what the page knows of a study, in frozen values
- ``_chart``: a figure as its rows in JSON, which charts.js draws with Observable Plot (plot.js, built by
  scripts/report_bundle.py); ``_graph``: places of a graph by the layered layout; ``_distributions``,
  ``_pair_profiles``: aggregates of columns and of pairs; ``_loss_curves``
- ``_sections``: sections by name (`personax.registry`, kind ``report_sections``)
- ``_findings`` (with ``_credibility``), ``_dependence``, ``_causal_graphs``, ``_truth``, ``_release``, ``_people``,
  ``_traits``, ``_audits``, ``_validity``, ``_questions``, ``_methods``: one file a section, with its view and its
  registration
- ``_gather``, ``_drawn_faces``: a study folder read into ``_data``; ``_page``: the page rendered; page.js and
  explorer.js: what a reader can do
- ``_run_comparison``, ``_study_comparison``: other pages, runs of Level II and studies side by side
"""

from __future__ import annotations

from personax.report._chart import chart
from personax.report._data import ReportData
from personax.report._gather import gather
from personax.report._page import page_environment, page_script, page_style, render, renderer
from personax.report._pair_profiles import pair_profile
from personax.report._run_comparison import render_comparison
from personax.report._sections import SectionInput
from personax.report._study_comparison import compare_studies, render_study_comparison

__all__ = [
    "ReportData",
    "SectionInput",
    "chart",
    "compare_studies",
    "gather",
    "page_environment",
    "page_script",
    "page_style",
    "pair_profile",
    "render",
    "render_comparison",
    "render_study_comparison",
    "renderer",
]
