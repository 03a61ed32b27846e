"""Build what pages draw with from npm packages, with its licences: figures of the report, equations of the docs.

    python scripts/report_bundle.py           # install what package-lock.json pins, build, write
    python scripts/report_bundle.py --check   # build again and fail when a committed file is another one

Written are `src/personax/report/plot.js` (Observable Plot and d3) and `docs/katex/katex.js`, `katex.css` (KaTeX, its
fonts inside).
`scripts/report_bundle/package-lock.json` pins the version and the SHA-512 of every package; npm refuses any other.
Scripts of packages are not run. The files need node and npm to be built, and nothing to be used.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
HERE = Path(__file__).parent / "report_bundle"
PLOT = "src/personax/report/plot.js"
FONTS = ("AMS-Regular", "Caligraphic-Regular", "Main-Bold", "Main-Italic", "Main-Regular", "Math-Italic",
         "Size1-Regular", "Size2-Regular", "Size3-Regular", "Size4-Regular")  # fmt: skip
"""Faces of KaTeX that the pages use; the others are left out."""


def build(folder: Path) -> Mapping[str, str]:
    """Install the pinned packages into ``folder`` and return the text of every file by its place."""
    for name in ("package.json", "package-lock.json", "plot.js", "build.mjs"):
        (folder / name).write_bytes((HERE / name).read_bytes())
    subprocess.run(
        ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder, check=True, stdout=sys.stderr
    )
    found = subprocess.run(["node", "build.mjs", "out.js"], cwd=folder, check=True, capture_output=True, text=True)
    modules = folder / "node_modules"
    plot = (folder / "out.js").read_text(encoding="utf-8").strip().replace("</script", "<\\/script")
    katex = modules / "katex" / "dist"
    head = (
        "A part of Observable Plot and d3, bundled and minified by scripts/report_bundle.py; the <style> of figures is "
        "left out."
    )
    files = {
        PLOT: (head, json.loads(found.stdout), plot),
        "docs/katex/katex.js": ("KaTeX.", ["katex"], (katex / "katex.min.js").read_text(encoding="utf-8").strip()),
        "docs/katex/katex.css": ("KaTeX, its fonts inside.", ["katex"], stylesheet(katex)),
    }
    return {
        place: f"/*!\n{licences(modules, said, packages)}\n*/\n{code}\n"
        for place, (said, packages, code) in files.items()
    }


def stylesheet(katex: Path) -> str:
    """Return the style of KaTeX with the faces of `FONTS` in it, so that a page opened from disk has them."""

    def face(found: re.Match[str]) -> str:
        font = re.search(r"fonts/KaTeX_([\w-]+)\.woff2", found[0])
        if font is None or font[1] not in FONTS:
            return ""
        data = base64.b64encode((katex / font[0]).read_bytes()).decode()
        source = f'src:url(data:font/woff2;base64,{data}) format("woff2")'
        return re.sub(r"src:[^}]*", source, found[0])

    return re.sub(r"@font-face\{[^}]*\}", face, (katex / "katex.min.css").read_text(encoding="utf-8").strip())


def licences(modules: Path, said: str, packages: Sequence[str]) -> str:
    """Return the name, version and licence text of each package; packages of one text stand together."""
    texts: dict[str, list[str]] = {}
    for package in packages:
        told = json.loads((modules / package / "package.json").read_text(encoding="utf-8"))
        text = (modules / package / "LICENSE").read_text(encoding="utf-8").strip()
        texts.setdefault(text, []).append(f"{package} {told['version']}")
    return "\n\n".join([said, *(f"{', '.join(names)}\n\n{text}" for text, names in texts.items())])


def main() -> None:
    """Write the files, or compare them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with the committed files, write nothing")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        built = build(Path(folder))
    for place, text in built.items():
        if not wanted.check:
            (ROOT / place).parent.mkdir(parents=True, exist_ok=True)
            (ROOT / place).write_text(text, encoding="utf-8")
        elif (ROOT / place).read_text(encoding="utf-8") != text:
            sys.exit(f"{place} is not what the pinned packages give; run python scripts/report_bundle.py")
        print(f"{place}: {len(text.encode()):,} bytes, SHA-256 {hashlib.sha256(text.encode()).hexdigest()}")


if __name__ == "__main__":
    main()
