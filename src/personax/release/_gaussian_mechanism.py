"""Gaussian noise by OpenDP, on whole numbers, and what it promises."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, ndtr

from personax.errors import ComputationError, InputError, require

__all__ = ["analytic_epsilon", "discrete_noise", "noise_on_grid"]

GRAIN = 2.0**-20
"""Of the grid on which real numbers get their noise, as a share of the noise's scale."""


def discrete_noise(whole: NDArray[np.int64], scale: float, *, sensitivity: float, rho: float) -> NDArray[np.int64]:
    """Return whole numbers with discrete Gaussian noise, shape (k,).

    Parameters
    ----------
    whole, scale
        Numbers, and s of the noise.
    sensitivity, rho
        How far one person can move the numbers (Euclidean), and the budget that must suffice for it.

    Raises
    ------
    ComputationError
        OpenDP says that the noise does not keep the budget.
    MissingExtraError
        OpenDP is not installed.

    Notes
    -----
    The noise comes from OpenDP's own generator and cannot be seeded: whoever knew a seed could take it off.

    References
    ----------
    Canonne, Kamath, Steinke 2020, arXiv:2004.00010.
    """
    dp: Any = require("opendp.prelude", extra="release")
    dp.enable_features("contrib")
    domain = dp.vector_domain(dp.atom_domain(T=int), size=len(whole))
    draw = dp.m.make_gaussian(domain, dp.l2_distance(T=float), scale=scale)
    if not draw.map(sensitivity) <= rho * (1 + 1e-9):
        raise ComputationError("the noise does not keep its budget; state it anew, and report this")
    return np.array(draw(whole.tolist()), dtype=np.int64)


def noise_on_grid(values: NDArray[np.float64], scale: float, *, sensitivity: float, rho: float) -> NDArray[np.float64]:
    """Return numbers with Gaussian noise of this scale, on a grid of 2^-20 of it; shape and order stay.

    The grid keeps floating point out of the proof (Mironov 2012, doi:10.1145/2382196.2382264); rounding to it is
    counted in.
    """
    # Gaussian noise of scale s on numbers that a person moves by D keeps rho = D^2 / (2 s^2) of zero-concentrated
    # privacy, on whole numbers too (Canonne, Kamath, Steinke 2020, theorem 4). In grains g, D becomes `reach`, and
    # (reach g)^2 / (2 s^2) = rho (1 + sqrt(k) g / D)^2 for k numbers: the last factor is what rounding costs (`slack`).
    grain = scale * GRAIN
    whole = np.rint(values / grain).astype(np.int64)
    # a vector of k numbers moves by at most half a grain in each when it is rounded, and two of them by twice that
    reach = sensitivity / grain + math.sqrt(values.shape[-1])
    slack = (1 + math.sqrt(values.shape[-1]) * grain / sensitivity) ** 2
    rows = [
        discrete_noise(row, scale / grain, sensitivity=reach, rho=rho * slack)
        for row in whole.reshape(-1, values.shape[-1])
    ]
    return np.asarray(np.array(rows, dtype=np.float64).reshape(values.shape) * grain)


def analytic_epsilon(sensitivity: float, scale: float, delta: float) -> float:
    """Return the least epsilon of Gaussian noise at a delta: the analytic Gaussian mechanism.

    The root of ``delta = Phi(D / 2s - e s / D) - exp(e) Phi(-D / 2s - e s / D)``.

    References
    ----------
    Balle, Wang 2018, arXiv:1805.06530, theorem 8.

    Examples
    --------
    >>> round(analytic_epsilon(1.0, 3.73, 1e-5), 2)  # the classical formula needs s = 4.84 for epsilon 1
    1.0
    """
    if not (sensitivity > 0 and scale > 0 and 0 < delta < 1):
        raise InputError(f"sensitivity {sensitivity:g}, scale {scale:g}, delta {delta:g}: all must be above 0")
    # Between N(0, s^2) and N(D, s^2) the log ratio of densities is normal with mean D^2 / 2 s^2 under the one and minus
    # that under the other, with variance D^2 / s^2. The least delta at e is P_one(ratio > e) - exp(e) P_other(ratio >
    # e), which is the formula above; it falls in e, so that bisection finds the root.
    ratio = sensitivity / scale

    def reached(epsilon: float) -> float:
        upper, lower = ratio / 2 - epsilon / ratio, -ratio / 2 - epsilon / ratio
        return float(ndtr(upper) - math.exp(min(epsilon + float(log_ndtr(lower)), 0.0)))

    if reached(0.0) <= delta:
        return 0.0
    low, high = 0.0, 1.0
    while reached(high) > delta:
        high *= 2
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if reached(middle) > delta else (low, middle)
    return high
