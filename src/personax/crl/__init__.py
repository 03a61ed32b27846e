"""Level II: the latent causes behind several measurements of several modalities. Importing this imports no torch."""

from importlib import import_module
from typing import TYPE_CHECKING

from personax.errors import require

if TYPE_CHECKING:
    from personax.crl.calibration import NoiseReport, noise_report
    from personax.crl.choosing import Chosen, fit_seeds, regret
    from personax.crl.diagnostics import diagnose
    from personax.crl.dimension import Dimension, choose_dimension
    from personax.crl.disentanglement import DCI, dci
    from personax.crl.edges import EdgeScores, GraphScores, align, graph_scores, shd
    from personax.crl.floors import Floor, noise_only_floor, root_copies_floor, rotation_floor
    from personax.crl.graph import to_graph
    from personax.crl.matching import Match, held_out_match, match
    from personax.crl.prior import Prior
    from personax.crl.recovery import Leakage, Recovery, block_r2, held_out_r2, leakage, r2
    from personax.crl.saved import load_fit, save_fit
    from personax.crl.scores import summary
    from personax.crl.sparsity import identified
    from personax.crl.stability import Agreement, agreement
    from personax.crl.training import CRLResult, FitConfig, fit
    from personax.crl.traversal import Traversal, traverse

__all__ = [
    "DCI",
    "Agreement",
    "CRLResult",
    "Chosen",
    "Dimension",
    "EdgeScores",
    "FitConfig",
    "Floor",
    "GraphScores",
    "Leakage",
    "Match",
    "NoiseReport",
    "Prior",
    "Recovery",
    "Traversal",
    "agreement",
    "align",
    "block_r2",
    "choose_dimension",
    "dci",
    "diagnose",
    "fit",
    "fit_seeds",
    "graph_scores",
    "held_out_match",
    "held_out_r2",
    "identified",
    "leakage",
    "load_fit",
    "match",
    "noise_only_floor",
    "noise_report",
    "r2",
    "regret",
    "root_copies_floor",
    "rotation_floor",
    "save_fit",
    "shd",
    "summary",
    "to_graph",
    "traverse",
]

_HOME = {
    "Agreement": "stability",
    "CRLResult": "training",
    "Chosen": "choosing",
    "DCI": "disentanglement",
    "Dimension": "dimension",
    "EdgeScores": "edges",
    "FitConfig": "training",
    "Floor": "floors",
    "GraphScores": "edges",
    "Leakage": "recovery",
    "Match": "matching",
    "NoiseReport": "calibration",
    "Prior": "prior",
    "Recovery": "recovery",
    "Traversal": "traversal",
    "agreement": "stability",
    "align": "edges",
    "block_r2": "recovery",
    "choose_dimension": "dimension",
    "dci": "disentanglement",
    "diagnose": "diagnostics",
    "fit": "training",
    "fit_seeds": "choosing",
    "graph_scores": "edges",
    "held_out_match": "matching",
    "held_out_r2": "recovery",
    "identified": "sparsity",
    "leakage": "recovery",
    "load_fit": "saved",
    "match": "matching",
    "noise_only_floor": "floors",
    "noise_report": "calibration",
    "r2": "recovery",
    "regret": "choosing",
    "root_copies_floor": "floors",
    "rotation_floor": "floors",
    "save_fit": "saved",
    "shd": "edges",
    "summary": "scores",
    "to_graph": "graph",
    "traverse": "traversal",
}
_NEED_TORCH = {"training", "saved"}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        text = f"module 'personax.crl' has no attribute {name!r}"
        raise AttributeError(text)
    if _HOME[name] in _NEED_TORCH:
        require("torch", extra="crl")
    return getattr(import_module(f"personax.crl.{_HOME[name]}"), name)
