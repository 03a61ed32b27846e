"""A measurement model for scores: score = rater's severity + person + error, people and errors normal.

It tells how far a score of few raters can be trusted, and weights raters by their error.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from personax.traits._ratings import Floats

__all__ = ["MeasurementModel", "fit_measurement_model"]

ROUNDS: Final = 2000
CLOSE: Final = 1e-8
FLOOR: Final = 0.1
"""A rater's error variance is at least this share of the mean rater's: of three raters one can seem to be without error
by chance."""


@dataclass(frozen=True)
class MeasurementModel:
    """A fitted model.

    Parameters
    ----------
    severity
        Mean score that a rater would give to everybody, shape (raters,).
    error
        Variance of a rater's error, shape (raters,).
    between
        Variance of people.
    mean, sd
        Of each person given the raters' scores, on the scale of the average rater, shape (people,); NaN for whom nobody
        rated.
    """

    severity: Floats
    error: Floats
    between: float
    mean: Floats
    sd: Floats

    def draw(self, rng: np.random.Generator) -> Floats:
        """Return a plausible value of everybody."""
        return self.mean + self.sd * rng.standard_normal(len(self.mean))


def fit_measurement_model(matrix: Floats, *, equal: bool = True) -> MeasurementModel | None:
    """Fit by expectation maximisation; None where errors cannot be told from people.

    Parameters
    ----------
    matrix
        Scores, shape (raters, people), NaN where there is none.
    equal
        Whether all raters have one error variance; with two raters they have in any case.

    References
    ----------
    Dempster, Laird and Rubin 1977, doi:10.1111/j.2517-6161.1977.tb01600.x (section 4.5, variance components).
    """
    seen = ~np.isnan(matrix)
    number = seen.sum(axis=0)
    if (number >= 2).sum() < 2:
        return None
    kept = seen.any(axis=1)
    x, w = np.where(seen, matrix, 0.0)[kept], seen[kept].astype(float)
    equal = equal or len(x) < 3
    answers = w.sum(axis=1)
    severity = x.sum(axis=1) / answers
    spread = float((w * np.square(x - severity[:, None])).sum() / w.sum())
    if spread == 0:
        return None
    between, error = spread / 2, np.full(len(x), spread / 2)
    for _ in range(ROUNDS):
        before = np.concatenate([[between], error, severity])
        mean, var = _people(x, w, severity, error, between)
        severity = (w * (x - mean)).sum(axis=1) / answers
        rated = number > 0
        between = max(float((np.square(mean) + var)[rated].mean()), CLOSE * spread)
        squares = (w * (np.square(x - severity[:, None] - mean) + var)).sum(axis=1)
        error = np.full(len(x), squares.sum() / w.sum()) if equal else squares / answers
        error = np.maximum(error, max(FLOOR * float(error.mean()), CLOSE * spread))
        if np.abs(np.concatenate([[between], error, severity]) - before).max() < CLOSE * spread:
            break
    mean, var = _people(x, w, severity, error, between)
    nobody = number == 0
    centre = severity.mean()
    full_severity, full_error = np.full(len(matrix), np.nan), np.full(len(matrix), np.nan)
    full_severity[kept], full_error[kept] = severity, error
    return MeasurementModel(
        full_severity, full_error, between, np.where(nobody, np.nan, centre + mean),
        np.where(nobody, np.nan, np.sqrt(var)),
    )  # fmt: skip


def _people(x: Floats, w: Floats, severity: Floats, error: Floats, between: float) -> tuple[Floats, Floats]:
    """Return each person's mean and variance given the scores."""
    precision = 1 / between + (w / error[:, None]).sum(axis=0)
    pull = (w * (x - severity[:, None]) / error[:, None]).sum(axis=0)
    return pull / precision, 1 / precision
