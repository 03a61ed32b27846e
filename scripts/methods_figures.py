"""Draw a figure for every test, objective, transform and attack of docs/methods-*.md, from benchmarks/results.

    python scripts/methods_figures.py            # all, into docs/images/methods

No number is typed here: rejections of true nulls (calibration*.json, conditional.json), scores beside a floor and a
ceiling (crl.md), what campaigns (campaigns.json) and single attacks (attacks.json) find. A part without a number
has no figure.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable, Container, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from personax import registry
from personax.independence import binomial_interval
from personax.plots import BLACK, GREY, defaults, save

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from personax.registry import Part

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
FOLDER = ROOT / "docs" / "images" / "methods"
COLOURS = ("#e08214", "#5aae61", "#542788", "#2166ac")
FEWEST = 100
"""Of fewer draws a rate says nothing: its interval is half of the picture."""


class Point(NamedTuple):
    """A number with its interval: the row it stands in, and the series it belongs to."""

    row: str
    series: str
    value: float
    low: float
    high: float


def cells(file: str) -> list[dict[str, object]]:
    """Return the cells of a file of results; none where it is absent."""
    path = RESULTS / file
    return list(json.loads(path.read_text(encoding="utf-8"))["cells"]) if path.is_file() else []


def rates(test: str) -> Iterator[Point]:
    """Yield how often a test rejects true nulls at .05."""
    for file in sorted(path.name for path in RESULTS.glob("calibration*.json")):
        for cell in cells(file):
            if cell.get("part") == "level" and cell["test"] == test:
                yield rate(f"{cell['scenario']}", cell, "hits_05", cell["failed"])
    for cell in cells("conditional.json"):
        if (
            cell["test"] == test
            and cell["strength"] == 0.0
            and int(str(cell["times"])) - int(str(cell["none"])) >= FEWEST
        ):
            yield rate(f"{cell['form']}, {cell['columns']} columns of z", cell, "hits", cell["none"])


def rate(row: str, cell: dict[str, object], hits: str, missing: object) -> Point:
    """Return a share of rejections with its exact interval."""
    found, times = int(str(cell[hits])), int(str(cell["times"])) - int(str(missing))
    low, high = binomial_interval(found, times)
    return Point(row, f"n = {cell['n']:,}", found / times, low, high)


def scores(method: str) -> Iterator[Point]:
    """Yield the mean correlation coefficient of a method of Level II on every data set, its floor and its ceiling."""
    text = (RESULTS / "crl.md").read_text(encoding="utf-8").partition("## Methods against known latents")[2]
    named = {method: "this method", "random": "untrained encoders", "supervised": "shown the truth"}
    seen: set[tuple[str, str]] = set()
    for data, table in re.findall(r"^### ([\w-]+)\n(.*?)(?=^##|\Z)", text, re.MULTILINE | re.DOTALL):
        rows = [
            [one.strip() for one in line.strip("| \n").split("|")] for line in table.splitlines() if line[:1] == "|"
        ]
        if not rows or "mcc_pearson" not in rows[0]:
            continue
        place = rows[0].index("mcc_pearson")
        for row in rows[2:]:
            if row[0] in named and (data, row[0]) not in seen and row[place] != "–":
                seen.add((data, row[0]))
                mean, _, spread = row[place].partition(" ± ")
                around = float(spread or 0)
                yield Point(data, named[row[0]], float(mean), float(mean) - around, float(mean) + around)


def campaigns(transform: str) -> Iterator[Point]:
    """Yield what the best attack of each campaign finds of a transform in every data set."""
    found = json.loads((RESULTS / "campaigns.json").read_text(encoding="utf-8"))
    for row in found.values():
        if row[1] == transform:
            for name, cell in zip(
                ("originals", "other recordings", "one original", "strangers"), row[2:6], strict=True
            ):
                if cell != "not run":
                    value = float(cell.split()[0])
                    yield Point(row[0], f"attacker has {name}", value, value, value)


def alone(attack: str) -> Iterator[Point]:
    """Yield what an attack finds by itself."""
    path = RESULTS / "attacks.json"
    found = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    rows = [row for kind in ("vectors", "table") for row in found.get(kind, []) if row["name"] == attack]
    for row in rows:
        if row["value"] is not None:
            low, high = (row["value"] if row[end] is None else row[end] for end in ("low", "high"))
            yield Point(row["against"], f"{row['measure']}; knows {row['knows']}", row["value"], low, high)


def drawn(points: Iterable[Point], label: str, line: float | None = None, right: float | None = None) -> Figure:
    """Draw points in rows, a colour a series."""
    from matplotlib.figure import Figure

    shown = list(points)
    rows = list(dict.fromkeys(point.row for point in shown))
    series = list(dict.fromkeys(point.series for point in shown))
    with defaults():
        figure = Figure(figsize=(6.4, 0.8 + 0.2 * len(rows) + 0.14 * len(series)), layout="constrained")
        axes = figure.subplots()
        if line is not None:
            axes.axvline(line, color=BLACK, linewidth=0.8)
        for point in shown:
            at = series.index(point.series)
            y = rows.index(point.row) + 0.5 * ((at + 0.5) / len(series) - 0.5)
            end = point.high if right is None else min(point.high, right)
            if right is not None and point.value > right:
                axes.annotate(f"{point.value:.2f} →", (right, y), ha="right", va="center", fontsize=6, color=GREY)
                continue
            axes.plot([point.low, end], [y, y], color=COLOURS[at % 4], linewidth=1.2)
            axes.plot(point.value, y, "o", color=COLOURS[at % 4], markersize=3)
        axes.set_yticks(range(len(rows)), rows, fontsize=7)
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_xlim(-0.02 if right is None else 0, right or 1.02)
        axes.set_xlabel(label, fontsize=8)
        keys = [
            axes.plot([], [], "o-", color=COLOURS[i % 4], markersize=3, label=one)[0] for i, one in enumerate(series)
        ]
        figure.legend(handles=keys, loc="outside lower center", ncols=min(3, len(keys)), fontsize=7, frameon=False)
    return figure


def figures() -> Iterator[tuple[str, Figure]]:
    """Yield the name of every part of personax that has numbers, and its figure."""
    kinds: dict[str, tuple[Callable[[Part], Iterable[Point]], str, float | None, float | None]] = {
        "tests": (lambda part: rates(part.name), "share of true nulls rejected at .05, exact 95 % interval", 0.05, 0.3),
        "methods": (lambda part: scores(part.name), "MCC with the true latents, ± a deviation over seeds", None, None),
        "transforms": (lambda part: campaigns(part.name), "share of people the best attack finds", None, None),
        "attacks": (lambda part: alone(part.title), "what the attack alone reaches, 95 % interval", None, None),
    }
    for kind, (numbers, label, line, right) in kinds.items():
        for part in registry.parts(kind):
            if part.package == "personax" and (points := list(numbers(part))):
                yield f"{kind}-{part.name}", drawn(points, label, line, right)


PAGES = {"tests": "tests", "objectives": "methods", "transforms": "transforms", "attacks": "attacks"}
"""`docs/methods-<word>.md` -> the kind of part that it tells of, each in a section that begins with its equation."""


def placed(text: str, kind: str, drawn: Container[str]) -> str:
    """Return a page with the figure of each part that has one after its equation."""
    text = re.sub(r"!\[What was measured of .*\n\n", "", text)

    def with_figure(found: re.Match[str]) -> str:
        name = f"{kind}-{found[1]}"
        line = f"\n![What was measured of {found[1]}](images/methods/{name}.svg)\n"
        return found[0] + (line if name in drawn else "")

    return re.sub(r"^## `([\w-]+)`\n\n.*\n\n\$\$\n(?:.*\n)*?\$\$\n", with_figure, text, flags=re.MULTILINE)


def main() -> None:
    """Draw all, and put them into their pages."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=FOLDER)
    asked = parser.parse_args()
    names = []
    for name, figure in figures():
        save(figure, asked.out / f"{name}.svg")
        names.append(name)
    if asked.out == FOLDER:
        for word, kind in PAGES.items():
            page = ROOT / "docs" / f"methods-{word}.md"
            page.write_text(placed(page.read_text(encoding="utf-8"), kind, names), encoding="utf-8")
    print(f"{len(names)} figures in {asked.out}")


if __name__ == "__main__":
    main()
