"""Ridge regression on random Fourier features; width and ridge are chosen by leaving one out, in closed form.

Features ``cos(W' x / w + b)`` with W normal make a Gaussian kernel of width w in expectation (Rahimi, Recht 2007), so
that regression of many people costs a fixed number of columns. With A the features, ``A'A = Q L Q'`` and ``B = A Q``,
the fit at ridge r is ``B (L + r)^-1 B' y`` and its leverages are ``h_i = sum_j B_ij^2 / (L_j + r)``: after one
eigendecomposition every ridge, and every target, is a product with a vector. The prediction of person i by the others
is ``y_i - (y_i - f_i) / (1 - h_i)`` (Allen's PRESS).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import torch
from torch import Tensor

from personax.crl._device import integers, normal, uniform

__all__ = ["FourierBasis", "FourierRidge"]

WIDTHS: Final = (0.7, 1.4)
"""Of the kernel, in median distances."""

RIDGES: Final = (0.03, 0.3, 3.0, 30.0, 300.0)
PAIRS: Final = 500
FEWEST_FEATURES: Final = 20
"""However few people; else half as many as people at most."""

LEAST: Final = 0.05
"""Smallest share of a person that the others do not determine: beyond it the prediction by the others is all error."""


@dataclass(frozen=True)
class FourierRidge:
    """A fitted regression.

    Parameters
    ----------
    centre
        Shape (q,), taken off the inputs.
    frequencies, phases
        Shape (q, f) and (f,).
    weights
        Shape (f + q + 1,) or (f + q + 1, targets), of the features, the inputs and a constant.
    """

    centre: Tensor
    frequencies: Tensor
    phases: Tensor
    weights: Tensor

    def __call__(self, x: Tensor) -> Tensor:
        """Return predictions, shape (n,) or (n, targets), for inputs of shape (n, q)."""
        return _features(x - self.centre, self.frequencies, self.phases) @ self.weights


class _Width(NamedTuple):
    frequencies: Tensor
    axes: Tensor
    values: Tensor
    rotated: Tensor
    leverages: list[Tensor]


class FourierBasis:
    """Features of some people, on which any target can be regressed.

    Parameters
    ----------
    x
        Shape (n, q), of comparable scales, on the device.
    features
        Number of random features.
    generator
        Draws them.
    """

    def __init__(self, x: Tensor, *, features: int, generator: torch.Generator) -> None:
        n, q = x.shape
        features = min(features, max(FEWEST_FEATURES, n // 2))
        self.centre = x.mean(0)
        x = x - self.centre
        pairs = integers(n, 2, PAIRS, generator=generator).to(x.device)
        distance = (x[pairs[0]] - x[pairs[1]]).norm(dim=1).median().clamp_min(1e-8)
        directions = normal(q, features, generator=generator).to(x.device)
        self.phases = (2 * torch.pi * uniform(features, generator=generator)).to(x.device)
        self.widths = [self._width(x, directions / (width * distance)) for width in WIDTHS]

    def _width(self, x: Tensor, frequencies: Tensor) -> _Width:
        found = _features(x, frequencies, self.phases)
        values, axes = torch.linalg.eigh(found.double().T @ found.double())
        values, axes = values.clamp_min(0).float(), axes.float()
        rotated = found @ axes
        squared = rotated.square()
        return _Width(frequencies, axes, values, rotated, [squared @ (1 / (values + ridge)) for ridge in RIDGES])

    def fit(self, y: Tensor) -> tuple[FourierRidge, Tensor]:
        """Return the regression of y, shape (n,) or (n, targets), and of each person the prediction by the others."""
        best: tuple[float, FourierRidge, Tensor] | None = None
        column = y.ndim == 2
        for width in self.widths:
            along = width.rotated.T @ y
            for ridge, leverage in zip(RIDGES, width.leverages, strict=True):
                shrunk, own = width.values + ridge, (1 - leverage).clamp_min(LEAST)
                solved = along / (shrunk[:, None] if column else shrunk)
                left = (y - width.rotated @ solved) / (own[:, None] if column else own)
                error = float(left.square().mean())
                if best is None or error < best[0]:
                    model = FourierRidge(self.centre, width.frequencies, self.phases, width.axes @ solved)
                    best = error, model, y - left
        assert best is not None
        return best[1], best[2]


def _features(x: Tensor, frequencies: Tensor, phases: Tensor) -> Tensor:
    return torch.cat([torch.cos(x @ frequencies + phases), x, x.new_ones(len(x), 1)], 1)
