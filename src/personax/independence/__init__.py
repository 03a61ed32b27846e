"""Level I: tests of independence by counting, and the grid of every feature against every target."""

from personax.independence.chisq import chisq
from personax.independence.corrections import correct
from personax.independence.gcm import gcm
from personax.independence.grid import screen
from personax.independence.gsq import gsq
from personax.independence.heterogeneity import heterogeneity
from personax.independence.hsic import hsic
from personax.independence.kci import kci
from personax.independence.rcit import rcit
from personax.independence.result import TestResult
from personax.independence.usp import usp
from personax.independence.views import dependence_graph, wide

__all__ = [
    "TestResult",
    "chisq",
    "correct",
    "dependence_graph",
    "gcm",
    "gsq",
    "heterogeneity",
    "hsic",
    "kci",
    "rcit",
    "screen",
    "usp",
    "wide",
]
