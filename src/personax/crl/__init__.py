"""Level II: the latent causes behind several measurements of several modalities. Importing this imports no torch.

`fit` is our method; `method` makes any other by name. A map: ``methods/`` (ours, the paper's, baselines), ``metrics/``
(scores against known latents), ``diagnostics/`` (do these people speak against the assumptions), ``_estimator`` (what a
method is), ``_budget``, ``_optimiser`` and ``_train`` (training), ``_batches`` and ``_scaler`` (what training reads),
``_reduce`` (wide measurements as principal components), ``_select`` and ``_stability`` (choosing without a truth),
``_identification`` (what may be claimed of each latent), ``_edge_stability`` (edges under refitting), ``_level2`` and
``_vectors`` (scikit-learn's protocol, tables of vectors), ``_save`` (fits on disk), ``_prior`` (what is known of
causes), ``_traversal`` (what a latent looks like).
"""

from importlib import import_module
from typing import TYPE_CHECKING

from personax.errors import require

if TYPE_CHECKING:
    from personax.crl._budget import Budget, Device, Training
    from personax.crl._edge_stability import EdgeStability, Refit, edge_stability
    from personax.crl._estimator import Epoch, Estimator, Fitted, Method, OnEpoch, Problem
    from personax.crl._identification import Identification, IdentificationTable, claim, halves_agreement, identify
    from personax.crl._level2 import Level2
    from personax.crl._prior import Prior
    from personax.crl._reduce import ReducedFit, ReductionSetting, reduce_views
    from personax.crl._run_comparison import KnownLatents, LatentRun, PairComparison, RunComparison, compare_runs
    from personax.crl._save import load_fit, save_fit
    from personax.crl._select import Criterion, Dimension, SeedSelection, choose_dimension, fit_seed, fit_seeds, regret
    from personax.crl._stability import Agreement, agreement
    from personax.crl._traversal import Traversal, traverse, traverse_all
    from personax.crl.diagnostics import Diagnosis, NoiseReport, diagnose, identified, noise_report
    from personax.crl.methods import method, usable
    from personax.crl.methods.default._method import Default, DefaultFit, fit
    from personax.crl.methods.paper._method import Paper, PaperFit
    from personax.crl.metrics import (
        DCI,
        EdgeScores,
        Floor,
        GraphScores,
        Leakage,
        Match,
        Recovery,
        align,
        block_r2,
        dci,
        graph_scores,
        held_out_match,
        held_out_r2,
        leakage,
        match,
        noise_only_floor,
        r2,
        root_copies_floor,
        rotation_floor,
        shd,
        summary,
    )
    from personax.crl.metrics._graph import to_graph

__all__ = [
    "DCI",
    "Agreement",
    "Budget",
    "Criterion",
    "Default",
    "DefaultFit",
    "Device",
    "Diagnosis",
    "Dimension",
    "EdgeScores",
    "EdgeStability",
    "Epoch",
    "Estimator",
    "Fitted",
    "Floor",
    "GraphScores",
    "Identification",
    "IdentificationTable",
    "KnownLatents",
    "LatentRun",
    "Leakage",
    "Level2",
    "Match",
    "Method",
    "NoiseReport",
    "OnEpoch",
    "PairComparison",
    "Paper",
    "PaperFit",
    "Prior",
    "Problem",
    "Recovery",
    "ReducedFit",
    "ReductionSetting",
    "Refit",
    "RunComparison",
    "SeedSelection",
    "Training",
    "Traversal",
    "agreement",
    "align",
    "block_r2",
    "choose_dimension",
    "claim",
    "compare_runs",
    "dci",
    "diagnose",
    "edge_stability",
    "fit",
    "fit_seed",
    "fit_seeds",
    "graph_scores",
    "halves_agreement",
    "held_out_match",
    "held_out_r2",
    "identified",
    "identify",
    "leakage",
    "load_fit",
    "match",
    "method",
    "noise_only_floor",
    "noise_report",
    "r2",
    "reduce_views",
    "regret",
    "root_copies_floor",
    "rotation_floor",
    "save_fit",
    "shd",
    "summary",
    "to_graph",
    "traverse",
    "traverse_all",
    "usable",
]

_HOME = {
    "Agreement": "_stability",
    "Budget": "_budget",
    "Criterion": "_select",
    "DCI": "metrics",
    "Default": "methods.default._method",
    "DefaultFit": "methods.default._method",
    "Diagnosis": "diagnostics",
    "Device": "_budget",
    "Dimension": "_select",
    "EdgeScores": "metrics",
    "EdgeStability": "_edge_stability",
    "Epoch": "_estimator",
    "Estimator": "_estimator",
    "Fitted": "_estimator",
    "Floor": "metrics",
    "GraphScores": "metrics",
    "KnownLatents": "_run_comparison",
    "LatentRun": "_run_comparison",
    "Identification": "_identification",
    "IdentificationTable": "_identification",
    "Leakage": "metrics",
    "Level2": "_level2",
    "Match": "metrics",
    "Method": "_estimator",
    "NoiseReport": "diagnostics",
    "OnEpoch": "_estimator",
    "PairComparison": "_run_comparison",
    "Paper": "methods.paper._method",
    "PaperFit": "methods.paper._method",
    "Prior": "_prior",
    "Problem": "_estimator",
    "Recovery": "metrics",
    "ReducedFit": "_reduce",
    "ReductionSetting": "_reduce",
    "Refit": "_edge_stability",
    "RunComparison": "_run_comparison",
    "SeedSelection": "_select",
    "Training": "_budget",
    "Traversal": "_traversal",
    "agreement": "_stability",
    "align": "metrics",
    "block_r2": "metrics",
    "choose_dimension": "_select",
    "compare_runs": "_run_comparison",
    "claim": "_identification",
    "dci": "metrics",
    "diagnose": "diagnostics",
    "edge_stability": "_edge_stability",
    "fit": "methods.default._method",
    "fit_seed": "_select",
    "fit_seeds": "_select",
    "graph_scores": "metrics",
    "halves_agreement": "_identification",
    "held_out_match": "metrics",
    "held_out_r2": "metrics",
    "identified": "diagnostics",
    "identify": "_identification",
    "leakage": "metrics",
    "load_fit": "_save",
    "match": "metrics",
    "method": "methods",
    "noise_only_floor": "metrics",
    "noise_report": "diagnostics",
    "r2": "metrics",
    "reduce_views": "_reduce",
    "regret": "_select",
    "root_copies_floor": "metrics",
    "rotation_floor": "metrics",
    "save_fit": "_save",
    "shd": "metrics",
    "summary": "metrics",
    "to_graph": "metrics",
    "traverse": "_traversal",
    "traverse_all": "_traversal",
    "usable": "methods",
}
_NEED_TORCH = {"methods.default._method", "methods.paper._method", "_save"}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        text = f"module 'personax.crl' has no attribute {name!r}"
        raise AttributeError(text)
    if _HOME[name] in _NEED_TORCH:
        require("torch", extra="crl")
    return getattr(import_module(f"personax.crl.{_HOME[name]}"), name)
