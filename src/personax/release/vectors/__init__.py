"""The vectors of a release: obfuscated under the key, or reduced to few numbers with noise.

- ``_obfuscation``: noise, then the keyed transform; the fitted state is kept with the key
- ``_reduction``: principal components, random projections or latents, clipped, with Gaussian noise
- ``_geometry``: how far a transform preserves the geometry: CKA, nearest neighbours
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from personax.release.vectors._geometry import cka, neighbours_kept
    from personax.release.vectors._obfuscation import load_fitted, obfuscate, save_fitted
    from personax.release.vectors._reduction import (
        ReducedVectors,
        Reduction,
        ReductionMethod,
        clip_norms,
        project,
        reduce,
    )

__all__ = [
    "ReducedVectors",
    "Reduction",
    "ReductionMethod",
    "cka",
    "clip_norms",
    "load_fitted",
    "neighbours_kept",
    "obfuscate",
    "project",
    "reduce",
    "save_fitted",
]

_HOME = {
    "ReducedVectors": "_reduction",
    "Reduction": "_reduction",
    "ReductionMethod": "_reduction",
    "cka": "_geometry",
    "clip_norms": "_reduction",
    "load_fitted": "_obfuscation",
    "neighbours_kept": "_geometry",
    "obfuscate": "_obfuscation",
    "project": "_reduction",
    "reduce": "_reduction",
    "save_fitted": "_obfuscation",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - one of the names above
    if name not in _HOME:
        text = f"module 'personax.release.vectors' has no attribute {name!r}"
        raise AttributeError(text)
    return getattr(import_module(f"personax.release.vectors.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
