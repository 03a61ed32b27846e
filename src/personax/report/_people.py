"""The section of people: columns and their values, and a few drawn faces of invented people."""

from __future__ import annotations

import base64

import polars as pl
from markupsafe import Markup

from personax.data.labels import count, display_trait, number
from personax.registry import register
from personax.report._chart import chart
from personax.report._data import Faces
from personax.report._sections import SectionInput

__all__: list[str] = []

MOST_MISSING = 20
"""Columns in the figure of missing values; the table below has all."""


def _data_addresses(faces: Faces) -> list[tuple[str, list[str]]]:
    """Return the faces as ``data:`` addresses, row by row."""
    return [
        (caption, [f"data:image/png;base64,{base64.b64encode(image).decode()}" for image in images])
        for caption, images in faces.rows
    ]


def drift_intervals(drift: pl.DataFrame | None) -> Markup:
    """Draw how each score moved from wave to wave in the same people, with its interval."""
    rows = [
        {"label": f"{display_trait(row['score'])}, {row['from_wave']} to {row['to_wave']}", "value": row["mean_change"],
         "low": row["low"], "high": row["high"],
         "note": f"{count(row['people'])} people; order kept: r {number(row['correlation'], 2)}"}
        for row in (drift.iter_rows(named=True) if drift is not None else ())
        if row["people"]
    ]  # fmt: skip
    return chart("intervals", rows, "Change of scores between waves", guides=[0.0], meaning="mean change")


@register("report_sections", "people", title="People", help="who is in the study, column by column", order=40)
def _people(study: SectionInput) -> Markup | None:
    people = study.data.people
    if people is None:
        return None
    faces = _data_addresses(study.data.faces) if study.data.faces else []
    absent = [
        {"label": column.name, "people": missing / people.count, "rest": False}
        for column, missing in sorted(people.columns, key=lambda pair: -pair[1])[:MOST_MISSING]
        if missing and people.count
    ]
    return study.render(
        "people.html.j2",
        faces=faces,
        missing=chart("bars", absent, "Missing values by column", shares=True, whole=1, span=[0, 1]),
        drift=drift_intervals(study.data.drift),
        places=chart("map", people.places, "Where people are from"),
    )
