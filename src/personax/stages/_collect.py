"""collect: people from where the plan says, as one table whose columns are understood."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict

import polars as pl

from personax.config import CollectRelease, CollectSimulated, Plan
from personax.data.identity import SORTED, identified
from personax.data.table import Table
from personax.schema import Column, Notice
from personax.simulate import Population, simulate_population
from personax.sources import LEDGER, CollectSeveral, PeopleTable, WebSource
from personax.stages._base import Context, Stage
from personax.stages._collect_many import collect_several, read_file, summaries_of
from personax.stages._collect_release import collect_release
from personax.stages._waves import is_set_aside, with_waves

__all__ = ["COLLECT"]

_FOLLOWS = re.compile(r"one-to-one with|in the same order as|^the rows")


def _external_files(plan: Plan) -> Sequence[str]:
    match plan.collect:
        case CollectSimulated():
            return ()
        case CollectSeveral() as section:
            files = [one.path for _, one in section.selected() if not isinstance(one, WebSource)]
            pictures = [section.pictures.of] if section.pictures and section.pictures.of != "headshots" else []
            extracts = [
                getattr(one.settings, "extract", None) for _, one in section.selected() if isinstance(one, WebSource)
            ]
            return (*files, *pictures, *(f"{folder}/extract.json" for folder in extracts if folder))
        case CollectRelease() as section:
            return (section.place,)
        case section:
            return (section.path,)


def _run(context: Context) -> None:
    """Collect people from where the study file says."""
    match context.plan.collect:
        case CollectSimulated() as section:
            _invent(context, section)
        case CollectSeveral() as section:
            table = collect_several(context, section)
            stopped = [one["source"] for one in summaries_of(context) if one["stopped"]]
            _write_table(context, table, show=section.waves, stopped=stopped, partial=_is_partial(context, section))
        case CollectRelease() as section:
            _write_table(context, collect_release(context, section))
        case section:
            _write_table(context, read_file(context, section))


def _is_partial(context: Context, section: CollectSeveral) -> bool:
    """Say whether fewer sources, or fewer people of each, are asked for than for the last wave."""
    before = context.folder.manifest("collect")
    chosen = (section.only, section.limit)
    if before is None or not any(chosen):
        return False
    was_partial = before.plan.get("waves") == "latest" and is_set_aside(context)
    return was_partial or chosen != (before.plan.get("only"), before.plan.get("limit"))


def _write_table(
    context: Context,
    table: PeopleTable,
    *,
    show: str | int = "latest",
    stopped: Sequence[str] = (),
    partial: bool = False,
) -> None:
    sha256 = table.provenance.sha256
    shown = with_waves(context, table.table, source_sha256=sha256, show=show, stopped=stopped, partial=partial)
    _write_people(context, shown)
    if "biography" in shown.names:
        texts = shown.frame.select("id", pl.col("biography").cast(pl.String))
        context.write_frame(texts, "people", "texts.parquet")
    context.write_frame(table.bad_cells, "people", "bad_cells.parquet")
    context.write_text(json.dumps(asdict(table.provenance), indent=1), "people", "provenance.json")
    if table.reading is not None:
        context.write_text(table.ledger.to_json(), "people", LEDGER)
    context.counts["bad_cells"] = table.bad_cells.height
    context.notices.extend(table.notices)


def _write_people(context: Context, people: Table) -> None:
    people = identified(people)
    context.notices.extend(_questions(people.columns))
    people.write(context.out.path("people", "people.parquet"))
    context.counts.update(people=people.height, columns=len(people.columns))


def _questions(columns: Sequence[Column]) -> Iterator[Notice]:
    """Say what a person should look at: what names people, what follows a private column, what cannot be told."""
    following = [c for c in columns if c.inferred and c.identity == "direct" and _FOLLOWS.search(c.identity_why)]
    if following:
        reasons = "; ".join(f"{c.name}: {c.identity_why}" for c in following)
        yield Notice(f"Private, as they follow a private column or the rows: {reasons}. A role under collect.columns "
                     "says otherwise.", len(following))  # fmt: skip
    unknown = [c.name for c in columns if c.identity == "unknown" and c.role == "feature"]
    if unknown:
        yield Notice(
            f"Nobody can tell whom the values of {', '.join(unknown)} tell; they stay out of a release.", len(unknown)
        )
    ordered = [c.name for c in columns if c.identity != "direct" and c.identity_why.endswith(SORTED)]
    if ordered:
        yield Notice(f"The rows are sorted by {', '.join(ordered)}; if these are numbers of rows, make them private.",
                     len(ordered))  # fmt: skip


def _invent(context: Context, section: CollectSimulated) -> None:
    """Write simulated people, what their raters say and their embeddings, with the truth beside them."""
    options = section.model_dump(exclude={"source", "n", "images"})
    world = simulate_population(section.n, rng=context.rng, **options)
    _write_people(context, world.table)
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


COLLECT = Stage("collect", revision=4, needs=(), run=_run, external_files=_external_files)
