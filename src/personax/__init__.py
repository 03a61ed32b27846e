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
    from personax.errors import PersonaxError
    from personax.independence._chisq import chisq
    from personax.independence._grid import screen
    from personax.independence._gsq import gsq
    from personax.independence._kci import kci
    from personax.release import load_release
    from personax.simulate import simulate_population
    from personax.study import Study
    from personax.traits import aggregate, agreement

__all__ = [
    "PersonaxError",
    "Study",
    "__version__",
    "aggregate",
    "agreement",
    "chisq",
    "gsq",
    "infer_columns",
    "kci",
    "load_release",
    "screen",
    "simulate_population",
]

__version__ = "0.1.0"

_HOME = {
    "PersonaxError": "errors",
    "Study": "study",
    "aggregate": "traits",
    "agreement": "traits",
    "chisq": "independence",
    "gsq": "independence",
    "infer_columns": "columns",
    "kci": "independence",
    "load_release": "release",
    "screen": "independence",
    "simulate_population": "simulate",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        text = f"module 'personax' has no attribute {name!r}"
        raise AttributeError(text)
    return getattr(import_module(f"personax.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
