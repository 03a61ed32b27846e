"""Size of the report, CPU seconds to make it, first paint in chromium: ``python benchmarks/report_page.py``.

Studies of 9,444 people x 51 features x 5 traits by three tests and four raters, of 40,000 x 60 x 20 by five tests, and
of 300 people x 10,000 features x 5, all of random numbers. First contentful paint is the browser's own, the least and
the median of five openings from disk, with the machine's load. Without chromium there is no first paint.
"""

from __future__ import annotations

import importlib.util
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import polars as pl

from personax.report import gather, render

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "report_page.md"
SIZES = {
    "9,444 x 51 x 5": (9444, 51, 5, 3, 4),
    "40,000 x 60 x 20": (40_000, 60, 20, 5, 1),
    "300 x 10,000 x 5": (300, 10_000, 5, 1, 1),
}
PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? -1"
OPENINGS = 5


def write_study(root: Path, people: int, features: int, targets: int, tests: int, raters: int) -> None:
    """Write what the report reads of a study: people and Level I."""
    rng = np.random.default_rng(0)
    names = [f"feature_{place:05d}_long_name" for place in range(features)]
    traits = [f"target_{place:02d}" for place in range(targets)]
    columns: dict[str, Any] = {"id": [f"p{place}" for place in range(people)]}
    for place, name in enumerate(names):
        columns[name] = rng.choice(["alpha", "beta", "gamma"], people) if place % 3 == 0 else rng.normal(size=people)
    columns |= {name: rng.normal(size=people).round(1) for name in traits}
    told = [{"name": "id", "role": "id", "kind": "nominal"}]
    told += [{"name": n, "role": "feature", "kind": "continuous" if i % 3 else "nominal"} for i, n in enumerate(names)]
    told += [{"name": name, "role": "target", "kind": "continuous"} for name in traits]
    for folder in ("people", "analysis/independence", "manifests"):
        (root / folder).mkdir(parents=True)
    pl.DataFrame(columns).write_parquet(root / "people" / "people.parquet")
    (root / "people" / "columns.json").write_text(json.dumps(told), encoding="utf-8")
    groups = ["final", *(f"model-{place}" for place in range(1, raters))]
    keys = pl.DataFrame({"group": groups}).join(pl.DataFrame({"target": traits}), how="cross")
    keys = keys.join(pl.DataFrame({"feature": names}), how="cross")
    keys = keys.join(pl.DataFrame({"test": ["kci", "chisq", "gsq", "hsic", "dcor"][:tests]}), how="cross")
    effect = np.abs(rng.normal(0, 0.1, keys.height))
    p = np.exp(-people * effect**2 / 4)
    text = pl.format("{} is higher where {} is alpha than where it is beta: mean 4.78 (n 1,879) against 4.39 (n 918)",
                     "target", "feature")  # fmt: skip
    keys.with_columns(
        method=pl.lit("asymptotic"), n=pl.lit(people), statistic=pl.Series(100 * effect), dof=pl.lit(3.0),
        p_value=pl.Series(p), p_corrected=pl.Series(np.minimum(1, 5 * p)), effect_size=pl.Series(effect),
        effect_low=pl.Series(np.maximum(0, effect - 0.05)), effect_high=pl.Series(effect + 0.05),
        effect_name=pl.lit("kernel correlation"), rejected=pl.Series(5 * p < 0.05), direction=pl.lit("groups"),
        direction_text=text, reason=pl.lit(None, pl.String), level_high=pl.lit("alpha"), level_low=pl.lit("beta"),
    ).write_parquet(root / "analysis" / "independence" / "pvalues.parquet")  # fmt: skip
    manifest = {"stage": "independence", "seed": 1, "plan": {"alpha": 0.05}, "versions": {}, "started": "2026-01-01"}
    (root / "manifests" / "independence.json").write_text(json.dumps(manifest), encoding="utf-8")


def screenshots() -> ModuleType:
    """Return docs/screenshots.py, which speaks to the browser."""
    spec = importlib.util.spec_from_file_location("screenshots", ROOT / "docs" / "screenshots.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def paints(page: Path) -> list[float]:
    """Return milliseconds until the first paint of several openings; none without chromium."""
    shots, found = screenshots(), []
    if not Path(shots.CHROMIUM).is_file():
        return []
    for _ in range(OPENINGS):
        with shots.Browser(shots.CHROMIUM) as browser:
            browser.open(page, "desktop", "light")
            time.sleep(1)
            found.append(float(str(browser.evaluate(PAINT))))
    return [value for value in found if value >= 0]


def main() -> None:
    """Write the table."""
    command = " ".join(["python benchmarks/report_page.py", *sys.argv[1:]])
    machine = f"{platform.machine()}, {os.cpu_count()} cores shared with other work, load {os.getloadavg()[0]:.1f}"
    lines = ["# The report of large studies", "", f"`{command}` on {date.today()}; {machine}. Wanted: a first paint "
             "below 1 s, pages below 2 MB (3 MB at 10,000 columns).", "",
             "| people x features x targets | CPU s to make | MB | first paint, least ms | median ms |",
             "|---|---|---|---|---|"]  # fmt: skip
    for name, size in SIZES.items():
        with tempfile.TemporaryDirectory() as folder:
            write_study(Path(folder) / "study", *size)
            start = time.process_time()
            html = render(gather(Path(folder) / "study"))
            cpu = time.process_time() - start
            page = Path(folder) / "index.html"
            page.write_text(html, encoding="utf-8")
            times = paints(page)
        shown = f"{min(times):.0f} | {statistics.median(times):.0f}" if times else "– | –"
        lines.append(f"| {name} | {cpu:.1f} | {len(html.encode()) / 1e6:.2f} | {shown} |")
        print(lines[-1], flush=True)
    RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
