"""A hook of mkdocs: ``<!-- registered: tests -->`` in a page becomes the table of the registered parts."""

from __future__ import annotations

import re

from personax import registry

MARK = re.compile(r"<!-- registered: (\w+) -->")


def on_page_markdown(markdown: str, **_: object) -> str:
    """Return the page with its tables of parts."""
    return MARK.sub(lambda found: listing(found[1]), markdown)


def listing(kind: str) -> str:
    """Return the parts of a kind as a table; what another package brings is there where it is installed."""
    rows = [f"| `{part.name}` | {part.title} | {part.help} | {part.package} |" for part in registry.parts(kind)]
    return "\n".join(["| name | | what | package |", "|---|---|---|---|", *rows])
