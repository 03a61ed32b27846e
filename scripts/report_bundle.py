"""Build the report's drawing library from its npm packages: `src/personax/report/plot.js`, with its licences.

    python scripts/report_bundle.py           # install what package-lock.json pins, build, write
    python scripts/report_bundle.py --check   # build again and fail when the committed file is another one

`scripts/report_bundle/package-lock.json` pins the version and the SHA-512 of every package; npm refuses any other.
Scripts of packages are not run. The bundle needs node and npm to be built, and nothing to be used.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).parent / "report_bundle"
BUNDLE = Path(__file__).parents[1] / "src" / "personax" / "report" / "plot.js"


def build(folder: Path) -> str:
    """Install the pinned packages into ``folder`` and return the bundle with its licences above it."""
    for name in ("package.json", "package-lock.json", "plot.js", "build.mjs"):
        (folder / name).write_bytes((HERE / name).read_bytes())
    subprocess.run(
        ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder, check=True, stdout=sys.stderr
    )
    found = subprocess.run(["node", "build.mjs", "out.js"], cwd=folder, check=True, capture_output=True, text=True)
    code = (folder / "out.js").read_text(encoding="utf-8").strip().replace("</script", "<\\/script")
    return f"/*!\n{licences(folder / 'node_modules', json.loads(found.stdout))}\n*/\n{code}\n"


def licences(modules: Path, packages: Sequence[str]) -> str:
    """Return the name, version and licence text of each package; packages of one text stand together."""
    texts: dict[str, list[str]] = {}
    for package in packages:
        told = json.loads((modules / package / "package.json").read_text(encoding="utf-8"))
        text = (modules / package / "LICENSE").read_text(encoding="utf-8").strip()
        texts.setdefault(text, []).append(f"{package} {told['version']}")
    head = "A part of Observable Plot and d3, bundled and minified by scripts/report_bundle.py; the <style> of figures"
    parts = [f"{', '.join(names)}\n\n{text}" for text, names in texts.items()]
    return "\n\n".join([f"{head} is left out.", *parts])


def main() -> None:
    """Write the bundle, or compare it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with the committed file, write nothing")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        built = build(Path(folder))
    if not wanted.check:
        BUNDLE.write_text(built, encoding="utf-8")
    elif BUNDLE.read_text(encoding="utf-8") != built:
        sys.exit(f"{BUNDLE} is not what the pinned packages give; run python scripts/report_bundle.py")
    print(f"{BUNDLE.name}: {len(built.encode()):,} bytes, SHA-256 {hashlib.sha256(built.encode()).hexdigest()}")


if __name__ == "__main__":
    main()
