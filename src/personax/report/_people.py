"""The section of people: columns and their values, and a few drawn faces of invented people."""

from __future__ import annotations

import base64

from markupsafe import Markup

from personax.registry import register
from personax.report._data import Faces
from personax.report._sections import SectionInput

__all__: list[str] = []


def _data_addresses(faces: Faces) -> list[tuple[str, list[str]]]:
    """Return the faces as ``data:`` addresses, row by row."""
    return [
        (caption, [f"data:image/png;base64,{base64.b64encode(image).decode()}" for image in images])
        for caption, images in faces.rows
    ]


@register("report_sections", "people", title="People", help="who is in the study, column by column", order=10)
def _people(study: SectionInput) -> Markup | None:
    faces = _data_addresses(study.data.faces) if study.data.faces else []
    return study.render("people.html.j2", faces=faces) if study.data.people else None
