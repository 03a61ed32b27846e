"""crl: Level II, the latent causes behind the embeddings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.crl.graph import to_graph
from personax.errors import PlanError
from personax.plan import Crl
from personax.schema import Notice
from personax.stages.base import Context, Stage
from personax.strict import nearest

__all__ = ["CRL"]

ROTATIONS = 50

MARGIN = 0.1
"""How far above random rotations an MCC must be before single latents count as told apart."""

Arrays = dict[str, dict[str, NDArray[np.float32]]]


def _run(context: Context) -> None:
    """Learn the latent causes behind the embeddings (Level II)."""
    from personax.crl import CRLResult, FitConfig, fit, save_model

    section = context.plan.crl
    assert section is not None
    ids, views = _views(context, section)
    result: CRLResult = fit(
        views,
        latents=section.latents,
        shared=section.shared,
        config=FitConfig(epochs=section.epochs, threads=section.threads),
        rng=context.rng,
        progress=lambda done, total, loss: context.progress.step(done, total, f"validation {loss:.3g}"),
    )
    latents = pl.DataFrame({"id": ids} | dict(zip(result.names, result.latents.T, strict=True)))
    context.write_frame(latents, "analysis", "crl", "latents.parquet")
    context.write_frame(pl.DataFrame(result.history), "analysis", "crl", "history.parquet")
    context.write_text(to_graph(result.adjacency, result.names).to_json(), "analysis", "crl", "graph.json")
    save_model(result, context.out.path("analysis", "crl", "model.safetensors"))
    metrics: dict[str, Any] = {"share of variance reconstructed, held out": _rounded(result.held_out)}
    metrics |= _against_truth(context, latents)
    context.write_text(json.dumps(metrics, indent=1, allow_nan=False), "analysis", "crl", "metrics.json")
    context.counts.update(people=len(ids), latents=len(result.names), epochs=len(result.history))
    _warn(context, result)


def _views(context: Context, section: Crl) -> tuple[list[str], Arrays]:
    frames = context.embeddings()
    for modality in section.latents:
        if modality not in frames:
            known = list(frames) or ["(none: the plan needs an embed section)"]
            raise PlanError(f"crl.latents: there is no modality {modality}; {nearest(modality, known)}")
    chosen = {modality: frames[modality] for modality in section.latents}
    ids = next(iter(chosen.values()))["id"].to_list()
    return ids, {
        modality: {name: frame[name].to_numpy() for name in frame.columns[1:]} for modality, frame in chosen.items()
    }


def _against_truth(context: Context, latents: pl.DataFrame) -> dict[str, Any]:
    """Compare with the true latents of simulated people, after everything is chosen; floors stand beside it."""
    truth = context.folder.path("people", "simulation", "truth.json")
    if not truth.is_file():
        return {}
    from personax.crl import held_out_r2, match

    groups: Mapping[str, list[str]] = json.loads(truth.read_text(encoding="utf-8"))["groups"]
    known = context.frame("people", "simulation", "latents.parquet")
    found: dict[str, Any] = {}
    for group, names in groups.items():
        learned = [name for name in latents.columns if name.rpartition("_")[0] == group]
        if learned and names:
            z, true = latents.select(learned).to_numpy(), known.select(names).to_numpy()
            floor = np.mean([match(z @ _rotation(len(learned), context.rng), true).mcc for _ in range(ROTATIONS)])
            reached = match(z, true).mcc
            if reached < floor + MARGIN:
                context.notices.append(Notice(_not_apart(group, reached, float(floor))))
            found[group] = {
                "MCC, Pearson": reached,
                "MCC, Spearman": match(z, true, kind="spearman").mcc,
                "MCC, Pearson, floor: mean over random rotations of the learned latents": float(floor),
                "held-out R2": held_out_r2(z, true, rng=context.rng),
            }
    return {"against the truth": {group: _rounded(values) for group, values in found.items()}}


def _not_apart(group: str, reached: float, floor: float) -> str:
    return (
        f"The {group} latents are found as a block but not told apart: their MCC with the truth is {reached:.2f}, "
        f"and random rotations of them reach {floor:.2f} on average."
    )


def _rotation(d: int, rng: np.random.Generator) -> NDArray[np.float64]:
    return np.linalg.qr(rng.standard_normal((d, d)))[0]


def _rounded(values: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in values.items()}


def _warn(context: Context, result: Any) -> None:  # noqa: ANN401 - its type lives behind torch
    for name, share in result.held_out.items():
        if share < 0.5:
            text = (
                f"Less than half of the variance of {name} is reconstructed on people held out; its latents say little."
            )
            context.notices.append(Notice(text))
    if result.dropped:
        context.notices.append(Notice("Constant dimensions of the embeddings were left out.", result.dropped))
    text = "One seed was run: how stable the latents and their graph are is not known. Read them as a hypothesis."
    context.notices.append(Notice(text))


CRL = Stage("crl", revision=2, needs=("collect", "embed"), run=_run)
