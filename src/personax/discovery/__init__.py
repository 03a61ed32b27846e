"""Causal graphs over latents, traits and biography. Importing this imports no causal-learn."""

from personax.discovery.bootstrap import bootstrap_edges
from personax.discovery.citest import CiTest, NothingVaries
from personax.discovery.fci import fci
from personax.discovery.knowledge import Knowledge
from personax.discovery.pc import pc

__all__ = ["CiTest", "Knowledge", "NothingVaries", "bootstrap_edges", "fci", "pc"]
