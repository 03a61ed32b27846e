"""Level I: tests of independence by counting, and the grid of every feature against every target.

A map, each line using the ones above it:

- counting: ``counts`` (distinct values, weights, joined variables), ``variable`` (a column of a table), ``margins``
- kernels: ``kernels`` (widths), ``factor`` (thin centred factors), ``fourier`` (random waves), ``regression`` (given z)
- nulls and effects: ``tails``, ``null``, ``effects``, ``intervals``, ``corrections``, ``result``
- one file a test: ``kci`` with ``conditional``, ``hsic``, ``rcit``, ``gcm``, ``chisq`` and ``gsq`` with
  ``contingency``, ``usp``
- the grid: ``frames`` (any table), ``sample`` (what the tests of a pair share), ``router``, ``suite`` (tests by name),
  ``parallel``, ``grid``, ``views``, ``heterogeneity``, ``pooled``
- calibration: ``scenarios``, ``battery``, ``calibration``, ``like_mine``, ``certificate``
"""

from personax.independence._battery import BATTERY
from personax.independence._calibration import Rate, binomial_interval, calibrate_scenarios, rejection_rate
from personax.independence._certificate import certificate, verdicts
from personax.independence._chisq import chisq
from personax.independence._corrections import correct
from personax.independence._data_nulls import calibrate_like
from personax.independence._gcm import gcm
from personax.independence._grid import screen
from personax.independence._gsq import gsq
from personax.independence._heterogeneity import heterogeneity
from personax.independence._hsic import hsic
from personax.independence._kci import kci
from personax.independence._pooling import pool
from personax.independence._rcit import rcit
from personax.independence._result import TestResult
from personax.independence._scenarios import SCENARIOS
from personax.independence._usp import usp
from personax.independence._views import dependence_graph, wide

__all__ = [
    "BATTERY",
    "SCENARIOS",
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
    "pool",
    "rcit",
    "rejection_rate",
    "screen",
    "usp",
    "verdicts",
    "wide",
]
