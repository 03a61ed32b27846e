"""The page that puts runs of Level II side by side."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray
from PIL import Image

from personax.crl._run_comparison import LatentRun, PairComparison, RunComparison
from personax.data.labels import number
from personax.report._graph import draw_graph
from personax.report._loss_curves import loss_curves
from personax.report._page import _asset, _policy, _script, page_environment
from personax.traits import BIG_FIVE

__all__ = ["render_comparison"]

WEAK: Final = 0.8
"""Correlation below which matched latents, and edges that end in them, are not the same."""

MOST_MATRICES: Final = 30
"""Pairs whose whole matrix is shown."""

STEPS: Final = (0.1, 0.25, 0.4, 0.55, 0.7, 0.85)
"""Absolute correlations at which a cell grows darker."""


@dataclass(frozen=True)
class _Table:
    """A table of cells: rows by name, columns by name."""

    title: str
    columns: Sequence[str]
    rows: Sequence[tuple[str, Sequence[Markup]]]


def render_comparison(found: RunComparison, *, title: str = "Runs of Level II") -> str:
    """Return one HTML page that opens from disk, as the report's: nothing is loaded, every text is escaped.

    Parameters
    ----------
    found
        From `personax.crl.compare_runs`.
    title
        Its heading.
    """
    style, script = _asset("style.css"), _script("plot.js", "charts.js", "page.js")
    return page_environment(BIG_FIVE).get_template("comparison.html.j2").render(
        title=title,
        style=Markup(style),
        script=Markup(script),
        policy=_policy(style, script),
        runs=(runs := [_run_view(run) for run in found.runs]),
        rows_of_runs=[
            (f"{at}. {run['name']}", run["people"], run["latents"], run["objective"]) for at, run in enumerate(runs, 1)
        ],
        overview=_overview(found),
        apart=found.apart,
        latents=_latents(found),
        matrices=[_matrix(pair, found) for pair in found.pairs[:MOST_MATRICES]],
        left_out=max(0, len(found.pairs) - MOST_MATRICES),
        edges=[(f"{p.one} and {p.other}", [_edge(row) for row in p.edges]) for p in found.pairs if p.edges],
        scores=[_score(row) for row in found.scores],
        weak=WEAK,
    )  # fmt: skip


def _cell(value: float | None, tip: str) -> Markup:
    if value is None or not np.isfinite(value):
        return Markup('<td class="num">–</td>')
    step = sum(abs(value) >= limit for limit in STEPS)
    return Markup('<td class="num corr c{}" data-tip="{}">{:.2f}</td>').format(step, tip, value)


def _overview(found: RunComparison) -> _Table:
    """Return the mean absolute correlation of matched latents of each pair of runs."""
    known = {frozenset((p.one, p.other)): p for p in found.pairs}
    names = [run.name for run in found.runs]

    def cell(a: str, b: str) -> Markup:
        pair = known.get(frozenset((a, b)))
        return _cell(None, "") if pair is None else _cell(pair.mcc, f"{a}\n{b}\n{pair.people} people")

    rows = [(f"{at}. {a}", [cell(a, b) for b in names]) for at, a in enumerate(names, start=1)]
    return _Table("", [str(at) for at in range(1, len(names) + 1)], rows)


def _latents(found: RunComparison) -> list[_Table]:
    """Return, for the first run of each group of people, its latents and their matches in the other runs."""
    tables, seen = [], set[str]()
    for run in found.runs:
        own = [pair for pair in found.pairs if pair.one == run.name]
        if run.name in seen or not own:
            continue
        seen |= {run.name, *(pair.other for pair in own)}
        matched = [{a: (b, score) for a, b, score in pair.matches} for pair in own]
        rows = [(name, [_matched(by.get(name)) for by in matched]) for name in run.names]
        tables.append(_Table(run.name, [pair.other for pair in own], rows))
    return tables


def _matched(found: tuple[str, float] | None) -> Markup:
    if found is None:
        return Markup("<td>none</td>")
    step = sum(abs(found[1]) >= limit for limit in STEPS)
    return Markup('<td class="corr c{}">{} {:+.2f}</td>').format(step, *found)


def _matrix(pair: PairComparison, found: RunComparison) -> _Table:
    names = {run.name: run.names for run in found.runs}
    rows = [
        (a, [_cell(float(value), f"{a}\n{b}") for b, value in zip(names[pair.other], row, strict=True)])
        for a, row in zip(names[pair.one], pair.correlations, strict=True)
    ]
    return _Table(f"{pair.one} (rows) and {pair.other}", names[pair.other], rows)


def _edge(row: Mapping[str, Any]) -> tuple[str, str, str]:
    loose = "" if row["matched"] >= WEAK else f"an end is matched at {row['matched']:.2f} only"
    return f"{row['source']} → {row['target']}", str(row["verdict"]), loose


def _score(row: Mapping[str, Any]) -> list[str]:
    numbers = ("people", "r2", "mcc_pearson", "mcc_spearman", "floor", "floor_95", "wrong_edges", "wrong_edges_across")
    written = ["–" if row[name] is None else number(row[name]) for name in numbers]
    each = ", ".join(f"{one['true']} ← {one['learned']} {one['spearman']:.2f}" for one in row["latents"])
    return [row["run"], *written, each]


def _run_view(run: LatentRun) -> dict[str, Any]:
    columns = list(dict.fromkeys(name for row in run.identification for name in row))
    return {
        "name": run.name,
        "people": len(run.ids),
        "latents": ", ".join(run.names),
        "objective": "–" if run.objective is None else number(run.objective),
        "seeds": [_seed(row) for row in run.seeds],
        "graph": draw_graph(run.graph, f"Graph of {run.name}") if run.graph else None,
        "meaning": run.graph.meaning if run.graph else "",
        "columns": columns,
        "identification": [[_text(row.get(name)) for name in columns] for row in run.identification],
        "curves": loss_curves(run.history) if run.history is not None and "epoch" in run.history.columns else [],
        "images": [(name, [_picture(one) for one in shown]) for name, shown in run.images.items()],
    }


def _seed(row: Mapping[str, Any]) -> list[str]:
    chosen = "chosen" if row.get("chosen") else ""
    return [_text(row.get(name)) for name in ("seed", "objective", "agreement")] + [chosen, _text(row.get("reason"))]


def _text(value: object) -> str:
    if isinstance(value, float):
        return number(value)
    if isinstance(value, list | tuple):
        return ", ".join(map(_text, value))
    return "" if value is None else str(value)


def _picture(image: NDArray[np.float64]) -> str:
    """Return a mean image, shape (channels, height, width), as a data URI; one channel as grey, three as colours."""
    shown = image if len(image) in (1, 3) else image[:1]
    low, high = float(image.min()), float(image.max())
    scaled = np.clip(255 * (shown - low) / ((high - low) or 1.0), 0, 255).astype(np.uint8)
    picture = Image.fromarray(scaled[0] if len(scaled) == 1 else np.ascontiguousarray(scaled.transpose(1, 2, 0)))
    stream = io.BytesIO()
    picture.resize((56, 56), Image.Resampling.NEAREST).save(stream, "PNG")
    return f"data:image/png;base64,{base64.b64encode(stream.getvalue()).decode()}"
