"""Causal graphs over latents, traits and biography. Importing this imports no causal-learn."""

from personax.discovery.bootstrap import bootstrap_edges
from personax.discovery.pc import Knowledge, pc

__all__ = ["Knowledge", "bootstrap_edges", "pc"]
