"""From public people to causal structure.

What LLM-inferred behaviour traits depend on (Level I), and what causes what (Level II), across faces, texts and
biographies. The names below are the public door; each is imported when it is first used, so that ``import personax``
stays quick. More stands in the packages: `personax.independence`, `personax.discovery`, `personax.crl`,
`personax.release`, `personax.traits`, `personax.embed`, `personax.sources`, `personax.simulate`, `personax.plots`.

A whole study: `Study`, and its steps as functions: `collect`, `annotate`, `encode`, `build_release`, `analyse`
(Level I), `learn_latents` (Level II), `discover`, `write_report`.

Examples
--------
>>> import personax
>>> "Study" in dir(personax)
True
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from personax.crl import (
        Budget,
        Prior,
        choose_dimension,
        diagnose,
        fit,
        fit_seeds,
        load_fit,
        match,
        method,
        save_fit,
        shd,
        traverse,
    )
    from personax.data.columns import infer_columns
    from personax.data.table import Table
    from personax.discovery import Knowledge, bootstrap_edges, fci, pc
    from personax.embed import encode_images, encode_texts, image_encoder, read_vectors, text_encoder
    from personax.errors import PersonaxError
    from personax.graphs import to_dot, to_graphml
    from personax.independence import (
        TestResult,
        auto,
        calibrate_like,
        chisq,
        correct,
        dependence_graph,
        gcm,
        gsq,
        heterogeneity,
        hsic,
        kci,
        pool,
        rcit,
        screen,
        usp,
    )
    from personax.pipeline import (
        analyse,
        annotate,
        build_release,
        collect,
        discover,
        encode,
        learn_latents,
        write_report,
    )
    from personax.plots import draw_graph, heatmap
    from personax.registry import register
    from personax.release import audit_release, load_release, protect, scan, verify
    from personax.release.reading import propose_mapping
    from personax.schema import Column, Graph, Notice
    from personax.simulate import numerical, simulate_population, variant_mnist
    from personax.sources import read_table
    from personax.study import Study
    from personax.traits import aggregate, agreement, annotate_lexicon, score_items

__all__ = [
    "Budget",
    "Column",
    "Graph",
    "Knowledge",
    "Notice",
    "PersonaxError",
    "Prior",
    "Study",
    "Table",
    "TestResult",
    "__version__",
    "aggregate",
    "agreement",
    "analyse",
    "annotate",
    "annotate_lexicon",
    "audit_release",
    "auto",
    "bootstrap_edges",
    "build_release",
    "calibrate_like",
    "chisq",
    "choose_dimension",
    "collect",
    "correct",
    "dependence_graph",
    "diagnose",
    "discover",
    "draw_graph",
    "encode",
    "encode_images",
    "encode_texts",
    "fci",
    "fit",
    "fit_seeds",
    "gcm",
    "gsq",
    "heatmap",
    "heterogeneity",
    "hsic",
    "image_encoder",
    "infer_columns",
    "kci",
    "learn_latents",
    "load_fit",
    "load_release",
    "match",
    "method",
    "numerical",
    "pc",
    "pool",
    "propose_mapping",
    "protect",
    "rcit",
    "read_table",
    "read_vectors",
    "register",
    "save_fit",
    "scan",
    "score_items",
    "screen",
    "shd",
    "simulate_population",
    "text_encoder",
    "to_dot",
    "to_graphml",
    "traverse",
    "usp",
    "variant_mnist",
    "verify",
    "write_report",
]

__version__ = "0.2.0"

_HOME = {
    "crl": "Budget Prior choose_dimension diagnose fit fit_seeds load_fit match method save_fit shd traverse",
    "data.columns": "infer_columns",
    "data.table": "Table",
    "discovery": "Knowledge bootstrap_edges fci pc",
    "embed": "encode_images encode_texts image_encoder read_vectors text_encoder",
    "errors": "PersonaxError",
    "plots": "draw_graph heatmap",
    "graphs": "to_dot to_graphml",
    "independence": "TestResult auto calibrate_like chisq correct dependence_graph gcm gsq heterogeneity hsic kci "
    "pool rcit screen usp",
    "pipeline": "analyse annotate build_release collect discover encode learn_latents write_report",
    "registry": "register",
    "release": "audit_release load_release protect scan verify",
    "release.reading": "propose_mapping",
    "schema": "Column Graph Notice",
    "simulate": "numerical simulate_population variant_mnist",
    "sources": "read_table",
    "study": "Study",
    "traits": "aggregate agreement annotate_lexicon score_items",
}
"""Module -> the names that it brings."""

_MODULE = {name: module for module, names in _HOME.items() for name in names.split()}


def __getattr__(name: str) -> object:
    if name not in _MODULE:
        text = f"module 'personax' has no attribute {name!r}"
        raise AttributeError(text)
    return getattr(import_module(f"personax.{_MODULE[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
