"""From public people to causal structure.

What LLM-inferred behaviour traits depend on (Level I), and what causes what (Level II), across faces, texts and
biographies. The names below are the public door; each is imported when it is first used, so that ``import personax``
stays quick.

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
    from personax.columns import infer_columns
    from personax.discovery._bootstrap import bootstrap_edges
    from personax.discovery._fci import fci
    from personax.discovery._knowledge import Knowledge
    from personax.discovery._pc import pc
    from personax.errors import PersonaxError
    from personax.independence._chisq import chisq
    from personax.independence._corrections import correct
    from personax.independence._gcm import gcm
    from personax.independence._grid import screen
    from personax.independence._gsq import gsq
    from personax.independence._hsic import hsic
    from personax.independence._kci import kci
    from personax.independence._rcit import rcit
    from personax.independence._result import TestResult
    from personax.independence._usp import usp
    from personax.independence._views import dependence_graph
    from personax.registry import register
    from personax.release import load_release
    from personax.simulate import simulate_population
    from personax.study import Study
    from personax.traits import aggregate, agreement

__all__ = [
    "Knowledge",
    "PersonaxError",
    "Study",
    "TestResult",
    "__version__",
    "aggregate",
    "agreement",
    "bootstrap_edges",
    "chisq",
    "correct",
    "dependence_graph",
    "fci",
    "gcm",
    "gsq",
    "hsic",
    "infer_columns",
    "kci",
    "load_release",
    "pc",
    "rcit",
    "register",
    "screen",
    "simulate_population",
    "usp",
]

__version__ = "0.1.0"

_HOME = {
    "Knowledge": "discovery",
    "PersonaxError": "errors",
    "Study": "study",
    "TestResult": "independence",
    "aggregate": "traits",
    "agreement": "traits",
    "bootstrap_edges": "discovery",
    "chisq": "independence",
    "correct": "independence",
    "dependence_graph": "independence",
    "fci": "discovery",
    "gcm": "independence",
    "gsq": "independence",
    "hsic": "independence",
    "infer_columns": "columns",
    "kci": "independence",
    "load_release": "release",
    "pc": "discovery",
    "rcit": "independence",
    "register": "registry",
    "screen": "independence",
    "simulate_population": "simulate",
    "usp": "independence",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        text = f"module 'personax' has no attribute {name!r}"
        raise AttributeError(text)
    return getattr(import_module(f"personax.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
