"""The page: one HTML text with its style, script, figures and usage guidelines inside, and no way out to a network."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from typing import Literal

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from personax.data.labels import count, display_test, display_trait, labels_of, number, p_value, percent, shorten
from personax.report._chart import visible
from personax.report._data import ReportData, StageSummary
from personax.report._distributions import distribution_chart
from personax.report._sections import SectionInput, flattened, sections
from personax.schema import TraitFramework
from personax.traits import BIG_FIVE

__all__ = [
    "UsageBlock",
    "guidelines",
    "page_environment",
    "page_script",
    "page_style",
    "parse",
    "render",
    "renderer",
]


@dataclass(frozen=True, slots=True)
class UsageBlock:
    """A heading or paragraph (``text``), or a list (``items``)."""

    kind: Literal["heading", "paragraph", "list"]
    text: str = ""
    items: tuple[str, ...] = ()


def guidelines() -> str:
    """Return the usage guidelines that this package carries."""
    return resources.files("personax").joinpath("usage.md").read_text(encoding="utf-8")


def parse(text: str) -> list[UsageBlock]:
    r"""Split text into blocks at blank lines and list marks; nothing in it is taken as HTML.

    Examples
    --------
    >>> [block.kind for block in parse("# Use\n\nBe careful\nwith it.\n- no profiling\n- no harm")]
    ['heading', 'paragraph', 'list']
    """
    blocks: list[UsageBlock] = []
    open_block = False
    for line in text.splitlines():
        mark = re.match(r"(#+|[-*]|\d+\.)\s+(.*)", line)
        words = (mark[2] if mark else line).strip()
        if not words:
            open_block = False
        elif mark and mark[1].startswith("#"):
            blocks.append(UsageBlock("heading", words))
            open_block = False
        elif mark:
            blocks.append(_listed(blocks, words))
            open_block = True
        elif open_block:
            blocks.append(_continued(blocks.pop(), words))
        else:
            blocks.append(UsageBlock("paragraph", words))
            open_block = True
    return blocks


def _listed(blocks: list[UsageBlock], words: str) -> UsageBlock:
    """Return a list that ends with a new item, taking up the list just before it."""
    if blocks and blocks[-1].kind == "list":
        return UsageBlock("list", items=(*blocks.pop().items, words))
    return UsageBlock("list", items=(words,))


def _continued(block: UsageBlock, words: str) -> UsageBlock:
    """Return the block with one more line in its last sentence."""
    if block.kind == "list":
        return UsageBlock("list", items=(*block.items[:-1], f"{block.items[-1]} {words}"))
    return UsageBlock(block.kind, f"{block.text} {words}")


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
    style, script = _asset("style.css"), _script("plot.js", "charts.js", "page.js", "explorer.js")
    framework = data.traits.framework if data.traits is not None else BIG_FIVE
    environment = page_environment(framework)
    with labels_of(framework):
        return environment.get_template("page.html.j2").render(
            data=data,
            style=Markup(style),
            script=Markup(script),
            policy=_policy(style, script),
            facts=key_figures(data),
            sections=list(sections(SectionInput(data, renderer(data, environment)))),
            usage=parse(guidelines() if usage is None else usage),
        )


def renderer(data: ReportData, environment: Environment | None = None) -> Callable[..., Markup]:
    """Return what `SectionInput` offers to sections: a template of personax, rendered with the given values."""
    known = page_environment(BIG_FIVE) if environment is None else environment

    def rendered(template: str, **values: object) -> Markup:
        return Markup(known.get_template(template).render(data=data, **values))

    return rendered


def _policy(style: str, script: str) -> str:
    return (
        f"default-src 'none'; img-src data:; style-src {_hash(style)}; script-src {_hash(script)}; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _asset(name: str) -> str:
    return resources.files("personax.report").joinpath(name).read_text(encoding="utf-8")


def page_style() -> str:
    """Return the style of the page."""
    return _asset("style.css")


def page_script() -> str:
    """Return the script that draws the figures of a page and makes its tables sort."""
    return _script("plot.js", "charts.js", "page.js")


def _script(*names: str) -> str:
    """Return several files as the page's one script."""
    return "\n".join(_asset(name) for name in names)


def page_environment(framework: TraitFramework = BIG_FIVE, *packages: str) -> Environment:
    """Return the environment of the page's templates; those of other packages that are named come first."""
    # autoescape=True, not by file name: no template, whatever it is called, can let a study's text through as markup.
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package) for package in (*packages, "personax.report")]),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "count": count,
        "number": number,
        "p_value": p_value,
        "settings": settings,
        "shorten": lambda name: shorten(name, HEAD_LETTERS),
        "test": display_test,
        "trait": display_trait,
    }
    environment.globals |= {
        "distribution_chart": distribution_chart,
        "percent": percent,
        "traits": [trait.capitalize() for trait in framework.names],
    }
    return environment


def _visible(value: object) -> object:
    """Return what a template writes; markup was made of texts that went through here, or is a figure's rows."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


HEAD_LETTERS = 18
"""Of a name at the head of a column that many others stand beside."""

SECRET = ("api key", "token", "secret", "password")


def key_figures(data: ReportData) -> list[tuple[str, str]]:
    """Return the few facts that say what study this is: how many people, seed, version, day."""
    found: list[tuple[str, str]] = []
    if data.people:
        features = sum(column.role == "feature" for column, _ in data.people.columns)
        found += [(count(data.people.count), "people"), (count(features), "features")]
    if data.traits and data.traits.agreement.get("raters"):
        found.append((count(len(data.traits.agreement["raters"])), "raters"))
    if data.crl and data.crl.graph:
        found.append((count(len(data.crl.graph.nodes)), "latents learned"))
    seeds = [str(manifest.seed) for manifest in data.manifests if manifest.seed is not None]
    versions = dict.fromkeys(m.versions["personax"] for m in data.manifests if "personax" in m.versions)
    days = [manifest.started for manifest in data.manifests if manifest.started]
    facts = [
        (", ".join(dict.fromkeys(seeds)), "seed"),
        (", ".join(versions), "personax"),
        (days[0] if days else "", "begun"),
    ]
    return found + [fact for fact in facts if fact[0]]


def settings(manifest: StageSummary) -> list[tuple[str, str]]:
    """Return a stage's settings as rows; what looks like a secret is not shown."""
    rows = flattened(manifest.plan)
    return [(name, "(not shown)" if name.lower().endswith(SECRET) else value) for name, value in rows]
