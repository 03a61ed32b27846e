"""Figures for papers: matplotlib figures that a notebook shows and `save` writes. Needs the extra ``figures``.

A map, each line using the ones above it:

- ``_style``: panels in inches, legend and caption, `save`; ``_paper_figure``: the figure itself
- ``_heatmap``: Level I, every feature against every target
- ``_graph``: a graph, laid out by `personax.graphs` as on the report's page
- ``_adjacency``, ``_latent_scatter``, ``_method_scores``, ``_training_curves``, ``_traversals``: Level II
- ``_agreement``, ``_radar``: raters and LLMs; ``_transform_attacks``: attacks on a transform

What draws a result of personax is registered (`personax.registry`, kind ``plots``), where its ``plot()`` finds it.
"""

from personax.plots._adjacency import adjacency_pair
from personax.plots._agreement import agreement_dots
from personax.plots._graph import draw_graph
from personax.plots._heatmap import heatmap
from personax.plots._latent_scatter import latent_scatter
from personax.plots._method_scores import scores_by_method
from personax.plots._radar import radar
from personax.plots._style import BLACK, GREY, defaults, save
from personax.plots._training_curves import training_curves
from personax.plots._transform_attacks import breaking_curves
from personax.plots._traversals import latent_traversals

__all__ = [
    "BLACK",
    "GREY",
    "adjacency_pair",
    "agreement_dots",
    "breaking_curves",
    "defaults",
    "draw_graph",
    "heatmap",
    "latent_scatter",
    "latent_traversals",
    "radar",
    "save",
    "scores_by_method",
    "training_curves",
]
