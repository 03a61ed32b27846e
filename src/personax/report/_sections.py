"""The sections of the page by name, each shown where the study has something for it; other packages add their own.

A section is a function ``(study: SectionInput) -> Markup | str | None`` under
``@register("report_sections", name, title=..., help=...)``: what it returns is the section's HTML, a plain text is
escaped, None leaves it out. The page forbids scripts, styles and pictures from elsewhere, those of a section too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from markupsafe import Markup, escape

from personax import registry
from personax.registry import Part, register
from personax.report._data import ReportData
from personax.report._graph import draw
from personax.report._reliability import ReliabilityView, StereotypesView
from personax.report._validity import ValidityView
from personax.report._views import CrlView, HeatmapView, RatersView, TruthView, image_rows

__all__ = ["Section", "SectionInput", "sections"]


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
        text = part.fault
    except Exception as error:  # noqa: BLE001 - code of others may raise anything
        body, text = None, f"The package {part.package} could not make this section ({type(error).__name__}: {error})."
    if body is None and not text:
        return None
    shown: Any = Markup('<p class="note">{}</p>').format(text) if body is None else body
    return Markup('<section id="{}">\n<h2>{}</h2>\n{}\n</section>').format(part.name, part.title, escape(shown))


@register("report_sections", "people", title="People", help="who is in the study, column by column", order=10)
def _people(study: SectionInput) -> Markup | None:
    faces = image_rows(study.data.faces) if study.data.faces else []
    return study.render("people.html.j2", faces=faces) if study.data.people else None


@register("report_sections", "traits", title="Traits", help="scores, and how far raters agree", order=20)
def _traits(study: SectionInput) -> Markup | None:
    traits = study.data.traits
    if not traits:
        return None
    return study.render(
        "traits.html.j2",
        raters=RatersView(traits),
        reliability=ReliabilityView(traits.reliability) if traits.reliability else None,
        stereotypes=StereotypesView(traits.stereotypes) if traits.stereotypes else None,
    )


@register("report_sections", "validity", title="Humans", help="LLM scores beside those of humans", order=30)
def _validity(study: SectionInput) -> Markup | None:
    found = study.data.validity
    return study.render("validity.html.j2", validity=ValidityView(found)) if found else None


@register("report_sections", "dependence", title="Dependence", help="Level I: what depends on what", order=40)
def _dependence(study: SectionInput) -> Markup | None:
    found = study.data.independence
    return study.render("dependence.html.j2", heat=HeatmapView(found)) if found else None


@register("report_sections", "latents", title="Latents", help="Level II: causes behind the embeddings", order=50)
def _latents(study: SectionInput) -> Markup | None:
    return study.render("latents.html.j2", crl=CrlView(study.data.crl)) if study.data.crl else None


@register("report_sections", "discovery", title="Causal graph", help="the graph that a search found", order=60)
def _discovery(study: SectionInput) -> Markup | None:
    graph = study.data.discovery
    return study.render("discovery.html.j2", discovery=draw(graph, "Causal graph")) if graph else None


@register("report_sections", "truth", title="Truth", help="of simulated people: what is true beside it", order=70)
def _truth(study: SectionInput) -> Markup | None:
    data = study.data
    if not data.truth:
        return None
    return study.render("truth.html.j2", truth=TruthView(data.truth, data.independence, data.crl))
