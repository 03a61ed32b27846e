"""The vectors of a release: obfuscated under the key, or reduced to few numbers with noise.

- ``_obfuscation``: noise, then the keyed transform; the fitted state is kept with the key
- ``_reduction``: principal components, random projections or latents, clipped, with Gaussian noise
- ``_geometry``: how far a transform preserves the geometry: CKA, nearest neighbours
"""

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
