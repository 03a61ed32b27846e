"""An annotation card: which models were asked what and when, how they answered, and what audits found.

It holds counts and shares over all people and nothing of any person, so that it can travel with a release.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

__all__ = ["annotation_card"]


def annotation_card(
    annotations: pl.DataFrame,
    *,
    models: Mapping[str, str],
    dates: Mapping[str, Sequence[str]],
    rule: str,
    agreement: Mapping[str, Any],
    reliability: Mapping[str, Any],
    flags: Mapping[str, Any] | None = None,
    stereotypes: Mapping[str, Any] | None = None,
    vignettes: Mapping[str, Any] | None = None,
    injections: Mapping[str, Any] | None = None,
    translations: Mapping[str, Any] | None = None,
    adjudication: Mapping[str, Any] | None = None,
    unreadable: Mapping[str, str | None] | None = None,
) -> dict[str, Any]:
    """Return the card.

    Parameters
    ----------
    annotations
        Rows of annotations.parquet.
    models
        Rater -> what its provider calls it.
    dates
        Rater -> first and last day on which it answered.
    rule
        How scores of several raters became one.
    agreement, reliability, flags, stereotypes, vignettes, injections, translations, adjudication
        As the files of the stage hold them; audits that were not made are None.
    unreadable
        Rater -> the commonest reason why answers could not be read, of ours and never in a model's words.
    """
    raters: Sequence[str] = annotations["model"].unique(maintain_order=True).to_list()
    status = {
        rater: dict(annotations.filter(pl.col("model") == rater)["status"].value_counts().sort("status").iter_rows())
        for rater in raters
    }
    known = [row for row in reliability["differential"] if row.get("p_corrected") is not None]
    silence = reliability.get("silence", [])
    prompts = annotations["prompt"].drop_nulls().unique().sort().to_list() if "prompt" in annotations.columns else []
    return {
        "models": [
            {"name": rater, "model": models.get(rater), "dates": list(dates.get(rater, ())), "answers": status[rater],
             "unreadable_reason": (unreadable or {}).get(rater)}
            for rater in raters
        ],
        "prompts": prompts,
        "rule": rule,
        "agreement": {trait: one.get("alpha") for trait, one in agreement["traits"].items()},
        "reliability": {trait: one["icc_average"]["value"] for trait, one in reliability["traits"].items()},
        "halo": {rater: one.get("value") for rater, one in reliability["traitwise"]["halo"].items()},
        "differential": {"tests": len(known), "found": sum(row["p_corrected"] < 0.05 for row in known)},
        "silence": {"tests": len(silence), "found": sum(row["p_corrected"] < 0.01 for row in silence)},
        "flags": None if flags is None else {"scores": flags["flags"], "models": flags["models"]},
        "stereotypes": None if stereotypes is None else {
            "people": stereotypes["people"], "chance": stereotypes["chance"], "fame": stereotypes["fame"],
        },
        "vignettes": None if vignettes is None else {
            rater: {name: one[name] for name in ("ordered", "severity", "dates", "drift")}
            for rater, one in vignettes["raters"].items()
        },
        "injections": None if injections is None else {
            model: {name: one[name] for name in ("success", "control", "unscored")}
            for model, one in injections["models"].items()
        },
        "translations": translations,
        "adjudication": None if adjudication is None else {
            name: adjudication[name] for name in ("cells", "changed", "open", "traits", "severity")
        },
    }  # fmt: skip
