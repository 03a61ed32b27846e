"""release: what may leave, in a folder of its own, transformed under a key that stays."""

from __future__ import annotations

import polars as pl

from personax.release import Contents, Gate, build, load_or_make_key
from personax.stages.base import Context, Stage

__all__ = ["RELEASE"]


def _run(context: Context) -> None:
    """Build what may leave: no names, texts or images; embeddings under a key; attacked."""
    section = context.plan.release
    assert section is not None
    plan = context.plan
    traits = context.frame("traits", "traits.parquet") if plan.annotate else None
    texts = context.folder.path("people", "texts.parquet")
    contents = Contents(
        name=plan.name,
        people=context.frame("people", "people.parquet"),
        columns=context.columns(),
        traits=traits,
        embeddings=context.embeddings() if plan.embed else {},
        private_texts=pl.read_parquet(texts)["biography"].drop_nulls().to_list() if texts.is_file() else (),
    )
    key = load_or_make_key(
        context.folder.path("keys", "release.key"), study=plan.name, release=context.folder.path("release")
    )
    notices = build(
        contents,
        context.out.root / "release",
        key=key,
        rare_below=section.rare_below,
        attack=section.audit,
        transform=section.transform,
        fitted=context.folder.path("keys", "fitted"),
        gate=Gate(**section.gate.model_dump()),
        rng=context.rng,
    )
    context.notices.extend(notices)
    context.counts["people"] = contents.people.height


RELEASE = Stage("release", revision=2, needs=("collect", "annotate", "embed"), run=_run, titled=True)
