"""crl: Level II, the latent causes behind the embeddings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.config import CrlSection
from personax.crl._lacking import has_every_modality
from personax.errors import InputError, PlanError, require
from personax.schema import Notice
from personax.stages._base import Context, Stage
from personax.stages._chains import chains
from personax.stages._fit_latents import LatentResults, choose_latents, describe_numbers, fingerprint, learn
from personax.stages._interpret import (
    UsedWords,
    associations,
    exemplars,
    proposals,
    sentences,
    telling_words,
    used_words,
)
from personax.stages._traverse import traversals, traversals_shown
from personax.strict import nearest

__all__ = ["CRL"]

ROTATIONS = 50

NOTE = "Proposals from associations alone; an association names a latent no more than a correlation names a cause."

MARGIN = 0.1
"""How far above random rotations an MCC must be before single latents count as told apart."""

Arrays = dict[str, dict[str, NDArray[np.float32]]]


def _run(context: Context) -> None:
    """Learn the latent causes behind the embeddings (Level II)."""
    section = context.plan.crl
    assert section is not None
    require("torch", extra="crl")  # to save what any method learns
    ids, views = _views(context, section)
    if section.upto is not None:
        section = _counted(context, section, views)
    keep = context.folder.checkpoint_folder("crl", f"{CRL.revision}-{fingerprint(views, section, context.rng)}")
    learned = learn(ids, views, section, context.rng, context.progress, keep=keep)
    context.write_frame(learned.latents, "analysis", "crl", "latents.parquet")
    context.write_frame(learned.seeds, "analysis", "crl", "seeds.parquet")
    if learned.history is not None:
        context.write_frame(learned.history, "analysis", "crl", "history.parquet")
    if learned.graph is not None:
        context.write_text(learned.graph.to_json(), "analysis", "crl", "graph.json")
    learned.save_model(context.out.path("analysis", "crl", "model.safetensors"))
    context.write_text(learned.diagnostics_json(), "analysis", "crl", "diagnostics.json")
    metrics = learned.metrics | _against_truth(context, learned.latents)
    context.write_text(json.dumps(metrics, indent=1, allow_nan=False), "analysis", "crl", "metrics.json")
    _read(context, learned, views)
    context.counts.update(people=len(ids), latents=learned.latents.width - 1, seeds=section.seeds)
    context.notices.extend(learned.notices)


def _counted(context: Context, section: CrlSection, views: Arrays) -> CrlSection:
    """Return the section with the numbers of latents that the measurements show, and say what else is possible."""
    assert section.upto is not None
    chosen, tried = choose_latents(views, section, section.upto, context.rng.spawn(1)[0], context.progress)
    context.write_frame(tried, "analysis", "crl", "dimensions.parquet")
    context.notices.extend(map(Notice, describe_numbers(tried)))
    return chosen.model_copy(update={"upto": None})


def _read(context: Context, learned: LatentResults, views: Arrays) -> None:
    """Say what the latents may stand for, by people's columns and traits; extremes stay in the study folder."""
    people, finals, latents = context.people(), context.final_scores(), learned.latents
    described = people.select(["id", *(column.name for column in people.features())])
    if finals is not None:
        described = described.join(finals)
    table = associations(latents, described)
    context.write_frame(table, "analysis", "crl", "associations.parquet")
    used = _used_words(context, latents)
    words = telling_words(latents, used)
    ends = exemplars(latents, used, words)
    context.write_frame(ends, "analysis", "crl", "exemplars.parquet")
    moved = traversals(latents, views, described, used, words, rng=context.rng)
    context.write_frame(moved, "analysis", "crl", "traversals.parquet")
    proposed = proposals(table, [name for name in latents.columns if name != "id"])
    relations = sentences(learned.graph, proposed) if learned.graph is not None else []
    verdicts: dict[str, str] = {row.latent: row.verdict for row in learned.identification}
    reading = {
        "note": NOTE,
        "proposed names": proposed,
        "edges": relations,
        "chains": chains(learned.graph, proposed, verdicts) if learned.graph is not None else [],
        "words": words if used.users else {},
        "people": _coded(ends),
        "traversals": traversals_shown(moved, table, words),
        "verdicts": verdicts,
    }
    context.write_text(json.dumps(reading, indent=1, ensure_ascii=False), "analysis", "crl", "reading.json")


def _coded(ends: pl.DataFrame) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """Return the people at both ends by their codes, with the words of their texts; exemplars.parquet has the ids."""
    found: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for row in ends.select("latent", "end", "code", "words").iter_rows(named=True):
        own = found.setdefault(row["latent"], {"low": [], "high": []})
        own[row["end"]].append({"code": row["code"], "words": row["words"]})
    return found


def _used_words(context: Context, latents: pl.DataFrame) -> UsedWords:
    """Return the words of texts, where the study has some; never a word of a private column."""
    if context.folder.output("people", "texts.parquet") is None:
        return UsedWords([], {})
    people = context.people()
    private = [column.name for column in people.columns if column.role in ("id", "private")]
    hidden = [str(v) for name in private for v in people.frame[name].drop_nulls().to_list()]
    return used_words(latents, context.frame("people", "texts.parquet"), hidden)


def _views(context: Context, section: CrlSection) -> tuple[list[str], Arrays]:
    frames = context.embeddings()
    for modality in section.latents:
        if modality not in frames:
            known = list(frames) or ["(none: the plan needs an embed section)"]
            raise PlanError(f"crl.latents: there is no modality {modality}; {nearest(modality, known)}")
    chosen = {modality: frames[modality] for modality in section.latents}
    people = next(iter(chosen.values()))["id"]
    rows = {m: frame if frame["id"].equals(people) else
            people.to_frame().join(frame, on="id", how="left", maintain_order="left")
            for m, frame in chosen.items()}  # fmt: skip
    views = {m: {name: _vectors(own[name]) for name in own.columns[1:]} for m, own in rows.items()}
    if not has_every_modality(views).any():
        raise InputError(f"nobody has vectors of all of {', '.join(chosen)}; name fewer modalities in crl.latents")
    return people.to_list(), views


def _vectors(column: pl.Series) -> NDArray[np.float32]:
    """Return one vector a person, shape (n, dim); rows of NaN of people who have none."""
    if not column.null_count():
        return column.to_numpy()
    there = column.is_not_null().to_numpy()
    found = column.drop_nulls().to_numpy()
    every = np.full((len(column), found.shape[1]), np.nan, np.float32)
    every[there] = found
    return every


def _against_truth(context: Context, latents: pl.DataFrame) -> dict[str, Any]:
    """Compare with the true latents of simulated people, after everything is chosen; floors stand beside it."""
    truth = context.json("people", "simulation", "truth.json")
    if truth is None:
        return {}
    from personax.crl import held_out_r2, match

    groups: Mapping[str, list[str]] = truth["groups"]
    known = context.frame("people", "simulation", "latents.parquet")
    latents = latents.drop_nulls()
    known = latents.select("id").join(known, on="id", how="left", maintain_order="left")
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


CRL = Stage("crl", revision=9, needs=("collect", "annotate", "embed"), run=_run)
