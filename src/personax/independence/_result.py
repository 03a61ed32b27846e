"""What every independence test returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["TestResult"]


@dataclass(frozen=True, slots=True)
class TestResult:
    """The outcome of one test of independence.

    Parameters
    ----------
    statistic
        The test's own statistic.
    p_value
        Probability, under independence, of a statistic at least as large; from a survival function.
    effect_size
        How strong the dependence is, 0 to 1; ``details["effect_name"]`` names the measure.
    n
        Rows used.
    method
        How the null distribution was computed.
    details
        What else the test knows, for example degrees of freedom.
    """

    __test__ = False  # pytest: not a test class

    statistic: float
    p_value: float
    effect_size: float
    n: int
    method: str
    details: Mapping[str, Any] = field(default_factory=dict)
