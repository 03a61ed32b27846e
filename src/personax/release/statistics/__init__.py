"""Noisy sufficient statistics: contingency tables under central differential privacy, in place of people.

- ``_privacy_budget``: zero-concentrated differential privacy, and the ledger of all releases of a study
- ``_bins``: stated bins of columns; ``_publish``: counts with noise, and the folder that leaves
- ``_read``: the same, read by somebody who trusts nothing
"""

from personax.release.statistics._bins import Bins
from personax.release.statistics._privacy_budget import Ledger, PrivacyBudget, PrivacySpending, epsilon_of, now, rho_of
from personax.release.statistics._publish import StatisticsRequest, count_tables, draw_noise, publish, scale_of
from personax.release.statistics._read import NoisyStatistics, read_statistics

__all__ = [
    "Bins",
    "Ledger",
    "NoisyStatistics",
    "PrivacyBudget",
    "PrivacySpending",
    "StatisticsRequest",
    "count_tables",
    "draw_noise",
    "epsilon_of",
    "now",
    "publish",
    "read_statistics",
    "rho_of",
    "scale_of",
]
