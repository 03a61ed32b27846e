"""What every independence test returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import polars as pl

from personax.results import DrawableResult

__all__ = ["TestResult"]


@dataclass(frozen=True, slots=True)
class TestResult(DrawableResult):
    """The outcome of one test of independence.

    Parameters
    ----------
    statistic
        The test's own statistic.
    p_value
        Probability, under independence, of a statistic at least as large; from a survival function.
    effect_size
        How strong the dependence is, 0 to 1; ``details["effect_name"]`` names the measure. NaN where groups are so many
        that nearly every person is one of her own.
    n
        Rows used.
    method
        How the null distribution was computed.
    details
        What else the test knows, for example degrees of freedom.
    """

    __test__ = False  # pytest: not a test class
    plot_kind: ClassVar[str] = "test_result"

    statistic: float
    p_value: float
    effect_size: float
    n: int
    method: str
    details: Mapping[str, Any] = field(default_factory=dict)

    def to_frame(self) -> pl.DataFrame:
        """Return one row: statistic, p_value, effect_size, effect_name, n, method."""
        name = str(self.details.get("effect_name", ""))
        numbers = {"statistic": float(self.statistic), "p_value": float(self.p_value)}
        effect = {"effect_size": float(self.effect_size), "effect_name": name}
        return pl.DataFrame({**numbers, **effect, "n": int(self.n), "method": self.method})
