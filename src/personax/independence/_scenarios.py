"""Invented people of whom the truth is known: x and y are independent (given z), in the ways that strain a test."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["SCENARIOS", "Draw", "Sample", "Scenario"]

Sample = tuple[NDArray[Any], NDArray[Any], NDArray[Any] | None]
"""x, y and z, or None without one."""

Draw = Callable[[np.random.Generator], Sample]
"""Random numbers -> a sample in which x and y are independent (given z)."""

Random = np.random.Generator

SKEWED = (0.9, 0.08, 0.02)

NOISE = 0.5
"""Standard deviation of what z does not explain: z explains four fifths of x and of y, far more than is usual."""


@dataclass(frozen=True)
class Scenario:
    """A null hypothesis that is true.

    Parameters
    ----------
    draw
        (random numbers, n) -> x, y, z.
    given
        Whether there is a z.
    categories
        Whether x, y and z are all categories, so that chi-square and G-square can run.
    says
        What it is, in one phrase.
    """

    draw: Callable[[Random, int], Sample]
    says: str
    given: bool = False
    categories: bool = False

    def of(self, n: int) -> Draw:
        """Return the draws of n rows."""
        return lambda rng: self.draw(rng, n)


def _gaussian(rng: Random, n: int) -> Sample:
    return rng.normal(size=n), rng.normal(size=n), None


def _heavy_tail(rng: Random, n: int) -> Sample:
    return rng.standard_t(2, n), rng.standard_t(2, n), None


def _three_levels(rng: Random, n: int) -> Sample:
    return rng.integers(0, 3, n), rng.integers(0, 3, n), None


def _skewed_levels(rng: Random, n: int) -> Sample:
    return rng.choice(3, n, p=SKEWED), rng.choice(3, n, p=SKEWED), None


def _fifty_levels(rng: Random, n: int) -> Sample:
    return rng.integers(0, 50, n), rng.integers(0, 50, n), None


def _mixed(rng: Random, n: int) -> Sample:
    return rng.integers(0, 3, n), rng.normal(size=n), None


def _confounded(shape: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> Callable[[Random, int], Sample]:
    """Return the scenario in which z moves x and y alike, so that whatever a regression leaves of it is in both."""

    def draw(rng: Random, n: int) -> Sample:
        z = rng.normal(size=n)
        moved = shape(z)
        moved = moved / np.std(moved)
        return moved + rng.normal(0, NOISE, n), moved + rng.normal(0, NOISE, n), z

    return draw


def _strata(rng: Random, n: int) -> Sample:
    """Draw x and y of three levels, that are high in the same of four groups."""
    group = rng.integers(0, 4, n)
    x, y = (np.digitize(group / 2 + rng.normal(size=n), [0.25, 1.25]) for _ in range(2))
    return x, y, np.array(["a", "b", "c", "d"])[group]


SCENARIOS: Mapping[str, Scenario] = {
    "gaussian": Scenario(_gaussian, "two normal variables"),
    "heavy tail": Scenario(_heavy_tail, "two t variables of 2 degrees of freedom"),
    "3 levels": Scenario(_three_levels, "two scales of 3 levels, equally frequent", categories=True),
    "3 skewed levels": Scenario(_skewed_levels, "two scales of 3 levels, of .9, .08 and .02", categories=True),
    "50 levels": Scenario(_fifty_levels, "two scales of 50 levels, equally frequent", categories=True),
    "mixed": Scenario(_mixed, "a scale of 3 levels and a normal variable"),
    "z linear": Scenario(_confounded(lambda z: z), "x and y both z and noise of half its spread", given=True),
    "z quadratic": Scenario(_confounded(np.square), "x and y both z² and noise of half its spread", given=True),
    "z sine": Scenario(
        _confounded(lambda z: np.sin(3 * z)), "x and y both sin 3z and noise of half its spread", given=True
    ),
    "z nominal": Scenario(_strata, "x and y of 3 levels, z of 4 groups that moves both", given=True, categories=True),
}
"""By name. To add one: a generator, and a line here."""
