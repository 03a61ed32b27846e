"""Measurements that some people lack, as the others of the modality lead one to expect them.

What reads agreed components reads those of the measurements that there are. Everything else of `default` reads
measurements themselves; there the projections of a measurement that lacks are taken for what the others' mean leads one
to expect (`AgreedComponents.mean_projection`), and all else of it, which is its own, for the mean of all people.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from personax.crl._estimator import Arrays
from personax.crl._lacking import lacks
from personax.crl._scaler import chunks
from personax.crl.methods.default._agreed import AgreedComponents, fit_agreed_components

__all__ = ["MissingMeasurements"]

FOLDS_SEED: Final = 0


@dataclass(frozen=True)
class MissingMeasurements:
    """What stands for measurements that people lack.

    Parameters
    ----------
    agreed
        Modality -> what its measurements agree on, of modalities of which somebody fitted on lacked a measurement.
    loadings
        Modality -> measurement -> what its projections tell of it, shape (q, dim).
    """

    agreed: dict[str, AgreedComponents]
    loadings: dict[str, dict[str, NDArray[np.float32]]] = field(repr=False)

    @classmethod
    def fit(cls, views: Arrays, rows: NDArray[np.intp]) -> MissingMeasurements | None:
        """Learn from these people; None where nobody lacks anything."""
        agreed = {
            m: fit_agreed_components(by, rows, np.random.default_rng(FOLDS_SEED))
            for m, by in views.items()
            if len(by) > 1 and any(lacks(x).any() for x in by.values())
        }
        if not agreed:
            return None
        loadings = {
            m: {
                name: _loadings(x, rows[~lacks(x)[rows]], found.mean[name], found.directions[name])
                for name, x in views[m].items()
            }
            for m, found in agreed.items()
        }
        return cls(agreed, loadings)

    def filled(self, views: Arrays) -> Arrays:
        """Return the measurements with no row of NaN but of people who lack a whole modality."""
        return {m: self._filled(m, by) if m in self.agreed else by for m, by in views.items()}

    def _filled(self, modality: str, by: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        without = {name: lacks(x) for name, x in by.items()}
        if not any(rows.any() for rows in without.values()):
            return dict(by)
        agreed, found = self.agreed[modality], dict(by)
        number = np.sum([~rows for rows in without.values()], axis=0)[:, None].clip(1)
        rho = agreed.agreement
        expected = agreed.each(by)
        mean = np.where(np.isnan(expected), 0, expected).sum(axis=0) / number * (rho / (rho + (1 - rho) / number))
        mean[np.all(list(without.values()), axis=0)] = np.nan
        for name, rows in without.items():
            if rows.any():
                at = np.flatnonzero(rows)
                x = np.array(by[name], copy=True)
                x[at] = agreed.mean[name] + mean[at] @ self.loadings[modality][name]
                found[name] = x
        return found


def _loadings(
    x: NDArray[Any], rows: NDArray[np.intp], mean: NDArray[np.float64], directions: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return the regression of a measurement on its own projections, so that what is filled in projects onto them."""
    q = directions.shape[1]
    across, within = np.zeros((q, len(mean))), np.zeros((q, q))
    for part in chunks(len(rows)):
        own = x[rows[part]] - mean
        y = own @ directions
        across += y.T @ own
        within += y.T @ y
    return np.asarray(np.linalg.pinv(within) @ across, dtype=np.float32)
