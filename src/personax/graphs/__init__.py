"""Causal graphs apart from how they were found: written for other programs, and laid out to be drawn.

====================  ==========================================================================
`_export`             GraphML (networkx, Gephi, yEd, igraph, Cytoscape) and DOT (Graphviz)
`_layered_layout`     layers, dummy vertices, few crossings, coordinates (Sugiyama)
`_geometry`           boxes and paths of that layout, in inches for `personax.plots`, in pixels for
                      `personax.report`
====================  ==========================================================================
"""

from personax.graphs._export import to_dot, to_graphml
from personax.graphs._geometry import Box, GraphGeometry, graph_geometry
from personax.graphs._layered_layout import (
    LayeredLayout,
    Vertex,
    coordinates,
    layered_layout,
    longest_path_layers,
)

__all__ = [
    "Box",
    "GraphGeometry",
    "LayeredLayout",
    "Vertex",
    "coordinates",
    "graph_geometry",
    "layered_layout",
    "longest_path_layers",
    "to_dot",
    "to_graphml",
]
