"""The sections of the page by name, each shown where the study has something for it; other packages add their own.

A section is a function ``(study: SectionInput) -> Markup | str | None`` under
``@register("report_sections", name, title=..., help=...)``: what it returns is the section's HTML, a plain text is
escaped, None leaves it out. The page forbids scripts, styles and pictures from elsewhere, those of a section too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from markupsafe import Markup, escape

from personax import registry
from personax.data.labels import number
from personax.registry import Part
from personax.report._data import ReportData

__all__ = ["Section", "SectionInput", "flattened", "sections", "value_text"]


@dataclass(frozen=True)
class SectionInput:
    """What a section is made of.

    Parameters
    ----------
    data
        What the page knows of the study; ``data.root`` is the study folder, for files that are a section's own.
    render
        Renders one of personax's templates with the given values.
    """

    data: ReportData
    render: Callable[..., Markup] = field(repr=False)


class Section(NamedTuple):
    """A section that is shown: its anchor, its name in the list of sections, its HTML."""

    name: str
    title: str
    html: Markup


def sections(study: SectionInput) -> Iterator[Section]:
    """Yield the sections that have something to show; one of another package that fails says so in its place."""
    for part in registry.parts("report_sections"):
        html = _html(part, study)
        if html is not None:
            yield Section(part.name, part.title, html)


def _html(part: Part, study: SectionInput) -> Markup | None:
    if part.package == "personax":
        own: Markup | None = registry.get("report_sections", part.name)(study)
        return own
    try:
        body = None if part.fault else registry.get("report_sections", part.name)(study)
        if body is not None and not isinstance(body, str):
            raise TypeError(f"it returns {type(body).__name__}, where Markup, text or None is needed")
        text = part.fault
    except Exception as error:  # noqa: BLE001 - code of others may raise anything
        body, text = None, f"The package {part.package} could not make this section ({type(error).__name__}: {error})."
    if body is None and not text:
        return None
    shown: Any = Markup('<p class="note">{}</p>').format(text) if body is None else body
    return Markup('<section id="{}">\n<h2>{}</h2>\n{}\n</section>').format(part.name, part.title, escape(shown))


def flattened(values: Mapping[str, Any], above: str = "") -> list[tuple[str, str]]:
    """Return nested settings or measures as one list of names (``outer, inner``) and values as text."""
    rows: list[tuple[str, str]] = []
    for name, value in values.items():
        if isinstance(value, Mapping):
            rows += flattened(value, f"{above}{name}, ")
        else:
            rows.append((f"{above}{name}".replace("_", " "), value_text(value)))
    return rows


def value_text(value: object) -> str:
    """Return a setting or a measure as the page writes it."""
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return number(value)
    if isinstance(value, list):
        short = ", ".join(value_text(item) for item in value[:12])
        return f"{short}, and {len(value) - 12} more" if len(value) > 12 else short
    return str(value)
