"""collect: people from where the plan says, as one table whose columns are understood."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import polars as pl

from personax.errors import PlanError
from personax.plan import CollectSimulated, Plan
from personax.schema import Column
from personax.simulate import Population, simulate_population
from personax.sources import PeopleTable, read_openfootball, read_table
from personax.sources.sections import CollectOpenfootball, CollectSeveral, CollectTable, WebSource
from personax.stages.base import Context, Stage
from personax.stages.several import collect_several

__all__ = ["COLLECT"]


def _reads(plan: Plan) -> Sequence[str]:
    match plan.collect:
        case CollectSimulated():
            return ()
        case CollectSeveral() as section:
            return tuple(one.path for _, one in section.asked() if not isinstance(one, WebSource))
        case section:
            return (section.path,)


def _run(context: Context) -> None:
    """Collect people from where the study file says."""
    match context.plan.collect:
        case CollectSimulated() as section:
            _invent(context, section)
        case CollectTable() as section:
            table = read_table(
                _readable(context.outside(section.path)),
                section.columns,
                missing=section.missing,
                max_bad_share=section.max_bad_share,
                keep_others=section.keep_others,
                encoding=section.encoding,
            )
            _write_table(context, table)
        case CollectOpenfootball() as section:
            _write_table(
                context,
                read_openfootball(_readable(context.outside(section.path)), max_bad_share=section.max_bad_share),
            )
        case CollectSeveral() as section:
            _write_table(context, collect_several(context, section).table)


def _readable(path: Path) -> Path:
    if not path.exists():
        text = f"collect.path: there is no {path}; paths in the plan start from the folder that the plan is in"
        raise PlanError(text)
    return path


def _write_table(context: Context, table: PeopleTable) -> None:
    _write_people(context, table.people, table.columns)
    if "biography" in table.people.columns:
        texts = table.people.select("id", pl.col("biography").cast(pl.String))
        context.write_frame(texts, "people", "texts.parquet")
    context.write_frame(table.bad_cells, "people", "bad_cells.parquet")
    context.write_text(json.dumps(asdict(table.provenance), indent=1), "people", "provenance.json")
    context.counts["bad_cells"] = table.bad_cells.height
    context.notices.extend(table.notices)


def _write_people(context: Context, people: pl.DataFrame, columns: Sequence[Column]) -> None:
    context.write_frame(people, "people", "people.parquet")
    context.write_text(json.dumps([asdict(column) for column in columns], indent=1), "people", "columns.json")
    context.counts.update(people=people.height, columns=people.width)


def _invent(context: Context, section: CollectSimulated) -> None:
    """Write simulated people, what their raters say and their embeddings, with the truth beside them."""
    sizes = section.model_dump(exclude={"source", "n", "images"})
    world = simulate_population(section.n, rng=context.rng, **sizes)
    _write_people(context, world.people, world.columns)
    context.write_frame(world.texts, "people", "texts.parquet")
    context.write_frame(world.ratings, "people", "simulation", "ratings.parquet")
    context.write_frame(world.latents, "people", "simulation", "latents.parquet")
    for modality, frame in world.embeddings.items():
        context.write_frame(frame, "people", "simulation", f"embeddings_{modality}.parquet")
    context.write_text(json.dumps(world.truth(), indent=1), "people", "simulation", "truth.json")
    if section.images:
        _draw(context, world)


def _draw(context: Context, world: Population) -> None:
    """Draw every face; the pictures are small and people like to look at something."""
    for done, (person, picture) in enumerate(world.faces(), 1):
        context.out.path("people", "images", f"{person}.png").write_bytes(picture)
        if done % 100 == 0:
            context.progress.step(done, world.people.height, "faces")


COLLECT = Stage("collect", revision=1, needs=(), run=_run, reads=_reads)
