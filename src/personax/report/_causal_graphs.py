"""Level II, and the graph that a search found: latents, what is assumed of them, the fit."""

from __future__ import annotations

from markupsafe import Markup

from personax.registry import register
from personax.report._charts import loss_curves
from personax.report._data import CrlResults
from personax.report._graph import draw_graph
from personax.report._sections import SectionInput, flattened, value_text
from personax.report._traversals import latent_ends, latent_traversals

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


class CrlView:
    """The learned graph, the measures of the fit and its course."""

    def __init__(self, crl: CrlResults) -> None:
        self.graph = draw_graph(crl.graph, "Learned causal graph") if crl.graph else None
        self.meaning = crl.graph.meaning if crl.graph else ""
        self.weight = crl.graph.weight if crl.graph else ""
        self.graph_check = crl.graph_check
        self.claim = crl.claim
        self.claims = [
            (row["latent"], row["verdict"], row["criterion"], *(_share(row.get(name)) for name, _ in AGREEMENTS),
             row["sentence"])
            for row in crl.identification
        ]  # fmt: skip
        self.claim_columns = [title for _, title in AGREEMENTS]
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


@register("report_sections", "latents", title="Latents", help="Level II: causes behind the embeddings", order=50)
def _latents(study: SectionInput) -> Markup | None:
    return study.render("latents.html.j2", crl=CrlView(study.data.crl)) if study.data.crl else None


@register("report_sections", "discovery", title="Causal graph", help="the graph that a search found", order=60)
def _discovery(study: SectionInput) -> Markup | None:
    graph = study.data.discovery
    return study.render("discovery.html.j2", discovery=draw_graph(graph, "Causal graph")) if graph else None
