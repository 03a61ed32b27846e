"""Draw the terminal of the README, docs/images/session.svg, from commands that are run on the tutorial's table.

    python scripts/session.py

No font is loaded from elsewhere: the picture uses a monospaced one of the reader's.
"""

from __future__ import annotations

import io
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).parents[1]
OUT = ROOT / "docs" / "images" / "session.svg"
COMMANDS = [
    "personax independence answers.csv --targets A2,C2,E2 --features gender,age --tests kci --no-figures --quiet",
]
WIDTH = 118


def tutorial_table(folder: Path) -> None:
    """Make the table of the tutorial in a folder."""
    text = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
    script = re.search(r"<!-- write: make_table.py -->\n```python\n(.*?)```", text, re.DOTALL)
    assert script is not None
    subprocess.run([sys.executable, "-c", script[1]], cwd=folder, check=True)


def session() -> str:
    """Run the commands and return their terminal as SVG."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    with tempfile.TemporaryDirectory() as name:
        tutorial_table(Path(name))
        for command in COMMANDS:
            console.print(Text(f"$ {command}", style="bold"))
            words = [sys.executable, "-m", "personax", *shlex.split(command)[1:]]
            done = subprocess.run(words, cwd=name, check=True, capture_output=True, text=True)
            shown = [re.sub(r"done in [\d.]+ s", "done", line) for line in done.stdout.splitlines()]
            console.print(Text("\n".join(shown) + "\n"))
    svg = console.export_svg(title="personax", unique_id="session")
    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    return svg.replace("Fira Code, monospace", "monospace")


if __name__ == "__main__":
    OUT.write_text(session(), encoding="utf-8")
    print(OUT)
