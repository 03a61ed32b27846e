"""Causal graphs over latents, traits and biography. Importing this imports no causal-learn."""

from personax.discovery._bootstrap import bootstrap_edges
from personax.discovery._ci_test import CiTest, NothingVaries, Undecided
from personax.discovery._fci import fci
from personax.discovery._knowledge import Knowledge
from personax.discovery._pc import pc

__all__ = ["CiTest", "Knowledge", "NothingVaries", "Undecided", "bootstrap_edges", "fci", "pc"]
