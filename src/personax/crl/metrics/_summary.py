"""All scores of learned latents against the truth, each beside its floors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from personax.crl._split import Array, check_latents
from personax.crl.metrics._dci import DCI, dci
from personax.crl.metrics._floors import Floor, noise_only_floor, root_copies_floor, rotation_floor
from personax.crl.metrics._graph import graph_scores
from personax.crl.metrics._mcc import Blocks, Kind, Match, held_out_match
from personax.crl.metrics._r2 import block_r2, r2
from personax.errors import InputError

__all__ = ["summary"]

KINDS: tuple[Kind, ...] = ("pearson", "spearman", "monotone")


def summary(
    learned: ArrayLike,
    true: ArrayLike,
    *,
    names: Sequence[str],
    counts: Mapping[str, int],
    shared: int = 0,
    adjacency: ArrayLike | None = None,
    true_adjacency: ArrayLike | None = None,
    rng: np.random.Generator,
    draws: int = 100,
) -> dict[str, Any]:
    """Score learned latents and their graph against the truth, after everything is chosen.

    What is fitted, the matching included, is fitted on one half of the people and scored on the other. Latents are
    matched within shared latents and within each modality where as many are learned as are true, and across all
    otherwise.

    Parameters
    ----------
    learned, true
        Shape (n, d) and (n, k): shared latents first, then modality by modality.
    names
        Of the true latents.
    counts
        Modality -> number of its own latents.
    shared
        Number of shared latents.
    adjacency, true_adjacency
        Shape (d, d) and (k, k), rows are children; None where there is none.
    rng
        Splits the people and draws the floors.
    draws
        Number of random rotations of a floor.

    Returns
    -------
    dict
        Plain numbers, texts, lists and dicts, ready for JSON; None where there is no number:

        - ``n``; ``matched``: ``"within blocks"`` or ``"across all"``;
        - ``mcc_pearson``, ``mcc_spearman``, ``mcc_monotone``: `held_out_match`; ``mcc_pearson_any``: Pearson matched
          across all latents;
        - ``r2``: of each true latent from all learned ones, mean; ``r2_blocks``: from its own block's, mean, None where
          the blocks are not known;
        - ``latents``: one row a true latent: ``true`` (name), ``learned`` (position by Spearman's matching, None if
          none was left), ``pearson``, ``spearman``, ``monotone`` (each by its own matching), ``r2``, ``r2_block``;
        - ``dci``: ``disentanglement``, ``completeness``, ``informativeness``, ``importance`` (rows are learned
          latents); ``dci_of_truth``: the first three of the truth itself, the most that can be reached;
        - ``shd``, ``edges``, ``edges_cross``, ``edges_within`` (each ``shd``, ``precision``, ``recall``, ``f1``),
          ``edges_surplus``: `graph_scores` by Spearman's matching, all None without both graphs;
        - ``floors``: ``rotation_blocks``, ``rotation_all``, ``root_copies``, ``noise_only`` (None without a true
          graph) -> ``mcc_pearson``, ``mcc_spearman``, ``mcc_monotone``, ``r2``, the first two floors also each
          with ``_95``, and ``note``.

    Raises
    ------
    InputError
        Missing or infinite numbers, unequal or too few people, names or counts that do not fit the true latents.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(400, 2))
    >>> found = summary(-x, x, names=["a_1", "b_1"], counts={"a": 1, "b": 1}, rng=rng, draws=5)
    >>> round(found["mcc_pearson"], 6), found["shd"], round(found["floors"]["rotation_blocks"]["mcc_pearson"], 6)
    (1.0, None, 1.0)
    """
    z, x = check_latents(learned, true)
    k = shared + sum(counts.values())
    if x.shape[1] != k or len(names) != k:
        text = f"there are {x.shape[1]} true latents, {len(names)} names and counts that add up to {k}"
        raise InputError(f"{text}; give as many of each")
    columns, groups = _layout(counts, shared)
    blocks: Blocks | None = [(block, block) for block in columns] if z.shape[1] == k else None
    matches = {kind: held_out_match(z, x, kind=kind, blocks=blocks, rng=rng) for kind in KINDS}
    every = r2(z, x, rng=rng)
    own = None if blocks is None else [v for found in block_r2(z, x, blocks, rng=rng) for v in found.each]
    return {
        "n": len(x),
        "matched": "across all" if blocks is None else "within blocks",
        **{f"mcc_{kind}": matches[kind].mcc for kind in KINDS},
        "mcc_pearson_any": held_out_match(z, x, rng=rng).mcc,
        "r2": every.mean,
        "r2_blocks": None if own is None else float(np.mean(own)),
        "latents": _rows(names, matches, every.each, own),
        **_dci(z, x, rng),
        **_graph(adjacency, true_adjacency, matches["spearman"], groups),
        "floors": _floors(x, columns, true_adjacency, rng, draws),
    }


def _layout(counts: Mapping[str, int], shared: int) -> tuple[list[list[int]], list[str]]:
    """Return the columns of each block and the group of each latent."""
    sizes = {"shared": shared, **counts}
    groups = [group for group, size in sizes.items() for _ in range(size)]
    blocks = [[j for j, own in enumerate(groups) if own == group] for group in sizes]
    return [block for block in blocks if block], groups


def _rows(
    names: Sequence[str], matches: Mapping[Kind, Match], every: Sequence[float], own: Sequence[float] | None
) -> list[dict[str, Any]]:
    scores = {kind: {j: score for _, j, score in found.pairs} for kind, found in matches.items()}
    partner = {j: i for i, j, _ in matches["spearman"].pairs}
    return [
        {"true": name, "learned": partner.get(j)}
        | {kind: scores[kind].get(j) for kind in KINDS}
        | {"r2": every[j], "r2_block": None if own is None else own[j]}
        for j, name in enumerate(names)
    ]


def _dci(z: Array, x: Array, rng: np.random.Generator) -> dict[str, Any]:
    found, most = dci(z, x, rng=rng), dci(x, x, rng=rng)
    return {"dci": _three(found) | {"importance": found.importance.tolist()}, "dci_of_truth": _three(most)}


def _three(found: DCI) -> dict[str, Any]:
    return {name: getattr(found, name) for name in ("disentanglement", "completeness", "informativeness")}


def _graph(learned: ArrayLike | None, true: ArrayLike | None, found: Match, groups: Sequence[str]) -> dict[str, Any]:
    scores = graph_scores(learned, true, pairs=found.pairs, groups=groups)
    if scores is None:
        return dict.fromkeys(("shd", "edges", "edges_cross", "edges_within", "edges_surplus"))
    return {
        "shd": scores.overall.shd,
        "edges": asdict(scores.overall),
        "edges_cross": asdict(scores.cross),
        "edges_within": asdict(scores.within),
        "edges_surplus": scores.surplus,
    }


def _floors(
    x: Array, blocks: list[list[int]], adjacency: ArrayLike | None, rng: np.random.Generator, draws: int
) -> dict[str, Any]:
    floors: dict[str, dict[Kind, Floor]] = {"rotation_blocks": {}, "rotation_all": {}, "root_copies": {}}
    if adjacency is not None:
        floors["noise_only"] = {}
    for kind in KINDS:
        first = kind == KINDS[0]  # R2 does not know of kinds
        floors["rotation_blocks"][kind] = rotation_floor(x, blocks, kind, rng=rng, draws=draws, with_r2=first)
        floors["rotation_all"][kind] = rotation_floor(x, None, kind, rng=rng, draws=draws, with_r2=first)
        floors["root_copies"][kind] = root_copies_floor(x, kind, rng=rng, with_r2=first)
        if adjacency is not None:
            floors["noise_only"][kind] = noise_only_floor(x, adjacency, kind, rng=rng, with_r2=first)
    return {"noise_only": None} | {name: _written(found) for name, found in floors.items()}


def _written(found: Mapping[Kind, Floor]) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for kind, floor in found.items():
        row[f"mcc_{kind}"] = floor.mcc
        if floor.mcc_95 is not None:
            row[f"mcc_{kind}_95"] = floor.mcc_95
    first = found["pearson"]
    row["r2"] = first.r2
    if first.r2_95 is not None:
        row["r2_95"] = first.r2_95
    return row | {"note": first.note}
