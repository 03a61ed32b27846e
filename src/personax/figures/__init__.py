"""Figures for papers: files to print, where the report's are for reading on a screen. Needs the extra ``figures``."""

from personax.figures.graph import draw_graph
from personax.figures.heatmap import heatmap
from personax.figures.save import save

__all__ = ["draw_graph", "heatmap", "save"]
