"""Invented people with known causes: the truth that everything else is tested against."""

from personax.simulate.latent_data import LatentData
from personax.simulate.model import MODEL
from personax.simulate.numerical import numerical
from personax.simulate.population import Population, simulate_population
from personax.simulate.scm import SCM, Variable
from personax.simulate.variant_mnist import variant_mnist

__all__ = [
    "MODEL",
    "SCM",
    "LatentData",
    "Population",
    "Variable",
    "numerical",
    "simulate_population",
    "variant_mnist",
]
