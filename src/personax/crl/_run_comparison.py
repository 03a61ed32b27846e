"""Several runs of Level II on the same people, side by side: matched latents, edges, scores against a truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.crl.metrics import graph_scores, held_out_match, held_out_r2, match, rotation_floor
from personax.crl.metrics._mcc import Blocks, _correlations
from personax.errors import InputError
from personax.schema import Graph

__all__ = ["FEWEST", "KnownLatents", "LatentRun", "PairComparison", "RunComparison", "compare_runs"]

Array = NDArray[np.float64]

FEWEST: Final = 20
"""People whom two runs must have in common."""

SEED: Final = 0
"""Of halves and rotations: the same for all runs."""


@dataclass(frozen=True)
class KnownLatents:
    """True latents of people.

    Parameters
    ----------
    ids, names
        Of the people, and of the latents.
    latents
        Shape (n, k).
    adjacency
        Shape (k, k), rows are children; None where it is not known.
    """

    ids: Sequence[str]
    names: list[str]
    latents: Array = field(repr=False)
    adjacency: NDArray[np.bool_] | None = field(default=None, repr=False)


@dataclass(frozen=True)
class LatentRun:
    """What a run of Level II left.

    Parameters
    ----------
    name
        As the page calls it.
    ids, names, latents
        People, names of the latents, and shape (n, d).
    graph
        None where none was learned.
    objective
        Of the chosen fit, smaller is better; comparable between seeds of one method alone.
    seeds, identification
        Rows a seed, and rows a latent, as the run wrote them; none where it did not.
    history
        A column ``epoch`` and a column a term.
    images
        Latent -> mean images as it moves, shape (k, channels, height, width).
    truth
        Of simulated people, where the run knows it.
    """

    name: str
    ids: Sequence[str] = field(repr=False)
    names: list[str]
    latents: Array = field(repr=False)
    graph: Graph | None = field(default=None, repr=False)
    objective: float | None = None
    seeds: Sequence[Mapping[str, Any]] = field(default=(), repr=False)
    identification: Sequence[Mapping[str, Any]] = field(default=(), repr=False)
    history: pl.DataFrame | None = field(default=None, repr=False)
    images: Mapping[str, Array] = field(default_factory=dict, repr=False)
    truth: KnownLatents | None = field(default=None, repr=False)


@dataclass(frozen=True)
class PairComparison:
    """Two runs on the people that they have in common.

    Parameters
    ----------
    one, other
        Names of the runs.
    people
        How many they have in common.
    correlations
        Shape (d, e): Spearman's, with sign.
    matches
        (latent of one, latent of the other, Spearman's correlation with its sign), matched within modalities where both
        have the same.
    edges
        One row an edge of either graph: ``source`` and ``target`` by the latents of the first run, ``verdict``:
        agreed, opposite, only in one, only in the other; ``matched``: the smaller correlation of its ends' matches.
    """

    one: str
    other: str
    people: int
    correlations: Array = field(repr=False)
    matches: list[tuple[str, str, float]]
    edges: list[dict[str, Any]]

    @property
    def mcc(self) -> float:
        """Mean absolute correlation of matched latents."""
        return float(np.mean([abs(score) for *_, score in self.matches]))


@dataclass(frozen=True)
class RunComparison:
    """Runs side by side.

    Parameters
    ----------
    runs
        In their order.
    pairs
        Of runs that have people in common.
    apart
        Names of pairs of runs that have not.
    scores
        One row a run that was scored against a truth.
    """

    runs: Sequence[LatentRun]
    pairs: list[PairComparison]
    apart: list[tuple[str, str]]
    scores: list[dict[str, Any]]

    def to_frame(self) -> pl.DataFrame:
        """Return one row a pair of matched latents: ``run``, ``latent``, ``other``, ``matched``, ``spearman``."""
        rows = [
            {"run": p.one, "latent": a, "other": p.other, "matched": b, "spearman": score, "people": p.people}
            for p in self.pairs
            for a, b, score in p.matches
        ]
        kinds = {"run": pl.String, "latent": pl.String, "other": pl.String, "matched": pl.String}
        return pl.DataFrame(rows, schema=kinds | {"spearman": pl.Float64, "people": pl.Int64})

    def facts(self) -> dict[str, Any]:
        """Return all that is compared, ready for JSON; nothing of single people."""
        runs = [
            {"run": r.name, "people": len(r.ids), "latents": r.names, "objective": r.objective, "seeds": list(r.seeds),
             "edges": None if r.graph is None else [[e.source, e.target] for e in r.graph.edges],
             "identification": list(r.identification)}
            for r in self.runs
        ]  # fmt: skip
        pairs = [
            {"one": p.one, "other": p.other, "people": p.people, "mcc_spearman": p.mcc,
             "correlations": p.correlations.tolist(), "matches": p.matches, "edges": p.edges}
            for p in self.pairs
        ]  # fmt: skip
        return {"runs": runs, "pairs": pairs, "no common people": self.apart, "scores": self.scores}


def compare_runs(runs: Sequence[LatentRun], truth: KnownLatents | None = None) -> RunComparison:
    """Compare what runs found for the same people.

    Parameters
    ----------
    runs
        Two at least, of people that some two of them have in common.
    truth
        Known latents, by the ids of the people; where there are none, each run's own.

    Raises
    ------
    InputError
        One run; runs of the same name; no two with people in common; a truth of other people.
    """
    if len(runs) < 2:
        raise InputError(f"{len(runs)} run cannot be compared; give another folder, fit or part of a benchmark as well")
    twice = sorted({run.name for run in runs if sum(run.name == other.name for other in runs) > 1})
    if twice:
        raise InputError(f"the run {twice[0]} is given twice; give each once")
    pairs, apart = [], []
    for one, other in combinations(runs, 2):
        rows = _common(one.ids, other.ids)
        if len(rows[0]) < FEWEST:
            apart.append((one.name, other.name))
        else:
            pairs.append(_compared(one, other, rows))
    if not pairs:
        raise InputError(
            f"no two of these runs have {FEWEST} people in common, by their ids; give runs on the same people"
        )
    return RunComparison(runs, pairs, apart, _scores(runs, truth))


def _common(one: Sequence[str], other: Sequence[str]) -> tuple[list[int], list[int]]:
    """Return the rows of the people that are in both."""
    place = {who: row for row, who in enumerate(other)}
    rows = [(row, place[who]) for row, who in enumerate(one) if who in place]
    return [a for a, _ in rows], [b for _, b in rows]


def _groups(names: Sequence[str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for at, name in enumerate(names):
        found.setdefault(name.rpartition("_")[0], []).append(at)
    return found


def _blocks(one: Sequence[str], other: Sequence[str], *, equal: bool = False) -> Blocks | None:
    """Return the columns of each modality in both; None where they have other ones, or other numbers if asked."""
    a, b = _groups(one), _groups(other)
    if a.keys() != b.keys() or "" in a or (equal and any(len(a[m]) != len(b[m]) for m in a)):
        return None
    return [(a[m], b[m]) for m in a]


def _compared(one: LatentRun, other: LatentRun, rows: tuple[list[int], list[int]]) -> PairComparison:
    a, b = one.latents[rows[0]], other.latents[rows[1]]
    signed = _correlations(a, b, "spearman")
    found = match(a, b, kind="spearman", blocks=_blocks(one.names, other.names))
    matches = [(one.names[i], other.names[j], float(signed[i, j])) for i, j, _ in sorted(found.pairs)]
    return PairComparison(one.name, other.name, len(a), signed, matches, _edges(one, other, matches))


def _edges(one: LatentRun, other: LatentRun, matches: Sequence[tuple[str, str, float]]) -> list[dict[str, Any]]:
    if one.graph is None or other.graph is None:
        return []
    into = {theirs: ours for ours, theirs, _ in matches}
    sure = {ours: abs(score) for ours, _, score in matches}
    first = [(e.source, e.target) for e in one.graph.edges]
    second = [(into.get(e.source, f"{e.source}*"), into.get(e.target, f"{e.target}*")) for e in other.graph.edges]
    rows = []
    for source, target in dict.fromkeys([*first, *second]):
        ours, theirs = (source, target) in first, (source, target) in second
        if not ours and (target, source) in first:
            continue  # told with the edge of the first run
        verdict = "agreed" if ours and theirs else f"only in {other.name}"
        if ours and not theirs:
            verdict = "opposite" if (target, source) in second else f"only in {one.name}"
        matched = min(sure.get(source, 0.0), sure.get(target, 0.0))
        rows.append({"source": source, "target": target, "verdict": verdict, "matched": matched})
    return rows


def _scores(runs: Sequence[LatentRun], truth: KnownLatents | None) -> list[dict[str, Any]]:
    rows = []
    for run in runs:
        known = truth or run.truth
        if known is None:
            continue
        mine, theirs = _common(run.ids, known.ids)
        if len(mine) >= FEWEST:
            rows.append(_scored(run, known, mine, theirs))
    if truth is not None and not rows:
        raise InputError(f"the truth has fewer than {FEWEST} people in common with every run; ids must be the same")
    return rows


def _scored(run: LatentRun, known: KnownLatents, mine: list[int], theirs: list[int]) -> dict[str, Any]:
    z, x = run.latents[mine], known.latents[theirs]
    blocks = _blocks(run.names, known.names, equal=True)
    pearson = held_out_match(z, x, blocks=blocks, rng=np.random.default_rng(SEED))
    spearman = held_out_match(z, x, kind="spearman", blocks=blocks, rng=np.random.default_rng(SEED))
    own = None if blocks is None else [columns for _, columns in blocks]
    floor = rotation_floor(x, own, rng=np.random.default_rng(SEED), with_r2=False)
    edges = None
    if run.graph is not None and known.adjacency is not None:
        groups = [name.rpartition("_")[0] for name in known.names]
        edges = graph_scores(_matrix(run), known.adjacency, pairs=spearman.pairs, groups=groups)
    return {
        "run": run.name,
        "people": len(mine),
        "r2": held_out_r2(z, x, rng=np.random.default_rng(SEED)),
        "mcc_pearson": pearson.mcc,
        "mcc_spearman": spearman.mcc,
        "floor": floor.mcc,
        "floor_95": floor.mcc_95,
        "wrong_edges": None if edges is None else edges.overall.shd,
        "wrong_edges_across": None if edges is None else edges.cross.shd,
        "latents": [
            {"true": known.names[j], "learned": run.names[i], "spearman": score} for i, j, score in spearman.pairs
        ],
    }


def _matrix(run: LatentRun) -> Array:
    assert run.graph is not None
    place = {name: at for at, name in enumerate(run.names)}
    found = np.zeros((len(place), len(place)))
    for edge in run.graph.edges:
        if edge.source in place and edge.target in place:
            found[place[edge.target], place[edge.source]] = 1.0
    return found
