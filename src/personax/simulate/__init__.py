"""Invented people with known causes: the truth that everything else is tested against."""

from personax.simulate.model import MODEL
from personax.simulate.population import Population, simulate_population
from personax.simulate.scm import SCM, Variable

__all__ = ["MODEL", "SCM", "Population", "Variable", "simulate_population"]
