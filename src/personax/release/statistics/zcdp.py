"""Zero-concentrated differential privacy: what Gaussian noise spends, how it adds up, what it is as (epsilon, delta).

Noise of standard deviation s on something that one person moves by at most D (Euclidean) spends rho = D^2 / (2 s^2),
and the rho of several releases add up (Bun, Steinke 2016).
"""

from __future__ import annotations

import math

import numpy as np

from personax.errors import InputError

__all__ = ["epsilon_of", "rho_of"]


def epsilon_of(rho: float, delta: float) -> float:
    """Return the epsilon of rho-zCDP at a delta.

    The least over orders a > 1 of ``a rho + log(1 / (a delta)) / (a - 1) + log(1 - 1 / a)``.

    Raises
    ------
    InputError
        A rho below 0, or a delta outside (0, 1).

    References
    ----------
    Canonne, Kamath, Steinke 2020, arXiv:2004.00010, proposition 12.

    Examples
    --------
    >>> round(epsilon_of(0.0178, 1e-6), 3), epsilon_of(0.0, 1e-6)
    (0.846, 0.0)
    """
    if rho < 0 or not 0 < delta < 1:
        raise InputError(f"rho = {rho:g} and delta = {delta:g}: rho is at least 0 and delta between 0 and 1")
    if rho == 0:
        return 0.0
    middle = math.sqrt(math.log(1 / delta) / rho)  # the order of the simple bound
    orders = 1 + middle * np.exp(np.linspace(-4, 4, 8001))
    found = orders * rho + np.log(1 / (orders * delta)) / (orders - 1) + np.log1p(-1 / orders)
    return max(0.0, float(found.min()))


def rho_of(epsilon: float, delta: float) -> float:
    """Return the largest rho whose epsilon at this delta is no larger.

    Examples
    --------
    >>> round(epsilon_of(rho_of(3.0, 1e-6), 1e-6), 6)
    3.0
    """
    if not 0 < epsilon < math.inf:
        raise InputError(f"epsilon = {epsilon:g} is none; give a number above 0")
    low, high = 0.0, epsilon  # epsilon_of(epsilon) > epsilon at every delta that is used
    while epsilon_of(high, delta) < epsilon:
        high *= 2
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if epsilon_of(middle, delta) <= epsilon else (low, middle)
    return low
