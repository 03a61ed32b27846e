"""How to cite a release: CITATION.cff in the Citation File Format 1.2.0, and BibTeX."""

from __future__ import annotations

import re
from typing import Any

import yaml

from personax.release.packaging._facts import ReleaseFacts
from personax.release.packaging._licences import licence_of
from personax.release.packaging._markdown import clean

__all__ = ["bibtex", "citation_cff"]

NOBODY = "The publisher (no name is stated)"


def authors(facts: ReleaseFacts) -> list[str]:
    """Return the names to cite, or a placeholder where none is stated."""
    return [clean(name) for name in facts.publisher.authors] or [NOBODY]


def citation_cff(facts: ReleaseFacts) -> str:
    """Return CITATION.cff.

    References
    ----------
    Citation File Format 1.2.0, https://doi.org/10.5281/zenodo.5171937
    """
    licence = licence_of(facts)
    citation: dict[str, Any] = {
        "cff-version": "1.2.0",
        "message": "If you use this release, please cite it as below, and follow USAGE.md.",
        "type": "dataset",
        "title": clean(facts.title),
        "authors": [{"name": name} for name in authors(facts)],
        "version": facts.version,
    }
    if facts.description:
        citation["abstract"] = clean(facts.description)
    if facts.date:
        citation["date-released"] = facts.date
    if facts.publisher.homepage:
        citation["url"] = facts.publisher.homepage
    if licence:
        citation["license"] = licence.name
    citation["keywords"] = ["behaviour traits", "causal discovery", "personax"]
    return yaml.safe_dump(citation, sort_keys=False, allow_unicode=True, width=10_000)


def bibtex(facts: ReleaseFacts) -> str:
    """Return a BibTeX entry; unknown fields are omitted.

    Examples
    --------
    >>> from personax.release.packaging._facts import ColumnFacts
    >>> who = ColumnFacts("people", "id", "id", "nominal", "string", "pseudonym")
    >>> print(bibtex(ReleaseFacts("A {study}", "1.0.0", 10, (who,), date="2026-01-31")))
    @misc{a-study-1.0.0,
      title = {{A study}},
      author = {{The publisher (no name is stated)}},
      year = {2026},
      version = {1.0.0},
    }
    """
    key = re.sub(r"[^a-z0-9]+", "-", facts.title.lower()).strip("-") or "release"
    fields = {
        "title": f"{{{_tex(facts.title)}}}",
        "author": " and ".join(f"{{{_tex(name)}}}" for name in authors(facts)),
        "year": facts.date[:4] if facts.date else "",
        "version": facts.version,
        "url": facts.publisher.homepage,
    }
    lines = [f"  {name} = {{{value}}},\n" for name, value in fields.items() if value]
    return f"@misc{{{key[:60]}-{facts.version},\n{''.join(lines)}}}"


def _tex(text: str) -> str:
    """Escape what TeX reads as a command; braces and backslashes, which no title needs, go."""
    return re.sub(r"([&%$#_])", r"\\\1", re.sub(r"[{}\\~^]", "", clean(text)))
