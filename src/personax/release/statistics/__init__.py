"""Noisy sufficient statistics: contingency tables under central differential privacy, in place of people.

A map, each line using the ones above it:

- ``zcdp``: zero-concentrated differential privacy and (epsilon, delta)
- ``ledger``: what all releases of a study have spent, and which releases there were
- ``bins``: what is stated of a column; ``tables``: counts with noise; ``publishing``: the folder that leaves
- ``reading``: the same, read by somebody who trusts nothing
"""

from personax.release.statistics.bins import Bins
from personax.release.statistics.ledger import Budget, Ledger
from personax.release.statistics.publishing import Asked, publish
from personax.release.statistics.reading import NoisyStatistics, read_statistics
from personax.release.statistics.zcdp import epsilon_of, rho_of

__all__ = [
    "Asked",
    "Bins",
    "Budget",
    "Ledger",
    "NoisyStatistics",
    "epsilon_of",
    "publish",
    "read_statistics",
    "rho_of",
]
