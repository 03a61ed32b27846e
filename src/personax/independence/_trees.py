"""Regression on z by boosted trees, for what smooth regressions cannot follow: age limits, weight classes, steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from personax.independence._counts import Counted

if TYPE_CHECKING:
    from sklearn.ensemble import HistGradientBoostingRegressor

__all__ = ["boosted", "tree_features", "trees"]

FOLDS = 4
"""Each row is predicted by trees that have not seen it."""

ITERATIONS, RATE, LEAVES, LEAST = 30, 0.2, 8, 5
"""Trees, the share of each that is added, their leaves, and the rows of a leaf at the least."""

MOST_LEVELS = 255
"""Categories that trees tell apart; codes of more are taken as numbers."""

MOST_COLUMNS = 8
"""Columns of a target that are predicted; more are an embedding, which has no thresholds."""


def boosted(target: NDArray[np.float64], z: Counted) -> NDArray[np.float64]:
    """Return predictions of a target for each distinct z from the other three quarters of them, shape (a, m).

    Parameters
    ----------
    target
        Means of the target on the distinct values of z, shape (a, m).
    z
        Numbers, with categories or without.

    References
    ----------
    Friedman 2001, doi:10.1214/aos/1013203451 (gradient boosting); Ke et al. 2017, LightGBM, NeurIPS 30 (histograms).
    """
    features, model = tree_features(z), trees(z)
    fold = np.arange(z.size) % FOLDS  # distinct values are in order: neighbours are in different folds
    predicted = np.empty((z.size, min(target.shape[1], MOST_COLUMNS)))
    for out in range(FOLDS):
        rest = fold != out
        for column in range(predicted.shape[1]):
            model.fit(features[rest], target[rest, column], sample_weight=z.counts[rest])
            predicted[~rest, column] = model.predict(features[~rest])
    return predicted


def trees(z: Counted) -> HistGradientBoostingRegressor:
    """Return boosted trees that are not fitted yet, for the columns of `tree_features`."""
    # scikit-learn takes half a second to import, which only those who need trees should pay
    from sklearn.ensemble import HistGradientBoostingRegressor

    few = z.labels is not None and z.labels.max() < MOST_LEVELS
    return HistGradientBoostingRegressor(
        max_iter=ITERATIONS, learning_rate=RATE, max_leaf_nodes=LEAVES, min_samples_leaf=LEAST, early_stopping=False,
        random_state=0, categorical_features=[z.columns - 1] if few else None,
    )  # fmt: skip


def tree_features(z: Counted) -> NDArray[np.float64]:
    """Return numbers as they are and the category, if there is one, as the last column, on the distinct values."""
    assert z.values is not None
    return z.values if z.labels is None else np.column_stack([z.values, z.labels])
