"""Causal graphs over latents, traits and biography. Importing this imports no causal-learn."""

from personax.discovery._bootstrap import bootstrap_edges
from personax.discovery._ci_test import CiTest, NothingVaries, Undecided
from personax.discovery._falsify import Falsification, Implication, falsify
from personax.discovery._fci import fci
from personax.discovery._knowledge import Knowledge
from personax.discovery._pc import pc
from personax.discovery._score_search import ScoreAlgorithm, score_search
from personax.discovery._search import listed

__all__ = [
    "CiTest",
    "Falsification",
    "Implication",
    "Knowledge",
    "NothingVaries",
    "ScoreAlgorithm",
    "Undecided",
    "bootstrap_edges",
    "falsify",
    "fci",
    "listed",
    "pc",
    "score_search",
]
