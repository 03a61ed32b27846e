"""USAGE.md: what everybody accepts who uses a release, and the usage guidelines that personax carries."""

from __future__ import annotations

from importlib import resources
from typing import Final

from personax.release.packaging.facts import Facts
from personax.release.packaging.markdown import render
from personax.release.packaging.sentences import removal

__all__ = ["ACCEPTANCE", "ASKED", "acceptance", "usage_page"]

ACCEPTANCE: Final = (
    "You use it for non-commercial research on groups of people.",
    "You do not try to find out who a row is, alone or with other data.",
    "You profile nobody, and decide nothing about anybody, by what is in it.",
    "You pass rows on only together with this file and LICENSES.md, and only to people who accept them.",
    "You keep to LICENSES.md, and name those whom it names.",
    "You delete the rows of people whom the publisher has taken out.",
    "You say in what you publish who or what stated the traits, and that it can be wrong.",
)

ASKED: Final = {
    "Name and affiliation": "text",
    "What do you want to study": "text",
    "I accept the terms of USAGE.md and LICENSES.md": "checkbox",
    "I will not try to find out who anybody in it is": "checkbox",
}
"""What a hub asks for before it opens the files: text -> kind of answer."""


def acceptance() -> str:
    """Return the text that is accepted, one point a line."""
    return "\n".join(["By using this release you accept the following.", "", *(f"- {point}" for point in ACCEPTANCE)])


def usage_page(facts: Facts) -> str:
    """Return USAGE.md: the acceptance, how somebody is taken out, and the guidelines."""
    guidelines = resources.files("personax").joinpath("usage.md").read_text("utf-8")
    # its title becomes a section of this page
    body = guidelines.replace("\n## ", "\n### ").replace("# Usage guidelines", "## Usage guidelines", 1)
    head = render("usage.md.j2", title=facts.title, points=ACCEPTANCE, removal=" ".join(removal(facts)))
    return f"{head}\n{body.strip()}\n"
