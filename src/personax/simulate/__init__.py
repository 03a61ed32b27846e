"""Invented people with known causes: the truth that everything else is tested against.

A map, each line using the ones above it:

- ``_scm``: structural causal models, and the one of the invented people (`MODEL`)
- ``_mixing``, ``_mechanisms``: how latents become vectors, and causes their effects
- ``_person_details``: countries, biographies, raters, drawn faces; ``_population``: invented people, whole
- ``_latent_data``: measurements with their truth; ``_numerical``: drawn as numbers
- ``_sprites``, ``_variant_mnist``: drawn as images
- ``worlds``: told of in texts, faces and questionnaires, and embedded by any encoder
"""

from personax.simulate._latent_data import LatentData
from personax.simulate._numerical import numerical
from personax.simulate._population import Population, simulate_population
from personax.simulate._scm import MODEL, SCM, Variable
from personax.simulate._sprites import find_idx, read_idx
from personax.simulate._variant_mnist import variant_mnist

__all__ = [
    "MODEL",
    "SCM",
    "LatentData",
    "Population",
    "Variable",
    "find_idx",
    "numerical",
    "read_idx",
    "simulate_population",
    "variant_mnist",
]
