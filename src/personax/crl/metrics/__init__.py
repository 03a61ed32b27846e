"""Scores of learned latents against known ones, each beside its floors.

A map: ``_mcc`` (matching of latents, mean correlation coefficient), ``_r2`` (explained variance of the true latents),
``_dci`` (disentanglement), ``_graph`` (structural Hamming distance, precision, recall), ``_floors`` (what is reached
without telling latents apart), ``_summary`` (all of them).
"""

from personax.crl.metrics._dci import DCI, dci
from personax.crl.metrics._floors import Floor, noise_only_floor, root_copies_floor, rotation_floor
from personax.crl.metrics._graph import EdgeScores, GraphScores, align, graph_scores, shd, to_graph
from personax.crl.metrics._mcc import Match, held_out_match, match
from personax.crl.metrics._r2 import Leakage, Recovery, block_r2, held_out_r2, leakage, r2
from personax.crl.metrics._summary import summary

__all__ = [
    "DCI",
    "EdgeScores",
    "Floor",
    "GraphScores",
    "Leakage",
    "Match",
    "Recovery",
    "align",
    "block_r2",
    "dci",
    "graph_scores",
    "held_out_match",
    "held_out_r2",
    "leakage",
    "match",
    "noise_only_floor",
    "r2",
    "root_copies_floor",
    "rotation_floor",
    "shd",
    "summary",
    "to_graph",
]
