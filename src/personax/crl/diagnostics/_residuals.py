"""Residuals of measurements given their latents, on people that nothing was fitted on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from personax.crl._estimator import Arrays
from personax.crl._ridge import fit_ridge
from personax.crl._scaler import Scaler
from personax.crl._split import Array, check_latents, split_half, standardise
from personax.crl.methods._linear import principal
from personax.errors import InputError

__all__ = ["MeasurementResidual", "columns_by_group", "residuals", "residuals_of"]

SHARE: Final = 0.95
"""Of a measurement's variance that its components hold; the rest is many small directions, mostly noise."""

COMPONENTS: Final = 30
"""Of a measurement at most; kernel ridge of more costs time and changes little."""

LEADING: Final = 3
"""Components of a residual that are tested: with more, a kernel test drowns in directions without a signal."""

PEOPLE: Final = 1000
"""Fitted on, and as many scored: kernel ridge costs their cube, and effects below the limits need no more."""


@dataclass(frozen=True)
class MeasurementResidual:
    """One measurement and its prediction from the latents.

    Parameters
    ----------
    modality, measurement
        Its names.
    fitted, people
        Rows that were fitted on, and rows that were not, shape (m,).
    components
        Scores of the latter on the measurement's principal components, shape (m, c), not rescaled.
    predicted
        What the latents of its modality and shared ones say of the scores, shape (m, c).
    covered
        Share of the measurement's variance that the components hold.
    """

    modality: str
    measurement: str
    fitted: NDArray[np.intp]
    people: NDArray[np.intp]
    components: Array
    predicted: Array
    covered: float

    def leading(self) -> Array:
        """Return the leading components of what is left over, standardised, shape (m, at most 3)."""
        left = self.components - self.predicted
        left = left - left.mean(axis=0)
        directions, _ = principal([left], len(left), min(LEADING, left.shape[1]))
        return standardise(left @ directions)


def columns_by_group(names: Sequence[str]) -> dict[str, list[int]]:
    """Return the columns of each group of latents: what stands before the last ``_`` of a name.

    Examples
    --------
    >>> columns_by_group(["shared_1", "text_1", "text_2"])
    {'shared': [0], 'text': [1, 2]}
    """
    found: dict[str, list[int]] = {}
    for column, name in enumerate(names):
        found.setdefault(name.rpartition("_")[0], []).append(column)
    return found


def residuals(
    latents: ArrayLike, names: Sequence[str], views: Arrays, *, rng: np.random.Generator, people: int = PEOPLE
) -> list[MeasurementResidual]:
    """Predict the leading principal components of each measurement from its latents by kernel ridge, held out.

    Components (95 % of the variance, at most 30) and regressions are fitted on one half of the people; all measurements
    share the split.

    Parameters
    ----------
    latents
        Shape (n, d).
    names
        Of the columns, as `personax.crl._estimator.Fitted` names them.
    views
        Measurements of the same people.
    rng
        Splits the people.
    people
        To fit on, and as many to score on, at most.

    Raises
    ------
    InputError
        Missing or infinite numbers, unequal or too few people, a modality without latents, a constant measurement.
    """
    z, _ = check_latents(latents, latents)
    if len(names) != z.shape[1]:
        raise InputError(f"{len(names)} names are given for {z.shape[1]} latents; give one for each")
    blocks = columns_by_group(names)
    fit_on, score_on = (half[:people] for half in split_half(len(z), rng))
    found = []
    for modality, by in views.items():
        own = blocks.get("shared", []) + blocks.get(modality, [])
        if not own:
            raise InputError(f"the modality {modality} has no latents; give those of every modality")
        for measurement, x in by.items():
            if len(x) != len(z):
                text = f"{len(z)} people have latents and {len(x)} have {modality}/{measurement}; give the same people"
                raise InputError(text)
            one = {modality: {measurement: x}}
            scale = Scaler.fit({modality: {measurement: x[fit_on]}})
            if not scale.dims[modality][measurement]:
                raise InputError(f"the embedding {modality}/{measurement} is constant; nothing can be said of it")
            scaled = scale.apply(one)[modality][measurement]
            directions, covered = _components(scaled[fit_on])
            scores = scaled @ directions
            model = fit_ridge(z[fit_on][:, own], scores[fit_on])
            predicted = model.predict(z[score_on][:, own])
            found.append(
                MeasurementResidual(modality, measurement, fit_on, score_on, scores[score_on], predicted, covered)
            )
    return found


def _components(x: Array) -> tuple[Array, float]:
    directions, variances = principal([x], len(x), min(COMPONENTS, *x.shape))
    shares = np.cumsum(np.maximum(variances, 0)) / np.square(x).mean(axis=0).sum()
    count = min(int(np.searchsorted(shares, SHARE)) + 1, len(shares))
    return directions[:, :count], float(shares[count - 1])


def residuals_of(
    known: Sequence[MeasurementResidual] | None,
    latents: ArrayLike,
    names: Sequence[str],
    views: Arrays,
    rng: np.random.Generator,
) -> Sequence[MeasurementResidual]:
    """Return the given residuals, or compute them."""
    return residuals(latents, names, views, rng=rng) if known is None else known
