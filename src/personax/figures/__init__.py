"""Figures for papers: files to print, where the report's are for reading on a screen. Needs the extra ``figures``.

A map, each line using the ones above it:

- ``_canvas``: a page in inches, its palette, captions, `save`; ``_legend``, ``_ticks``, ``_colour_scales``
- ``_heatmap`` (its table and places: ``_heatmap_layout``): Level I, every feature against every target
- ``_graph``: a graph in a layered layout (`personax.graphs`)
- ``_adjacency``, ``_latent_scatter``, ``_method_scores``, ``_training_curves``, ``_traversals``: Level II
- ``_agreement``, ``_radar``: raters and LLMs; ``_transform_attacks``: attacks on a transform

What draws a result of personax is registered (`personax.registry`, kind ``plots``), where its ``plot()`` finds it.
"""

from personax.figures._adjacency import adjacency_pair
from personax.figures._agreement import agreement_dots
from personax.figures._canvas import BLACK, GREY, defaults, save
from personax.figures._graph import draw_graph
from personax.figures._heatmap import heatmap
from personax.figures._latent_scatter import latent_scatter
from personax.figures._method_scores import scores_by_method
from personax.figures._radar import radar
from personax.figures._training_curves import training_curves
from personax.figures._transform_attacks import breaking_curves
from personax.figures._traversals import latent_traversals

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
