"""discover: a causal graph by PC over latents, traits and biography."""

from __future__ import annotations

import polars as pl

from personax.discovery import Knowledge, bootstrap_edges, pc
from personax.errors import PlanError
from personax.plan import Discover
from personax.schema import Notice, select
from personax.stages.base import Context, Stage

__all__ = ["DISCOVER"]

TIERS = {"biography": 0, "shared": 1, "latents": 2, "traits": 3}
"""A later tier never causes an earlier one: what somebody was born with comes first, what is said of them last."""


def _run(context: Context) -> None:
    """Draw a causal graph over latents, traits and biography (PC)."""
    section = context.plan.discover
    assert section is not None
    frame, groups, tiers = _variables(context, section)
    knowledge = Knowledge(tiers=tiers if len(set(tiers.values())) > 1 else None)

    graph = bootstrap_edges(
        frame.drop("id"),
        lambda drawn: pc(drawn, alpha=section.alpha, test=section.test, knowledge=knowledge, groups=groups),
        times=section.bootstraps,
        rng=context.rng,
        progress=context.progress.step,
    )
    context.write_text(graph.to_json(), "analysis", "discovery", "graph.json")
    context.counts.update(variables=len(graph.nodes), edges=len(graph.edges), people=graph.details["n"])
    if graph.details["rows_left_out"]:
        text = "People with a missing value are left out of the causal graph."
        context.notices.append(Notice(text, graph.details["rows_left_out"]))


def _variables(context: Context, section: Discover) -> tuple[pl.DataFrame, dict[str, str], dict[str, int]]:
    """Return one row a person, and the group and tier of every variable."""
    frame = context.frame("people", "people.parquet").select("id")
    groups: dict[str, str] = {}
    tiers: dict[str, int] = {}
    for part in section.over:
        for name, group, tier, values in _part(context, part):
            frame = frame.join(values, on="id", how="left", maintain_order="left")
            groups[name], tiers[name] = group, tier
    if frame.width < 3:
        text = "discover.over: fewer than two numeric variables; add latents, traits or features"
        raise PlanError(text)
    return frame, groups, tiers


def _part(context: Context, part: str) -> list[tuple[str, str, int, pl.DataFrame]]:
    if part == "latents":
        if context.plan.crl is None:
            raise PlanError("discover.over: latents need a crl section in the plan")
        latents = context.frame("analysis", "crl", "latents.parquet")
        named = [(name, name.rpartition("_")[0]) for name in latents.columns[1:]]
        return [
            (name, group, TIERS["shared" if group == "shared" else "latents"], latents.select("id", name))
            for name, group in named
        ]
    if part == "traits":
        if context.plan.annotate is None:
            raise PlanError("discover.over: traits need an annotate section in the plan")
        traits = context.frame("traits", "traits.parquet")
        scored = [name for name in traits.columns if name.startswith("final_") and traits[name].count()]
        return [(name, "trait", TIERS["traits"], traits.select("id", name)) for name in scored]
    people = context.frame("people", "people.parquet")
    numeric = [c.name for c in select(context.columns(), "feature") if people[c.name].dtype.is_numeric()]
    return [(name, "biography", TIERS["biography"], people.select("id", name)) for name in numeric]


DISCOVER = Stage("discover", revision=1, needs=("collect", "annotate", "crl"), run=_run)
