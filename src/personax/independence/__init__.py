"""Level I: tests of independence by counting, and the grid of every feature against every target.

A map, each line using the ones above it:

- counting: ``counts`` (distinct values, weights, joined variables), ``variable`` (a column of a table), ``margins``
- kernels: ``kernels`` (widths), ``factor`` (thin centred factors), ``fourier`` (random waves), ``regression`` (given z)
- nulls and effects: ``tails``, ``null``, ``effects``, ``intervals``, ``corrections``, ``result``
- one file a test: ``kci`` with ``conditional``, ``hsic``, ``rcit``, ``gcm``, ``chisq`` and ``gsq`` with
  ``contingency``, ``usp``
- the grid: ``frames`` (any table), ``sample`` (what the tests of a pair share), ``router``, ``suite`` (tests by name),
  ``parallel``, ``grid``, ``views``, ``heterogeneity``, ``pooled``, ``noisy`` (counts with noise)
- calibration: ``scenarios``, ``battery``, ``calibration``, ``like_mine``, ``certificate``
"""

from personax.independence.battery import BATTERY
from personax.independence.calibration import Rate, binomial_interval, calibrate_scenarios, rejection_rate
from personax.independence.certificate import certificate, verdicts
from personax.independence.chisq import chisq
from personax.independence.corrections import correct
from personax.independence.gcm import gcm
from personax.independence.grid import screen
from personax.independence.gsq import gsq
from personax.independence.heterogeneity import heterogeneity
from personax.independence.hsic import hsic
from personax.independence.kci import kci
from personax.independence.like_mine import calibrate_like
from personax.independence.noisy import NoisyTable, noisy_chisq, screen_noisy
from personax.independence.pooled import pool
from personax.independence.rcit import rcit
from personax.independence.result import TestResult
from personax.independence.scenarios import SCENARIOS
from personax.independence.usp import usp
from personax.independence.views import dependence_graph, wide

__all__ = [
    "BATTERY",
    "SCENARIOS",
    "NoisyTable",
    "Rate",
    "TestResult",
    "binomial_interval",
    "calibrate_like",
    "calibrate_scenarios",
    "certificate",
    "chisq",
    "correct",
    "dependence_graph",
    "gcm",
    "gsq",
    "heterogeneity",
    "hsic",
    "kci",
    "noisy_chisq",
    "pool",
    "rcit",
    "rejection_rate",
    "screen",
    "screen_noisy",
    "usp",
    "verdicts",
    "wide",
]
