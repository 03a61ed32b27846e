"""Level I: tests of independence by counting, the grid of every feature against every target, and calibration."""

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
from personax.independence.rcit import rcit
from personax.independence.result import TestResult
from personax.independence.scenarios import SCENARIOS
from personax.independence.usp import usp
from personax.independence.views import dependence_graph, wide

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
    "rcit",
    "rejection_rate",
    "screen",
    "usp",
    "verdicts",
    "wide",
]
