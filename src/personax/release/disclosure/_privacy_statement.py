"""What differential privacy promises of a release: the mechanism of each column, the budget, what is not covered."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from scipy.special import gammaln, hyp1f1

__all__ = ["Bounds", "Categories", "Clip", "Mechanism", "PrivacyStatement", "Sphere", "expected_cosine"]

UNIT = "one person's row: any values may be replaced by any others within the clip"


@dataclass(frozen=True, slots=True)
class Bounds:
    """A number, clipped to stated bounds; Laplace noise. Bounds taken from the data would disclose them."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Sphere:
    """A vector of ``dim`` numbers, clipped to a stated length; Gaussian noise."""

    radius: float
    dim: int


@dataclass(frozen=True, slots=True)
class Categories:
    """A category among those stated; randomised response."""

    names: tuple[str, ...]


Clip = Bounds | Sphere | Categories


@dataclass(frozen=True, slots=True)
class Mechanism:
    """What is done to a column.

    Parameters
    ----------
    column, clip
        Its name, and what is stated of its values.
    epsilon, delta
        Its part of the budget.
    sensitivity
        How far two people can be apart: L1 of a number, L2 of a vector, 1 of a category.
    scale
        Of the noise: b of Laplace, standard deviation of each coordinate of Gaussian; of randomised response
        the probability that the answer is the true one.
    cosine
        Mean cosine between a vector of full length and the same with noise; None of other columns.
    """

    column: str
    clip: Clip
    epsilon: float
    delta: float
    sensitivity: float
    scale: float
    cosine: float | None = None


@dataclass(frozen=True, slots=True)
class PrivacyStatement:
    """What is guaranteed, to whom, and what is not.

    Parameters
    ----------
    epsilon, delta
        Of a person's row as a whole: the sums over columns (basic composition).
    mechanisms
        One a column.
    not_covered
        What the guarantee says nothing of.
    """

    epsilon: float
    delta: float
    mechanisms: tuple[Mechanism, ...]
    not_covered: tuple[str, ...]
    unit: str = UNIT
    model: str = "local"

    @property
    def sentence(self) -> str:
        """A sentence for the dataset card."""
        spheres = [mechanism for mechanism in self.mechanisms if mechanism.cosine is not None]
        lost = "".join(
            f" A vector of {mechanism.column} has a mean cosine of {mechanism.cosine:.3f} with itself without noise."
            for mechanism in spheres
        )
        names = ", ".join(mechanism.column for mechanism in self.mechanisms)
        return (
            f"{names} carry noise with local differential privacy, epsilon = {self.epsilon:g} and "
            f"delta = {self.delta:g} for {self.unit}.{lost} Not covered: {'; '.join(self.not_covered)}."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, as a JSON file holds them."""
        return asdict(self)


def expected_cosine(radius: float, scale: float, dim: int) -> float:
    """Return the mean cosine between a vector of this length and itself with normal noise of this scale.

    Notes
    -----
    The mean resultant length of a projected normal distribution (Mardia and Jupp 2000, section 9.3); by its
    limit, r / sqrt(r^2 + d s^2), where the series is out of range.

    Examples
    --------
    >>> round(expected_cosine(1.0, 0.5, 1024), 3)
    0.062
    """
    a = radius / scale
    if a > 30 or dim > 1000:
        return a / math.sqrt(a * a + dim - 1)
    ratio = math.exp(gammaln((dim + 1) / 2) - gammaln(dim / 2 + 1))
    return float(a / math.sqrt(2) * ratio * hyp1f1(0.5, dim / 2 + 1, -a * a / 2))
