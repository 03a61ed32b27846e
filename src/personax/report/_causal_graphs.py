"""Level II, and the graph that a search found: latents, what is assumed of them, the fit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from markupsafe import Markup

from personax.registry import register
from personax.report._chart import chart
from personax.report._data import CrlResults
from personax.report._graph import GraphDrawing, draw_graph, overlay
from personax.report._loss_curves import loss_curves
from personax.report._sections import SectionInput, flattened, value_text
from personax.report._traversals import latent_ends, latent_traversals
from personax.schema import Graph

__all__ = ["CrlView"]


AGREEMENTS = (
    ("finalists", "Restarts agree"),
    ("mixing", "A mixture loses"),
    ("left", "Left to pairs"),
    ("missed", "Missed"),
    ("reliability", "Measurements share"),
    ("seeds", "Seeds agree"),
    ("halves", "Halves agree"),
)
"""Numbers of a row of the table of claims, and what a reader calls them."""


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _seed_chart(seeds: Sequence[Mapping[str, Any]]) -> Markup:
    """Draw the objective of every seed that was fitted."""
    rows = [
        {"label": f"seed {row['seed']}{', chosen' if row.get('chosen') else ''}", "value": row["objective"],
         "low": None, "high": None, "note": row.get("reason") or ""}
        for row in seeds
    ]  # fmt: skip
    ends = [row["value"] for row in rows if row["value"] is not None]
    return chart("intervals", rows, "Objective of every seed", meaning="objective, smaller is better",
                 guides=[min(ends)]) if len(ends) > 1 else Markup("")  # fmt: skip


class CrlView:
    """The learned graph, the measures of the fit and its course."""

    def __init__(self, crl: CrlResults) -> None:
        self.known = sum(row["verdict"] == "identified" for row in crl.identification)
        self.latents = len(crl.identification)
        self.graph, self.counted = self._drawn(crl)
        self.meaning = crl.graph.meaning if crl.graph else ""
        self.weight = crl.graph.weight if crl.graph else ""
        self.graph_check = crl.graph_check
        self.claim = crl.claim
        self.claims = [
            (row["latent"], row["verdict"], row["criterion"], *(_share(row.get(name)) for name, _ in AGREEMENTS),
             row["sentence"])
            for row in crl.identification
        ]  # fmt: skip
        self.claim_columns = ["Latent", "Verdict", "Rests on", *(f"#{title}" for _, title in AGREEMENTS), "Why"]
        self.metrics = flattened(crl.metrics)[:40]
        self.loss_curves = loss_curves(crl.history) if crl.history is not None else []
        self.assumptions = [
            (
                row["assumption"],
                row["verdict"],
                "" if row["number"] is None else value_text(row["number"]),
                row["sentence"],
            )
            for row in crl.diagnostics
        ]
        self.names = list(crl.reading.get("proposed names", {}).items())
        self.words = [
            (name, ", ".join(ends["low"]), ", ".join(ends["high"]))
            for name, ends in crl.reading.get("words", {}).items()
            if ends["low"] or ends["high"]
        ]
        self.chains = list(crl.reading.get("chains", []))
        self.ends = latent_ends(crl.reading)
        self.traversals = latent_traversals(crl.reading)
        self.edges = list(crl.reading.get("edges", []))
        self.seeds = [] if crl.seeds is None else crl.seeds.to_dicts()
        self.seed_curve = _seed_chart(self.seeds)
        self.without = [
            (one["modality"], f"{one['same']} of {one['edges']}", "; ".join(one["changed"])) for one in crl.without
        ]

    def _drawn(self, crl: CrlResults) -> tuple[GraphDrawing | None, str]:
        """Return the learned graph with PC's over it, grey where nothing is identified, and the count in a sentence."""
        if crl.graph is None:
            return None, ""
        grey = bool(self.latents) and not self.known
        if crl.other_edges is None:
            return draw_graph(crl.graph, "Learned causal graph", grey=grey), ""
        both, status = overlay(crl.graph, crl.other_edges)
        times = Counter(status.values())
        sentence = (
            f"Of {len(status)} edges that either graph has, both have {times['agreed']}; only the learned graph has "
            f"{times['learned']}, only PC {times['pc']}; {times['opposite']} point in opposite directions."
        )
        return draw_graph(both, "Learned causal graph with that of PC", grey=grey, status=status), sentence


@register("report_sections", "latents", title="Latents", help="Level II: causes behind the embeddings", order=20)
def _latents(study: SectionInput) -> Markup | None:
    crl, searched = study.data.crl, study.data.discovery
    if crl is None:
        return None
    if crl.other_edges is None and crl.graph and searched and _nodes(searched) == _nodes(crl.graph):
        crl = replace(crl, other_edges=searched.edges)
    return study.render("latents.html.j2", crl=CrlView(crl))


def _nodes(graph: Graph) -> set[str]:
    return {node.id for node in graph.nodes}


@register("report_sections", "discovery", title="Causal graph", help="the graph that a search found", order=25)
def _discovery(study: SectionInput) -> Markup | None:
    graph = study.data.discovery
    return study.render("discovery.html.j2", discovery=draw_graph(graph, "Causal graph")) if graph else None
