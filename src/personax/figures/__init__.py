"""Figures for papers: files to print, where the report's are for reading on a screen. Needs the extra ``figures``."""

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
