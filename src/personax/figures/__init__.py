"""Figures for papers: files to print, where the report's are for reading on a screen. Needs the extra ``figures``."""

from personax.figures.adjacency import adjacency_pair
from personax.figures.agreement import agreement_dots
from personax.figures.breaking import breaking_curves
from personax.figures.curves import training_curves
from personax.figures.dots import scores_by_method
from personax.figures.graph import draw_graph
from personax.figures.heatmap import heatmap
from personax.figures.latents import latent_scatter
from personax.figures.radar import radar
from personax.figures.save import save
from personax.figures.traversals import latent_traversals

__all__ = [
    "adjacency_pair",
    "agreement_dots",
    "breaking_curves",
    "draw_graph",
    "heatmap",
    "latent_scatter",
    "latent_traversals",
    "radar",
    "save",
    "scores_by_method",
    "training_curves",
]
