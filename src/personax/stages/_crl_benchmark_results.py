"""What the Level II benchmark found, as tables and figures: scores, training, each method's latents and graph."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.data.frames import write_csv, write_parquet
from personax.errors import InputError
from personax.files import write_text
from personax.plots import (
    adjacency_pair,
    latent_scatter,
    latent_traversals,
    save,
    scores_by_method,
    training_curves,
)
from personax.progress import Progress
from personax.stages._base import versions
from personax.stages._crl_benchmark import CrlBenchmark, KeptFit, load_kept, part_of
from personax.stages._crl_protocols import HONEST, PAPER, PROTOCOLS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["FLOORS", "METRICS", "draw_benchmark", "reject_none", "rows_of", "summary_table", "write_benchmark"]

METRICS: Final = (
    "r2",
    "r2_blocks",
    "mcc_pearson",
    "mcc_spearman",
    "mcc_monotone",
    "mcc_paper",
    "shd_across",
    "shd",
    "seconds",
    "peeking",
    "regret",
)
OPTIONAL: Final = ("peeking", "regret")
"""Shown where somebody has them."""

BEST_ROTATION: Final = "floor: best of as many rotations as epochs, by the truth"
FLOORS: Final = {
    "floor: rotation within blocks of the truth": "rotation_blocks",
    "floor: noisy copies of the root": "root_copies",
    "floor: noise in place of latents": "noise_only",
}
VERSIONED: Final = ("personax", "numpy", "scipy", "torch")

Pairs = list[tuple[int, int, float]]


REASONS: Final = {
    "regret": "a single run",
    "peeking": "no epoch was chosen by the truth",
    "mcc_paper": "the run is older than this score",
}


def rows_of(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return tidy rows (seed, method, protocol, metric, value, reason) of a result; floors are methods of their own."""
    protocol = result.get("protocol", HONEST)
    key = {"seed": result["seed"], "method": result["method"], "protocol": protocol, "needs": _needs(result)}
    if "reason" in result:
        return [key | {"metric": metric, "value": None, "reason": result["reason"]} for metric in METRICS]
    scores = result["scores"]
    values = {m: scores.get(m) for m in METRICS} | {"seconds": result["seconds"]}
    values["shd_across"] = (scores.get("edges_cross") or {}).get("shd")
    values |= {name: result.get(name) for name in OPTIONAL}
    graph = "no graph is kept of the best epoch" if result.get("epoch") else "the method learns no graph"
    rows = [
        key | {"metric": m, "value": v, "reason": None if v is not None else REASONS.get(m, graph)}
        for m, v in values.items()
    ]
    floors = {label: scores["floors"].get(floor) or {} for label, floor in FLOORS.items()}
    floors |= {BEST_ROTATION: result["best_rotation"]} if "best_rotation" in result else {}
    for label, found in floors.items():
        rows += [
            {"seed": result["seed"], "method": label, "protocol": protocol, "needs": "the truth", "metric": m,
             "value": found.get(m), "reason": None}
            for m in ("r2", "mcc_pearson", "mcc_spearman", "mcc_monotone", "mcc_paper") if found.get(m) is not None
        ]  # fmt: skip
    return rows


def _needs(result: Mapping[str, Any]) -> str:
    """Return what a row needs beyond measurements; the paper's protocol chooses by the truth where there are epochs."""
    own: str = result["needs"]
    if result.get("epoch") is None or "truth" in own:
        return own
    return f"{own}, the truth" if own else "the truth"


def summary_table(table: pl.DataFrame, order: Sequence[str]) -> str:
    """Return mean and standard deviation over seeds as a table, methods in their order, floors last.

    Where there are rows of the paper's protocol, a column names the protocol, and each method's rows stand together.
    """
    rated = table.drop_nulls("value").group_by("method", "protocol", "metric").agg(
        pl.col("value").mean().alias("mean"), pl.col("value").std().alias("sd"), pl.len().alias("seeds")
    )  # fmt: skip
    cells = {(m, p, k): (mean, sd) for m, p, k, mean, sd, _ in rated.iter_rows()}
    metrics = [metric for metric in METRICS if metric not in OPTIONAL or any(m == metric for *_, m in cells)]
    protocols = [one for one in PROTOCOLS if one in table["protocol"]]
    several = PAPER in protocols
    lines = [f"| method | {'protocol | ' if several else ''}" + " | ".join(metrics) + " |"]
    lines.append("|---" * (len(metrics) + 1 + several) + "|")
    best = [BEST_ROTATION] if BEST_ROTATION in table["method"] else []
    for name, protocol in _lines([*order, *FLOORS, *best], protocols):
        found = [(name, protocol, metric) for metric in metrics]
        written = [_cell(*cells[cell]) if cell in cells else "–" for cell in found]
        lines.append(f"| {name} | {f'{protocol} | ' if several else ''}" + " | ".join(written) + " |")
    return "\n".join(lines) + "\n"


def _lines(names: Sequence[str], protocols: Sequence[str]) -> list[tuple[str, str]]:
    """Return method and protocol of each line; floors do not depend on the protocol, but for the paper's own."""
    found = []
    for name in names:
        if name == BEST_ROTATION:
            found.append((name, PAPER))
        elif name in FLOORS:
            found.append((name, protocols[0]))
        else:
            found += [(name, protocol) for protocol in protocols]
    return found


def _cell(mean: float, sd: float | None) -> str:
    digits = 3 if abs(mean) < 10 else 0
    return f"{mean:.{digits}f}" if sd is None else f"{mean:.{digits}f} ± {sd:.{digits}f}"


