"""The page: one HTML text with its style, its script and its figures inside, and no way out to a network."""

from __future__ import annotations

import base64
import hashlib
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from personax.report import words
from personax.report.data import ReportData
from personax.report.histogram import bars, histogram
from personax.report.scale import CORRECTED, EFFECT
from personax.report.sections import SectionInput, sections
from personax.report.usage import guidelines, parse
from personax.report.views import facts, settings
from personax.schema import LETTERS

__all__ = ["render"]


def render(data: ReportData, *, usage: str | None = None) -> str:
    """Return the report as one HTML page that opens from disk.

    Parameters
    ----------
    data
        What `gather` read.
    usage
        Usage guidelines in plain text; by default those that the package carries.

    Notes
    -----
    Every text of the study is escaped. The page's own Content-Security-Policy forbids all loading, and lets only the
    one style and the one script run whose hashes it names: markup that slipped through would still be inert.
    The same data give the same bytes.

    Examples
    --------
    >>> page = render(ReportData("A <b>bold</b> study"), usage="Be careful.")
    >>> "<b>" in page, "Be careful." in page
    (False, True)
    """
    style, script = _asset("style.css"), _asset("page.js")
    environment = _environment()

    def rendered(template: str, **values: object) -> Markup:
        return Markup(environment.get_template(template).render(data=data, **values))

    return environment.get_template("page.html.j2").render(
        data=data,
        style=Markup(style),
        script=Markup(script),
        policy=_policy(style, script),
        facts=facts(data),
        sections=list(sections(SectionInput(data, rendered))),
        usage=parse(guidelines() if usage is None else usage),
    )


def _policy(style: str, script: str) -> str:
    return (
        f"default-src 'none'; img-src data:; style-src {_hash(style)}; script-src {_hash(script)}; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _asset(name: str) -> str:
    return resources.files("personax.report").joinpath(name).read_text(encoding="utf-8")


def _environment() -> Environment:
    # autoescape=True, not by file name: no template, whatever it is called, can let a study's text through as markup.
    environment = Environment(
        loader=PackageLoader("personax.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "count": words.count,
        "number": words.number,
        "p_value": words.p_value,
        "settings": settings,
        "test": words.display_test,
        "trait": words.display_trait,
    }
    environment.globals |= {
        "bars": bars,
        "histogram": histogram,
        "percent": words.percent,
        "traits": [trait.capitalize() for trait in LETTERS],
        "effect_legend": EFFECT.legend("e"),
        "p_legend": CORRECTED.legend("p"),
    }
    return environment
