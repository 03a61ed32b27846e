"""What `personax traits select` and `calibrate` say of three invented models; writes benchmarks/results/choosing.md.

python benchmarks/choosing.py [--people 200]

The models are the tests' (tests/traits/llms/invented_models.py), behind a server on loopback: virtues and
vices were put in, and the tables show whether they are seen. No real model is behind any number.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))  # the models are those of the tests

from tests.traits.llms.invented_models import FACTS, Minds, pace  # noqa: E402 - the path is set above
from tests.traits.llms.llm_server import Server, serving  # noqa: E402 - likewise

RESULTS = ROOT / "benchmarks" / "results" / "choosing.md"
RADAR = ROOT / "docs" / "images" / "choosing-radar.svg"
PRICES = {"careful": 3, "eager": 1, "clumsy": 2}


def study(folder: Path, url: str, people: int) -> Path:
    lines = ["id,name,league,birth_year,nationality,biography"]
    for i in range(people):
        year, country, league = (FACTS[fact](i) for fact in ("birth_year", "nationality", "league"))
        lines.append(f"p{i},Ann {i},{league},{year},{country},She won {i} prizes.")
    (folder / "people.csv").write_text("\n".join(lines), encoding="utf-8")
    models = "".join(
        f"    - {{name: {name}, model: {name}-x, base_url: {url}, input_price: {price}, output_price: {price}}}\n"
        for name, price in PRICES.items()
    )
    path = folder / "study.yaml"
    path.write_text(
        "name: choosing\nseed: 1\ncollect: {source: table, path: people.csv}\n"
        f"annotate:\n  source: llm\n  models:\n{models}",
        encoding="utf-8",
    )
    return path


def told(command: str, path: Path, people: int) -> dict[str, Any]:
    line = [sys.executable, "-m", "personax", "traits", command, str(path), "--people", str(people), "--json"]
    return dict(json.loads(subprocess.run(line, check=True, capture_output=True, text=True, cwd=ROOT).stdout))


def table(names: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    body = ["| " + " | ".join(cell(value) for value in row) + " |" for row in rows]
    return ["| " + " | ".join(names) + " |", "|" + "---|" * len(names), *body, ""]


def cell(value: object) -> str:
    return "–" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=200)
    people = parser.parse_args().people
    with tempfile.TemporaryDirectory() as folder, serving(Server(mind=Minds(), script=pace, keep=False)) as server:
        path = study(Path(folder), server.url, people)
        selected, calibrated = told("select", path, people), told("calibrate", path, min(people, 100))
        with contextlib.suppress(FileNotFoundError):
            shutil.copyfile(Path(folder) / "traits" / "select" / "radar.svg", RADAR)
    scores = {(row["model"], row["dimension"]): row for row in selected["scores"]}
    names = list(dict.fromkeys(row["dimension"] for row in selected["scores"]))
    text = [
        "# Choosing: three invented models",
        "",
        f"`python benchmarks/choosing.py --people {people}` on {date.today()}. The models are invented and answer from "
        "a server on loopback; no real model is behind any number.",
        "",
        "## select",
        "",
        *table(
            ["model", "OS", *names, "first with random weights", "ranks (middle 90 %)"],
            (
                [one["model"], one["os"], *(scores[one["model"], name]["score"] for name in names),
                 one["first_share"], f"{one['rank_low']} to {one['rank_high']}"]
                for one in selected["overall"]
            ),
        ),
        "## calibrate",
        "",
        *table(
            ["format", "variability", "95 % interval", "repeats", "orders", "scales", "scored"],
            (
                [one["format"], one["variability"], f"{one['low']:.3f} to {one['high']:.3f}", one["repeats"],
                 one["orders"], one["scales"], one["scored"]]
                for one in calibrated["formats"]
            ),
        ),
        calibrated["recommended"],
    ]  # fmt: skip
    RESULTS.write_text("\n".join(text) + "\n", encoding="utf-8")
    print(RESULTS.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
