"""Say what of a built site would ask a network, or lacks to work from disk: ``python scripts/check_site.py site``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

LOADS = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src", "video": "src"}
"""Element -> the attribute whose address a browser asks for by itself."""
KEPT_LINKS = {"canonical", "next", "prev", "edit", "alternate"}


class Page(HTMLParser):
    """The addresses that a page loads."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what the element loads."""
        given = dict(attrs)
        address = given.get(LOADS.get(tag, ""))
        if address and not (tag == "link" and KEPT_LINKS & set((given.get("rel") or "").split())):
            self.loads.append(address)


def faults(site: Path) -> Iterator[str]:
    """Yield a sentence for each page that asks a network or names a file that is not there."""
    if not (site / "search" / "search_index.js").is_file():
        yield "search/search_index.js is missing: the search needs it where pages are opened from disk"
    for name in ("katex.js", "katex.css"):
        if not (site / "katex" / name).is_file():
            yield f"katex/{name} is missing: javascripts/equations.js loads it"
    for path in sorted(site.rglob("*.html")):
        page, text = Page(), path.read_text(encoding="utf-8")
        page.feed(text)
        if "<p>$$" in text:
            yield f"{path.relative_to(site)} has an equation that is not typeset; see pymdownx.arithmatex in mkdocs.yml"
        for address in page.loads:
            if address.startswith(("http:", "https:", "//")):
                yield f"{path.relative_to(site)} asks {address}"
                continue
            there = path.name == "404.html" or address.startswith("data:")  # that page is for servers
            if not there and not (path.parent / address.split("#")[0].split("?")[0]).exists():
                yield f"{path.relative_to(site)} names {address}, which is not there"


def main() -> None:
    """Check a site; exit with 1 where something is wrong."""
    found = list(faults(Path(sys.argv[1])))
    for sentence in found:
        print(sentence)
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