def reject_none(rows: Sequence[dict[str, Any]]) -> None:
    """Refuse a run in which nothing could be scored."""
    if all(row["value"] is None for row in rows):
        reasons = sorted({str(row["reason"]) for row in rows})
        raise InputError(f"no method could be scored: {'; '.join(reasons)}")


def write_benchmark(
    benchmark: CrlBenchmark, rows: Sequence[Mapping[str, Any]], order: Sequence[str], out: Path
) -> pl.DataFrame:
    """Write tables and what they come from; return the tidy one."""
    schema = {"seed": pl.Int64, "method": pl.String, "protocol": pl.String, "needs": pl.String, "metric": pl.String,
              "value": pl.Float64, "reason": pl.String}  # fmt: skip
    key = ["seed", "method", "protocol", "metric"]
    table = pl.DataFrame(rows, schema=schema).unique(key, keep="first", maintain_order=True)
    write_parquet(table, out / "scores.parquet")
    write_csv(table, out / "scores.csv")
    write_text(out / "summary.md", summary_table(table, order))
    facts = {name: value for name, value in asdict(benchmark).items() if name not in ("first", "folders")}
    seeds = list(range(benchmark.first, benchmark.first + benchmark.seeds))
    facts |= {"seeds": seeds, "python": platform.python_version(),
              "versions": {name: number for name, number in versions().items() if name in VERSIONED}}  # fmt: skip
    write_text(out / "run.json", json.dumps(facts, indent=1))
    return table


def draw_benchmark(
    results: Sequence[Mapping[str, Any]],
    table: pl.DataFrame,
    order: Sequence[str],
    parts: Path,
    out: Path,
    progress: Progress,
) -> list[str]:
    """Draw what the benchmark found, each figure as SVG and PNG.

    Parameters
    ----------
    results
        From `personax.stages._crl_benchmark.run_benchmark`.
    table
        Their tidy rows.
    order
        Methods in the order of rows and panels.
    parts, out
        Folder of the parts, and of the figures. Of a part without arrays, from a run before figures, none is drawn.

    Returns
    -------
    list of str
        Names of the figures, without suffixes: ``scores`` and ``scores-paper``, by protocol; ``training``, all seeds;
        and of the first seed that a method came through, ``latents-<method>-seed<seed>``,
        ``graph-<method>-seed<seed>`` where it learns one, and ``traversals-<method>-seed<seed>`` where measurements are
        images.

    Raises
    ------
    MissingExtraError
        When matplotlib is not installed.
    """
    drawn: list[str] = []

    def put(name: str, figure: Figure) -> None:
        save(figure, out / f"{name}.svg", out / f"{name}.png")
        drawn.append(name)

    protocols = list(dict.fromkeys(result.get("protocol", HONEST) for result in results))
    for protocol in protocols:
        shown, name = table.filter(protocol=protocol), "scores" if protocol == HONEST else f"scores-{protocol}"
        put(name, scores_by_method(shown, methods=order, floors=list(FLOORS)))
    results = [result for result in results if result.get("protocol", HONEST) == protocols[0]]
    histories: dict[str, dict[int, Mapping[str, NDArray[np.float64]]]] = {}
    for at, name in enumerate(order):
        progress.step(at, len(order), name)
        own = [result for result in results if result["method"] == name and "scores" in result]
        found = [(result, load_kept(part_of(parts, result))) for result in own]
        there = [(result, part) for result, part in found if part is not None]
        trained = {r["seed"]: part.history for r, part in there if {"epoch", "validation"} <= part.history.keys()}
        if trained:
            histories[name] = trained
        for result, part in there[:1]:
            for kind, figure in _of_one(name, result, part).items():
                put(f"{kind}-{name}-seed{result['seed']}", figure)
    if histories:
        put("training", training_curves(histories))
    progress.step(len(order), len(order))
    return drawn


def _of_one(name: str, result: Mapping[str, Any], part: KeptFit) -> dict[str, Figure]:
    pairs = pairs_of(result)
    title = f"{name}, seed {result['seed']}"
    figures = {
        "latents": latent_scatter(
            part.encoded, part.latents, pairs, names=part.names, learned_names=part.learned_names, title=title
        )
    }
    if part.adjacency is not None:
        groups = [own.rpartition("_")[0] for own in part.names]
        sure = aligned(part.adjacency, pairs, len(part.names))
        figures["graph"] = adjacency_pair(sure, part.true_adjacency, names=part.names, groups=groups, title=title)
    if part.images:
        near = {name: [int(count) for count in counts] for name, counts in part.people.items()}
        figures["traversals"] = latent_traversals(part.images, near, title=title)
    return figures


def pairs_of(result: Mapping[str, Any]) -> Pairs:
    """Return the matching that was scored: (learned, true, Spearman's correlation), by position.

    The same as that behind the structural Hamming distance, so that figures and tables speak of the same edges.
    """
    rows = enumerate(result["scores"]["latents"])
    return [(row["learned"], j, row["spearman"]) for j, row in rows if row["learned"] is not None]


def aligned(adjacency: NDArray[np.float64], pairs: Pairs, k: int) -> NDArray[np.float64]:
    """Return how sure each edge is among the k true latents; NaN where one has no partner.

    Like `personax.crl.align`, which keeps only whether an edge is there.

    Examples
    --------
    >>> aligned(np.array([[0.0, 0.7], [0.1, 0.0]]), [(0, 1, 0.9), (1, 0, 0.8)], 3).tolist()
    [[0.0, 0.1, nan], [0.7, 0.0, nan], [nan, nan, nan]]
    """
    learned, true = [i for i, _, _ in pairs], [j for _, j, _ in pairs]
    found = np.full((k, k), np.nan)
    found[np.ix_(true, true)] = adjacency[np.ix_(learned, learned)]
    return found
