"""What an attack reports: a rate with its interval, beside guessing and a control."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, ndtri

__all__ = ["CONFIDENCE", "Attack", "Vectors", "bootstrap_interval", "clopper_pearson_lower", "rate", "wilson"]

Vectors = NDArray[np.float32]

CONFIDENCE = 0.9995
"""Level at which an attack counts as better than guessing: 200 attacks on noise have one in one audit of twenty."""


@dataclass(frozen=True)
class Attack:
    """How one attack went.

    Parameters
    ----------
    name, knows
        Of the attack, and what the attacker has beside the release.
    measure
        What `value` is: ``rank-1``, ``AUC``, ``accuracy``, ``risk``, ``D_sys``.
    value, low, high
        Success with its 95 % interval; None where the attack could not run, and `reason` says why.
    floor
        Lower end of a 99.95 % interval, so that among all attacks of an audit hardly one beats guessing by chance.
    baseline
        What guessing reaches.
    control
        What the same attack reaches where there is nothing to find, such as people who are not in the release.
    tries
        On how many people or predicates it was tried.
    detail
        Further numbers.
    """

    name: str
    knows: str
    measure: str
    value: float | None
    low: float | None = None
    high: float | None = None
    floor: float | None = None
    baseline: float = 0.0
    control: float | None = None
    tries: int = 0
    reason: str | None = None
    detail: dict[str, Any] = field(default_factory=dict)

    @property
    def beats(self) -> bool:
        """Say whether it does better than guessing and than its control, beyond chance."""
        return self.floor is not None and self.floor > max(self.baseline, self.control or 0.0)

    def to_dict(self) -> dict[str, Any]:
        """Return what audit.json holds."""
        return {**asdict(self), "beats": self.beats}


def rate(
    name: str, knows: str, hits: int, tries: int, *, baseline: float, control: float | None = None,
    measure: str = "rank-1", design: float = 1.0, **detail: Any,
) -> Attack:  # fmt: skip
    """Return an attack that found so many of those it was tried on, with Wilson's interval.

    Intervals are those of `tries` / `design` independent tries: the design effect is above 1 where some are hit or
    missed together.
    """
    low, high = wilson(hits / design, tries / design)
    floor = clopper_pearson_lower(hits / design, tries / design)
    none = None if control is None else round(control, 6)
    value, low, high, floor, guess = (round(end, 6) for end in (hits / tries, low, high, floor, baseline))
    return Attack(name, knows, measure, value, low, high, floor, guess, none, tries, detail=detail)


def wilson(hits: float, tries: float, *, level: float = 0.95) -> tuple[float, float]:
    """Return the Wilson interval of a proportion.

    References
    ----------
    Wilson 1927, doi:10.1080/01621459.1927.10502953.

    Examples
    --------
    >>> [round(end, 4) for end in wilson(8, 10)]
    [0.4902, 0.9433]
    """
    z = float(ndtri(0.5 + level / 2))
    share = hits / tries
    middle = share + z**2 / (2 * tries)
    spread = z * float(np.sqrt(share * (1 - share) / tries + z**2 / (4 * tries**2)))
    return max(0.0, (middle - spread) / (1 + z**2 / tries)), min(1.0, (middle + spread) / (1 + z**2 / tries))


def clopper_pearson_lower(hits: float, tries: float, *, level: float = CONFIDENCE) -> float:
    """Return the lower end of the exact interval of a proportion; Wilson's lies too high where few are found by chance.

    References
    ----------
    Clopper, Pearson 1934, doi:10.1093/biomet/26.4.404.

    Examples
    --------
    >>> round(clopper_pearson_lower(5, 240), 4)
    0.0023
    """
    return float(betaincinv(hits, tries - hits + 1, (1 - level) / 2)) if hits else 0.0


def bootstrap_interval(
    statistic: Callable[[NDArray[np.intp]], float], size: int, *, rng: np.random.Generator, times: int = 200
) -> tuple[float, float]:
    """Return the 95 % percentile interval of a statistic of resampled rows."""
    found = [statistic(rng.integers(size, size=size)) for _ in range(times)]
    low, high = np.quantile(found, [0.025, 0.975])
    return float(low), float(high)
